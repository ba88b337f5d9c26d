import ArgumentParser
import Daemon
import Foundation
import Processes

/// What Slurm starts on a node: people do not.
struct ArrayTaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "array-task",
        abstract: "Works through one task of a job array that `watch` or `batch` has submitted (docs/cluster.md).",
        discussion: """
            Example: hspsam array-task /var/spool/hspsam/cluster/arrays/01JCK3...
            The task's number and the node's name are read from SLURM_ARRAY_TASK_ID and SLURMD_NODENAME. SIGTERM ends the study in
            work; the coordinator submits it again.
            """, shouldDisplay: false)

    @Argument(help: "The array's folder.") var folder: String

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let index = environment["SLURM_ARRAY_TASK_ID"].flatMap({ Int($0) }) else {
            throw ValidationError("SLURM_ARRAY_TASK_ID is not set: Slurm starts this program.")
        }
        let task = ArrayTask(
            folder: folder, index: index, version: HSPSAMCommand.version,
            node: environment["SLURMD_NODENAME"] ?? ProcessInfo.processInfo.hostName)
        let stop = StopRequest()
        StopRequest.listen()
        try waiting { try await task.run(stop) }
    }
}
