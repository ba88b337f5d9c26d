internal import Foundation
package import Logging
internal import Processes
internal import Synchronization

/// One JSON object a line. Only metadata keys of a fixed list are written, so that nothing of a study can slip in.
package struct JSONLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    /// To standard error, else to standard output.
    private let standardError: Bool
    private static let allowed: Set<String> = [
        "job", "attempt", "study", "pipeline", "stage", "seconds", "bytes", "code", "host", "pid",
    ]
    /// Lines of two threads never mix.
    private static let turn = Mutex(())

    package init(standardError: Bool) { self.standardError = standardError }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = ["ts": Moment.text(Moment.now), "level": event.level.rawValue, "event": "\(event.message)"]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
        where Self.allowed.contains(key) {
            fields[key] = "\(value)"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = (try? encoder.encode(fields)).map({ String(decoding: $0, as: UTF8.self) }) else { return }
        // A log that nobody takes any more (closed pipe, full disk) must not end the work.
        Self.turn.withLock { _ in
            if standardError { StandardError.line(line) } else { try? StandardOutput.line(line) }
        }
    }
}
