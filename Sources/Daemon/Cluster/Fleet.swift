/// The attempts that are under way on a cluster. What the ledger holds is the truth; this adds what Slurm says of each.
struct Fleet {
    struct Attempt: Sendable {
        let job: String
        let n: Int
        let task: ClusterTask
        /// Since when its task is known to be gone: by a look at Slurm's queue, never by the time since the last.
        var goneSince: ContinuousClock.Instant?
        /// Whether Slurm is known to have taken it.
        var isTaken = false
        /// What could not be settled is tried again then.
        var notBefore: ContinuousClock.Instant?
    }

    private(set) var attempts: [Attempt] = []

    init(_ open: [Ledger.OpenAttempt]) {
        for attempt in open { if let task = attempt.task { add(attempt.job, attempt.n, task) } }
    }

    mutating func add(_ job: String, _ n: Int, _ task: ClusterTask) {
        attempts.append(Attempt(job: job, n: n, task: task))
    }

    /// Tasks of which a person has cancelled something.
    var unwanted: Set<TaskID> = []

    mutating func remove(_ attempt: Attempt, isCancelled: Bool = false) {
        attempts.removeAll { $0.job == attempt.job }
        if isCancelled { unwanted.insert(attempt.task.id) }
    }

    var isEmpty: Bool { attempts.isEmpty }
    var arrays: Set<String> { Set(attempts.map(\.task.id.array)) }
    /// Tasks with an attempt that has not ended.
    var tasks: Set<TaskID> { Set(attempts.map(\.task.id)) }

    /// Notes which tasks are in Slurm's queue.
    mutating func see(_ tasks: [Slurm.Task]) {
        let live = Set(tasks.map(\.id))
        for index in attempts.indices {
            if live.contains(attempts[index].task.id) {
                (attempts[index].goneSince, attempts[index].isTaken) = (nil, true)
            } else if attempts[index].goneSince == nil {
                attempts[index].goneSince = .now
            }
        }
    }

    /// Slurm has taken an array.
    mutating func take(_ array: String) {
        for index in attempts.indices where attempts[index].task.id.array == array { attempts[index].isTaken = true }
    }

    mutating func postpone(_ attempt: Attempt, by wait: Duration) {
        for index in attempts.indices where attempts[index].job == attempt.job {
            attempts[index].notBefore = .now + wait
        }
    }

    /// Those that may be settled now.
    var open: [Attempt] { attempts.filter { $0.notBefore.map { $0 <= .now } ?? true } }

    /// Those whose task has been gone for so long: what their nodes wrote is seen by now on any file system.
    func lost(after limit: Duration) -> [Attempt] {
        let now = ContinuousClock.now
        return open.filter { $0.goneSince.map { now - $0 >= limit } ?? false }
    }
}
