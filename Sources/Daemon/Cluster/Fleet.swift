/// The attempts that are under way on a cluster. What the ledger holds is the truth; this adds when Slurm was last heard of each.
struct Fleet {
    struct Attempt: Sendable {
        let job: String
        let n: Int
        let task: ClusterTask
        /// When its task was last in Slurm's queue, or was given to it.
        var seen: ContinuousClock.Instant
    }

    /// A task among all arrays.
    struct Key: Hashable {
        let array: String
        let index: Int
    }

    private(set) var attempts: [Attempt] = []

    init(_ open: [Ledger.OpenAttempt]) {
        for attempt in open { if let task = attempt.task { add(attempt.job, attempt.n, task) } }
    }

    mutating func add(_ job: String, _ n: Int, _ task: ClusterTask) {
        attempts.append(Attempt(job: job, n: n, task: task, seen: .now))
    }

    mutating func remove(_ attempt: Attempt) { attempts.removeAll { $0.job == attempt.job } }

    var isEmpty: Bool { attempts.isEmpty }
    var arrays: Set<String> { Set(attempts.map(\.task.array)) }
    /// Tasks with an attempt that has not ended.
    var tasks: Set<Key> { Set(attempts.map { Key(array: $0.task.array, index: $0.task.index) }) }

    /// Notes which tasks are in Slurm's queue.
    mutating func see(_ tasks: [Slurm.Task]) {
        let live = Set(tasks.map { Key(array: $0.array, index: $0.index) })
        for index in attempts.indices {
            let task = attempts[index].task
            if live.contains(Key(array: task.array, index: task.index)) { attempts[index].seen = .now }
        }
    }

    /// Those whose task has been gone for so long.
    func lost(after limit: Duration) -> [Attempt] {
        let now = ContinuousClock.now
        return attempts.filter { now - $0.seen >= limit }
    }
}
