internal import Failures
internal import GRDB
internal import Storage

/// How the deliveries to one destination stand.
package struct DeliveryCounts: Sendable, Equatable, Encodable {
    package let destination: String
    package var waiting = 0
    package var refused = 0
    package var expired = 0
    /// Of those that were refused: what we did not send, as the outbox holds it no more as it was published.
    var damaged = 0
    /// The code of the newest failure while nothing has been sent since; nil while all is well.
    package var trouble: String?
    /// Objects that it took with a warning of which somebody knows.
    package var altered = 0
    /// Since when something waits and nothing was taken, in milliseconds since 1970; nil where nothing waits.
    package var silentSince: Int64?

    private enum CodingKeys: String, CodingKey { case destination, waiting, refused, expired, trouble, altered }

    /// Files that it would not take, or not in time.
    var untaken: Int { refused + expired }
}

// pending ─→ sending ─→ sent ─→ confirmed; sending ─→ pending with a wait, ─→ refused, ─→ replaced by a twin; pending ─→ expired;
// pending, refused, expired ─→ replaced by a newer result; all that is not sent ─→ replaced, where a person lets it go.

extension Ledger {
    /// A line of no file says something of the whole result: that it has none to send, or why nobody can tell which they are.
    private static let isUntold = "file = '' AND state = 'refused'"

    /// A result's files that are to be sent; what is known already stays as it is. A result without any has a line that says so,
    /// and is not looked at again.
    func addDeliveries(_ key: String, files: [String], to destination: String) throws {
        try write { db in
            try db.execute(
                sql: "DELETE FROM delivery WHERE result_key = ? AND destination = ? AND \(Self.isUntold)",
                arguments: [key, destination])
            for file in files.isEmpty ? [""] : files {
                try db.execute(
                    sql: """
                        INSERT INTO delivery(result_key, file, destination, state, created_at) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO NOTHING
                        """, arguments: [key, file, destination, file.isEmpty ? "sent" : "pending", Moment.now])
            }
        }
    }

    /// What of a result is to be sent cannot be told, as its report is damaged, or cannot be read now. That is for a person; it is looked
    /// at again as long as it counts as whole.
    func addUntold(_ key: String, code: String, to destination: String) throws {
        try write {
            try $0.execute(
                sql: """
                    INSERT INTO delivery(result_key, file, destination, state, code, created_at)
                    VALUES (?, '', ?, 'refused', ?, ?)
                    ON CONFLICT(result_key, file, destination) DO UPDATE SET code = excluded.code
                    WHERE code IS NOT excluded.code
                    """, arguments: [key, destination, code, Moment.now])
        }
    }

    /// A destination gets what is published from now on: a new archive does not get years of results at once.
    func know(destination: String) throws {
        let key = Self.destinationKey(destination)
        guard try fact(key) == nil else { return }
        let last = try read { try Int64.fetchOne($0, sql: "SELECT MAX(sequence) FROM result") ?? 0 }
        try remember(key, "\(last)")
    }

    /// Those of the site file, and those that it named before.
    func knownDestinations() throws -> [String] { try facts(Self.destinationKey("")) }

    private static func destinationKey(_ name: String) -> String { "destination \(name)" }

    /// When a destination last took something.
    fileprivate static func takenKey(_ name: String) -> String { "taken \(name)" }

    /// Milliseconds: what is to wait for longer was told so by a clock that has been set back since, and holds nothing up.
    private static let longestWait: Int64 = 2 * 86_400_000
    /// With the time twice as arguments.
    private static let isDue = "(not_before IS NULL OR not_before <= ? OR not_before > ? + \(longestWait))"

    /// Milliseconds: files of one folder that somebody copied without it settle within them.
    private static let burst: Int64 = 60_000

    /// Milliseconds that a result waits at most for what may take its place: the queue may rest for days, or one of the others may fail.
    private static let longestHold: Int64 = 3_600_000

