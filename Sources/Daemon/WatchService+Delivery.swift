internal import Failures
internal import Foundation
internal import Logging
internal import Processes
internal import Storage

// The service's side of delivery: tickets out, receipts booked. It has no network.

extension WatchService {
    /// Most tickets that wait for the sender at once, for one destination.
    package static let mostTickets = 4

    /// What is published from now on goes to the destinations of the site file.
    func knowDestinations() async throws {
        for destination in settings.destinations { try await ledger.know(destination: destination.name) }
    }

    /// One round: receipts first, then what is due. Gives the receipts.
    ///
    /// - Parameter most: tickets that may wait at once, for each destination.
    @discardableResult
    package func deliver(most: Int = WatchService.mostTickets) async throws -> [DeliveryReceipt] {
        let destinations = settings.destinations
        try await tellUnnamed()
        guard !destinations.isEmpty else {
            try await ledger.remember(Overview.heldBack, "")
            return []
        }
        var receipts: [DeliveryReceipt] = []
        do {
            let mail = DeliveryMail(paths)
            receipts = try await bookReceipts(mail, destinations)
            var waiting: [String: Int] = [:]
            var sending: Set<String> = []
            for id in try mail.waiting(in: mail.tickets) {
                guard let ticket = try mail.ticket(id) else { continue }
                let isSuperseded = try await ledger.isSuperseded(ticket.key)
                if isSuperseded || Self.hasMoved(ticket, destinations) {
                    // What a sender has begun with stays sent: its receipt changes nothing any more.
                    try mail.withdraw(id)
                    continue
                }
                waiting[ticket.destination, default: 0] += 1
                sending.insert("\(ticket.key) \(ticket.destination)")
            }
            try await ledger.returnSending(except: sending)
            try await ledger.dropSuperseded()
            try await knowDestinations()
            var held: Set<String> = []
            for destination in destinations {
                try await addNew(destination)
                if destination.holdsDoubtful { held.formUnion(try await ledger.heldBack(destination.name)) }
                // A destination that is down is asked by one ticket, not by all that wait for it.
                let most = try await ledger.isDown(destination.name) ? 1 : most
                while waiting[destination.name, default: 0] < most,
                    var ticket = try await ledger.takeTicket(destination.name)
                {
                    ticket.address = destination.address
                    try mail.put(ticket, id: Identifier.make())
                    waiting[destination.name, default: 0] += 1
                }
            }
            try await ledger.remember(Overview.heldBack, held.isEmpty ? "" : "\(held.count)")
        } catch let failure as StorageFailure {
            log.error("delivery waits", metadata: ["code": "\(failure.code)"])
        }
        return receipts
    }

    /// What waits for a person before it goes to a destination that the site file names no longer, or by another name, would be
    /// forgotten: it is told once, until the destination is back or `deliver --retry` lets go of it.
    func tellUnnamed() async throws {
        let named = Set(settings.destinations.map(\.name))
        for name in try await ledger.knownDestinations() {
            let fact = "unnamed \(name)"
            if named.contains(name) {
                try await ledger.remember(fact, "")
                continue
            }
            guard try await ledger.fact(fact) == nil else { continue }
            for key in try await ledger.heldBack(name) {
                try await ledger.addUntold(key, code: "DESTINATION-UNKNOWN", to: name)
            }
            try await ledger.remember(fact, "told")
        }
    }

    /// Sends all that is due before a batch ends: until nothing is, or nobody takes it. Gives how many files are not sent: those that a
    /// destination will not take among them.
    ///
    /// A destination that fails is not waited for any longer. Where nobody sends, everything is left for whoever sends next.
    func deliverAll() async throws -> Int {
        let names = settings.destinations.map(\.name)
        var failing: Set<String> = []
        var heard = ContinuousClock.now
        while !names.isEmpty, !stop.isAsked {
            for receipt in try await deliver() {
                heard = .now
                let destination = receipt.ticket.destination
                if receipt.files.contains(where: { $0.outcome == .failed }) {
                    failing.insert(destination)
                } else {
                    failing.remove(destination)
                }
            }
            var isOpen = false
            for name in names where !failing.contains(name) {
                if try await ledger.hasDue(name) { isOpen = true }
            }
            guard isOpen else { break }
            if try FileLock.owner(paths.senderLock) != nil {
                heard = .now
            } else if ContinuousClock.now - heard >= settings.senderWait {
                log.error("nobody sends", metadata: ["code": "SENDER-DOWN"])
                try await deliver(most: .max)
                break
            }
            heartbeat.beat(.inbox)
            try await pause(.milliseconds(200), .queue)
        }
        return try await ledger.deliveryCounts(names).reduce(0) { $0 + $1.waiting + $1.untaken }
    }

