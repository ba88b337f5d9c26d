internal import Failures
internal import Foundation
package import Processes
internal import Storage

/// Makes one attempt: `hspsam run INPUT... --out DIR --pipelines DIR --known FILE --json` in a child process of its own group.
///
/// What works at a terminal works in the night: there is no other protocol. The child's standard input is a pipe that the
/// service holds open; its standard output tells progress and is not kept; the end of its standard error is.
package actor Worker {
    /// How a child ended.
    package struct Ending: Sendable, Equatable, Codable {
        /// Nil when it could not be ended.
        package var how: Child.Ending?
        /// The service ended it: the time was up, or the service stops.
        package var timedOut = false
        package var stopped = false
        package var seconds: Double
        /// The last 64 KiB of its standard error.
        package var log = ""
    }

    private var current: Child?
    private var stopping = false
    private var killGrace: Duration = .seconds(10)

    package init() {}

    /// Starts an attempt and waits for its end.
    ///
    /// `started` gets the process id at once; `each` is called all the while.
    /// *Throws* `DaemonFailure.workerNotStarted`, and what `started` throws.
    package func run(
        _ order: WorkOrder, each: @Sendable () -> Void, started: @Sendable (Int32) async throws -> Void
    ) async throws -> Ending {
        killGrace = order.killGrace
        let child: Child
        do {
            let (program, arguments) = order.command
            child = try Child(program: program, arguments: arguments)
        } catch { throw DaemonFailure.workerNotStarted }
        ProcessLimits.offer(child.pid)
        current = child
        defer { current = nil }
        // Stopped between the decision to run and now.
        if stopping { child.signal(SIGTERM) }
        do { try await started(child.pid) } catch {
            child.signal(SIGKILL)
            throw error
        }
        let clock = ContinuousClock()
        let begin = clock.now
        var timedOut = false
        if await !child.ends(within: order.wall, stall: order.hang, each: each) {
            timedOut = true
            await end(child)
        }
        // Nothing that the child has started may outlive it.
        child.signal(SIGKILL)
        await child.close()
        let elapsed = begin.duration(to: clock.now)
        return Ending(
            how: child.ending, timedOut: timedOut, stopped: stopping, seconds: Double(elapsed.milliseconds) / 1000,
            log: String(decoding: child.log, as: UTF8.self))
    }

    package var isBusy: Bool { current != nil }

    /// Ends the running child, and every later one at its start.
    package func stop() async {
        stopping = true
        if let child = current { await end(child) }
    }

    /// Ends the running child; later ones are started as ever.
    package func cancel() async { if let child = current { await end(child) } }

    private func end(_ child: Child) async {
        child.signal(SIGTERM)
        if await !child.ends(within: killGrace) {
            child.signal(SIGKILL)
            _ = await child.ends(within: .seconds(5))
        }
    }

    /// Ends what an earlier service left running, if process `pid` still writes to `output`.
    package static func endLeftover(pid: Int32, output: String) async throws {
        func lives() -> Bool {
            // The size of files in /proc is said to be 0: read to the end instead of by size.
            guard let handle = FileHandle(forReadingAtPath: "/proc/\(pid)/cmdline"), let bytes = try? handle.readToEnd()
            else { return false }
            return bytes.split(separator: 0).contains(Data(output.utf8))
        }
        guard pid > 1, lives() else { return }
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        for _ in 0..<50 where lives() { try await Task.sleep(for: .milliseconds(100)) }
    }
}