    /// Of a result of a single file: others that came with it and may be of its study wait to be worked on. It may be one slice of many, each
    /// a drop of its own, and the next of them takes its place. With the time twice as arguments.
    private static let mayBeOvertaken = """
        (published_at BETWEEN ? - \(longestHold) AND ? AND EXISTS(
            SELECT 1 FROM job AS own JOIN "drop" ON "drop".id = own.id
                JOIN job AS other ON other.state IN ('queued', 'retry', 'running', 'publishing')
                    AND other.created_at BETWEEN own.created_at - \(burst) AND own.created_at + \(burst)
                JOIN "drop" AS beside ON beside.id = other.id
            WHERE own.id = result.job_id AND "drop".kind = 'file' AND beside.kind = 'file'
                AND (NOT EXISTS(SELECT 1 FROM job_study WHERE job_id = other.id) OR EXISTS(
                    SELECT 1 FROM job_study AS mine JOIN job_study AS its ON its.study = mine.study
                    WHERE mine.job_id = own.id AND its.job_id = other.id))))
        """

    /// Results without any delivery to a destination that they should go to, published since it is known; last those that could not be
    /// read before.
    ///
    /// - Parameter holdsDoubtful: whether those of jobs that ask for a person are left out.
    func undelivered(_ destination: String, holdsDoubtful: Bool) throws -> [(key: String, path: String)] {
        let since = try fact(Self.destinationKey(destination)).flatMap(Int64.init) ?? .max
        let now = Moment.now
        return try read {
            try Row.fetchAll(
                $0,
                sql: """
                    SELECT key, path FROM result
                    WHERE \(Self.isNew) AND NOT (? AND EXISTS(
                        SELECT 1 FROM job WHERE job.id = result.job_id AND reason_class = 'partial'))
                        AND NOT \(Self.mayBeOvertaken)
                    ORDER BY EXISTS(SELECT 1 FROM delivery WHERE result_key = result.key AND destination = ?), sequence
                    LIMIT 100
                    """, arguments: [since, destination, holdsDoubtful, now, now, destination]
            ).map { ($0["key"], $0["path"]) }
        }
    }

    /// Of a result that is to go to a destination, with the order of publication from when it is known, and the destination's name.
    private static let isNew = """
        sequence > ? AND whole AND superseded_by IS NULL AND NOT EXISTS(
            SELECT 1 FROM delivery WHERE result_key = result.key AND destination = ? AND NOT (\(isUntold)))
        """

    /// Keys of results that should go to a destination once a person has dealt with what is wrong with them.
    ///
    /// *Cost*: by the jobs that ask for a person.
    func heldBack(_ destination: String) throws -> [String] {
        let since = try fact(Self.destinationKey(destination)).flatMap(Int64.init) ?? .max
        return try read {
            try String.fetchAll(
                $0,
                sql: """
                    SELECT key FROM job INDEXED BY job_partial JOIN result ON result.job_id = job.id
                    WHERE reason_class = 'partial' AND \(Self.isNew)
                    """, arguments: [since, destination])
        }
    }

