package import Failures
internal import GRDB

/// What stops the service, or keeps one drop from being worked on.
package enum DaemonFailure: Failure, Equatable {
    /// Another service holds the lock; `owner` is what it wrote into it.
    case locked(path: String, owner: String)
    /// SQLite's integrity check complains, or its file cannot be opened.
    case ledgerUnusable(path: String, problem: String)
    /// Written by a newer program.
    case ledgerNewer(path: String, schema: Int, known: Int)
    case ledgerNotSynchronous(path: String, level: Int)
    /// SQLite refused a call while the service ran.
    case ledgerCallFailed(problem: String)
    /// A job was not in the state that the change began from: somebody else wrote to the ledger.
    case stale(job: String, from: String, to: String)
    /// The worker left no `run.json`, or one that cannot be read.
    case noRunRecord(job: String)
    /// The places name no folder of pipelines.
    case noPipelines(path: String)
    /// The system gave no process, or the job's room cannot be used.
    case workerNotStarted
    /// Under a result's name stands something else.
    case outboxConflict(result: String)

    package var kind: FailureKind {
        switch self {
        case .locked, .ledgerUnusable, .ledgerNewer, .ledgerNotSynchronous, .noPipelines: .configuration
        case .stale: .internalDefect
        case .noRunRecord, .outboxConflict, .workerNotStarted, .ledgerCallFailed: .failed
        }
    }

    package var code: String {
        switch self {
        case .locked: "SERVICE-LOCKED"
        case .ledgerUnusable: "LEDGER-UNUSABLE"
        case .ledgerNewer: "LEDGER-NEWER"
        case .ledgerNotSynchronous: "LEDGER-SYNC"
        case .ledgerCallFailed: "LEDGER-FAILED"
        case .stale: "LEDGER-STALE"
        case .noRunRecord: "RUN-RECORD"
        case .noPipelines: "PIPE-FOLDER"
        case .workerNotStarted: "WORKER-START"
        case .outboxConflict: "PUB-CONFLICT"
        }
    }

    package var text: String {
        switch self {
        case .locked(let path, let owner):
            "\(path) is held by another service (\(owner)): two would share one inbox. Stop that one first, or use its status."
        case .ledgerUnusable(let path, let problem):
            "\(path) cannot be used: \(problem). Stop the service, move the ledger aside and put the last backup in its place."
        case .ledgerNewer(let path, let schema, let known):
            "\(path) has schema \(schema), this program knows \(known): it was written by a newer hspsam. Start that version."
        case .ledgerNotSynchronous(let path, let level):
            "\(path): SQLite gave synchronous=\(level) where 2 (FULL) was asked: a power failure could lose commits. Use Debian's libsqlite3."
        case .ledgerCallFailed(let problem):
            "the ledger did not take a change (\(problem)): what it holds is unknown until it is read again, so the service ends. Start it again once its disk has room and can be written."
        case .stale(let job, let from, let to):
            "job \(job) was not \(from) when it should become \(to): something else writes the ledger. Stop it; then report this."
        case .noRunRecord(let job):
            "the worker of job \(job) left no readable run.json: it ended before its work was whole. It is tried again."
        case .noPipelines(let path):
            "\(path) is no folder: without pipelines there is nothing to do. Set places.pipelines to the folder that holds them."
        case .workerNotStarted:
            "no worker process can be started: memory, processes or the spool's disk are short. Free some."
        case .outboxConflict(let result):
            "outbox/\(result) exists and holds another result: nothing is written over it. Move it away, then drop the study again."
        }
    }
}

extension DaemonFailure {
    /// GRDB's text holds the statement and hides its values.
    static func ledgerFailed(_ error: DatabaseError) -> DaemonFailure {
        .ledgerCallFailed(problem: error.message ?? "\(error.resultCode)")
    }
}
