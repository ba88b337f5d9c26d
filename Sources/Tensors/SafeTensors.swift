package import Storage

/// A safetensors file, mapped read-only: tensors are converted when they are asked for, so processes share one copy of the file.
///
/// Opening checks the whole header: types, sizes, offsets, overlaps, gaps and the file's length.
package struct SafeTensors: Sendable {
    package let path: String
    /// Free text of the writer, the header's `__metadata__`.
    package let metadata: [String: String]
    /// All tensors' names, sorted.
    package let names: [String]
    private let file: MappedFile
    private let entries: [String: SafeTensorsHeader.Entry]
    private let dataStart: Int

    /// *Throws* `TensorFailure.notSafeTensors`, or Storage's failure when the file cannot be read.
    package init(path: String) throws {
        let file = try MappedFile(path)
        let (header, dataStart) = try file.withUnsafeBytes { bytes throws(TensorFailure) in
            try Self.header(bytes, path: path)
        }
        self.path = path
        self.file = file
        self.dataStart = dataStart
        entries = header.entries
        metadata = header.metadata
        names = header.entries.keys.sorted()
    }

    private static func header(_ bytes: UnsafeRawBufferPointer, path: String) throws(TensorFailure) -> (
        SafeTensorsHeader, Int
    ) {
        guard bytes.count >= 8 else { throw .notSafeTensors(path: path, reason: "it has \(bytes.count) bytes") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(SafeTensorsHeader.longest), Int(length) <= bytes.count - 8 else {
            throw .notSafeTensors(
                path: path, reason: "it announces a header of \(length) bytes in a file of \(bytes.count)")
        }
        let start = 8 + Int(length)
        do {
            let json = UnsafeRawBufferPointer(rebasing: bytes[8..<start])
            return (try SafeTensorsHeader(json: json, dataCount: bytes.count - start), start)
        } catch {
            throw .notSafeTensors(path: path, reason: error.reason)
        }
    }

    /// Whether there is a tensor of that name.
    package func contains(_ name: String) -> Bool { entries[name] != nil }

    /// The tensor's shape, nil when there is none of that name.
    package func shape(_ name: String) -> Shape? { entries[name]?.shape }

    /// How the tensor is stored, nil when there is none of that name.
    package func type(_ name: String) -> ElementType? { entries[name]?.type }

    /// The tensor as float32, whatever it is stored as.
    /// *Throws* `TensorFailure.noSuchTensor`.
    /// *Cost*: one pass over its bytes.
    package func tensor(_ name: String) throws -> Tensor {
        let entry = try entry(name)
        return try withBytes(entry) { Tensor.decoded($0, as: entry.type, shape: entry.shape).tensor }
    }

    /// The same of a tensor that is asked for once, and whether all its elements are finite: its part of the map is let go.
    /// *Throws* `TensorFailure.noSuchTensor`.
    package func takeTensor(_ name: String) throws -> (tensor: Tensor, isFinite: Bool) {
        let entry = try entry(name)
        defer { file.letGo(offset: dataStart + entry.range.lowerBound, count: entry.range.count) }
        return try withBytes(entry) { Tensor.decoded($0, as: entry.type, shape: entry.shape) }
    }

    /// SHA-256 of the whole file.
    /// *Throws* Storage's failure. *Cost*: one pass over it.
    package func digest() throws(StorageFailure) -> FileDigest { try file.digest() }

    /// Whether nobody has written to the file, which has this digest, since it was opened.
    /// *Throws* Storage's failure. *Cost*: most often a look at its times.
    package func isUnwritten(_ digest: FileDigest) throws(StorageFailure) -> Bool { try file.isUnwritten(digest) }

    /// The elements of a tensor of whole bytes (U8 or BOOL), row-major.
    /// *Throws* `TensorFailure.noSuchTensor`, `.elementType`.
    package func bytes(_ name: String) throws -> [UInt8] {
        let entry = try entry(name)
        guard entry.type == .u8 || entry.type == .bool else {
            throw TensorFailure.elementType(path: path, name: name, found: entry.type.rawValue, wanted: "U8")
        }
        return try withBytes(entry) { [UInt8]($0) }
    }

    /// Every tensor, as float32.
    package func tensors() throws -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for name in names { result[name] = try tensor(name) }
        return result
    }

    private func entry(_ name: String) throws(TensorFailure) -> SafeTensorsHeader.Entry {
        guard let entry = entries[name] else { throw .noSuchTensor(path: path, name: name) }
        return entry
    }

    private func withBytes<Result>(_ entry: SafeTensorsHeader.Entry, _ body: (UnsafeRawBufferPointer) throws -> Result)
        throws -> Result
    {
        try file.withUnsafeBytes { bytes in
            try body(
                UnsafeRawBufferPointer(
                    rebasing: bytes[(dataStart + entry.range.lowerBound)..<(dataStart + entry.range.upperBound)]))
        }
    }
}