    /// The files of one result that may be sent now, as a ticket; nil when there are none. They are `sending` from now on.
    func takeTicket(_ destination: String) throws -> DeliveryTicket? {
        try write { db in
            let now = Moment.now
            let due = "destination = ? AND state = 'pending' AND \(Self.isDue)"
            guard
                let first = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT result_key, path FROM delivery JOIN result ON result.key = result_key WHERE \(due)
                        ORDER BY created_at, result_key LIMIT 1
                        """, arguments: [destination, now, now])
            else { return nil }
            let key: String = first["result_key"]
            let files = try String.fetchAll(
                db, sql: "SELECT file FROM delivery WHERE \(due) AND result_key = ? ORDER BY file",
                arguments: [destination, now, now, key])
            try db.execute(
                sql: "UPDATE delivery SET state = 'sending' WHERE \(due) AND result_key = ?",
                arguments: [destination, now, now, key])
            return DeliveryTicket(destination: destination, key: key, folder: first["path"], files: files)
        }
    }

    /// What was not sent of a result before another took its place is not sent any more: a destination would get the older one last.
    ///
    /// *Cost*: by the files that wait or were not taken.
    func dropSuperseded() throws {
        try write {
            try $0.execute(
                sql: """
                    UPDATE delivery SET state = 'replaced'
                    WHERE state NOT IN ('sent', 'confirmed') AND state IN ('pending', 'refused', 'expired')
                        AND EXISTS(SELECT 1 FROM result WHERE key = result_key AND superseded_by IS NOT NULL)
                    """)
        }
    }

    /// Whether another result has taken its place.
    func isSuperseded(_ key: String) throws -> Bool {
        try read {
            try Bool.fetchOne(
                $0, sql: "SELECT EXISTS(SELECT 1 FROM result WHERE key = ? AND superseded_by IS NOT NULL)",
                arguments: [key]) ?? false
        }
    }

    /// What was being sent and has no ticket any more is sent again.
    func returnSending(except keys: Set<String>) throws {
        try write { db in
            for row in try Row.fetchAll(
                db, sql: "SELECT DISTINCT result_key, destination FROM delivery WHERE state = 'sending'")
            where !keys.contains("\(row["result_key"] as String) \(row["destination"] as String)") {
                try db.execute(
                    sql: """
                        UPDATE delivery SET state = 'pending' WHERE state = 'sending' AND result_key = ? AND destination = ?
                        """, arguments: [row["result_key"] as String, row["destination"] as String])
            }
        }
    }

    /// Books a receipt; repeating it changes nothing.
    ///
    /// - Parameter twins: by an object's name that of another of the same content, for a peer that does not take such objects.
    /// - Parameter kind: what an object is, by its name.
    /// - Parameter wait: how long a file that failed so often waits.
    func book(
        _ receipt: DeliveryReceipt, twins: [String: String], kind: (_ name: String) -> String,
        wait: (_ tries: Int) -> Int64, giveUp: Int64
    ) throws {
        try write { db in
            let now = Moment.now
            let ours = [OutboxResult.damaged, OutboxResult.gone]
            if receipt.files.contains(where: { $0.outcome != .failed && !ours.contains($0.code) }) {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                    arguments: [Self.takenKey(receipt.ticket.destination), "\(now)"])
            }
            for file in receipt.files {
                let id: StatementArguments = [receipt.ticket.key, file.name, receipt.ticket.destination]
                let which = "WHERE result_key = ? AND file = ? AND destination = ? AND state = 'sending'"
                switch file.outcome {
                case .sent, .confirmed, .refused:
                    let twin = file.isUnknownKind ? twins[file.name] : nil
                    try db.execute(
                        sql: "UPDATE delivery SET state = ?, code = ?, sent_at = ?, tries = tries + 1 \(which)",
                        arguments: [twin == nil ? file.outcome.rawValue : "replaced", file.code, now] + id)
                    guard db.changesCount == 1 else { continue }
                    if file.outcome != .refused, DCMSendReport.Status.alteration(file.code) != nil {
                        try Self.noteAltered(db, receipt.ticket, file.code, kind: kind(file.name))
                    }
                    guard let twin else { continue }
                    try db.execute(
                        sql: """
                            INSERT INTO delivery(result_key, file, destination, state, created_at)
                            VALUES (?, ?, ?, 'pending', ?) ON CONFLICT DO NOTHING
                            """, arguments: [receipt.ticket.key, twin, receipt.ticket.destination, now])
                case .failed:
                    let row = try Row.fetchOne(
                        db, sql: "SELECT tries, created_at FROM delivery \(which)", arguments: id)
                    guard let row else { continue }
                    let isOver = now - (row["created_at"] as Int64) > giveUp
                    try db.execute(
                        sql: "UPDATE delivery SET state = ?, code = ?, tries = tries + 1, not_before = ? \(which)",
                        arguments: [isOver ? "expired" : "pending", file.code, now + wait(row["tries"])] + id)
                }
            }
        }
    }

    /// Whether any file is being sent there or may be now.
    func hasDue(_ destination: String) throws -> Bool {
        try read {
            try Bool.fetchOne(
                $0,
                sql: """
                    SELECT EXISTS(SELECT 1 FROM delivery INDEXED BY delivery_state
                        WHERE state NOT IN ('sent', 'confirmed') AND destination = ?
                        AND (state = 'sending' OR state = 'pending' AND \(Self.isDue)))
                    """, arguments: [destination, Moment.now, Moment.now]) ?? false
        }
    }

    /// Objects of one kind that a destination took with one warning.
    struct Altered: Sendable, Equatable {
        let destination: String
        let code: String
        /// As `Destination.Part` calls it.
        let kind: String
        var objects = 0
        /// Where the destination was when a person said that it may do so; nil where none has.
        var knownAt: String?

        /// Begins what the ledger remembers of each.
        fileprivate static let prefix = "altered "

        fileprivate init(_ ticket: DeliveryTicket, code: String, kind: String) {
            (destination, self.code, self.kind) = (ticket.destination, code, kind)
        }

        /// From what follows the prefix in the key, and the value.
        fileprivate init?(_ name: String, _ value: String) {
            let words = name.split(separator: " ", maxSplits: 1).map(String.init)
            let what = words.first?.split(separator: "/").map(String.init) ?? []
            guard words.count == 2, what.count == 2 else { return nil }
            (code, kind, destination) = (what[0], what[1], words[1])
            let said = value.split(separator: " ").map(String.init)
            guard let count = said.first.flatMap({ Int($0) }) else { return nil }
            (objects, knownAt) = (count, said.count > 1 ? said[1] : nil)
        }

        fileprivate var key: String { "\(Self.prefix)\(code)/\(kind) \(destination)" }

        fileprivate func write(_ db: Database) throws {
            try db.execute(
                sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                arguments: [key, knownAt.map { "\(objects) \($0)" } ?? "\(objects)"])
        }
    }

    /// Once somebody knows what a destination does with objects of a kind, it does so with each; not with those of another, nor when it
    /// is elsewhere.
    private static func noteAltered(_ db: Database, _ ticket: DeliveryTicket, _ code: String, kind: String) throws {
        var found = Altered(ticket, code: code, kind: kind)
        if let before = try altered(db).first(where: { $0.key == found.key }) { found = before }
        if found.knownAt != nil, found.knownAt != ticket.address { (found.objects, found.knownAt) = (0, nil) }
        found.objects += 1
        try found.write(db)
    }

    /// What destinations took with a warning, whether somebody knows of it or not.
    static func altered(_ db: Database) throws -> [Altered] {
        try Row.fetchAll(
            db, sql: "SELECT substr(key, ?) AS name, value FROM meta WHERE key LIKE ? ORDER BY key",
            arguments: [Altered.prefix.count + 1, Altered.prefix + "%"]
        ).compactMap { Altered($0["name"], $0["value"]) }
    }

    /// A person knows what a destination does with objects. Gives whether anything was asked.
    func settleAltered(_ destination: Destination) throws -> Bool {
        try write { db in
            let asked = try Self.altered(db).filter { $0.destination == destination.name && $0.knownAt == nil }
            for var one in asked {
                one.knownAt = destination.address
                try one.write(db)
            }
            return !asked.isEmpty
        }
    }

    /// Whether the newest thing that is known of a destination is a failure: then one ticket at a time asks whether it is back.
    func isDown(_ destination: String) throws -> Bool { try deliveryCounts([destination]).first?.trouble != nil }

    package func deliveryCounts(_ names: [String]) throws -> [DeliveryCounts] {
        try read { try DeliveryCounts.read($0, names) }
    }

    /// Results, and destinations to which something of them waits or was not taken.
    func unsent() throws -> [(key: String, path: String, destination: String)] {
        try read {
            try Row.fetchAll(
                $0,
                sql: """
                    SELECT DISTINCT result_key, path, destination FROM delivery JOIN result ON result.key = result_key
                    WHERE delivery.state NOT IN ('sent', 'confirmed') AND delivery.state <> 'replaced'
                    """
            ).map { ($0["result_key"], $0["path"], $0["destination"]) }
        }
    }

    /// What of a result waits for a destination, or was not taken by it, and nobody asks for is not sent any more. Gives how much.
    func letGo(_ key: String, _ destination: String, except wanted: Set<String>) throws -> Int {
        try write { db in
            let open = "result_key = ? AND destination = ? AND state NOT IN ('sent', 'confirmed', 'replaced')"
            let files = try String.fetchAll(
                db, sql: "SELECT file FROM delivery WHERE \(open)", arguments: [key, destination]
            ).filter { !wanted.contains($0) }
            for file in files {
                try db.execute(
                    sql: "UPDATE delivery SET state = 'replaced' WHERE file = ? AND \(open)",
                    arguments: [file, key, destination])
            }
            return files.count
        }
    }

    /// A person asks for it: all that failed or was refused is tried again, and reports that were damaged are read again.
    func retryDeliveries() throws {
        try write {
            try $0.execute(
                sql: """
                    UPDATE result SET whole = 1
                    WHERE key IN (SELECT result_key FROM delivery WHERE \(Self.isUntold))
                    """)
            try $0.execute(sql: "DELETE FROM delivery WHERE \(Self.isUntold)")
            try $0.execute(
                sql: """
                    UPDATE delivery SET state = 'pending', not_before = NULL, tries = 0, created_at = ?
                    WHERE state IN ('pending', 'refused', 'expired')
                    """, arguments: [Moment.now])
        }
    }
}

extension DeliveryCounts {
    static func read(_ db: Database, _ names: [String]) throws -> [DeliveryCounts] {
        let altered = try Ledger.altered(db).filter { $0.knownAt != nil }
        return try names.map { name in
            var counts = DeliveryCounts(destination: name)
            counts.altered = altered.filter { $0.destination == name }.reduce(0) { $0 + $1.objects }
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT state, COUNT(*) AS files, SUM(code IS ?) AS damaged FROM delivery INDEXED BY delivery_state
                    WHERE state NOT IN ('sent', 'confirmed') AND destination = ? GROUP BY state
                    """, arguments: [OutboxResult.damaged, name])
            for row in rows {
                let files: Int = row["files"]
                switch row["state"] as String {
                case "refused": (counts.refused, counts.damaged) = (files, row["damaged"])
                case "expired": counts.expired = files
                // The peer has its twin, or gets what has taken its place.
                case "replaced": break
                default: counts.waiting += files
                }
            }
            let oldest = try Int64.fetchOne(
                db,
                sql: """
                    SELECT MIN(created_at) FROM delivery INDEXED BY delivery_state
                    WHERE state NOT IN ('sent', 'confirmed') AND state IN ('pending', 'sending') AND destination = ?
                    """, arguments: [name])
            if let oldest {
                let taken = try String.fetchOne(
                    db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [Ledger.takenKey(name)])
                counts.silentSince = max(oldest, taken.flatMap { Int64($0) } ?? 0)
            }
            counts.trouble = try String.fetchOne(
                db,
                sql: """
                    SELECT code FROM delivery INDEXED BY delivery_state
                    WHERE state NOT IN ('sent', 'confirmed') AND state IN ('pending', 'sending') AND destination = ?
                        AND tries > 0 LIMIT 1
                    """, arguments: [name])
            return counts
        }
    }
}
