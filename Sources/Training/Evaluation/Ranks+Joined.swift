import Foundation
import Processes

extension Ranks {
    /// What all processes have, one after the other, at each of them.
    func joined<Value: Codable>(_ values: [Value]) throws -> [Value] {
        let encoder = PropertyListEncoder()
        // Distances may be infinite, which JSON cannot say.
        encoder.outputFormat = .binary
        let parts = exchange(Array(try encoder.encode(values)))
        return try parts.flatMap { try PropertyListDecoder().decode([Value].self, from: Data($0)) }
    }
}
