internal import Failures
internal import Foundation
package import Processes
internal import Storage

/// Runs one attempt: `hspsam run INPUT... --out DIR --pipelines DIR --known FILE --json` in a child process of its own group.
///
/// What works at a terminal works in the night: there is no other protocol. The child's standard input is a pipe that the
/// service holds open; its standard output tells progress and is not kept; the end of its standard error is.
package actor Worker {
    /// How a child ended.
    package struct Ending: Sendable, Equatable {
        /// Nil when it could not be ended.
        package var how: Child.Ending?
        /// The service ended it: the time was up, or the service stops.
        package var timedOut = false
        package var stopped = false
        package var seconds: Double
        /// The last 64 KiB of its standard error.
        package var log: [UInt8] = []
    }

    private let paths: ServicePaths
    private var current: Child?
    private var stopping = false
    private var killGrace: Duration = .seconds(10)

    package init(paths: ServicePaths) { self.paths = paths }

    /// Starts attempt `n` of a job and waits for its end.
    ///
    /// - Parameter joined: further inputs, of jobs of the same study.
    /// `started` gets the process id at once. *Throws* `DaemonFailure.workerNotStarted`, and what `started` throws.
    package func run(
        _ job: Job, attempt n: Int, joined: [String] = [], _ settings: ServiceSettings, _ heartbeat: Heartbeat,
        started: @Sendable (Int32) async throws -> Void
    ) async throws -> Ending {
        killGrace = settings.killGrace
        let output = paths.output(job.id, attempt: n)
        let child: Child
        do {
            // What earlier attempts left takes room that this one needs.
            for old in 1...n { try Folder.remove(paths.output(job.id, attempt: old)) }
            let (program, arguments) = ProcessLimits.limited(
                settings.program,
                ["run", paths.input(job.id)] + joined + [
                    "--out", output, "--pipelines", settings.pipelines, "--known", paths.knownResults, "--json",
                ] + (settings.threads > 0 ? ["--threads", "\(settings.threads)"] : []), memory: settings.memory)
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
        let limit = settings.wallBase + settings.wallPerFile * max(job.files, 1)
        let clock = ContinuousClock()
        let begin = clock.now
        var timedOut = false
        if await !child.ends(within: limit, stall: settings.hang, each: { heartbeat.beat(.queue) }) {
            timedOut = true
            await end(child)
        }
        // Nothing that the child has started may outlive it.
        child.signal(SIGKILL)
        await child.close()
        let elapsed = begin.duration(to: clock.now)
        return Ending(
            how: child.ending, timedOut: timedOut, stopped: stopping, seconds: Double(elapsed.milliseconds) / 1000,
            log: child.log)
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

    /// Ends what an earlier service left running, if process `pid` still is that attempt.
    package func endLeftover(job: String, attempt n: Int, pid: Int32) async throws {
        let output = paths.output(job, attempt: n)
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