    /// Files of results that were published since the destination is known. A result that cannot be read keeps no other from being sent.
    private func addNew(_ destination: Destination) async throws {
        for found in try await ledger.undelivered(destination.name, holdsDoubtful: destination.holdsDoubtful) {
            let folder = Folder.join(paths.outbox, found.path)
            do {
                _ = try FileStatus(of: folder)
                guard let result = try OutboxResult.own(in: folder) else {
                    // Somebody has changed its report: what is what is not known any more.
                    try await ledger.markDamaged([found.key])
                    try await ledger.addUntold(found.key, code: OutboxResult.damaged, to: destination.name)
                    continue
                }
                try await ledger.addDeliveries(
                    found.key, files: ResultFiles(result).files(for: destination.parts), to: destination.name)
            } catch let failure as StorageFailure {
                try await ledger.addUntold(found.key, code: failure.code, to: destination.name)
            }
        }
    }

    /// A person asks for it: what was not taken is sent again. What nobody wants any more is let go: of results that have been removed, of
    /// destinations that the site file does not name, and of parts that it does not send there. Gives how many files those are.
    package func redeliver() async throws -> Int {
        var count = 0
        // An outbox without any result may be one whose disk is away.
        let isOutboxThere = try paths.outboxHoldsResults()
        for (key, path, destination) in try await ledger.unsent() {
            let folder = Folder.join(paths.outbox, path)
            let parts = settings.destinations.first { $0.name == destination }?.parts
            var wanted: Set<String> = []
            if let parts, !isOutboxThere || FileStatus.exists(folder) {
                // What is not known stays.
                guard let result = try? OutboxResult(in: folder), let files = try? ResultFiles(result) else { continue }
                wanted = Set(files.files(for: parts) + files.twins.values + [""])
            }
            count += try await ledger.letGo(key, destination, except: wanted)
        }
        try await ledger.retryDeliveries()
        try await deliver()
        return count
    }

    /// Whether the site file names another place by the name of the ticket's destination since it was written.
    private static func hasMoved(_ ticket: DeliveryTicket, _ destinations: [Destination]) -> Bool {
        destinations.contains {
            $0.name == ticket.destination && ticket.address != nil && $0.address != ticket.address
        }
    }

    private func bookReceipts(_ mail: DeliveryMail, _ destinations: [Destination]) async throws -> [DeliveryReceipt] {
        var receipts: [DeliveryReceipt] = []
        let isClockBelieved = try await ledger.fact(Overview.clockInDoubt) == nil
        for id in try mail.waiting(in: mail.receipts) {
            // What went to where a destination was before has not arrived.
            if let receipt = try mail.receipt(id), !Self.hasMoved(receipt.ticket, destinations) {
                let destination = destinations.first { $0.name == receipt.ticket.destination }
                let first = destination?.firstWait.milliseconds ?? 60_000
                let longest = destination?.longestWait.milliseconds ?? 3_600_000
                // By a clock that may be wrong nothing is given up.
                let giveUp = isClockBelieved ? destination?.giveUp.milliseconds ?? 0 : .max
                let kinds = alteredKinds(receipt)
                try await ledger.book(
                    receipt, twins: destination.map { try twins(receipt, $0) } ?? [:],
                    kind: { kinds[$0] ?? "object" },
                    wait: { min(first << Int64(min($0, 20)), longest) * Int64.random(in: 800...1200) / 1000 },
                    giveUp: giveUp)
                let worst = receipt.files.first { $0.outcome == .refused || $0.outcome == .failed }
                log.notice("delivered", metadata: ["code": "\(worst?.code ?? "SENT")"])
                receipts.append(receipt)
            }
            try mail.remove(id)
        }
        return receipts
    }

    /// What those of its objects are that the destination took with a warning, by name.
    private func alteredKinds(_ receipt: DeliveryReceipt) -> [String: String] {
        let names = receipt.files.filter { DCMSendReport.Status.alteration($0.code) != nil }.map(\.name)
        guard !names.isEmpty, let result = try? OutboxResult(in: Folder.join(paths.outbox, receipt.ticket.folder)),
            let files = try? ResultFiles(result)
        else { return [:] }
        return Dictionary(names.map { ($0, files.part(of: $0).rawValue) }) { first, _ in first }
    }

    /// What may go there in the place of an object that the peer does not take.
    private func twins(_ receipt: DeliveryReceipt, _ destination: Destination) throws -> [String: String] {
        guard destination.parts.contains(.seg), receipt.files.contains(where: \.isUnknownKind),
            let result = try OutboxResult(in: Folder.join(paths.outbox, receipt.ticket.folder))
        else { return [:] }
        return try ResultFiles(result).twins
    }
}
