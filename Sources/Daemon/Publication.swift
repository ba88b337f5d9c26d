internal import Failures
internal import Foundation
package import Storage

/// A study's result that stands in the outbox.
package struct PublishedResult: Sendable {
    package let study: String
    /// K: the study's content and all pipelines.
    package let key: String
    /// Relative to the outbox.
    package let path: String
    package let reportDigest: String?
    package let bytes: Int
    package let files: Int
    package let findings: String
}

/// Moves what is finished to where people look for it. Every step can be repeated after a crash.
package actor Publication {
    private let places: Places
    private let version: String

    package init(places: Places, version: String) {
        self.places = places
        self.version = version
    }

    /// Renames a job's studies into the outbox and gives those that are there now.
    ///
    /// A study whose key stands there already is adopted: it was published before, by this job before a crash or by an
    /// earlier drop of the same study. *Throws* `DaemonFailure.outboxConflict`, `.noRunRecord`, `StorageFailure`.
    package func publish(_ job: Job) throws -> [PublishedResult] {
        let output = places.output(job.id, attempt: job.lastAttempt)
        guard let summary = RunSummary(output: output) else { throw DaemonFailure.noRunRecord(job: job.id) }
        return try summary.publishable.map { study in
            let path = places.result(study: study.study, key: study.key)
            let target = Folder.join(places.outbox, path)
            let parent = Folder.split(target).folder
            if !FileStatus.exists(parent) {
                try Folder.make(parent, mode: 0o750)
                try Folder.sync(places.outbox)
            }
            let source = Folder.join(output, study.folder)
            if FileStatus.exists(source) {
                do {
                    try Folder.rename(source, to: target)
                } catch let error as StorageFailure where error.systemError == .exists {
                    try confirm(target, holds: study.key, named: path)
                }
                try Folder.sync(parent)
            } else {
                // Renamed by a service that died before it wrote so.
                try confirm(target, holds: study.key, named: path)
            }
            let report = Folder.join(target, "report.json")
            return PublishedResult(
                study: study.study, key: study.key, path: path, reportDigest: try? FileDigest(ofFile: report).hex,
                bytes: try Fingerprint(of: target).bytes,
                files: summary.inputs.count { $0.study == study.study && $0.outcome == .processed },
                findings: summary.findings(of: study))
        }
    }

    /// That `target` is the result of this key: its `report.json` says so.
    private func confirm(_ target: String, holds key: String, named path: String) throws {
        struct Report: Decodable { let key: String }
        guard let bytes = try? DurableFile.read(Folder.join(target, "report.json"), limit: 256 << 20),
            let report = try? JSONDecoder().decode(Report.self, from: Data(bytes)), report.key == key
        else { throw DaemonFailure.outboxConflict(result: path) }
    }

    /// The input of a finished job to `kept/<day>/<job>`; its room is removed.
    package func keep(_ job: Job) throws {
        let day = Folder.join(places.kept, Moment.day(job.createdAt))
        try Folder.make(day, mode: 0o750)
        try moveInput(of: job, to: Folder.join(day, job.id))
    }

    /// The input of a job that nobody can work on to `quarantine/<job>/input`, with `reason.json` and the worker's log beside it.
    package func quarantine(_ job: Job, _ reason: Reason) throws {
        let place = Folder.join(places.quarantine, job.id)
        try Folder.make(place, mode: 0o750)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let record = QuarantineRecord(
            job: job.id, class: reason.kind.rawValue, code: reason.code, text: reason.text, attempts: job.lastAttempt,
            quarantined: Moment.text(Moment.now), version: version)
        try DurableFile.write(
            [UInt8](encoder.encode(record)) + [10], to: Folder.join(place, "reason.json"), mode: 0o640)
        let log = places.log(job.id)
        if FileStatus.exists(log), !FileStatus.exists(Folder.join(place, "worker.log")) {
            try Folder.rename(log, to: Folder.join(place, "worker.log"))
        }
        try moveInput(of: job, to: Folder.join(place, "input"))
    }

    private func moveInput(of job: Job, to target: String) throws {
        let input = places.input(job.id)
        if FileStatus.exists(input) {
            try Folder.rename(input, to: target)
            try Folder.sync(Folder.split(target).folder)
        }
        try Folder.remove(places.room(job.id))
    }

    /// Writes the outbox's index anew.
    package func writeIndex(_ overview: Overview) throws(StorageFailure) {
        try DurableFile.write(
            OutboxPage(try overview.asking(quarantine: places.quarantine), version: version, now: Moment.now).html,
            to: Folder.join(places.outbox, "index.html"), mode: 0o640)
    }
}

/// `reason.json`: never a path, a name or a value of the study.
private struct QuarantineRecord: Encodable {
    let job: String
    let `class`: String
    let code: String
    let text: String
    let attempts: Int
    let quarantined: String
    let version: String
}
