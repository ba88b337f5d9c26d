import Glibc

/// A file's bytes. Stands in for Storage's `MappedFile` and `DurableFile`.
final class MappedFile: @unchecked Sendable {
    // Sendable: written once in `init`, only read afterwards.
    private let bytes: UnsafeRawBufferPointer

    init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TensorFailure.notSafeTensors(path: path, reason: "it cannot be opened (errno \(errno))") }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0, let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        bytes = UnsafeRawBufferPointer(start: base, count: size)
    }

    deinit { if bytes.count > 0 { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) } }

    func withBytes<Result, Problem: Error>(_ body: (UnsafeRawBufferPointer) throws(Problem) -> Result) throws(Problem) -> Result {
        try body(bytes)
    }
}

enum DurableFile {
    static func write(to path: String, _ body: ((_ append: ([UInt8]) throws -> Void) throws -> Void)) throws {
        let partial = path + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw TensorFailure.notSafeTensors(path: path, reason: "it cannot be written (errno \(errno))") }
        defer { close(descriptor) }
        try body { bytes in
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done) }
                guard count > 0 else { throw TensorFailure.notSafeTensors(path: path, reason: "it cannot be written (errno \(errno))") }
                done += count
            }
        }
        guard fsync(descriptor) == 0, rename(partial, path) == 0 else {
            throw TensorFailure.notSafeTensors(path: path, reason: "it cannot be written (errno \(errno))")
        }
    }
}
