internal import Foundation

/// How an attempt on a cluster ended: written once, by the node that made it or by the coordinator that gave it up.
struct AttemptEnd: Sendable, Codable {
    /// Why a node did not even begin.
    enum Obstacle: String, Sendable, Codable {
        /// Another version of the program is installed there.
        case version
        /// Its pipelines or their models are others.
        case pipelines
        /// It does not see the input as the coordinator does.
        case input
        /// It cannot start a process, or write to the job's folder.
        case start
        /// Its task is gone, and never began with this attempt.
        case neverBegun
    }

    var ending = Worker.Ending(seconds: 0)
    var node: String?
    /// The folder of its output within the job's, if it made one.
    var output: String?
    var obstacle: Obstacle?
    /// A person has ended it.
    var isCancelled = false
    /// Its task is gone, and it was under way.
    var isLost = false

    /// Numbers and texts, which always can be encoded.
    var json: [UInt8] { (try? JSONEncoder().encode(self)).map(Array.init) ?? [] }
}

extension AttemptEnd.Obstacle {
    func reason(_ node: String) -> JobReason {
        switch self {
        case .version:
            JobReason(
                .waiting, code: "CLUSTER-VERSION",
                text: "node \(node) has another hspsam than the coordinator. Install the same version on all nodes.")
        case .pipelines:
            JobReason(
                .waiting, code: "CLUSTER-PIPELINES",
                text:
                    "node \(node) has other pipelines or models than the coordinator. Make places.pipelines the same everywhere."
            )
        case .input:
            JobReason(
                .waiting, code: "CLUSTER-INPUT",
                text:
                    "node \(node) sees another input than the coordinator. places.spool must be one shared folder on all nodes."
            )
        case .start:
            JobReason(
                .waiting, code: "CLUSTER-START",
                text:
                    "node \(node) can start no worker, or cannot write to the spool. Look at its memory and at the mount."
            )
        case .neverBegun:
            JobReason(
                .waiting, code: "CLUSTER-LOST",
                text:
                    "its task ended before it had begun; worker.log in the job's folder holds what the node printed. All nodes must see the spool, as the same user, have room, and know cluster.isa."
            )
        }
    }
}
