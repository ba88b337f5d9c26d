internal import Processes

/// A program that talks to a destination: DCMTK's or curl.
enum SendingProgram {
    /// Longest that one of them may take for one result.
    private static let longest: Duration = .seconds(3600)

    /// What it wrote on standard error, nil when it had to be ended.
    ///
    /// *Throws* `DaemonFailure.programMissing` when there is no such program.
    static func run(_ name: String, _ arguments: [String]) async throws -> [UInt8]? {
        let package = name == "curl" ? "curl" : "dcmtk"
        return try await OtherProgram.run(name, arguments, package: package, within: longest) {
            ServiceNotification.send("WATCHDOG=1")
        }?.errors
    }
}
