internal import Foundation

/// The report that `dcmsend` writes of a transfer: the peer's answer to each instance.
package enum DCMSendReport {
    /// What the report says of one file.
    package enum Status: Sendable, Equatable {
        /// The peer's answer.
        case answered(UInt16)
        /// No presentation context: the peer does not take this SOP class or transfer syntax.
        case notAccepted
        case unanswered

        /// *Source*: PS3.4 B.2.3, PS3.7 C.
        package var outcome: DeliveryReceipt.Outcome {
            switch self {
            case .answered(let status):
                switch status {
                // Success, and success with a warning.
                case 0, 0xB000...0xBFFF: .sent
                // Out of resources; the peer's own trouble.
                case 0xA700...0xA7FF, 0x0110, 0x0124, 0x0213: .failed
                default: .refused
                }
            case .notAccepted: .refused
            case .unanswered: .failed
            }
        }

        /// What a warning's code says that the peer did with an object which it took; nil for other codes.
        ///
        /// *Source*: PS3.4 Table B.2-1.
        static func alteration(_ code: String) -> String? {
            guard code.count == 6, code.hasPrefix("0xB") else { return nil }
            switch code {
            case "0xB000": return "changed attributes of them"
            case "0xB006": return "discarded attributes of them"
            case "0xB007": return "finds that they do not match their SOP class"
            default: return "warns of them"
            }
        }

        package var code: String {
            switch self {
            case .answered(let status):
                let digits = String(status, radix: 16, uppercase: true)
                return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
            case .notAccepted: return DeliveryReceipt.File.notAccepted
            case .unanswered: return "UNANSWERED"
            }
        }
    }

    /// By file name. *Source*: the report of dcmsend 3.6.7.
    package static func statuses(_ report: String) -> [String: Status] {
        var statuses: [String: Status] = [:]
        var file: String?
        for line in report.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let key = line[..<colon].trimmingCharacters(in: .whitespaces)
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            switch key {
            case "Filename":
                file = value
                statuses[value] = .unanswered
            case "DIMSE Status":
                guard let file else { continue }
                let digits = value.prefix { !$0.isWhitespace }.dropFirst(2)
                if value.hasPrefix("0x"), let status = UInt16(digits, radix: 16) {
                    statuses[file] = .answered(status)
                } else if value.contains("no acceptable presentation context") {
                    statuses[file] = .notAccepted
                }
            default: break
            }
        }
        return statuses
    }

    /// Number of Study Related Instances in the one answer that `findscu -v` shows; nil where there is none, or more than one.
    ///
    /// *Source*: the log of findscu 3.6.7.
    package static func relatedInstances(inLog log: String) -> Int? {
        // What was asked is shown first, without a value.
        let values = log.split(separator: "\n").filter { $0.contains("(0020,1208)") }.compactMap { line -> Int? in
            guard let open = line.firstIndex(of: "["), let close = line[open...].firstIndex(of: "]") else { return nil }
            return Int(line[line.index(after: open)..<close].trimmingCharacters(in: .whitespaces))
        }
        return values.count == 1 ? values[0] : nil
    }

    /// Whether an answer to C-FIND, as `findscu -X` writes it, holds this UID: as a value, not as a part of another.
    package static func names(_ uid: String, inAnswer bytes: [UInt8]) -> Bool {
        let wanted = Array(uid.utf8)
        func isOfUID(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || (48...57).contains(byte) }
        guard !wanted.isEmpty, bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { start in
            let end = start + wanted.count
            guard bytes[start] == wanted[0], bytes[start..<end].elementsEqual(wanted) else { return false }
            return (start == 0 || !isOfUID(bytes[start - 1])) && (end == bytes.count || !isOfUID(bytes[end]))
        }
    }

    /// The peer's answer to the one object that `storescu -d` has sent; nil when there was none.
    ///
    /// *Source*: the log of storescu 3.6.7.
    package static func status(inLog log: String) -> Status? {
        for line in log.split(separator: "\n").reversed() where line.contains("DIMSE Status") {
            guard let digits = line.range(of: "0x").map({ line[$0.upperBound...].prefix(4) }),
                let status = UInt16(digits, radix: 16)
            else { continue }
            return .answered(status)
        }
        let refusals = ["No Acceptable Presentation Contexts", "No presentation context for"]
        return refusals.contains(where: log.contains) ? .notAccepted : nil
    }
}
