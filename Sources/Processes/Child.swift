internal import Foundation
internal import Synchronization

/// One child process in a process group of its own, from start to end.
///
/// Its standard input is a pipe that is held open for as long as this process lives: its end tells the child that nobody waits
/// any more. Its standard output is read as lines of progress, or kept as an answer; of its standard error the end is kept.
package final class Child: Sendable {
    /// How it ended: by its exit status or by a signal.
    package enum Ending: Sendable, Equatable, Codable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// What Foundation's own threads tell us about the child.
    private final class Witness: Sendable {
        private static let longestLog = 64 << 10
        private static let longestLine = 4 << 10
        private static let longestAnswer = 16 << 20

        private struct State {
            var hasEnded = false
            var log: [UInt8] = []
            var answer: [UInt8] = []
            var line: [UInt8] = []
            var lastLine: [UInt8] = []
            var progressAt = ContinuousClock.now
            var isWhole = true
            var openStreams = 2
            var isAbandoned = false
        }

        private let state = Mutex(State())

        var hasEnded: Bool { state.withLock { $0.hasEnded } }
        var log: [UInt8] { state.withLock { $0.log } }
        var answer: [UInt8] { state.withLock { $0.answer } }
        var progressAt: ContinuousClock.Instant { state.withLock { $0.progressAt } }
        var isDrained: Bool { state.withLock { $0.openStreams == 0 } }

        var isAbandoned: Bool { state.withLock { $0.isAbandoned } }
        func abandon() { state.withLock { $0.isAbandoned = true } }
        func end() { state.withLock { $0.hasEnded = true } }
        func endOfStream(isWhole: Bool = true) {
            state.withLock { state in
                state.openStreams -= 1
                if !isWhole { state.isWhole = false }
            }
        }

        /// A line that differs from the one before is progress; the same line again only says that the process lives.
        func readProgress(_ bytes: ArraySlice<UInt8>) {
            state.withLock { state in
                for byte in bytes {
                    if byte != 10 {
                        if state.line.count < Self.longestLine { state.line.append(byte) }
                    } else {
                        if state.line != state.lastLine { state.progressAt = .now }
                        (state.lastLine, state.line) = (state.line, [])
                    }
                }
            }
        }

        func keepAnswer(_ bytes: ArraySlice<UInt8>) {
            state.withLock {
                if $0.answer.count < Self.longestAnswer { $0.answer += bytes } else { $0.isWhole = false }
            }
        }

        /// Whether all that the child wrote has been read and kept.
        var isWhole: Bool { state.withLock { $0.openStreams == 0 && $0.isWhole } }

        func keep(_ bytes: ArraySlice<UInt8>) {
            state.withLock {
                $0.log += bytes
                if $0.log.count > Self.longestLog { $0.log.removeFirst($0.log.count - Self.longestLog) }
            }
        }
    }

    /// Foundation's handle; after `init` it is only read and waited for, and only once the process has ended.
    private let process: Process
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private let witness = Witness()
    package let pid: Int32

    /// Starts it; Foundation gives it a process group of its own.
    ///
    /// - Parameter keepsAnswer: its standard output is an answer, and is kept instead of being read as progress.
    /// *Throws* Foundation's error when the program cannot be started.
    package init(program: String, arguments: [String], keepsAnswer: Bool = false) throws {
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
        Self.follow(output, witness) { [witness] in
            keepsAnswer ? witness.keepAnswer($0) : witness.readProgress($0)
        }
        Self.follow(errors, witness) { [witness] in witness.keep($0) }
    }

    /// Reads what the child writes, on a thread of its own with a descriptor of its own: nobody else closes what it reads from.
    ///
    /// It ends with the stream. Something that left the process group could hold that open for ever: once the child has ended, what it
    /// wrote stands in the pipe, and reading ends as soon as that is empty, or more has come than a pipe can hold.
    private static func follow(_ pipe: Pipe, _ witness: Witness, _ use: @escaping @Sendable (ArraySlice<UInt8>) -> Void)
    {
        let descriptor = fcntl(pipe.fileHandleForReading.fileDescriptor, F_DUPFD_CLOEXEC, 0)
        try? pipe.fileHandleForReading.close()
        guard descriptor >= 0 else { return witness.endOfStream(isWhole: false) }
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            var left = Self.largestPipe
            var isWhole = true
            while !witness.isAbandoned, left > 0 {
                // Asked before the pipe is: what a child that has ended wrote stands there.
                let hasEnded = witness.hasEnded
                var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let ready = unsafe poll(&request, 1, hasEnded ? 0 : 200)
                if ready == 0, hasEnded { break }
                if ready <= 0 { continue }
                let got = unsafe buffer.withUnsafeMutableBytes {
                    unsafe Foundation.read(descriptor, $0.baseAddress, $0.count)
                }
                if got > 0 {
                    use(buffer[..<got])
                    if hasEnded { left -= got }
                } else if got == 0 {
                    break
                } else if errno != EINTR && errno != EAGAIN {
                    isWhole = false
                    break
                }
            }
            Foundation.close(descriptor)
            witness.endOfStream(isWhole: isWhole && !witness.isAbandoned)
        }
    }

    /// Bytes that Linux lets a pipe hold, at most.
    private static let largestPipe = 1 << 20
    /// A thread that reads what is there ends, however busy the machine is. This is for one that was never started.
    private static let longestReading: Duration = .seconds(60)

    /// Closes our end of its standard input, once what the child wrote has been read: all of it, when it has ended.
    package func close() async {
        let deadline = ContinuousClock.now + (witness.hasEnded ? Self.longestReading : .seconds(1))
        while !witness.isDrained, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
        witness.abandon()
        // It has ended, so nothing is waited for: Foundation keeps a process, 3 KiB of memory, until somebody does.
        if witness.hasEnded { process.waitUntilExit() }
        try? input.fileHandleForWriting.close()
    }

    /// To the whole group; a group that is gone is fine.
    package func signal(_ number: Int32) { kill(-pid, number) }

    /// Waits for the end; true when it has ended.
    ///
    /// At most this long, or, where `stall` is given, up to a day more while new lines of progress come within that time.
    /// `each` is called all the while.
    package func ends(
        within limit: Duration, stall: Duration = .zero, each: @Sendable () -> Void = {}
    ) async -> Bool {
        let begin = ContinuousClock.now
        while !witness.hasEnded {
            let now = ContinuousClock.now
            let isStalled =
                stall == .zero || now >= witness.progressAt + stall || now >= begin + limit + .seconds(86_400)
            if now >= begin + limit, isStalled { return false }
            each()
            // A sleep that is cancelled returns at once: then only the deadline ends the loop.
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Nil while it runs.
    package var ending: Ending? {
        guard witness.hasEnded else { return nil }
        let status = process.terminationStatus
        return process.terminationReason == .exit ? .exited(status) : .signalled(status)
    }

    /// What it wrote on its standard output, where that is kept; nil when not all of it could be read, or it is more than 16 MiB. After
    /// `close`.
    package var answer: [UInt8]? { witness.isWhole ? witness.answer : nil }

    /// The last 64 KiB of its standard error.
    package var log: [UInt8] { witness.log }
}
