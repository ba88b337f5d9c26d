internal import CSystem

/// One regular file of a user, opened once and read through its descriptor.
///
/// What was opened is what is read, whatever happens to its name. A file that became shorter while it was read is a failure
/// at once (`.changed`), and `checkUnchanged` tells every other change: nothing is ever mapped, so nothing that another
/// process does to the file can end this one.
package final class InputFile: Sendable {
    /// As it was when it was opened.
    package let status: FileStatus
    private let origin: Origin
    private let pool: DescriptorPool
    private let number: UInt64

    private enum Origin {
        /// A name below an input folder: no link leads to it.
        case beneath(InputFolder, FilePath)
        /// A path that a person typed; a link is followed there.
        case typed(FilePath)
    }

    /// Opens the file at a path that a person gave.
    ///
    /// *Throws* `.notAFile`, `.tooLarge`, `.system`.
    package convenience init(
        _ path: FilePath, limit: Int = .max, pool: DescriptorPool = .shared
    ) throws(StorageFailure) {
        try self.init(.typed(path), limit: limit, pool: pool)
    }

    package convenience init(_ path: String, limit: Int = .max) throws(StorageFailure) {
        try self.init(FilePath(path), limit: limit)
    }

    /// Opens `name` below `folder`, never through a link.
    convenience init(_ name: FilePath, in folder: InputFolder, limit: Int) throws(StorageFailure) {
        try self.init(.beneath(folder, name), limit: limit, pool: folder.pool)
    }

    private init(_ origin: Origin, limit: Int, pool: DescriptorPool) throws(StorageFailure) {
        let path = Self.path(origin)
        let descriptor = try pool.makingRoom { () throws(StorageFailure) in try Self.open(origin) }
        do throws(StorageFailure) {
            let status = try FileStatus(descriptor: descriptor, path: path.text)
            guard status.kind == .regular else { throw .notAFile(path: path.text, kind: status.kind) }
            guard status.size <= limit else { throw .tooLarge(path: path.text, bytes: status.size, limit: limit) }
            self.status = status
        } catch {
            cs_close(descriptor)
            throw error
        }
        self.origin = origin
        self.pool = pool
        number = pool.register()
        pool.adopt(descriptor, of: number)
    }

    deinit { pool.forget(number) }

    /// As the person knows it: the input as it was given, and the way below it.
    package var path: FilePath { Self.path(origin) }

    /// Bytes.
    package var size: Int { status.size }

    /// The bytes of `range`, which must lie inside the file.
    ///
    /// *Throws* `.changed` when the file has become shorter, or another one stands where it was; `.system`.
    package func read(_ range: Range<Int>) throws(StorageFailure) -> [UInt8] {
        var failure: StorageFailure?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, used in
            do throws(StorageFailure) {
                try read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
                used = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills `buffer` from `offset` on; for C libraries that read by themselves, and for buffers that are used again.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
        let count = buffer.count
        precondition(
            offset >= 0 && offset <= size && count <= size - offset,
            "InputFile: bytes \(offset)..<\(offset + count) of a file of \(size)")
        guard count > 0 else { return }
        let got = try withDescriptor { unsafe cs_read_at($0, buffer.baseAddress, count, UInt64(offset)) }
        if got < 0 { throw .system(operation: "read it", path: path.text, errno: Int32(-got)) }
        guard got == count else { throw .changed(path: path.text) }
    }

    /// Fills the first `count` bytes of `buffer`, which is used again for piece after piece.
    package func read(at offset: Int, into buffer: inout [UInt8], count: Int) throws(StorageFailure) {
        precondition(count <= buffer.count, "InputFile: \(count) bytes into a buffer of \(buffer.count)")
        let outcome = buffer.withUnsafeMutableBytes { bytes in
            // The array's own method throws untyped errors only.
            Result { () throws(StorageFailure) in
                try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
        try outcome.get()
    }

    /// Whether the file is still the one that was opened, byte for byte as far as the system can tell: by size, time of
    /// modification and time of change. To be asked when everything that a result needs was read.
    ///
    /// *Throws* `.changed`, `.system`.
    package func checkUnchanged() throws(StorageFailure) {
        let path = path.text
        let now = try withDescriptor { descriptor throws(StorageFailure) in
            try FileStatus(descriptor: descriptor, path: path)
        }
        guard now == status else { throw .changed(path: path) }
    }

    /// Makes the empty file behind `descriptor` share this one's bytes, where the file system can; gives whether it did.
    func clone(into descriptor: Int32) throws(StorageFailure) -> Bool {
        guard size > 0 else { return true }
        return try withDescriptor { own in cs_clone(own, descriptor) >= 0 }
    }

    /// Another file of the same folder, opened with the same care; nil when no such name is there.
    ///
    /// *Throws* `.notAFile`, `.tooLarge`, `.system` (a link included).
    package func sibling(_ name: FilePath, limit: Int = .max) throws(StorageFailure) -> InputFile? {
        do throws(StorageFailure) {
            switch origin {
            case .beneath(let folder, let own):
                return try InputFile(own.folder.appending(name), in: folder, limit: limit)
            case .typed(let path):
                let folder = path.folder.bytes.isEmpty ? FilePath(".") : path.folder
                return try InputFolder(folder, pool: pool).open(name, limit: limit)
            }
        } catch {
            if error.systemError == .notFound { return nil }
            throw error
        }
    }

    private static func path(_ origin: Origin) -> FilePath {
        switch origin {
        case .beneath(let folder, let name): folder.path.appending(name)
        case .typed(let path): path
        }
    }

    private static func open(_ origin: Origin) throws(StorageFailure) -> Int32 {
        switch origin {
        case .beneath(let folder, let name): try folder.descriptor(of: name, isFolder: false)
        case .typed(let path): try check(path.withCString { unsafe cs_open_read($0, 1) }, "open it", path.text)
        }
    }

    private func withDescriptor<Result>(
        _ body: (Int32) throws(StorageFailure) -> Result
    ) throws(StorageFailure) -> Result {
        try pool.withDescriptor(of: number, open: reopened, body)
    }

    /// Opens the file again after its descriptor was given up, and makes sure that it is the same one.
    private func reopened() throws(StorageFailure) -> Int32 {
        let path = path.text
        let descriptor: Int32
        do throws(StorageFailure) {
            descriptor = try Self.open(origin)
        } catch {
            // Gone, or a link now.
            if error.systemError == .notFound || error.systemError == .isLink { throw .changed(path: path) }
            throw error
        }
        do throws(StorageFailure) {
            guard try FileStatus(descriptor: descriptor, path: path) == status else { throw .changed(path: path) }
        } catch {
            cs_close(descriptor)
            throw error
        }
        return descriptor
    }
}
