internal import Failures
internal import Foundation
internal import Storage

/// An array of tasks on the file system that coordinator and nodes share, `cluster/arrays/<id>`: `<index>.json` says what a task is to do,
/// `ends/<job>.<attempt>.json` how an attempt ended. The first end that is written counts; what a node writes later changes nothing.
struct TaskArray: Sendable {
    /// What a node reads.
    struct Task: Sendable, Codable {
        /// Of the coordinator's program.
        var version: String
        /// Digest of the folder of pipelines, models included, as the coordinator sees it.
        var pipelinesDigest: String
        /// Worked through in this order.
        var orders: [WorkOrder]
    }

    /// What every version of the program reads of a task.
    struct TaskHead: Decodable {
        struct Order: Decodable {
            let job: String
            let attempt: Int
        }

        let version: String
        let orders: [Order]
    }

    private static let largest = 64 << 20
    /// Runs its arguments: Slurm starts scripts only.
    private static let script = "task.sh"

    let folder: String

    var scriptPath: String { Folder.join(folder, Self.script) }
    /// What Slurm and the program printed on the node; `%a` is the task's number.
    var logPattern: String { Folder.join(folder, "%a.log") }

    /// Makes the folder of an array.
    ///
    /// - Parameter isa: the instruction set that nodes are held to.
    func write(_ tasks: [Task], isa: String?) throws {
        try Folder.make(ends, mode: 0o750)
        for (index, task) in tasks.enumerated() {
            try DurableFile.write(Array(JSONEncoder().encode(task)), to: path(index), mode: 0o640)
        }
        let setting = isa.map { "HSPSAM_ISA=\($0)\nexport HSPSAM_ISA\n" } ?? ""
        try DurableFile.write("#!/bin/sh\n\(setting)exec \"$@\"\n", to: scriptPath, mode: 0o750)
    }

    /// What task `index` is to do; nil when a program of another version than `version` has written it, which only its head tells.
    func task(_ index: Int, version: String) throws -> (head: TaskHead, task: Task?) {
        let data = try data(index)
        let head = try JSONDecoder().decode(TaskHead.self, from: data)
        return (head, head.version == version ? try JSONDecoder().decode(Task.self, from: data) : nil)
    }

    func head(_ index: Int) throws -> TaskHead { try JSONDecoder().decode(TaskHead.self, from: data(index)) }

    private func data(_ index: Int) throws -> Data { Data(try DurableFile.read(path(index), limit: Self.largest)) }

    private func path(_ index: Int) -> String { Folder.join(folder, "\(index).json") }

    // MARK: ends

    private var ends: String { Folder.join(folder, "ends") }
    static func name(job: String, attempt: Int) -> String { "\(job).\(attempt).json" }

    /// The names of all ends that are known. A folder that is gone knows none.
    func ended() throws(StorageFailure) -> Set<String> {
        do throws(StorageFailure) {
            return Set(try Folder.list(ends).map(\.name).filter { !$0.hasPrefix(".") })
        } catch {
            guard error.systemError == .notFound else { throw error }
            return []
        }
    }

    /// Nil when the attempt has not ended. What cannot be read was written by another version of the program.
    func end(job: String, attempt: Int) throws(StorageFailure) -> AttemptEnd? {
        let path = Folder.join(ends, Self.name(job: job, attempt: attempt))
        guard FileStatus.exists(path) else { return nil }
        let bytes = try DurableFile.read(path, limit: Self.largest)
        return (try? JSONDecoder().decode(AttemptEnd.self, from: Data(bytes))) ?? AttemptEnd(obstacle: .version)
    }

    /// Writes how an attempt ended, if nobody has done so before.
    ///
    /// *Returns* whether this was the first.
    @discardableResult
    func record(_ end: AttemptEnd, job: String, attempt: Int) throws(StorageFailure) -> Bool {
        let name = Self.name(job: job, attempt: attempt)
        let own = Folder.join(ends, ".\(name).\(Identifier.make())")
        try DurableFile.write(end.json, to: own, mode: 0o640)
        do throws(StorageFailure) { try Folder.rename(own, to: Folder.join(ends, name)) } catch {
            try Folder.remove(own)
            guard error.systemError == .exists else { throw error }
            return false
        }
        try Folder.sync(ends)
        return true
    }

    /// The end of what task `index` printed.
    func log(_ index: Int) -> String {
        let path = Folder.join(folder, "\(index).log")
        guard let bytes = try? DurableFile.read(path, limit: Self.largest) else { return "" }
        return String(decoding: bytes.suffix(64 << 10), as: UTF8.self)
    }
}
