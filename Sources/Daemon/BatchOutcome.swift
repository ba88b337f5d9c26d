package import Failures
internal import Foundation

/// What a batch came to.
package struct BatchOutcome: Sendable, Equatable, Codable {
    /// Studies that were published.
    package let results: Int
    /// Jobs that ended well, those included that nobody asked anything of.
    package let done: Int
    package let quarantined: Int
    /// Published, with files that were refused or failed.
    package let partial: Int
    /// Jobs left for the next batch.
    package let waiting: Int
    /// Drops that did not settle, or could not be taken.
    package let unsettled: Int
    package let paused: String?

    /// 3 when a person should look, else 0: an empty inbox is a good night.
    package var status: ExitStatus {
        quarantined + partial + waiting + unsettled > 0 || paused != nil ? .refusedOrFailed : .done
    }

    /// One line.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// For a person.
    package var summary: String {
        var parts = [
            "\(results) \(results == 1 ? "result" : "results") published from \(done) \(done == 1 ? "drop" : "drops")"
        ]
        if partial > 0 { parts.append("\(partial) incomplete") }
        if quarantined > 0 { parts.append("\(quarantined) in quarantine") }
        if waiting > 0 { parts.append("\(waiting) left for the next batch") }
        if unsettled > 0 { parts.append("\(unsettled) in the inbox not settled") }
        if let paused { parts.append("stopped early: \(paused)") }
        return parts.joined(separator: ", ") + "."
    }
}
