package import Failures
import Foundation
import Storage

/// `run.json`: what became of every input, and every result. Others script against its keys (`docs/formats.md`).
package struct RunRecord: Sendable, Encodable {
    package struct Input: Sendable {
        /// As it was given, or found below what was given.
        package var path: String
        /// Of the whole file; nil when it could not be read.
        package var sha256: String?
        package var status: Outcome
        package var code: String?
        package var reason: String?
        /// Names as in the folders: 12 and 8 hexadecimal digits.
        package var study: String?
        package var series: String?
    }

    package struct Study: Sendable {
        package var study: String
        /// K: the study's digest with those of the loaded pipelines.
        package var key: String
        /// Relative to the output folder.
        package var folder: String
    }

    package struct Segment: Sendable {
        /// As described in the pipeline, from 1; also for segments that were not found.
        package var number: Int
        package var label: String
        package var pixels: Int
        package var areaMM2: Double?
        package var volumeML: Double?
        package var confidence: Double?
    }

    package struct Result: Sendable {
        package var study: String
        package var series: String
        package var pipeline: String
        /// Relative to the output folder; nil when nothing was found.
        package var file: String?
        package var seconds: Double
        package var segments: [Segment]
        package var frames: Int
        package var pipelineVersion: String
        package var pipelineDigest: String
        package var modelDigest: String
        package var secondsByStep: [String: Double]
    }

    package static let version = 1

    package var started: String
    package var finished: String
    package var program: ProgramIdentity
    package var inputs: [Input] = []
    package var studies: [Study] = []
    package var results: [Result] = []

    /// The exit status of the run.
    package var exitStatus: ExitStatus { .of(inputs.map(\.status)) }

    package func write(to folder: String) throws {
        try DurableFile.write(JSONText.encode(self), to: Folder.join(folder, "run.json"))
    }
}

/// The program that ran, for records and reports.
package struct ProgramIdentity: Sendable, Encodable {
    package var name = "hspsam"
    package var version: String
    package var instructionSet: String
    package var precision: String
    package var threads: Int

    package init(version: String, instructionSet: String, precision: String, threads: Int) {
        self.version = version
        self.instructionSet = instructionSet
        self.precision = precision
        self.threads = threads
    }

    private enum CodingKeys: String, CodingKey {
        case name, version, precision, threads
        case instructionSet = "instruction_set"
    }
}

/// Our JSON: sorted keys, two-space indent, a line feed at the end.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [0x0A]
    }

    /// UTC, to the second: `2026-11-24T01:02:03Z`.
    static func time(_ date: Date) -> String { date.formatted(.iso8601) }
}

/// Values to a number of decimals, so that JSON holds 12.34 and not 12.340000000000000001.
func rounded(_ value: Double, _ decimals: Int) -> Double {
    let scale = (0..<decimals).reduce(1.0) { result, _ in result * 10 }
    let result = (value * scale).rounded() / scale
    return result.isFinite ? result : value
}

// Absent values are written as null, never left out: a reader finds every key in every row.

extension RunRecord {
    private enum CodingKeys: String, CodingKey { case version, started, finished, program, inputs, studies, results }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.version, forKey: .version)
        try container.encode(started, forKey: .started)
        try container.encode(finished, forKey: .finished)
        try container.encode(program, forKey: .program)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(studies, forKey: .studies)
        try container.encode(results, forKey: .results)
    }
}

extension RunRecord.Input: Encodable {
    private enum CodingKeys: String, CodingKey { case path, sha256, status, code, reason, study, series }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(path, forKey: .path)
        try container.encode(sha256, forKey: .sha256)
        try container.encode(status, forKey: .status)
        try container.encode(code, forKey: .code)
        try container.encode(reason, forKey: .reason)
        try container.encode(study, forKey: .study)
        try container.encode(series, forKey: .series)
    }
}

extension RunRecord.Study: Encodable {
    private enum CodingKeys: String, CodingKey { case study, key, folder }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(study, forKey: .study)
        try container.encode(key, forKey: .key)
        try container.encode(folder, forKey: .folder)
    }
}

extension RunRecord.Segment: Encodable {
    private enum CodingKeys: String, CodingKey {
        case number, label, pixels, confidence
        case areaMM2 = "area_mm2"
        case volumeML = "volume_ml"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
        try container.encode(label, forKey: .label)
        try container.encode(pixels, forKey: .pixels)
        try container.encode(areaMM2.map { rounded($0, 3) }, forKey: .areaMM2)
        try container.encode(volumeML.map { rounded($0, 4) }, forKey: .volumeML)
        try container.encode(confidence.map { rounded($0, 4) }, forKey: .confidence)
    }
}

extension RunRecord.Result: Encodable {
    private enum CodingKeys: String, CodingKey {
        case study, series, pipeline, file, seconds, segments, frames
        case pipelineVersion = "pipeline_version"
        case pipelineDigest = "pipeline_digest"
        case modelDigest = "model_digest"
        case secondsByStep = "seconds_by_step"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(study, forKey: .study)
        try container.encode(series, forKey: .series)
        try container.encode(pipeline, forKey: .pipeline)
        try container.encode(file, forKey: .file)
        try container.encode(rounded(seconds, 3), forKey: .seconds)
        try container.encode(segments, forKey: .segments)
        try container.encode(frames, forKey: .frames)
        try container.encode(pipelineVersion, forKey: .pipelineVersion)
        try container.encode(pipelineDigest, forKey: .pipelineDigest)
        try container.encode(modelDigest, forKey: .modelDigest)
        try container.encode(secondsByStep.mapValues { rounded($0, 3) }, forKey: .secondsByStep)
    }
}
