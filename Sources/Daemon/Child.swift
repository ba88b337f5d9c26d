internal import Foundation
internal import Synchronization

/// One child process, from start to end.
final class Child: Sendable {
    /// What Foundation's own threads tell us about the child.
    private final class Witness: Sendable {
        private static let longestLog = 64 << 10
        private let state = Mutex((ended: false, log: [UInt8]()))

        var ended: Bool { state.withLock { $0.ended } }
        var log: [UInt8] { state.withLock { $0.log } }

        func end() { state.withLock { $0.ended = true } }

        func append(_ data: Data) {
            state.withLock {
                $0.log += data
                if $0.log.count > Self.longestLog { $0.log.removeFirst($0.log.count - Self.longestLog) }
            }
        }
    }

    /// Foundation's handle; after `init` it is only read, and only once the process has ended.
    private let process: Process
    /// Held open for as long as the child may run: its end tells the child that the service is gone.
    private let input = Pipe()
    private let witness = Witness()
    let pid: Int32

    /// Starts it; Foundation gives it a process group of its own.
    init(program: String, arguments: [String]) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        process.terminationHandler = { [witness] _ in witness.end() }
        try process.run()
        pid = process.processIdentifier
        output.fileHandleForReading.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
        errors.fileHandleForReading.readabilityHandler = { [witness] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil } else { witness.append(data) }
        }
    }

    /// To the whole group; a group that is gone is fine.
    func signal(_ number: Int32) { kill(-pid, number) }

    /// Waits for the end, at most this long; true when it has ended.
    func ends(within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while !witness.ended {
            if ContinuousClock.now >= deadline { return false }
            // A sleep that is cancelled returns at once: then only the deadline ends the loop.
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    func ending(seconds: Double, timedOut: Bool, stopped: Bool) -> Worker.Ending {
        var ending = Worker.Ending(timedOut: timedOut, stopped: stopped, seconds: seconds, log: witness.log)
        guard witness.ended else { return ending }
        if process.terminationReason == .exit {
            ending.exit = process.terminationStatus
        } else {
            ending.signal = process.terminationStatus
        }
        return ending
    }
}
