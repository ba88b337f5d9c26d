internal import Foundation
internal import Processes
internal import Synchronization

/// One child process, from start to end.
final class Child: Sendable {
    /// What Foundation's own threads tell us about the child.
    private final class Witness: Sendable {
        private static let longestLog = 64 << 10
        private static let longestLine = 4 << 10

        private struct State {
            var ended = false
            var log: [UInt8] = []
            var line: [UInt8] = []
            var lastLine: [UInt8] = []
            var progressAt = ContinuousClock.now
            var openStreams = 2
        }

        private let state = Mutex(State())

        var ended: Bool { state.withLock { $0.ended } }
        var log: [UInt8] { state.withLock { $0.log } }
        var progressAt: ContinuousClock.Instant { state.withLock { $0.progressAt } }

        var isDrained: Bool { state.withLock { $0.openStreams == 0 } }

        func end() { state.withLock { $0.ended = true } }
        func endOfStream() { state.withLock { $0.openStreams -= 1 } }

        /// A line that differs from the one before is progress; the same line again only says that the process lives.
        func read(_ data: Data) {
            state.withLock { state in
                for byte in data {
                    if byte != 10 {
                        if state.line.count < Self.longestLine { state.line.append(byte) }
                    } else {
                        if state.line != state.lastLine { state.progressAt = .now }
                        (state.lastLine, state.line) = (state.line, [])
                    }
                }
            }
        }

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
    private let output = Pipe()
    private let errors = Pipe()
    private let witness = Witness()
    let pid: Int32

    /// Starts it; Foundation gives it a process group of its own.
    init(program: String, arguments: [String]) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        process.terminationHandler = { [witness] _ in witness.end() }
        // Otherwise the child would never see our friendly signal.
        let mask = SignalMask.clear()
        defer { SignalMask.restore(mask) }
        try process.run()
        pid = process.processIdentifier
        output.fileHandleForReading.readabilityHandler = { [witness] in Self.take($0, witness, witness.read) }
        errors.fileHandleForReading.readabilityHandler = { [witness] in Self.take($0, witness, witness.append) }
    }

    private static func take(_ handle: FileHandle, _ witness: Witness, _ use: (Data) -> Void) {
        let data = handle.availableData
        if !data.isEmpty { return use(data) }
        handle.readabilityHandler = nil
        witness.endOfStream()
    }

    /// Closes our ends of the pipes, once what the child wrote has been read.
    ///
    /// Foundation keeps pipes open for longer than their process: a service of many nights would run out of files.
    func close() async {
        let deadline = ContinuousClock.now + .seconds(1)
        // Something that left the process group could hold its end for ever.
        while !witness.isDrained, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
        output.fileHandleForReading.readabilityHandler = nil
        errors.fileHandleForReading.readabilityHandler = nil
        try? input.fileHandleForWriting.close()
        try? output.fileHandleForReading.close()
        try? errors.fileHandleForReading.close()
    }

    /// To the whole group; a group that is gone is fine.
    func signal(_ number: Int32) { kill(-pid, number) }

    /// Waits for the end; true when it has ended.
    ///
    /// At most this long, or, where `stall` is given, up to a day more while new lines of progress come within that time.
    func ends(within limit: Duration, stall: Duration = .zero) async -> Bool {
        let begin = ContinuousClock.now
        while !witness.ended {
            let now = ContinuousClock.now
            let isStalled =
                stall == .zero || now >= witness.progressAt + stall || now >= begin + limit + .seconds(86_400)
            if now >= begin + limit, isStalled { return false }
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
