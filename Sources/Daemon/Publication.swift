internal import Failures
internal import Foundation
internal import Records
package import Storage

/// What became of a job's results.
package struct Published: Sendable, Equatable {
    /// They stand in the outbox, put there now or by this job before a crash.
    package var results: [PublishedResult] = []
    /// Results of the same key that stood there already, whole.
    package var stood: [PublishedResult] = []
    /// Folders of results that say more of the study than this job's did, relative to the outbox.
    package var coveredBy: [String] = []
    /// Folders of older results whose images have UIDs of this job's and other content, relative to the outbox.
    package var contradicted: [String] = []
    /// Folders of older results of the study that are of another patient or study than this job's, relative to the outbox.
    package var ofOthers: [String] = []
    /// Keywords of the attributes that say so.
    package var differing: Set<String> = []
    /// Folders of older results that are of other slices of the same series than this job's, relative to the outbox.
    package var divided: [String] = []
}

/// Moves what is finished to where people look for it. Every step can be repeated after a crash.
package actor Publication {
    /// Results that the worker took for known do not stand whole in the outbox.
    package struct KnownResultsMissing: Error {
        package let keys: [String]
    }

    private let paths: ServicePaths
    private let version: String
    private var shown: OutboxPage?
    /// Accession numbers by folder of the results that the page shows.
    private var accessions: [String: String] = [:]

    package init(paths: ServicePaths, version: String) {
        self.paths = paths
        self.version = version
    }

    // MARK: results

    /// Brings a job's studies into the outbox.
    ///
    /// A study whose key stands there whole is adopted: it was published before, by this job before a crash or by an earlier drop.
    /// What stands there with files missing or changed, or without a readable report, is moved aside and published again. A result of more images than an older
    /// one under the same pipelines supersedes it; one of fewer, or of the same ones sent again, is not published.
    ///
    /// *Throws* `DaemonFailure.outboxConflict`, `KnownResultsMissing`, `StorageFailure`, and what reading the record throws.
    package func publish(_ job: Job, each: () -> Void = {}) throws -> Published {
        let output = paths.output(job.id, attempt: job.lastAttempt)
        let record: RunRecord
        do { record = try RunRecord.read(output: output) } catch let error as StorageFailure
            where error.systemError == .notFound
        {
            // What the worker had made is gone.
            throw RecordFailure.unreadable(file: RunRecord.fileName)
        }
        let studies = record.settledStudies
        var published = Published()
        // Before anything is moved: the whole job is done anew where one of them is missing.
        let missing = try studies.filter { study in
            guard study.folder == nil, let key = study.key else { return false }
            return try standing(study.study, key).map { try !$0.isWhole() } ?? true
        }
        guard missing.isEmpty else { throw KnownResultsMissing(keys: missing.compactMap(\.key)) }
        for study in studies {
            guard let key = study.key else { continue }
            each()
            let path = paths.result(study: study.study, key: key)
            func result(_ supersedes: [String] = []) throws -> PublishedResult {
                PublishedResult(
                    study: study.study, key: key, path: path, complete: study.complete,
                    files: record.processed(of: study.study),
                    bytes: try Fingerprint(of: Folder.join(paths.outbox, path)).bytes,
                    findings: record.findings(of: study.study), supersedes: supersedes)
            }
            guard let folder = study.folder else {
                published.stood.append(try result())
                continue
            }
            switch try place(Folder.join(output, folder), study.study, key, job: job.id) {
            case .new:
                published.results.append(try result(try supersede(study.study, key)))
                published.contradicted += try others(study.study, key, where: { $0.contradicts($1) })
                published.divided += try others(study.study, key, where: { $0.divides($1) })
                for (path, keywords) in try ofOthers(study.study, key) {
                    published.ofOthers.append(path)
                    published.differing.formUnion(keywords)
                }
            case .stood: published.stood.append(try result())
            case .repeated(let old):
                guard let key = old.record.key else { continue }
                let path = paths.result(study: study.study, key: key)
                published.stood.append(
                    PublishedResult(
                        study: study.study, key: key, path: path, complete: old.record.complete,
                        files: record.processed(of: study.study),
                        bytes: try Fingerprint(of: Folder.join(paths.outbox, path)).bytes,
                        findings: record.findings(of: study.study), supersedes: []))
            case .covered(let by): published.coveredBy.append(by)
            }
        }
        return published
    }

    private enum Placing {
        case new, stood
        case covered(by: String)
        /// The images of one that stands, sent again with other attributes that reach no result.
        case repeated(OutboxResult)
    }

    /// Gives a result its name in the outbox, unless it or one that covers it stands there.
    private func place(_ source: String, _ study: String, _ key: String, job: String) throws -> Placing {
        let path = paths.result(study: study, key: key)
        let target = Folder.join(paths.outbox, path)
        guard FileStatus.exists(source) else {
            // Renamed by a service that died before it wrote so; what has become of it since, nobody knows.
            guard try standing(study, key) != nil else { throw RecordFailure.unreadable(file: StudyRecord.fileName) }
            return .new
        }
        guard let new = try OutboxResult(in: source) else { throw RecordFailure.unreadable(file: StudyRecord.fileName) }
        let parent = Folder.split(target).folder
        try make(parent)
        if FileStatus.exists(target) {
            let old = try OutboxResult(in: target)
            if let old {
                guard old.record.key == key else { throw DaemonFailure.outboxConflict(result: path) }
                if try old.isWhole(), !new.covers(old) { return .stood }
            }
            // A person may have changed it on purpose, its report too: it stays beside.
            try Folder.rename(target, to: "\(target).replaced-\(job)")
        } else if let covering = try others(study, key).first(where: { try $0.covers(new) && $0.isWhole() }) {
            return .covered(by: "\(study)/\(Folder.split(covering.folder).name)")
        } else if let same = try others(study, key).first(where: { try new.repeats($0) && $0.isWhole() }) {
            return .repeated(same)
        }
        // A service that died while it wrote them.
        try DurableFile.removeTemporaries(in: source)
        try OutboxResult.writeSums(in: source)
        try Folder.rename(source, to: target)
        try Folder.sync(parent)
        return .new
    }

    /// Marks what the result of this key covers. Gives the keys of all that it has taken the place of.
    private func supersede(_ study: String, _ key: String) throws -> [String] {
        guard let new = try standing(study, key) else { return [] }
        return try others(study, key).filter { new.covers($0) }.compactMap { old in
            var old = old
            try old.markSuperseded(by: key)
            return old.record.supersededBy == key ? old.record.key : nil
        }
    }

    /// Says in the reports of these results what a person is asked for: a ledger that is made anew knows it from there.
    func mark(_ results: [PublishedResult], asking code: String) throws {
        for result in results {
            guard var standing = try standing(result.study, result.key) else { continue }
            try standing.markAsking(code)
        }
    }

    /// Folders of the other results of the study for which `holds` says so of this one and them, relative to the outbox.
    private func others(
        _ study: String, _ key: String, where holds: (OutboxResult, OutboxResult) -> Bool
    ) throws -> [String] {
        guard let new = try standing(study, key) else { return [] }
        return try others(study, key).filter { holds(new, $0) }.map { "\(study)/\(Folder.split($0.folder).name)" }
    }

    /// Results of the study that are of another patient or study than this one, relative to the outbox, and the keywords of the
    /// attributes that say so.
    private func ofOthers(_ study: String, _ key: String) throws -> [(path: String, keywords: [String])] {
        guard let new = try standing(study, key) else { return [] }
        return try others(study, key).map {
            (path: "\(study)/\(Folder.split($0.folder).name)", keywords: new.strangers($0))
        }
        .filter { !$0.keywords.isEmpty }
    }

    /// The result of this key, whole or not.
    private func standing(_ study: String, _ key: String) throws -> OutboxResult? {
        let found = try OutboxResult(in: Folder.join(paths.outbox, paths.result(study: study, key: key)))
        return found?.record.key == key ? found : nil
    }

    /// Every other result of the study.
    private func others(_ study: String, _ key: String) throws -> [OutboxResult] {
        let folder = Folder.join(paths.outbox, study)
        return try Folder.list(folder).filter { $0.status.kind == .directory && $0.name.utf8.count == 8 }
            .compactMap { try OutboxResult(in: Folder.join(folder, $0.name)) }
            .filter { $0.record.key != nil && $0.record.key != key }
    }

    /// The reports of the results of these studies in the outbox.
    nonisolated func reports(of studies: Set<String>) throws -> [StudyRecord] {
        // As folders are named; a worker's record may be anything.
        let names = studies.filter { $0.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) } && !$0.isEmpty }
        return try names.sorted().flatMap { study in
            let folder = Folder.join(paths.outbox, study)
            guard FileStatus.exists(folder) else { return [StudyRecord]() }
            return try Folder.list(folder).filter { $0.name.utf8.count == 8 }
                .compactMap { try OutboxResult(in: Folder.join(folder, $0.name))?.record }
        }
    }

    /// The report of a result at its path in the outbox; nil when none stands there.
    nonisolated func report(at path: String) throws -> StudyRecord? {
        try OutboxResult(in: Folder.join(paths.outbox, path))?.record
    }

    /// The reports of a worker's studies, as it left them in its output folder.
    nonisolated func reports(_ record: RunRecord, output: String) throws -> [StudyRecord] {
        try record.settledStudies.compactMap(\.folder)
            .compactMap { try OutboxResult(in: Folder.join(output, $0))?.record }
    }

    /// What a job whose result waits to be published holds of these studies, as its workers' records say.
    nonisolated func heldImages(_ studies: Set<String>, of job: String) throws -> [RunRecord.Input] {
        try Folder.list(paths.folder(job)).filter { $0.name.hasPrefix("out.") }.flatMap { entry in
            let record = try? RunRecord.read(output: Folder.join(paths.folder(job), entry.name))
            return record?.inputs.filter { $0.study.map(studies.contains) == true && $0.contentSHA256 != nil } ?? []
        }
    }

    // MARK: inputs

    /// The input of a finished job to `kept/<day>/<job>`; its work folder is removed.
    package func keep(_ job: Job) throws { try keep(job, from: paths.input(job.id)) }

    /// The same for an input that stands elsewhere.
    package func keep(_ job: Job, from input: String) throws {
        // The day that it was put there, from which it is kept.
        let day = Folder.join(paths.kept, Moment.day(Moment.now))
        if FileStatus.exists(input) {
            try make(day)
            try moveAside(input, to: Folder.join(day, job.id))
        }
        try Folder.remove(paths.folder(job.id))
    }

    /// An input to the place where it stays. After a power failure it may stand in both: a disk may keep the new name and not that the old
    /// one is gone. Then the old one goes once both are proven to hold the same.
    private func moveAside(_ input: String, to target: String) throws {
        do throws(StorageFailure) { try Folder.rename(input, to: target) } catch {
            guard error.systemError == .exists, try FileDigest(ofTree: input) == FileDigest(ofTree: target) else {
                throw error
            }
            try Folder.remove(input)
        }
        try Folder.sync(Folder.split(target).folder)
    }

    /// A folder whose name survives a power failure.
    private func make(_ folder: String) throws {
        guard !FileStatus.exists(folder) else { return }
        try Folder.make(folder, mode: 0o750)
        try Folder.sync(folderOf: folder)
    }

    /// The input of a job that nobody can work on to `quarantine/<job>/input`, with `reason.json` and the worker's log beside it.
    package func quarantine(_ job: Job) throws {
        let folder = Folder.join(paths.quarantine, job.id)
        try make(folder)
        let reason = job.reason ?? JobReason(.failed, code: "UNKNOWN", text: "the ledger holds no reason.")
        let record = ReasonRecord(
            job: job.id, kind: reason.kind.rawValue, code: reason.code, text: reason.text, attempts: job.lastAttempt,
            quarantined: Moment.text(Moment.now), programVersion: version)
        try DurableFile.write(try record.json(), to: Folder.join(folder, ReasonRecord.fileName), mode: 0o640)
        let log = paths.log(job.id)
        if FileStatus.exists(log), !FileStatus.exists(Folder.join(folder, "worker.log")) {
            try Folder.rename(log, to: Folder.join(folder, "worker.log"))
        }
        if FileStatus.exists(paths.input(job.id)) {
            try moveAside(paths.input(job.id), to: Folder.join(folder, "input"))
        }
        try Folder.remove(paths.folder(job.id))
    }

    // MARK: the page

    /// Writes the outbox's index anew when it would show something else than it does.
    ///
    /// - Parameter showsAccession: whether each study's accession number is shown; it is read from its report, and kept nowhere else.
    package func writeIndex(_ overview: Overview, showsAccession: Bool = false) throws(StorageFailure) {
        accessions = showsAccession ? accessions(of: overview.lines.compactMap(\.path)) : [:]
        let page = OutboxPage(overview, version: version, names: accessions)
        guard page != shown else { return }
        let path = Folder.join(paths.outbox, "index.html")
        do throws(StorageFailure) { try DurableFile.write(page.html, to: path, mode: 0o640) } catch {
            guard error.systemError == .diskFull else { throw error }
            // What stands there says that all is well, for as long as the disk is full. What it takes is room for what is so now.
            shown = nil
            try Folder.remove(path)
            try DurableFile.write(page.html, to: path, mode: 0o640)
        }
        shown = page
    }

    /// What is known already is not read again.
    private func accessions(of paths: [String]) -> [String: String] {
        var found: [String: String] = [:]
        for path in paths {
            let record =
                accessions[path] == nil ? try? OutboxResult(in: Folder.join(self.paths.outbox, path))?.record : nil
            found[path] = accessions[path] ?? record?.identity.accessionNumber ?? ""
        }
        return found
    }

    /// The page of the newest night, as HTML and as JSON.
    package func writeNight(_ nights: [Night], _ studies: [Night.Study]) throws {
        guard let night = nights.first else { return }
        let page = NightPage(night, among: Array(nights.prefix(Night.shown)), studies: studies, version: version)
        try make(Folder.join(paths.outbox, Night.folder))
        let path = Folder.join(paths.outbox, night.page)
        try DurableFile.write(page.json, to: String(path.dropLast(5)) + ".json", mode: 0o640)
        try DurableFile.write(page.html, to: path, mode: 0o640)
    }
}
