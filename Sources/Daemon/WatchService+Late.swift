internal import Failures
internal import Foundation
internal import Logging
internal import Records
internal import Storage

// Images that come late, or come again: what they are worked on together with.

extension WatchService {
    /// Most inputs that are worked on together: a program takes so many arguments.
    private static let mostJoined = 2000

    static func joined(_ jobs: [String]) -> Verdict {
        guard jobs.count > mostJoined else { return .join(jobs) }
        let text = "its study came in \(jobs.count + 1) drops, more than are worked on together. Drop it as one folder."
        return .publish(JobReason(.partial, code: "LATE-MANY", text: text))
    }

    /// That images of a job contradict each other together with those that came before, and what then becomes of it.
    func contradiction(_ job: Job, _ record: RunRecord) -> JobReason? {
        let own = paths.input(job.id)
        let found = record.inputs.first {
            $0.status == .refused && JobReason.contradictions.contains($0.code ?? "")
                // What is wrong with the others alone was told with them.
                && ($0.path == own || $0.path.hasPrefix(own + "/"))
        }
        guard let found, let code = found.code else { return nil }
        let before = job.remark.map { "\($0.text) " } ?? ""
        return JobReason(
            .partial, code: code,
            text:
                "\(before)together with the images of its study that came before: \(found.reason ?? "") It was worked on alone: find out which images are right."
        )
    }

    /// The code by which images of the job's own were refused because parts of them may be missing; nil where none were.
    func lackingCode(_ job: Job, _ record: RunRecord) -> String? {
        let own = paths.input(job.id)
        return record.inputs.lazy.filter {
            $0.status == .refused && ($0.path == own || $0.path.hasPrefix(own + "/"))
        }.compactMap(\.code).first(where: JobReason.missingParts.contains)
    }

    /// Jobs that were put aside because parts were missing, and whose parts have given a result with another job's, are worked on once
    /// more: they then find that they are known.
    func retryLacking(_ jobs: [String]) async throws {
        for id in jobs {
            guard let job = try await ledger.job(id), job.state == .quarantined, job.mayLackParts else { continue }
            do { _ = try await retry(job) } catch let failure as StorageFailure {
                log.error("an input stays in quarantine", metadata: ["job": "\(id)", "code": "\(failure.code)"])
            }
        }
    }

    /// That images which no pipeline wants have the SOP Instance UIDs of those of a result and other content.
    func contradicted(_ record: RunRecord) throws -> JobReason? {
        let own = ImageSet(record)
        let studies = Set(record.inputs.filter { $0.image != nil }.compactMap(\.study))
        guard
            let older = try publication.reports(of: studies).first(where: {
                $0.supersededBy == nil && own.contradicts($0)
            })
        else { return nil }
        let path = paths.result(study: older.study, key: older.key ?? "")
        return JobReason(
            .refused, code: "DUP-CONFLICT",
            text:
                "its images have the SOP Instance UIDs of those of outbox/\(path) and other content, and no pipeline wants them alone. Find out which images are right; send the whole study."
        )
    }

    /// Earlier jobs of the same studies whose originals are still here and hold images that this one lacks, and none that contradicts it.
    ///
    /// - Parameters:
    ///   - attempt: whose record it is.
    ///   - lacking: whether some of its parts may still be missing: then those count too that were refused for that, and a job that was
    ///     joined with others already may be joined with more.
    func lateJobs(_ job: Job, _ record: RunRecord, attempt n: Int, lacking: Bool) async throws -> [String] {
        guard settings.lateWindow > .zero, job.joined.isEmpty || lacking, !job.isSeparate else { return [] }
        let since = Moment.now - settings.lateWindow.milliseconds
        let settled = record.settledStudies
        let known = Set(settled.filter { $0.folder == nil }.map(\.study))
        // Also what nobody wanted of them: a few slices are no volume before the rest has come.
        let sharing = try await ledger.jobs(
            withMoreOf: record.images.filter { !known.contains($0.study) }, lacking: lacking, except: job.id,
            since: since)
        let studies = Set(settled.filter { $0.folder != nil }.map(\.study))
        let candidates =
            studies.isEmpty ? [] : try await ledger.jobs(ofStudies: studies.sorted(), except: job.id, since: since)
        let own = ImageSet(record)
        guard !candidates.isEmpty || !sharing.isEmpty else { return [] }
        let older = try OlderResults(
            publication.reports(of: studies.union(record.images.map(\.study))), of: own,
            beside: publication.reports(record, output: paths.output(job.id, attempt: n)), paths)
        let isInOutbox = !older.standing.filter { studies.contains($0.study) }.allSatisfy(own.holdsAll)
        var late: [String] = []
        for id in candidates.union(sharing).subtracting(job.joined).sorted(by: >) {
            guard let input = try paths.standingInput(of: id) else { continue }
            let held = input == paths.input(id) ? try publication.heldImages(studies, of: id) : []
            guard sharing.contains(id) || isInOutbox || !held.allSatisfy(own.holds) else { continue }
            // What a corrected study replaces is no part of it, nor is what is another patient's.
            if try await isContradicted(id, held, by: own, older) { continue }
            late.append(id)
        }
        return late
    }

    /// Whether a job holds images with the SOP Instance UIDs of `own` and other content, or results of another patient, or nothing but
    /// images of results that contradict it so.
    private func isContradicted(
        _ job: String, _ held: [RunRecord.Input], by own: ImageSet, _ older: OlderResults
    ) async throws -> Bool {
        if held.contains(where: own.contradicts) { return true }
        for path in try await ledger.resultPaths(of: job) {
            guard let report = try older.byPath[path] ?? publication.report(at: path) else { continue }
            if older.contradicts(report) { return true }
        }
        let images = older.replaced.isEmpty ? [] : try await ledger.images(of: job)
        return !images.isEmpty && images.isSubset(of: older.replaced)
    }
}

/// The results of a job's studies that stand in the outbox, told apart by whether they contradict the job.
private struct OlderResults {
    private let own: ImageSet
    private let reports: [StudyRecord]
    /// Those that contradict nothing of the job.
    let standing: [StudyRecord]
    /// The first 64 bits of what tells the images of the others.
    let replaced: Set<UInt64>
    /// All of them, by their places relative to the outbox.
    let byPath: [String: StudyRecord]

    /// - Parameters:
    ///   - own: the job's images.
    ///   - reports: those of the job's own results.
    init(_ older: [StudyRecord], of own: ImageSet, beside reports: [StudyRecord], _ paths: ServicePaths) {
        (self.own, self.reports) = (own, reports)
        var (contradicted, standing): ([StudyRecord], [StudyRecord]) = ([], [])
        for report in older {
            if Self.contradicts(report, own, reports) { contradicted.append(report) } else { standing.append(report) }
        }
        self.standing = standing
        replaced = Set(contradicted.flatMap(\.imageContents).compactMap { UInt64($0.image ?? $0.digest, radix: 16) })
        byPath = Dictionary(
            older.map { (paths.result(study: $0.study, key: $0.key ?? ""), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Whether a result has an image of the job's with other content, or is of another patient.
    func contradicts(_ report: StudyRecord) -> Bool { Self.contradicts(report, own, reports) }

    private static func contradicts(_ report: StudyRecord, _ own: ImageSet, _ reports: [StudyRecord]) -> Bool {
        own.contradicts(report)
            || reports.contains {
                $0.study == report.study && !$0.identity.contradictions(report.identity).isEmpty
            }
    }
}
