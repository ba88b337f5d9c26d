internal import Foundation
internal import Failures
internal import Processes
internal import Storage

/// A program of another project that talks to a destination: DCMTK's or curl.
enum SendingProgram {
    /// Longest that one of them may take for one result.
    private static let longest: Duration = .seconds(3600)

    /// What it wrote on standard error, nil when it had to be ended.
    ///
    /// *Throws* `DaemonFailure.programMissing` when there is no such program.
    static func run(_ name: String, _ arguments: [String]) async throws -> [UInt8]? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let path = folders.map { Folder.join(String($0), name) }.first { FileStatus.exists($0) }
        guard let path, let child = try? Child(program: path, arguments: arguments) else {
            throw DaemonFailure.programMissing(name: name)
        }
        let ended = await child.ends(within: longest) { ServiceNotification.send("WATCHDOG=1") }
        if !ended { child.signal(SIGKILL) }
        await child.close()
        return ended ? child.log : nil
    }
}
