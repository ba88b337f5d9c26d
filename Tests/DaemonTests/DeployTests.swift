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

    private static let hasReceiver = ["storescp", "storescu"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)")
    }

    @Test("what is received by DICOM stands whole in the inbox, a folder an association", .enabled(if: hasReceiver))
    func receiver() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("receive-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in ["in", "inbox"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        let unit = try String(contentsOfFile: Self.deploy + "/systemd/hspsam-receive.service", encoding: .utf8)
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
        let port = 41_000 + Int(getpid()) % 20_000
        // As the unit starts it, with other folders and another port.
        let command = line.dropFirst("ExecStart=".count).replacing("/var/spool/hspsam/receive/in", with: root + "/in")
            .replacing("/usr/share/hspsam/receive", with: Self.deploy + "/receive")
            .replacing(" 11112", with: " \(port)")
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/bin/sh")
        server.arguments = ["-c", "exec \(command)"]
        server.environment = ["PATH": "/usr/bin:/bin", "HSPSAM_INBOX": root + "/inbox"]
        server.standardInput = FileHandle.nullDevice
        server.standardOutput = FileHandle.nullDevice
        server.standardError = FileHandle.nullDevice
        try server.run()
        // Signals may be blocked in what a pool thread starts: the final one never is.
        defer { kill(server.processIdentifier, SIGKILL) }
        let samples = URL(fileURLWithPath: Self.deploy + "/../samples/body").standardizedFileURL.path
        let slices = try FileManager.default.contentsOfDirectory(atPath: samples).filter { $0.hasSuffix(".dcm") }
            .sorted().map { "\(samples)/\($0)" }
        func send(_ files: ArraySlice<String>) throws -> Bool {
            try run("/usr/bin/storescu", ["-q", "-aec", "HSPSAM", "127.0.0.1", "\(port)"] + files).status == 0
        }
        let deadline = Date(timeIntervalSinceNow: 600)
        while try !send(slices.prefix(1)), Date() < deadline { try await Task.sleep(for: .milliseconds(200)) }
        #expect(try send(slices.dropFirst(1).prefix(3)))
        func arrived() throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: root + "/inbox").filter { $0.hasSuffix(".dcm") }
        }
        while try arrived().count < 4, Date() < deadline { try await Task.sleep(for: .milliseconds(100)) }
        let files = try arrived()
        #expect(files.count == 4 && Set(files.map { $0.split(separator: "/")[0] }).count == 2, "\(files)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/in").isEmpty)
    }

    @Test("installed units and site file name the program and pipelines where they are, and an edited site file stays")
    func installation() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("install-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let arguments = [root, "/opt/hspsam", "/etc", "hspsam.service", "hspsam-batch.timer", "hspsam-receive.service"]
        #expect(try run(Self.deploy + "/install-files.sh", arguments).status == 0)
        let unit = try String(contentsOfFile: root + "/opt/hspsam/lib/systemd/system/hspsam.service", encoding: .utf8)
        #expect(unit.contains("ExecStart=/opt/hspsam/bin/hspsam watch --config /etc/hspsam/hspsam.yaml"))
        let receive = try String(
            contentsOfFile: root + "/opt/hspsam/lib/systemd/system/hspsam-receive.service", encoding: .utf8)
        #expect(receive.contains("\"/opt/hspsam/share/hspsam/receive #p #f\""))
        #expect(FileManager.default.isExecutableFile(atPath: root + "/opt/hspsam/share/hspsam/receive"))
        let site = root + "/etc/hspsam/hspsam.yaml"
        #expect(
            try String(contentsOfFile: site, encoding: .utf8).contains("pipelines: /opt/hspsam/share/hspsam/pipelines"))
        try "edited".write(toFile: site, atomically: true, encoding: .utf8)
        #expect(try run(Self.deploy + "/install-files.sh", arguments).status == 0)
        #expect(try String(contentsOfFile: site, encoding: .utf8) == "edited")
    }
}
