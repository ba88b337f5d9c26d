import Foundation
import Testing

@Suite("nobody reads the output")
struct ClosedOutputTests {
    /// What prints something; `{site}` is a site file where nothing was ever dropped, `{}` the workplace.
    static let commands: [[String]] = [
        ["--help"], ["--version"], ["run", "--help"], ["status", "--config", "{site}", "--json"],
        ["batch", "--config", "{site}"], ["model", "info", "{}/pipelines/tiny/model"], run, run + ["--json"],
    ]
    private static let run = [
        "run", "samples/dermoscopy", "--out", "{}/out", "--pipelines", "{}/pipelines", "--pipeline", "tiny",
    ]

    /// Through a shell: the status is the program's, whatever follows it.
    private func run(
        _ arguments: [String], _ redirection: String, in workplace: Workplace
    ) throws -> (status: Int32, errors: String) {
        let site = try workplace.write(
            "site.yaml",
            """
            settle: {quiet: 0s}
            reserve: 1MiB
            places: {spool: \(workplace.path)/spool, state: \(workplace.path)/state, pipelines: \(workplace.pipelines)}
            """)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments =
            ["-c", "\"$@\" \(redirection); echo ${PIPESTATUS[0]} > \(workplace.path)/status", "bash", Program.path]
            + arguments.map { $0.replacing("{site}", with: site).replacing("{}", with: workplace.path) }
        process.standardInput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let number = try String(contentsOfFile: workplace.path + "/status", encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        return (try #require(Int32(number)), text)
    }

    private func run(_ arguments: [String], _ redirection: String) throws -> (status: Int32, errors: String) {
        try run(arguments, redirection, in: Workplace())
    }

    @Test("an output that was closed before the start ends the program quietly with 130", arguments: commands)
    func closed(_ arguments: [String]) throws {
        let ending = try run(arguments, ">&-")
        #expect(ending.status == 130, "\(ending.errors)")
        #expect(!ending.errors.contains("INTERNAL") && !ending.errors.contains("rror:"), "\(ending.errors)")
    }

    @Test("a reader that leaves at once ends nothing but the program, quietly", arguments: commands)
    func gone(_ arguments: [String]) throws {
        let ending = try run(arguments, "| head -c 1 >/dev/null")
        // Who was faster is chance: all was written, or the reader was gone.
        let fine: Set<Int32> = arguments.first == "status" ? [4, 130] : [0, 130]
        #expect(fine.contains(ending.status), "\(ending.status) \(ending.errors)")
    }

    @Test("a full disk behind the output is named, with 3", arguments: commands)
    func full(_ arguments: [String]) throws {
        let ending = try run(arguments, ">/dev/full")
        #expect(ending.status == 3 && ending.errors.contains("STDOUT-IO"), "\(ending.errors)")
    }

    @Test("a run whose output is closed leaves no half study", arguments: [[], ["--json"]])
    func noHalfStudy(more: [String]) throws {
        let workplace = try Workplace()
        #expect(try run(Self.run + more, ">&-", in: workplace).status == 130)
        let left = (try? FileManager.default.contentsOfDirectory(atPath: workplace.out)) ?? []
        #expect(
            left.allSatisfy { FileManager.default.fileExists(atPath: "\(workplace.out)/\($0)/report.json") }, "\(left)")
    }

    @Test("without standard error the exit status still tells")
    func noErrors() throws {
        #expect(try run(["run", "/nowhere", "--out", "/tmp/none"], "2>&-").status == 2)
    }

    @Test(
        "a refusal while a model's digest is being made on another thread ends with its status, however often it is asked"
    )
    func endsWhileHashing() throws {
        for _ in 0..<100 { #expect(try Program.run(["run", "/nowhere", "--out", "/tmp/none"]).status == 2) }
    }
}
