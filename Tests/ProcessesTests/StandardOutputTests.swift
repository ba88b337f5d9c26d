import Failures
import Foundation
import Processes
import Testing

@Suite("writing to whoever reads", .serialized)
struct StandardOutputTests {
    /// A reader has gone away in these tests: that must be an error, not the end of the test process.
    init() { StandardOutput.prepare() }

    private func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        // A child that another test starts meanwhile must not hold an end.
        try #require(Foundation.pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    @Test("a reader that takes bytes now and then gets all of them, in order, also where writing would block")
    func slowReader() async throws {
        let ends = try pipe()
        // A write that does not fit gives a part or EAGAIN instead of waiting.
        try #require(fcntl(ends.write, F_SETFL, O_NONBLOCK) == 0)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let reader = Task.detached {
            var all: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 50_000)
            while true {
                usleep(500)
                let got = read(ends.read, &piece, piece.count)
                if got <= 0 { return all }
                all += piece[..<got]
            }
        }
        try writeAll(bytes, to: ends.write)
        close(ends.write)
        #expect(await reader.value == bytes)
        close(ends.read)
    }

    @Test("a reader that has gone away, before or during a write, is told as such")
    func goneReader() async throws {
        let ends = try pipe()
        let reader = Task.detached {
            usleep(50_000)
            close(ends.read)
        }
        // More than a pipe holds: this write waits until the reader is gone.
        #expect(throws: OutputClosed.self) { try writeAll([UInt8](repeating: 1, count: 1 << 20), to: ends.write) }
        await reader.value
        #expect(throws: OutputClosed.self) { try writeAll([1], to: ends.write) }
        close(ends.write)
        #expect(throws: OutputClosed.self) { try writeAll([1], to: 9999) }
    }

    @Test("a disk that takes nothing is a failure with its cause")
    func fullDisk() throws {
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        #expect { try writeAll([1], to: full) } throws: { error in
            guard let failure = error as? OutputFailure else { return false }
            return failure.code == "STDOUT-IO" && failure.text.contains("No space left on device")
        }
    }
}
