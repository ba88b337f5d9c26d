internal import Failures
internal import Foundation
package import Processes
internal import Storage

/// The part of a node: one task of an array, its attempts one after the other. It reads inputs and pipelines, writes each attempt's
/// output and end, and knows nothing of ledger, inbox and outbox.
///
/// A task that Slurm starts again, after a node died, goes on with what it had not begun. Each start writes outputs of its own: a node
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
        let (head, task) = try array.task(index, version: version)
        guard let task else {
            for order in head.orders {
                try array.record(AttemptEnd(node: node, obstacle: .version), job: order.job, attempt: order.attempt)
            }
            return
        }
        let seen = task.orders.first.flatMap { try? FileDigest(ofTree: $0.pipelines).hex }
        let obstacle: AttemptEnd.Obstacle? = seen == task.pipelinesDigest ? nil : .pipelines
        for order in task.orders {
            guard try array.end(job: order.job, attempt: order.attempt) == nil else { continue }
            let end = try await perform(order, obstacle, stop)
            try array.record(end, job: order.job, attempt: order.attempt)
        }
    }

    private func perform(
        _ order: WorkOrder, _ obstacle: AttemptEnd.Obstacle?, _ stop: StopRequest
    ) async throws -> AttemptEnd {
        var end = AttemptEnd(node: node, obstacle: obstacle)
        guard obstacle == nil else { return end }
        if try await !seesInput(order, stop) { end.obstacle = .input }
        // Waiting for the input may have been ended by that.
        if stop.isAsked {
            end.obstacle = nil
            end.ending.stopped = true
        }
        guard !end.ending.stopped, end.obstacle == nil else { return end }
        // Slurm has started the task again after its node died. Perhaps because of this study: the coordinator counts, and decides.
        let begun = Folder.split(order.output).name + "."
        let earlier = try Folder.list(Folder.split(order.output).folder).map(\.name).first { $0.hasPrefix(begun) }
        if let earlier {
            (end.output, end.isLost) = (earlier, true)
            return end
        }
        var own = order
        own.output += ".\(Identifier.make())"
        // Tells the coordinator that the attempt was begun, whatever becomes of this node.
        try Folder.make(own.output, mode: 0o750)
        end.output = Folder.split(own.output).name
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

    /// Ends the worker when Slurm asks for it, or when nobody waits for the attempt any more: it was given an end by somebody else, as
    /// when a person cancels it, or the whole array is gone.
    private func endEarly(_ order: WorkOrder, _ stop: StopRequest, _ done: Flag) async {
        var looks = 0
        while !done.isRaised {
            if stop.isAsked { return await worker.stop() }
            looks += 1
            if looks.isMultiple(of: 10) {
                let isUnwanted =
                    !FileStatus.exists(array.folder) || (try? array.end(job: order.job, attempt: order.attempt)) != nil
                if isUnwanted { await worker.cancel() }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
