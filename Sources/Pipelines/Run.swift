import Failures
import Foundation
import Storage

/// A whole run: reading, every study in turn, the record and the page of the run.
package enum Run {
    package struct Options: Sendable {
        package var inputs: [String]
        package var out: String
        /// The folder of pipelines.
        package var pipelines: String
        /// Only this one, whatever its rules say.
        package var pipeline: String?
        package var program: ProgramIdentity

        package init(inputs: [String], out: String, pipelines: String, pipeline: String?, program: ProgramIdentity) {
            self.inputs = inputs
            self.out = out
            self.pipelines = pipelines
            self.pipeline = pipeline
            self.program = program
        }
    }

    package enum Event: Sendable {
        case reading(files: Int)
        case read(files: Int, studies: Int)
        case frame(StudyRun.Progress)
        case studyDone(study: String, done: Int, of: Int)
    }

    /// Pipelines are checked before the first input is read; a study that fails does not stop the next.
    ///
    /// *Throws* what keeps it from starting, and `Interruption`. *Returns* what `run.json` holds.
    package static func run(_ options: Options, report: @escaping (Event) throws -> Void) throws -> RunRecord {
        var record = RunRecord(started: JSONText.time(Date()), finished: "", program: options.program)
        let pipelines = try PipelineDirectory.openAll(in: options.pipelines, only: options.pipeline)
        for input in options.inputs where !FileStatus.exists(input) { throw InputFailure.missing(path: input) }
        do {
            try RunFolder.prepare(options.out)
        } catch {
            let failure = FailureRecord(error)
            throw FailureRecord(
                kind: .usage, code: "USE-OUT", text: "\(failure.text) Choose another folder with --out.")
        }
        let read = try StudyReader.read(options.inputs, excluding: options.out) { count in
            if count % 100 == 0 { try report(.reading(files: count)) }
        }
        record.inputs = read.records
        try report(.read(files: read.records.count, studies: read.studies.count))

        let studyRun = StudyRun(
            pipelines: pipelines, isForced: options.pipeline != nil, program: options.program, out: options.out
        ) { try report(.frame($0)) }
        var cards: [RunIndexCard] = []
        for (index, study) in read.studies.enumerated() {
            if let card = try studyRun.run(study, places: read.places, record: &record) { cards.append(card) }
            try report(.studyDone(study: study.name, done: index + 1, of: read.studies.count))
        }
        record.finished = JSONText.time(Date())
        // The page first: whoever finds run.json finds everything else.
        try DurableFile.write(
            RunIndexPage.html(record, cards: cards), to: Folder.join(options.out, "index.html"), mode: 0o600)
        try record.write(to: options.out)
        return record
    }
}
