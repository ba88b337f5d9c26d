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
}
