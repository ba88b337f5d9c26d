import Foundation
import Testing

/// Debian's Orthanc on loopback for the time of a test, with C-FIND and storage commitment, that knows us as HSPSAM.
final class Orthanc {
    static let isThere = ["/usr/sbin/Orthanc", "/usr/bin/storescu", "/usr/bin/storescp", "/usr/bin/echoscu"].allSatisfy
    {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let port: Int
    private let process: Process

    /// - Parameter reportPort: where it finds us.
    init(in workplace: Workplace, reportPort: Int) throws {
        var started: (port: Int, process: Process)?
        // Another program may take a port between two looks.
        for _ in 0..<5 where started == nil {
            let port = Self.freePort()
            let folder = "\(workplace.path)/orthanc-\(port)"
            let configuration = try workplace.write(
                "orthanc-\(port).json",
                """
                {"StorageDirectory": "\(folder)", "IndexDirectory": "\(folder)", "HttpServerEnabled": false,
                 "DicomPort": \(port), "DicomAet": "ARCHIVE", "DicomAlwaysAllowFind": true, "Plugins": [],
                 "DicomModalities": {"us": ["HSPSAM", "127.0.0.1", \(reportPort)]}}
                """)
            let process = try Program.start([configuration], of: "/usr/sbin/Orthanc")
            while process.isRunning, try Self.dcmtk("echoscu", ["-q", "127.0.0.1", "\(port)"]) != 0 {
                Thread.sleep(forTimeInterval: 0.1)
            }
            if process.isRunning { started = (port, process) }
        }
        (port, process) = try #require(started)
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    /// Sends files by C-STORE. Gives whether all were taken.
    func store(_ files: [String]) throws -> Bool { try Self.store(files, port: port) }

    static func store(_ files: [String], port: Int) throws -> Bool {
        try dcmtk("storescu", ["-q", "127.0.0.1", "\(port)"] + files) == 0
    }

    private static func dcmtk(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = try Program.start(arguments, of: "/usr/bin/\(program)")
        process.waitUntilExit()
        return process.terminationStatus
    }

    static func freePort() -> Int { Int.random(in: 20_000..<32_000) }
}
