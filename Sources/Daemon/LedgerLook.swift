internal import Foundation
internal import GRDB
internal import Storage

/// Whose tables a file holds, found out before it is opened as the ledger: opening gives it a log and another header.
enum LedgerLook {
    private enum Finding { case own, blank, foreign, unreadable }

    /// *Throws* `DaemonFailure.ledgerUnusable` when the file holds another program's tables. Neither it nor anything beside it is written to.
    ///
    /// What cannot be read passes: whoever opens it says what is wrong with it.
    /// *Cost*: a few pages; where what is in the file proves nothing and a log lies beside it, a copy of both.
    static func confirmOwn(path: String) throws {
        guard FileStatus.exists(path) else { return }
        // The file as it stands, without its log, and without the locks and indices that a look at both would make.
        var found = look(URL(fileURLWithPath: path).absoluteString + "?immutable=1", readonly: true, path)
        // As a program that died, or that still runs, leaves what it has written.
        let logs = ["-wal", "-journal"].filter { ((try? FileStatus(of: path + $0))?.size ?? 0) > 0 }
        if found != .own, !logs.isEmpty { found = lookAtCopy(of: path, logs) ?? found }
        guard found != .foreign else {
            throw DaemonFailure.ledgerUnusable(path: path, problem: LedgerSchema.strangers)
        }
    }

    /// Of the file together with its logs; nil when there is no room for a copy.
    private static func lookAtCopy(of path: String, _ logs: [String]) -> Finding? {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appendingPathComponent("ledger-look-\(Identifier.make())").path
        defer { try? Folder.remove(folder) }
        let copy = Folder.join(folder, "copy.sqlite")
        do {
            try Folder.make(folder, mode: 0o700)
            for ending in [""] + logs { try files.copyItem(atPath: path + ending, toPath: copy + ending) }
        } catch { return nil }
        return look(copy, readonly: false, path)
    }

    private static func look(_ place: String, readonly: Bool, _ path: String) -> Finding {
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = readonly
            let queue = try DatabaseQueue(path: place, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { db in
                if try LedgerSchema.isBlank(db) { return .blank }
                return try LedgerSchema.isOwn(db) ? .own : .foreign
            }
        } catch { return .unreadable }
    }
}
