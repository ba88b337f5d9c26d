import Failures
import Foundation

/// One line of `hspsam run --json`: what it does now. The service reads them as the worker's heartbeat.
package struct ProgressLine: Sendable, Equatable, Codable {
    /// What is told: each has the keys that name it.
    package enum Event: String, Sendable, CaseIterable, Codable {
        case started, reading, read, frame, study, finished
    }

    package var event: Event
    /// `reading`, `read`: files so far.
    @Nullable package var files: Int?
    /// `read`: studies found.
    @Nullable package var studies: Int?
    /// `frame`, `study`: names as in the folders.
    @Nullable package var study: String?
    @Nullable package var series: String?
    @Nullable package var pipeline: String?
    /// `frame`: from 1, of so many.
    @Nullable package var frame: Int?
    @Nullable package var frames: Int?
    /// `study`: studies done, of so many.
    @Nullable package var done: Int?
    @Nullable package var of: Int?
    /// `finished`: results, and inputs by outcome.
    @Nullable package var results: Int?
    @Nullable package var processed: Int?
    @Nullable package var skipped: Int?
    @Nullable package var refused: Int?
    @Nullable package var failed: Int?
    @Nullable package var exit: Int32?

    package init(_ event: Event) { self.event = event }

    /// Files are being looked at.
    package static func reading(files: Int) -> ProgressLine {
        var line = ProgressLine(.reading)
        line.files = files
        return line
    }

    /// All files were looked at.
    package static func read(files: Int, studies: Int) -> ProgressLine {
        var line = ProgressLine(.read)
        (line.files, line.studies) = (files, studies)
        return line
    }

    /// A frame went through the network.
    package static func frame(_ frame: Int, of frames: Int, study: String, series: String, pipeline: String)
        -> ProgressLine
    {
        var line = ProgressLine(.frame)
        (line.frame, line.frames) = (frame, frames)
        (line.study, line.series, line.pipeline) = (study, series, pipeline)
        return line
    }

    /// A study is done.
    package static func study(_ study: String, done: Int, of studies: Int) -> ProgressLine {
        var line = ProgressLine(.study)
        (line.study, line.done, line.of) = (study, done, studies)
        return line
    }

    /// The run is over; the last line.
    package static func finished(_ record: RunRecord) -> ProgressLine {
        var line = ProgressLine(.finished)
        line.results = record.results.count
        (line.processed, line.skipped) = (record.count(.processed), record.count(.skipped))
        (line.refused, line.failed) = (record.count(.refused), record.count(.failed))
        line.exit = record.exitStatus.rawValue
        return line
    }

    /// As JSON in one line, with its line feed.
    package func json() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("ProgressLine: whole numbers and text are always JSON")
        }
        return Array(data) + [0x0A]
    }

    /// Nil for what is no such line.
    package init?(json line: [UInt8]) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(line)) else { return nil }
        self = read
    }
}
