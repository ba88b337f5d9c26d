internal import Failures
internal import Foundation
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
    func lateJobs(_ job: Job, _ record: RunRecord) async throws -> [String] {
        guard settings.lateWindow > .zero, job.joined.isEmpty, !job.isSeparate else { return [] }
        let since = Moment.now - settings.lateWindow.milliseconds
        let settled = record.settledStudies
        let known = Set(settled.filter { $0.folder == nil }.map(\.study))
        // Also what nobody wanted of them: a few slices are no volume before the rest has come.
        let sharing = try await ledger.jobs(
            withMoreOf: record.images.filter { !known.contains($0.study) }, except: job.id, since: since)
        let studies = Set(settled.filter { $0.folder != nil }.map(\.study))
        let candidates =
            studies.isEmpty ? [] : try await ledger.jobs(ofStudies: studies.sorted(), except: job.id, since: since)
        let own = ImageSet(record)
        let isInOutbox = try !candidates.isEmpty && !publication.reports(of: studies).allSatisfy(own.holdsAll)
        let contradicted = try publication.reports(of: Set(record.images.map(\.study))).filter(own.contradicts)
        let replaced = Set(
            contradicted.flatMap(\.imageContents).compactMap { UInt64($0.image ?? $0.digest, radix: 16) })
        var late: [String] = []
        for id in candidates.union(sharing).sorted(by: >) {
            guard let input = try paths.standingInput(of: id) else { continue }
            let held = input == paths.input(id) ? try publication.heldImages(studies, of: id) : []
            guard sharing.contains(id) || isInOutbox || !held.allSatisfy(own.holds) else { continue }
            // What a corrected study replaces is no part of it.
            if try await isContradicted(id, held, by: own, replaced) { continue }
            late.append(id)
        }
        return late
    }

    /// Whether a job holds images with the SOP Instance UIDs of `own` and other content, or nothing but images of results that do.
    private func isContradicted(
        _ job: String, _ held: [RunRecord.Input], by own: ImageSet, _ replaced: Set<UInt64>
    ) async throws -> Bool {
        if held.contains(where: own.contradicts) { return true }
        let reports = try await ledger.resultPaths(of: job).compactMap { try publication.report(at: $0) }
        if reports.contains(where: own.contradicts) { return true }
        let images = replaced.isEmpty ? [] : try await ledger.images(of: job)
        return !images.isEmpty && images.isSubset(of: replaced)
    }
}
