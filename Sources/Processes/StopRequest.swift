package import Foundation
internal import Synchronization

/// Whether this process was asked to stop, and how urgently.
///
/// The handler only counts: everything else happens where the count is read. Children get the default handlers back, as
/// handlers (unlike ignored or blocked signals) do not pass to a new program.
package final class StopRequest: Sendable {
    private static let terminations = Atomic<Int>(0)
    private static let interrupts = Atomic<Int>(0)
    private static let hangups = Atomic<Int>(0)
    private let asked = Atomic<Bool>(false)
    private let parent: StopRequest?

    /// - Parameter parent: what also asks to stop, when it is asked.
    package init(under parent: StopRequest? = nil) { self.parent = parent }

    /// Counts SIGTERM and SIGINT of this process from now on.
    package static func listen() {
        // Both counters exist before a handler can run.
        _ = (
            terminations.load(ordering: .relaxed), interrupts.load(ordering: .relaxed), hangups.load(ordering: .relaxed)
        )
        signal(SIGTERM) { _ in StopRequest.terminations.add(1, ordering: .relaxed) }
        signal(SIGINT) { _ in StopRequest.interrupts.add(1, ordering: .relaxed) }
        // Whoever started us may have blocked them, as Foundation's `Process` on a pool thread does, and a blocked signal
        // is passed on to children: unblocked here, on the thread that calls, which is enough for the process.
        SignalMask.clear()
    }

    /// Counts SIGUSR1 as SIGTERM: mpirun passes it on to all processes and goes on, where after SIGTERM it kills them within a second;
    /// Slurm sends it before a job's time is over (`--signal=USR1@120`).
    package static func listenToUserSignal() {
        signal(SIGUSR1) { _ in StopRequest.terminations.add(1, ordering: .relaxed) }
    }

    /// Counts SIGHUP as SIGTERM: the terminal of a command went away. Under `nohup`, where it is ignored, it stays so.
    package static func listenToHangups() {
        let before = signal(SIGHUP) { _ in StopRequest.terminations.add(1, ordering: .relaxed) }
        if unsafe unsafeBitCast(before, to: Int.self) == 1 { signal(SIGHUP, SIG_IGN) }
    }

    /// Counts SIGHUP too, which then asks to read the settings again instead of ending the process.
    package static func listenForReloads() { signal(SIGHUP) { _ in StopRequest.hangups.add(1, ordering: .relaxed) } }

    /// How often it was asked to read the settings again.
    package static var reloads: Int { hangups.load(ordering: .relaxed) }

    /// For work inside another program, such as a test.
    package func ask() { asked.store(true, ordering: .relaxed) }

    package var isAsked: Bool {
        asked.load(ordering: .relaxed) || parent?.isAsked == true
            || Self.terminations.load(ordering: .relaxed) + Self.interrupts.load(ordering: .relaxed) > 0
    }

    /// A person pressed Ctrl-C, or somebody asked twice: nothing is waited for.
    package var isUrgent: Bool {
        Self.terminations.load(ordering: .relaxed) > 1 || Self.interrupts.load(ordering: .relaxed) > 0
    }

    package var wasInterrupted: Bool { Self.interrupts.load(ordering: .relaxed) > 0 }
}

/// The calling thread's blocked signals. Threads of the concurrency pool block nearly all, and a child inherits that.
package enum SignalMask {
    /// Blocks nothing any more. *Returns* what was blocked.
    @discardableResult
    package static func clear() -> sigset_t {
        var none = sigset_t()
        var before = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
        return before
    }

    /// Blocks what `clear` has given, and nothing else.
    package static func restore(_ mask: sigset_t) {
        var mask = mask
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
