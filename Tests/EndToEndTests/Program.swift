import Foundation
import SegmentAnything
import Testing
import TinyNetworks

/// The built program, run as a person runs it.
enum Program {
    /// Beside the tests.
    static let path: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("hspsam").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : ".build/release/hspsam"
    }()

    struct Ending {
        let status: Int32
        /// Whether `status` is the number of a signal.
        let bySignal: Bool
        let output: String
        let errors: String
    }

    /// A process that goes on until it is stopped.
    ///
    /// - Parameters:
    ///   - program: another one than ours.
    ///   - log: the file that gets its output and errors; nil for nowhere.
    ///   - environment: what it has beside ours.
    static func start(
        _ arguments: [String], of program: String = Program.path, log: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        var output = FileHandle.nullDevice
        if let log {
            try Data().write(to: URL(fileURLWithPath: log))
            output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        }
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }

    /// - Parameters:
    ///   - program: another one than ours.
    ///   - input: what standard input is; nothing by default.
    static func run(
        _ arguments: [String], of program: String = Program.path, input: Any? = FileHandle.nullDevice
    ) throws -> Ending {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = input
        // Files, not pipes: nobody has to read while the program writes.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("program-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["output", "errors"].map { folder.appendingPathComponent($0) }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
        return Ending(
            status: process.terminationStatus, bySignal: process.terminationReason == .uncaughtSignal, output: texts[0],
            errors: texts[1])
    }
}

/// A folder of its own, gone with the test, with a pipeline `tiny` that takes anything it is forced to.
final class Workplace {
    let path: String
    var pipelines: String { path + "/pipelines" }
    var out: String { path + "/out" }

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("endtoend-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try write("pipelines/tiny/pipeline.yaml", Self.settings)
        try Self.writeModel(pipelines + "/tiny/model")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

    @discardableResult
    func write(_ name: String, _ data: Data) throws -> String {
        let file = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
        return file.path
    }

    func run(_ inputs: [String], _ more: [String] = []) throws -> Program.Ending {
        try Program.run(["run"] + inputs + ["--out", out, "--pipelines", pipelines] + more)
    }

    func record() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: out + "/run.json"))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// The folder of a phantom of a body.
    func phantom(_ seed: Int) throws -> String {
        let folder = "\(path)/phantom-\(seed)"
        try #require(try Program.run(["phantom", "body", "--out", folder, "--seed", "\(seed)"]).status == 0)
        return folder
    }

    /// A site with an inbox, whose tiny pipeline takes phantoms by itself; gives the path of its file.
    ///
    /// - Parameter more: further lines of the site's file.
    func writeSite(more: String = "") throws -> String {
        try write(
            "pipelines/tiny/pipeline.yaml", Self.settings.replacing("^never by itself$", with: "^hspsam phantom "))
        try write("spool/inbox/.keep", "")
        return try write(
            "site.yaml",
            """
            inbox: {scan: 1s}
            settle: {quiet: 1s}
            reserve: 1MiB
            places: {spool: \(path)/spool, state: \(path)/state, pipelines: \(pipelines)}
            \(more)
            """)
    }

    static let settings = """
        pipeline: {name: tiny, version: "1.0"}
        selection:
          - series_description: "^never by itself$"
        segments:
          - key: part
            label: Part
            category: [123037004, SCT, Anatomical Structure]
            type: [10200004, SCT, Liver]
        outputs: {synthetic_geometry: true}

        """

    private static func writeModel(_ path: String) throws {
        let configuration = Configuration.tiny()
        let description = ModelDescription(
            configuration: configuration, configurationName: "hsp_sam", segmentLabels: ["part"])
        try ModelDirectory.write(description, tensors: Parameters.byTurns(configuration).tensors, to: path)
    }
}
