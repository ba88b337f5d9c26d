internal import Failures
internal import Foundation
internal import Logging
internal import Storage

// The service's side of delivery: tickets out, receipts booked. It has no network.

extension WatchService {
    /// Most tickets that wait for the sender at once, for one destination.
    private static let mostTickets = 4

    /// One round: receipts first, then what is due.
    package func deliver() async throws {
        let destinations = settings.destinations
        guard !destinations.isEmpty else { return }
        do {
            let mail = DeliveryMail(paths)
            try await bookReceipts(mail, destinations)
            var waiting: [String: Int] = [:]
            var sending: Set<String> = []
            for id in try mail.waiting(in: mail.tickets) {
                guard let ticket = try mail.ticket(id) else { continue }
                waiting[ticket.destination, default: 0] += 1
                sending.insert("\(ticket.key) \(ticket.destination)")
            }
            try await ledger.returnSending(except: sending)
            for destination in destinations {
                try await addNew(destination)
                // A destination that is down is asked by one ticket, not by all that wait for it.
                let most = try await ledger.isDown(destination.name) ? 1 : Self.mostTickets
                while waiting[destination.name, default: 0] < most,
                    let ticket = try await ledger.takeTicket(destination.name)
                {
                    try mail.put(ticket, id: Identifier.make())
                    waiting[destination.name, default: 0] += 1
                }
            }
        } catch let failure as StorageFailure {
            log.error("delivery waits", metadata: ["code": "\(failure.code)"])
        }
    }

    /// Files of results that were published since the destination is known.
    private func addNew(_ destination: Destination) async throws {
        let key = "destination \(destination.name)"
        guard let since = try await ledger.fact(key).flatMap(Int64.init) else {
            // What was published before stays where it is: a new archive does not get years of results at once.
            try await ledger.remember(key, "\(Moment.now)")
            return
        }
        for result in try await ledger.undelivered(destination.name, since: since) {
            let folder = Folder.join(paths.outbox, result.path)
            guard FileStatus.exists(folder) else { continue }
            let files = try Folder.list(folder).map(\.name).filter(destination.takes)
            try await ledger.addDeliveries(result.key, files: files, to: destination.name)
        }
    }

    private func bookReceipts(_ mail: DeliveryMail, _ destinations: [Destination]) async throws {
        for id in try mail.waiting(in: mail.receipts) {
            if let receipt = try mail.receipt(id) {
                let destination = destinations.first { $0.name == receipt.ticket.destination }
                let first = destination?.firstWait.milliseconds ?? 60_000
                let longest = destination?.longestWait.milliseconds ?? 3_600_000
                try await ledger.book(
                    receipt,
                    wait: { min(first << Int64(min($0, 20)), longest) * Int64.random(in: 800...1200) / 1000 },
                    giveUp: destination?.giveUp.milliseconds ?? 0)
                let worst = receipt.files.first { $0.outcome == .refused || $0.outcome == .failed }
                log.notice("delivered", metadata: ["code": "\(worst?.code ?? "SENT")"])
            }
            try mail.remove(id)
        }
    }
}
