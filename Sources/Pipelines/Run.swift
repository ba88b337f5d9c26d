import Failures
import Foundation
package import Records
package import SegmentAnything
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
        /// Instead of the pipelines' own.
        package var precision: PrecisionChoice?
        /// Keys of studies whose complete result exists: they are not segmented again.
        package var known: Set<String> = []
        /// Written beside the DICOM objects.
        package var also: Set<MaskFiles> = []
        package var program: ProgramIdentity
        /// The part of the inputs that is worked on; nil: all.
        package var shard: Shard?

        package init(inputs: [String], out: String, pipelines: String, pipeline: String?, program: ProgramIdentity) {
            self.inputs = inputs
            self.out = out
            self.pipelines = pipelines
            self.pipeline = pipeline
            self.program = program
        }

        /// Adds the keys of a file, one a line.
        ///
        /// *Throws* `InputFailure.knownKeys`, `StorageFailure`.
        package mutating func addKnown(file: String) throws { known.formUnion(try StudyKey.read(file)) }
    }

    package enum Event: Sendable {
        case reading(files: Int)
        case read(files: Int, studies: Int)
        case frame(StudyRun.Progress)
        case studyDone(study: String, done: Int, of: Int)
    }

    /// Pipelines are checked before the first input is read, but for the digests of their weights, which are made meanwhile and
    /// compared before the first network runs; a study that fails does not stop the next.
    ///
    /// *Throws* what keeps it from starting, and what `report` throws. *Returns* what `run.json` holds.
    package static func run(_ options: Options, report: @escaping (Event) throws -> Void) throws -> RunRecord {
        let started = RecordTime.now()
        let pipelines = try PipelineDirectory.openingAll(
            in: options.pipelines, only: options.pipeline, precision: options.precision)
        var program = options.program
        program.precision = Set(pipelines.map(\.precision.rawValue)).sorted().joined(separator: ", ")
        for input in options.inputs where !FileStatus.exists(input) { throw InputFailure.missing(path: input) }
        try OutputFolder.confirm(options.out, apartFrom: options.inputs)
        let folder = try OutputFolder(options.out)
        if let shard = options.shard { try folder.confirm(shard) }
        var inputs = try InputReader.read(
            options.inputs, output: folder, limits: ReadingLimits(of: pipelines)
        ) { count in
            if count % 100 == 0 { try report(.reading(files: count)) }
        }
        if let shard = options.shard { inputs.keep(shard) }
        try report(.read(files: inputs.count, studies: inputs.studies.count))

        let settings = StudyRun.Settings(
            pipelines: pipelines, isForced: options.pipeline != nil, known: options.known, also: options.also,
            program: program,
            out: folder.path)
        let studyRun = StudyRun(settings) { try report(.frame($0)) }
        var results: [StudyResult] = []
        for study in inputs.studies {
            results.append(try studyRun.run(study))
            try report(.studyDone(study: study.name, done: results.count, of: inputs.studies.count))
        }
        // Also of pipelines that nothing was for.
        for pipeline in pipelines { try pipeline.model.verify() }
        let record = RunRecord(
            started: started, finished: RecordTime.now(), program: program, shard: options.shard?.text,
            inputs: inputs.records(results), studies: results.compactMap(\.study), results: results.flatMap(\.results))
        try MeasurementTables(results.compactMap(\.tables)).write(to: folder.path)
        // The page first: whoever finds run.json finds everything else.
        try DurableFile.write(
            RunIndexPage.html(record, cards: results.compactMap(\.card)),
            to: Folder.join(folder.path, OutputFolder.pageName), mode: 0o600)
        try DurableFile.write(record.json(), to: Folder.join(folder.path, RunRecord.fileName))
        return record
    }
}
