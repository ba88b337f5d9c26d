import Foundation
import Processes
import Testing

@Suite("child processes")
struct ChildTests {
    @Test("children that have ended leave no memory behind: a service starts one for each study, for months")
    func memory() async {
        // In a process of its own, whose memory is nobody else's.
        await #expect(processExitsWith: .success) {
            func anonymousKiB() throws -> Int {
                let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon") })
                return try #require(Int(line.filter(\.isNumber)))
            }
            func run(_ count: Int) async throws {
                for number in 0..<count {
                    // 100 KB that would be kept with it.
                    let child = try Child(
                        program: "/bin/true", arguments: [String(repeating: "x", count: 100_000) + "\(number)"])
                    try #require(await child.ends(within: .seconds(600)))
                    await child.close()
                    try #require(child.ending == .exited(0))
                }
            }
            try await run(20)
            let before = try anonymousKiB()
            try await run(100)
            try #require(try anonymousKiB() < before + 4000)
        }
    }

    private func answer(_ script: String) async throws -> [UInt8]? {
        let child = try Child(program: "/bin/sh", arguments: ["-c", script], keepsAnswer: true)
        // Patience, not a bound.
        try #require(await child.ends(within: .seconds(900)))
        await child.close()
        return child.answer
    }

    @Test("what a child wrote is read to its end, whatever else still holds its pipe; what is not whole is no answer")
    func answers() async throws {
        let bytes = try await answer("setsid sleep 20 2>/dev/null & head -c 60000 /dev/zero")
        #expect(bytes?.count == 60_000)
        #expect(try await answer("exit 3") == [])
        #expect(try await answer("head -c 17000000 /dev/zero") == nil)
    }
}
