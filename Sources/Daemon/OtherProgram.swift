internal import Foundation
internal import Processes
internal import Storage

/// A program of another project that is run to its end: DCMTK's, curl, Slurm's.
enum OtherProgram {
    /// How it ended and what it wrote.
    struct Result: Sendable {
        let ending: Child.Ending?
        let output: [UInt8]
        let errors: [UInt8]
    }

    /// Nil when it had to be ended, or not all that it wrote could be read: half an answer is none.
    ///
    /// - Parameters:
    ///   - folder: where it stands; nil: where PATH says.
    ///   - package: Debian's, which holds it.
    ///   - each: called all the while.
    /// *Throws* `DaemonFailure.programMissing` when there is no such program.
    static func run(
        _ name: String, _ arguments: [String], in folder: String? = nil, package: String, within limit: Duration,
        each: @Sendable () -> Void
    ) async throws -> Result? {
        guard let program = path(name, in: folder),
            let child = try? Child(program: program, arguments: arguments, keepsAnswer: true)
        else {
            throw DaemonFailure.programMissing(name: name, package: package)
        }
        let hasEnded = await child.ends(within: limit, each: each)
        if !hasEnded { child.signal(SIGKILL) }
        await child.close()
        guard hasEnded, let answer = child.answer else { return nil }
        return Result(ending: child.ending, output: answer, errors: child.log)
    }

    /// Where a program stands; nil when it is not installed.
    static func path(_ name: String, in folder: String? = nil) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let folders = folder.map { [$0] } ?? path.split(separator: ":").map(String.init)
        return folders.map { Folder.join($0, name) }.first { FileStatus.exists($0) }
    }
}
