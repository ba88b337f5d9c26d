internal import Failures
internal import Foundation
internal import Storage

/// Files of one result that are to be sent to one destination: what the service asks of the process that sends.
package struct DeliveryTicket: Sendable, Equatable, Codable {
    package let destination: String
    package let key: String
    /// Relative to the outbox.
    package let folder: String
    /// Names in that folder.
    package let files: [String]
    /// Where the destination is, as `Destination.address` says it; nil in those of older versions.
    package var address: String?
}

/// What became of each file of a ticket.
package struct DeliveryReceipt: Sendable, Equatable, Codable {
    package enum Outcome: String, Sendable, Codable {
        /// The peer has taken it.
        case sent
        /// It was asked, and has it.
        case confirmed
        /// Nobody there, no room, no answer: tried again.
        case failed
        /// The peer will never take it.
        case refused
    }

    package struct File: Sendable, Equatable, Codable {
        package let name: String
        package let outcome: Outcome
        /// `0xA700`, `ASSOCIATION`, `DISK-FULL`: never a text of the peer's.
        package let code: String

        package init(_ name: String, _ outcome: Outcome, code: String) {
            self.name = name
            self.outcome = outcome
            self.code = code
        }

        /// Whether the peer does not take objects of this SOP class at all. *Source*: PS3.4 B.2.3 (0x0122).
        var isUnknownKind: Bool { outcome == .refused && [Self.notAccepted, "0x0122"].contains(code) }

        /// The code of an object without a presentation context.
        static let notAccepted = "NOT-ACCEPTED"
    }

    package let ticket: DeliveryTicket
    package let files: [File]

    package init(ticket: DeliveryTicket, files: [File]) {
        self.ticket = ticket
        self.files = files
    }
}

/// The two folders that service and sender share: tickets there, receipts back, each whole by rename.
struct DeliveryMail: Sendable {
    let tickets: String
    let receipts: String

    init(_ paths: ServicePaths) {
        tickets = paths.deliveryTickets
        receipts = paths.deliveryReceipts
    }

    func put(_ ticket: DeliveryTicket, id: String) throws {
        try DurableFile.write(
            Array(JSONEncoder().encode(ticket)), to: Folder.join(tickets, id + ".json"), mode: 0o640)
    }

    func put(_ receipt: DeliveryReceipt, id: String) throws {
        try DurableFile.write(
            Array(JSONEncoder().encode(receipt)), to: Folder.join(receipts, id + ".json"), mode: 0o640)
    }

    /// By the order in which they were put.
    func waiting(in folder: String) throws(StorageFailure) -> [String] {
        try Folder.list(folder).map(\.name).filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }
            .map { String($0.dropLast(5)) }
    }

    /// Nil for one that is damaged.
    func ticket(_ id: String) throws(StorageFailure) -> DeliveryTicket? {
        let bytes = try DurableFile.read(Folder.join(tickets, id + ".json"), limit: 1 << 24)
        return try? JSONDecoder().decode(DeliveryTicket.self, from: Data(bytes))
    }

    func receipt(_ id: String) throws(StorageFailure) -> DeliveryReceipt? {
        let bytes = try DurableFile.read(Folder.join(receipts, id + ".json"), limit: 1 << 24)
        return try? JSONDecoder().decode(DeliveryReceipt.self, from: Data(bytes))
    }

    /// Asks for it no longer.
    func withdraw(_ id: String) throws(StorageFailure) { try Folder.remove(Folder.join(tickets, id + ".json")) }

    func remove(_ id: String) throws(StorageFailure) {
        try withdraw(id)
        try Folder.remove(Folder.join(receipts, id + ".json"))
    }
}
