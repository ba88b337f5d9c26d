internal import CMPI
package import Failures
internal import Foundation

/// The processes of one `mpirun` (Open MPI), of which this is one.
///
/// All of them do the same calls in the same order, on one thread. A process that ends without `leave` ends the others: `mpirun` sees to
/// that within about a second.
package final class Ranks {
    /// From 0; the first one alone writes and tells.
    package let rank: Int
    package let count: Int

    private init(rank: Int, count: Int) { (self.rank, self.count) = (rank, count) }

    package var isFirst: Bool { rank == 0 }

    /// Nil for a process that no `mpirun` started, or that is the only one.
    ///
    /// *Throws* `USE-MPI` when it was started by one and cannot join the others.
    package static func join() throws(FailureRecord) -> Ranks? {
        let environment = ProcessInfo.processInfo.environment
        let ours = (environment["OMPI_COMM_WORLD_SIZE"] ?? environment["PMIX_RANK"]) != nil
        guard ours || environment["PMI_SIZE"] != nil else { return nil }
        guard ours else {
            throw failure(
                "this process was started by an mpirun that is not Open MPI's.", cure: "Use that of openmpi-bin.")
        }
        var (rank, count): (Int32, Int32) = (0, 0)
        switch unsafe Int(cm_start(&rank, &count)) {
        case CM_DONE:
            if count > 1 { return Ranks(rank: Int(rank), count: Int(count)) }
            cm_end()
            return nil
        case CM_MISSING:
            throw failure(
                "libmpi.so.40 is not on this machine, so that the processes of mpirun cannot talk.",
                cure: "Install openmpi-bin (Open MPI 4) on every node.")
        default: throw failure("MPI could not be started.", cure: "Look at what mpirun says.")
        }
    }

    /// The part of `count` that is this process's: ranges one after the other, as even as can be.
    package func share(of total: Int) -> Range<Int> { rank * total / count..<(rank + 1) * total / count }

    /// To another process, which receives as many.
    package func send<Value: BitwiseCopyable>(_ values: [Value], to other: Int) {
        unsafe values.withUnsafeBytes { unsafe cm_send($0.baseAddress, $0.count, Int32(other)) }
    }

    /// From another process, which sends as many; waits for it.
    package func receive<Value: BitwiseCopyable>(_ values: inout [Value], from other: Int) {
        unsafe values.withUnsafeMutableBytes { unsafe cm_receive($0.baseAddress, $0.count, Int32(other)) }
    }

    /// From one process to all others; all give as many values.
    package func broadcast<Value: BitwiseCopyable>(_ values: inout [Value], from other: Int) {
        unsafe values.withUnsafeMutableBytes { unsafe cm_broadcast($0.baseAddress, $0.count, Int32(other)) }
    }

    /// Bytes of every process, in their order, at each of them.
    package func exchange(_ bytes: [UInt8]) -> [[UInt8]] {
        (0..<count).map { other in
            var length = [other == rank ? bytes.count : 0]
            broadcast(&length, from: other)
            var part = other == rank ? bytes : [UInt8](repeating: 0, count: length[0])
            broadcast(&part, from: other)
            return part
        }
    }

    /// `body` of the first process, then of the others: what is wrong is told once, since the end of the first one ends them.
    package func firstAlone<Result>(_ body: () throws -> Result) rethrows -> Result {
        if !isFirst { cm_wait_for_all() }
        let result = try body()
        if isFirst { cm_wait_for_all() }
        return result
    }

    /// Throws unless all processes stand at the same place. All call it.
    package func confirm(same place: String) throws(FailureRecord) {
        guard Set(exchange(Array(place.utf8))).count == 1 else {
            throw Self.failure(
                "the processes do not see the same run: their files differ, or one sees an older checkpoint.",
                cure: "Let all nodes see the same train.yaml, data and --out, and run it again with --resume.")
        }
    }

    /// The last call, of all together.
    package func leave() {
        cm_wait_for_all()
        cm_end()
    }

    private static func failure(_ text: String, cure: String) -> FailureRecord {
        FailureRecord(kind: .configuration, code: "USE-MPI", message: FailureMessage(text, cure: cure))
    }
}
