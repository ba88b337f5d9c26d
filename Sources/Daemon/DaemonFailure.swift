package import Failures
internal import GRDB

/// What stops the service, or keeps one drop from being worked on.
package enum DaemonFailure: Failure, Equatable {
    /// Another service holds the lock; `owner` is what it wrote into it.
    case locked(path: String, owner: String)
    /// SQLite's integrity check complains, or the file is none of SQLite's.
    case ledgerUnusable(path: String, problem: String)
    /// Written by a newer program.
    case ledgerNewer(path: String, schema: Int, known: Int)
    /// Written by an older program, and not brought up to date yet.
    case ledgerOlder(path: String)
    case ledgerNotSynchronous(path: String, level: Int)
    /// SQLite refused a call: the disk is full, another process holds the file.
    case ledgerCallFailed(problem: String)
    /// SQLite could not write a copy of the ledger, which itself is as it was.
    case backupFailed(problem: String)
    /// A job was not in the state that the change began from: somebody else wrote to the ledger.
    case stale(job: String, from: String, to: String)
    /// The settings name no folder of pipelines.
    case noPipelines(path: String)
    /// The spool is not the one that the ledger knows: another disk is mounted there, or none.
    case otherSpool(path: String)
    /// The running service did not answer a request in time.
    case unanswered
    /// The system gave no process, or the job's work folder cannot be used.
    case workerNotStarted
    /// Under a result's name stands another one; `result` is relative to the outbox.
    case outboxConflict(result: String)
    /// A program of another project that the settings ask for; `package` is Debian's that holds it.
    case programMissing(name: String, package: String)

    package var kind: FailureKind {
        switch self {
        case .locked, .ledgerUnusable, .ledgerNewer, .ledgerOlder, .ledgerNotSynchronous, .noPipelines: .configuration
        case .stale: .internalDefect
        case .outboxConflict, .workerNotStarted, .ledgerCallFailed, .backupFailed, .otherSpool, .unanswered,
            .programMissing:
            .failed
        }
    }

    package var code: String {
        switch self {
        case .locked: "SERVICE-LOCKED"
        case .ledgerUnusable: "LEDGER-UNUSABLE"
        case .ledgerNewer: "LEDGER-NEWER"
        case .ledgerOlder: "LEDGER-OLDER"
        case .ledgerNotSynchronous: "LEDGER-SYNC"
        case .ledgerCallFailed: "LEDGER-FAILED"
        case .backupFailed: "LEDGER-BACKUP"
        case .stale: "LEDGER-STALE"
        case .noPipelines: "PIPE-FOLDER"
        case .otherSpool: "SPOOL-OTHER"
        case .unanswered: "SERVICE-SILENT"
        case .workerNotStarted: "WORKER-START"
        case .outboxConflict: "PUB-CONFLICT"
        case .programMissing: "PROGRAM-MISSING"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .locked(let path, let owner):
            FailureMessage(
                "another service holds it (\(owner)): two would share one inbox.",
                cure: "Stop that one first, or use its status.", subject: path)
        case .ledgerUnusable(let path, let problem):
            FailureMessage(
                "the ledger cannot be used: \(problem).",
                cure: "Stop the service, then: hspsam ledger rebuild.", subject: path)
        case .ledgerNewer(let path, let schema, let known):
            FailureMessage(
                "the ledger has schema \(schema), this program knows \(known): it was written by a newer hspsam.",
                cure: "Start that version.", subject: path)
        case .ledgerOlder(let path):
            FailureMessage(
                "the ledger was written by an older hspsam.", cure: "Start the service once: it brings it up to date.",
                subject: path)
        case .ledgerNotSynchronous(let path, let level):
            FailureMessage(
                "SQLite gave synchronous=\(level) where 2 (FULL) was asked: a power failure could lose commits.",
                cure: "Use Debian's libsqlite3.", subject: path)
        case .ledgerCallFailed(let problem):
            FailureMessage(
                "the ledger did not take a change (\(problem)): what it holds is unknown until it is read again, so the service ends.",
                cure: "Start it again once its disk has room and can be written.")
        case .backupFailed(let problem):
            FailureMessage(
                "no copy of the ledger could be written (\(problem)).",
                cure: "Give backups/ room, and the service's user the right to write there.")
        case .stale(let job, let from, let to):
            FailureMessage(
                "job \(job) was not \(from) when it should become \(to): something else writes the ledger.",
                cure: "Stop it; then report this.")
        case .noPipelines(let path):
            FailureMessage(
                "there is no such folder: without pipelines there is nothing to do.",
                cure: "Set places.pipelines to the folder that holds them.", subject: path)
        case .otherSpool(let path):
            FailureMessage(
                "this is not the spool that the ledger knows: its disk is not mounted, or another one is.",
                cure: "Mount it. Where the spool was made anew on purpose, move the ledger aside.", subject: path)
        case .unanswered:
            FailureMessage(
                "the running service has not answered yet; it will carry the request out when it can.",
                cure: "Look at hspsam status.")
        case .workerNotStarted:
            FailureMessage(
                "no worker process can be started: memory, processes or the spool's disk are short.", cure: "Free some."
            )
        case .outboxConflict(let result):
            FailureMessage(
                "outbox/\(result) holds another result: nothing is written over it.",
                cure: "Move it to where it belongs, then: hspsam retry.")
        case .programMissing(let name, let package):
            FailureMessage(
                "\(name) is not installed: what needs it waits.", cure: "Install it: apt-get install \(package).")
        }
    }
}

extension DaemonFailure {
    /// GRDB's text holds the statement and hides its values.
    static func ledgerFailed(_ error: DatabaseError) -> DaemonFailure {
        .ledgerCallFailed(problem: error.message ?? "\(error.resultCode)")
    }

    /// What passes is distinguished from what a person must mend.
    static func opening(_ path: String, _ error: DatabaseError) -> DaemonFailure {
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_SCHEMA:
            .ledgerUnusable(path: path, problem: error.message ?? "\(error.resultCode)")
        default: ledgerFailed(error)
        }
    }
}
