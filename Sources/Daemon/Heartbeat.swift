internal import Foundation
internal import Processes
internal import Synchronization

/// The signs of life of the service's loops, and what `status` and systemd's watchdog learn of them.
///
/// A loop beats at each of its steps, also while it waits. The service counts as alive only while all of them do: a process in
/// which one loop hangs looks alive and does nothing.
package final class Heartbeat: Sendable {
    package enum Loop: String, Sendable, CaseIterable {
        case inbox, queue
    }

    /// What another process reads.
    package struct Sign: Sendable, Equatable, Codable {
        /// Milliseconds of the boot clock, which nobody can set.
        package var at: Int64
        /// Seconds since the loop that has been silent longest was heard.
        package var silent: Int
        /// What is waited for, as code and text; nil while all is well.
        package var waiting: String?
    }

    private struct State {
        var beats: [Loop: ContinuousClock.Instant] = [:]
        var waiting: String?
        var written: ContinuousClock.Instant?
    }

    /// Silence of this many seconds means that a loop hangs.
    package static let longestSilence = 90
    /// Silence of all loops for so many seconds, in a batch.
    static let longestWait = 900
    private static let interval: Duration = .seconds(5)

    private let path: String
    private let state = Mutex(State())

    /// - Parameter path: the file that `status` reads.
    package init(path: String) { self.path = path }

    /// The loop has come to its next step.
    package func beat(_ loop: Loop) {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            state.beats[loop] = now
            return state.written.map { now - $0 >= Self.interval } ?? true
        }
        if isDue { tell(now) }
    }

    /// The service waits as a whole for something that passes: it lives, and says for what it waits. Nil ends that.
    package func wait(for cause: String?) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.waiting = cause
            for loop in Loop.allCases { state.beats[loop] = now }
        }
        tell(now)
    }

    /// Seconds since the loop that has been silent longest was heard.
    private func silence(_ now: ContinuousClock.Instant, _ state: State) -> Int {
        let oldest = Loop.allCases.map { state.beats[$0] ?? now }.min() ?? now
        return Int((now - oldest).components.seconds)
    }

    /// Written without a sync: a power failure ends the service as well. What cannot be written is silence.
    private func tell(_ now: ContinuousClock.Instant) {
        let sign = state.withLock { state in
            state.written = now
            return Sign(at: BootClock.milliseconds, silent: silence(now, state), waiting: state.waiting)
        }
        if sign.silent < Self.longestSilence { ServiceNotification.send("WATCHDOG=1") }
        if let data = try? JSONEncoder().encode(sign) {
            try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }

    /// What the running service wrote last; nil when it wrote nothing, or nothing whole.
    package static func read(_ path: String) -> Sign? {
        FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode(Sign.self, from: $0) }
    }

    /// Whether any of its loops was heard lately.
    static func isHeard(_ sign: Sign) -> Bool {
        let age = (BootClock.milliseconds - sign.at) / 1000
        return age >= 0 && age < longestWait
    }

    /// Whether a sign is of a service that works: written lately, and all loops heard.
    package static func isAlive(_ sign: Sign) -> Bool {
        let age = (BootClock.milliseconds - sign.at) / 1000
        return age >= 0 && age < longestSilence && sign.silent < longestSilence
    }
}
