package import Failures
internal import Foundation

/// What a batch came to.
package struct BatchOutcome: Sendable, Equatable, Codable {
    /// Studies that were published.
    package let results: Int
    /// Jobs that ended well, those included that nobody asked anything of.
    package let done: Int
    /// Of those, what no pipeline wants: nothing was made of it.
    package let unwanted: Int
    package let quarantined: Int
    /// Published, with files that were refused or failed.
    package let partial: Int
    /// Jobs left for the next batch.
    package let waiting: Int
    /// Drops that did not settle, or could not be taken.
    package let unsettled: Int
    /// Files of results that wait for a destination, or that one would not take.
    package let unsent: Int
    package let paused: String?
    /// Codes of what else needs a person, as `status` tells it: about the service itself, not about one job.
    package let notes: [String]

    package init(
        results: Int, done: Int, unwanted: Int = 0, quarantined: Int, partial: Int, waiting: Int, unsettled: Int,
        unsent: Int, paused: String?, notes: [String] = []
    ) {
        self.results = results
        self.done = done
        self.unwanted = unwanted
        self.quarantined = quarantined
        self.partial = partial
        self.waiting = waiting
        self.unsettled = unsettled
        self.unsent = unsent
        self.paused = paused
        self.notes = notes
    }

    /// A night of an older version tells nothing of deliveries, of what nobody wants and of the service itself.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func count(_ key: CodingKeys) throws -> Int { try values.decode(Int.self, forKey: key) }
        self.init(
            results: try count(.results), done: try count(.done),
            unwanted: try values.decodeIfPresent(Int.self, forKey: .unwanted) ?? 0,
            quarantined: try count(.quarantined), partial: try count(.partial), waiting: try count(.waiting),
            unsettled: try count(.unsettled),
            unsent: try values.decodeIfPresent(Int.self, forKey: .unsent) ?? 0,
            paused: try values.decodeIfPresent(String.self, forKey: .paused),
            notes: try values.decodeIfPresent([String].self, forKey: .notes) ?? [])
    }

    /// 3 when a person should look, else 0: an empty inbox is a good night.
    package var status: ExitStatus {
        quarantined + partial + waiting + unsettled + unsent > 0 || paused != nil || !notes.isEmpty
            ? .refusedOrFailed : .done
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
        if unwanted > 0 { parts.append("\(unwanted) of these wanted by no pipeline") }
        if partial > 0 { parts.append("\(partial) incomplete") }
        if quarantined > 0 { parts.append("\(quarantined) in quarantine") }
        if waiting > 0 { parts.append("\(waiting) left for the next batch") }
        if unsettled > 0 { parts.append("\(unsettled) in the inbox not settled") }
        if unsent > 0 { parts.append("\(unsent) files not sent to their destinations") }
        if !notes.isEmpty { parts.append("needs you (hspsam status): \(notes.joined(separator: ", "))") }
        if let paused { parts.append("stopped early: \(paused)") }
        return parts.joined(separator: ", ") + "."
    }
}
