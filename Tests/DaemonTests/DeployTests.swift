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

    @Test("the receiver's unit leaves a file when the receiver ended by itself, and takes it away when it was stopped")
    func receiver() throws {
        let unit = try String(contentsOfFile: Self.deploy + "/systemd/hspsam-receive.service", encoding: .utf8)
        #expect(unit.contains("\nRestart=always\n"))
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStopPost=/bin/sh -c '") })
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("unit-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = line.dropFirst("ExecStopPost=/bin/sh -c '".count).dropLast()
            .replacingOccurrences(of: "$$", with: "$").replacingOccurrences(
                of: "/var/spool/hspsam/receive", with: folder)
        for (result, isThere) in [
            ("exit-code", true), ("success", false), ("signal", true), ("signal", true), ("success", false),
        ] {
            let status = try run("/usr/bin/env", ["SERVICE_RESULT=" + result, "/bin/sh", "-c", script]).status
            #expect(status == 0 && FileManager.default.fileExists(atPath: folder + "/ended") == isThere, "\(result)")
        }
    }

    @Test("a batch that ends with 3 has failed for systemd: it may be one that could not start")
    func batch() throws {
        let unit = try String(contentsOfFile: Self.deploy + "/systemd/hspsam-batch.service", encoding: .utf8)
        #expect(!unit.contains("SuccessExitStatus"))
    }

    /// Says what a program says that is asked for its version, its help and its completions.
    private static let program = """
        #!/bin/sh
        case "$1$2" in
            --version) echo 1.2.3 ;;
            help) printf 'OVERVIEW: Segments.\\n\\nFirst steps:\\n  .hspsam\\n\\nUSAGE: hspsam <subcommand>\\n\\nSUBCOMMANDS:\\n  run       Runs - at once.\\n' ;;
            helprun) printf 'OVERVIEW: Runs - at\\nonce.\\n\\nUSAGE: hspsam run --out <out>\\n\\nOPTIONS:\\n  --out <out>   A\\n                folder.\\n' ;;
            --generate-completion-script*) echo "for $2" ;;
        esac
        """

    private func installed(_ root: String) throws -> Set<String> {
        Set(
            try FileManager.default.subpathsOfDirectory(atPath: root).filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: "\(root)/\($0)", isDirectory: &isFolder)
                    && !isFolder.boolValue
            })
    }

    @Test(
        "what is installed names its places, speaks its pages, leaves an edited site file, and goes without taking anything else"
    )
    func installation() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("install-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (root, program) = (folder + "/root", folder + "/program")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Self.program.write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let arguments = [program, root, "/opt/hspsam", "/etc", "/opt/hspsam/lib/systemd/system"]
        func install() throws {
            let (status, output) = try run(Self.deploy + "/install-files.sh", arguments)
            try #require(status == 0, "\(output)")
        }
        try install()
        func text(_ path: String) throws -> String { try String(contentsOfFile: root + path, encoding: .utf8) }
        let units = "/opt/hspsam/lib/systemd/system/"
        #expect(
            try text(units + "hspsam.service").contains(
                "ExecStart=/opt/hspsam/bin/hspsam watch --config /etc/hspsam/hspsam.yaml"))
        #expect(
            try text(units + "hspsam-receive.service").contains(
                "\"/opt/hspsam/bin/hspsam receive #p #f --config /etc/hspsam/hspsam.yaml\""))
        let man = try text("/opt/hspsam/share/man/man1/hspsam-run.1")
        #expect(man.contains("hspsam\\-run \\- Runs \\- at once.\n"), "\(man)")
        #expect(man.contains(".TP\n.B \\-\\-out <out>\nA\nfolder.\n"), "\(man)")
        #expect(try text("/opt/hspsam/share/man/man1/hspsam.1").contains("  .hspsam\n"))
        #expect(try text("/opt/hspsam/share/zsh/vendor-completions/_hspsam") == "for zsh\n")
        let site = root + "/etc/hspsam/hspsam.yaml"
        #expect(try text("/etc/hspsam/hspsam.yaml").contains("pipelines: /opt/hspsam/share/hspsam/pipelines"))

        // An older version had put one file more; a person another.
        try "edited".write(toFile: site, atomically: true, encoding: .utf8)
        let (own, other) = ("/opt/hspsam/share/hspsam/old", "/opt/hspsam/share/hspsam/pipelines/mine.yaml")
        for path in [own, other] { try "x".write(toFile: root + path, atomically: true, encoding: .utf8) }
        let list = try text("/opt/hspsam/share/hspsam/installed")
        try (own + "\n" + list).write(
            toFile: root + "/opt/hspsam/share/hspsam/installed", atomically: true, encoding: .utf8)
        let before = try installed(root)
        try install()
        #expect(try installed(root) == before.subtracting([String(own.dropFirst())]))
        #expect(try text("/etc/hspsam/hspsam.yaml") == "edited")
        let (status, output) = try run(Self.deploy + "/uninstall-files.sh", [root, "/opt/hspsam"])
        #expect(status == 0, "\(output)")
        #expect(try installed(root) == ["etc/hspsam/hspsam.yaml", String(other.dropFirst())])
    }

    @Test("a program that needs Swift's libraries from its toolchain's folder is not installed")
    func needsToolchain() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("install-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // These tests themselves are such a program.
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let (status, output) = try run(
            Self.deploy + "/install-files.sh", [tests, folder, "/usr", "/etc", "/lib/systemd/system"])
        #expect(status == 2 && output.contains("make static"), "\(output)")
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("the package's version is the program's")
    func version() throws {
        let changelog = try String(contentsOfFile: Self.deploy + "/debian/changelog", encoding: .utf8)
        let main = try String(contentsOfFile: Self.deploy + "/../Sources/hspsam/Main.swift", encoding: .utf8)
        let version = try #require(changelog.split(separator: "(").dropFirst().first?.split(separator: ")").first)
        #expect(main.contains("static let version = \"\(version)\""))
    }
}
