import Daemon
import Foundation
import Processes
import Storage

/// Scripts that stand in for Slurm's programs: a file a task in `queue`. Nothing runs before the test says so.
final class FakeSlurm: Sendable {
    let folder: String
    private let arrays: String

    /// Lets the site's jobs go to it.
    init(_ site: Site) throws {
        folder = site.root + "/slurm"
        arrays = site.root + "/cluster/arrays"
        try Folder.make(folder + "/queue")
        for (name, script) in Self.scripts { try writeProgram(script, to: "\(folder)/\(name)") }
        var cluster = ClusterSettings()
        cluster.programs = folder
        cluster.tasks = 2
        cluster.poll = .milliseconds(20)
        cluster.lostAfter = .milliseconds(300)
        site.settings.cluster = cluster
    }

    /// The tasks in the queue, by array and number, in the order of their submission.
    func queue() throws -> [(array: String, index: Int)] {
        try Folder.list(folder + "/queue").compactMap { entry in
            let parts = entry.name.split(separator: ".")
            return parts.count == 2 ? Int(parts[1]).map { (String(parts[0]), $0) } : nil
        }
    }

    /// Waits for a task.
    func nextTask() async throws -> (array: String, index: Int) {
        try await eventually { try !self.queue().isEmpty }
        return try self.queue()[0]
    }

    /// Runs a task as a node does, and takes it out of the queue; `scancel` does that where it is to stay.
    func run(
        _ task: (array: String, index: Int), version: String = "0.0.0", staysInQueue: Bool = false,
        _ stop: StopRequest = StopRequest()
    )
        async throws
    {
        try await ArrayTask(
            folder: "\(arrays)/\(task.array)", index: task.index, version: version, node: "n1",
            patience: .milliseconds(50)
        ).run(stop)
        if !staysInQueue { try remove(task) }
    }

    func remove(_ task: (array: String, index: Int)) throws {
        try Folder.remove("\(folder)/queue/\(task.array).\(task.index)")
    }

    /// Runs whatever comes, until `body` is through.
    ///
    /// - Parameter begins: false where each task ends before it begins.
    func serving<Value: Sendable>(begins: Bool = true, _ body: () async throws -> Value) async throws -> Value {
        let node = Task {
            while !Task.isCancelled {
                for task in try self.queue() {
                    // A node that fails is a task that is gone.
                    do { if begins { try await self.run(task) } else { try self.remove(task) } } catch {
                        try self.remove(task)
                    }
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        defer { node.cancel() }
        return try await body()
    }

    /// Whether a switch of the scripts is on.
    func set(_ name: String, _ isOn: Bool = true) throws {
        isOn ? try DurableFile.write("", to: "\(folder)/\(name)") : try Folder.remove("\(folder)/\(name)")
    }

    /// What the programs were called with, a line a call.
    func calls(_ name: String) throws -> [String] {
        guard FileStatus.exists("\(folder)/\(name).calls") else { return [] }
        let text = String(decoding: try DurableFile.read("\(folder)/\(name).calls", limit: 1 << 20), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    private static let scripts = [
        "sbatch": #"""
        #!/bin/sh
        d="${0%/*}"; echo "$@" >> "$d/sbatch.calls"
        if [ -e "$d/refuse" ]; then echo "sbatch: error: Invalid account" >&2; exit 1; fi
        for a in "$@"; do
            case "$a" in
                --job-name=*) name="${a#--job-name=}" ;;
                --array=0-*) last="${a#--array=0-}" ;;
            esac
        done
        i=0; while [ "$i" -le "$last" ]; do echo "$name|7|$i|R|n1|None" > "$d/queue/${name#hspsam-}.$i"; i=$((i + 1)); done
        [ ! -e "$d/lose-answer" ] || { echo "sbatch: error: Unable to contact slurm controller" >&2; exit 1; }
        echo 7
        """#,
        "squeue": #"""
        #!/bin/sh
        d="${0%/*}"; [ ! -e "$d/silent" ] || exit 1
        if rm "$d/empty-once" 2>/dev/null; then exit 0; fi
        echo "$@" >> "$d/squeue.calls"
        for f in "$d"/queue/*; do cat "$f" 2>/dev/null; done; exit 0
        """#,
        "scancel": #"""
        #!/bin/sh
        echo "$@" >> "${0%/*}/scancel.calls"
        """#,
    ]
}
