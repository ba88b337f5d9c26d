/// A cluster under Slurm that makes the attempts, instead of this machine. *Source*: `docs/cluster.md`, "The service under Slurm".
package struct ClusterSettings: Sendable, Equatable {
    /// Slurm's partition; nil: its default one.
    package var partition: String?
    /// Tasks under way at a time, at most. Slurm's own limit of an array is 1001 (MaxArraySize).
    package var tasks = 8
    /// A task takes jobs of about so long, by what jobs took of late: starting one costs Slurm a second or two.
    package var pack: Duration = .seconds(600)
    /// Jobs whose task has been gone for so long without an end are submitted again.
    package var lostAfter: Duration = .seconds(300)
    /// Bytes that a task is given, where it does not have a whole node.
    package var memory = 4 << 30
    /// Longest that a task may take (`--time`); nil: as long as the partition says. The worker itself ends what hangs.
    package var time: Duration?
    /// The instruction set that all nodes use (HSPSAM_ISA); nil: each node the fastest that it has.
    package var isa: String?
    /// Time between two looks at Slurm's queue.
    package var poll: Duration = .seconds(10)
    /// The folder of `sbatch`, `squeue` and `scancel`; nil: where PATH says.
    package var programs: String?

    package init() {}
}

/// A task of an array.
struct TaskID: Sendable, Hashable {
    /// The array's ULID.
    let array: String
    /// From 0.
    let index: Int
}

/// Where an attempt is made on a cluster.
struct ClusterTask: Sendable {
    let id: TaskID
    /// Digest of the fingerprint of the input when it was submitted.
    let fingerprint: String
}
