internal import Failures
internal import Foundation
package import Processes
internal import Storage
internal import Synchronization

/// The part of a node: one task of an array, its attempts one after the other. It reads inputs and pipelines, writes each attempt's
/// output and end, and knows nothing of ledger, inbox and outbox.
///
/// A task that Slurm starts again, after a node died, goes on with what has no end yet. Each start writes outputs of its own: a node
/// that comes back disturbs nobody.
package struct ArrayTask: Sendable {
    private let array: TaskArray
    private let index: Int
    private let version: String
    private let node: String
    private let worker = Worker()
    /// How long a network file system may show an old state of an input.
    private let patience: Duration

    /// - Parameter folder: the array's.
    package init(folder: String, index: Int, version: String, node: String, patience: Duration = .seconds(90)) {
        array = TaskArray(folder: folder)
        self.index = index
        self.version = version
        self.node = node
        self.patience = patience
    }

    /// Works until all attempts have ended, or until asked to stop: what is left then ends as stopped.
    ///
    /// *Throws* what keeps it from reading its task or from writing an end: the coordinator learns that from Slurm.
    package func run(_ stop: StopRequest) async throws {
        ProcessLimits.forbidCoreDumps()
        let task = try array.task(index)
        let obstacle = obstacle(task)
        for order in task.orders {
            guard try array.end(job: order.job, attempt: order.attempt) == nil else { continue }
            let end = try await perform(order, obstacle, stop)
            try array.record(end, job: order.job, attempt: order.attempt)
        }
    }

    /// What this node lacks to make results that are the coordinator's.
    private func obstacle(_ task: TaskArray.Task) -> AttemptEnd.Obstacle? {
        guard task.version == version else { return .version }
        let seen = task.orders.first.flatMap { try? FileDigest(ofTree: $0.pipelines).hex }
        return seen == task.pipelinesDigest ? nil : .pipelines
    }

    private func perform(
        _ order: WorkOrder, _ obstacle: AttemptEnd.Obstacle?, _ stop: StopRequest
    ) async throws -> AttemptEnd {
        var end = AttemptEnd(ending: Worker.Ending(seconds: 0), node: node)
        if stop.isAsked {
            end.ending.stopped = true
            return end
        }
        end.obstacle = obstacle
        guard obstacle == nil else { return end }
        guard try await seesInput(order, stop) else {
            end.obstacle = .input
            return end
        }
        var own = order
        own.output += ".\(Identifier.make())"
        end.output = Folder.split(own.output).name
        // Tells the coordinator that the attempt was begun, whatever becomes of this node.
        try Folder.make(own.output, mode: 0o750)
        let done = Flag()
        async let attempt = worker.run(own, each: {}, started: { _ in })
        async let watched: Void = endEarly(order, stop, done)
        do { end.ending = try await attempt } catch { end.obstacle = .start }
        done.raise()
        await watched
        return end
    }

    /// Whether the input is what the coordinator has looked at.
    private func seesInput(_ order: WorkOrder, _ stop: StopRequest) async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while true {
            let print = order.inputs.first.flatMap { try? Fingerprint(of: $0, changeTimes: true) }
            if print?.digest == order.fingerprint { return true }
            if stop.isAsked || ContinuousClock.now >= deadline { return false }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Ends the worker when Slurm asks for it, or when the attempt was given an end by somebody else: a person has cancelled it.
    private func endEarly(_ order: WorkOrder, _ stop: StopRequest, _ done: Flag) async {
        var looks = 0
        while !done.isRaised {
            if stop.isAsked { return await worker.stop() }
            looks += 1
            if looks.isMultiple(of: 10), (try? array.end(job: order.job, attempt: order.attempt)) != nil {
                return await worker.cancel()
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
