internal import Failures
package import Logging
package import Processes
internal import Storage
internal import Synchronization

/// The unattended service as a process: it waits out what passes, and ends only when it is asked to or when a person must act.
///
/// A ledger that another process holds, a disk that is full, a folder that is away: the session that met it ends as a whole, and a
/// new one reads what is true and goes on, as after a crash. The locks are held all the while.
package enum Service {
    /// Watches until asked to stop.
    ///
    /// - Parameter reread: gives the settings anew when somebody asks for it (SIGHUP).
    /// *Throws* what keeps it from starting; afterwards only what a person must mend, and our own defects.
    package static func watch(
        _ settings: ServiceSettings, log: Logger, stop: StopRequest,
        reread: @escaping @Sendable () throws -> ServiceSettings
    ) async throws {
        let paths = ServicePaths(settings)
        try WatchService.checkPipelines(settings)
        try paths.prepare()
        let locks = try await ServiceLocks(paths)
        let heartbeat = Heartbeat(path: paths.heartbeat)
        let program = WatchService.program(settings)
        var settings = settings
        var hasWorked = false
        var wait = settings.resumeWait
        while true {
            let begun = ContinuousClock.now
            do {
                let session = try await WatchService(
                    settings, log: log, stop: stop, locks: locks, heartbeat: heartbeat, isResumed: hasWorked,
                    program: program)
                hasWorked = true
                heartbeat.wait(for: nil)
                ServiceNotification.send("READY=1")
                let result = await session.watchRereading(reread)
                settings = session.settings
                try? await session.close()
                return try result.get()
            } catch {
                let failure = FailureRecord(error)
                guard hasWorked, failure.kind == .failed, !stop.isAsked else { throw error }
                log.error("the service waits", metadata: ["code": "\(failure.code)"])
                if ContinuousClock.now - begun > settings.resumeWait * 60 { wait = settings.resumeWait }
                try await pause(wait, stop) {
                    heartbeat.wait(for: "\(failure.code): \(failure.message.withoutSubject)")
                }
                if stop.isAsked { return }
                wait = min(wait * 2, settings.resumeWait * 60)
            }
        }
    }

    /// One batch. What keeps it from beginning, or ends it, `status` tells until another one begins.
    ///
    /// *Throws* that.
    package static func batch(
        _ settings: ServiceSettings, log: Logger, stop: StopRequest
    ) async throws -> BatchOutcome {
        do {
            try WatchService.checkPipelines(settings)
            return try await WatchService(settings, log: log, stop: stop).batch()
        } catch {
            let code = FailureRecord(error).code
            // Whoever works here tells how that goes.
            if code != "SERVICE-LOCKED" { BatchFailure.note(code, ServicePaths(settings)) }
            throw error
        }
    }

    private static func pause(_ duration: Duration, _ stop: StopRequest, each: () -> Void) async throws {
        let deadline = ContinuousClock.now + duration
        var steps = 0
        while !stop.isAsked, ContinuousClock.now < deadline {
            if steps.isMultiple(of: 20) { each() }
            steps += 1
            try await Task.sleep(for: min(.milliseconds(100), deadline - .now))
        }
    }
}

extension WatchService {
    /// Watches, and uses other settings when somebody asks for it; what cannot be read leaves the old ones.
    fileprivate func watchRereading(_ reread: @escaping @Sendable () throws -> ServiceSettings) async -> Result<
        Void, any Error
    > {
        shared.withLock { $0.reread = reread }
        do { return .success(try await watch()) } catch { return .failure(error) }
    }
}
