import Foundation
import Processes
import Testing

@Suite("what a child may leave or take")
struct ProcessLimitsTests {
    /// What a shell script writes on standard error, to its end.
    private func said(_ script: String, memory: Int? = nil) async throws -> String {
        let (program, arguments) = ProcessLimits.limited("/bin/sh", ["-c", script], memory: memory)
        let child = try Child(program: program, arguments: arguments)
        ProcessLimits.offer(child.pid)
        // Patience, not a bound.
        #expect(await child.ends(within: .seconds(900)))
        await child.close()
        #expect(child.ending == .exited(0))
        return String(decoding: child.log, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("no core dump, and the kernel takes it before us when memory runs out")
    func offered() async throws {
        ProcessLimits.forbidCoreDumps()
        let script = """
            while [ "$(cat /proc/$$/oom_score_adj)" != 500 ]; do sleep 0.05; done; ulimit -c >&2
            """
        #expect(try await said(script) == "0")
    }

    @Test("no more address space than it is given")
    func memory() async throws {
        #expect(try await said("ulimit -v >&2", memory: 512 << 20) == "524288")
        #expect(try await said("ulimit -v >&2") != "524288")
    }
}
