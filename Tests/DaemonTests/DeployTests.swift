import Foundation
import Testing

@Suite("what is installed")
struct DeployTests {
    private static let deploy = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../deploy").standardizedFileURL.path
    private static let hasSystemd = FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")

    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test("systemd finds no fault in the units and little that they could reach", .enabled(if: hasSystemd))
    func units() throws {
        let (status, output) = try run(Self.deploy + "/systemd/check.sh", [])
        #expect(status == 0, "\(output)")
    }

    @Test("installed units and site file name the program and pipelines where they are, and an edited site file stays")
    func installation() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("install-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let arguments = [root, "/opt/hspsam", "/etc", "hspsam.service", "hspsam-batch.timer"]
        #expect(try run(Self.deploy + "/install-files.sh", arguments).status == 0)
        let unit = try String(contentsOfFile: root + "/opt/hspsam/lib/systemd/system/hspsam.service", encoding: .utf8)
        #expect(unit.contains("ExecStart=/opt/hspsam/bin/hspsam watch --config /etc/hspsam/hspsam.yaml"))
        let site = root + "/etc/hspsam/hspsam.yaml"
        #expect(
            try String(contentsOfFile: site, encoding: .utf8).contains("pipelines: /opt/hspsam/share/hspsam/pipelines"))
        try "edited".write(toFile: site, atomically: true, encoding: .utf8)
        #expect(try run(Self.deploy + "/install-files.sh", arguments).status == 0)
        #expect(try String(contentsOfFile: site, encoding: .utf8) == "edited")
    }
}
