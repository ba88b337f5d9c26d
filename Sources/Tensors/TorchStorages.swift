import Storage

/// The numbers of the tensors of a `torch.save` file, by key: entries of the zip, or parts of the legacy file.
struct TorchStorages: Sendable {
    /// What a pickle says of a storage: `("storage", torch.FloatStorage, key, location, count)`.
    struct Reference: Sendable {
        let key: String
        let type: ElementType
        /// Elements.
        let count: Int

        init(_ pickle: Pickle, node: Int, path: String) throws(TensorFailure) {
            guard case .persistent(let id) = pickle.nodes[node], let parts = pickle.tuple(id), parts.count >= 5,
                parts[0] == .text("storage"), case .global(.storage(let type)) = parts[1],
                case .text(let key) = parts[2],
                case .int(let count) = parts[4], count >= 0, !count.multipliedReportingOverflow(by: type.size).overflow
            else { throw .notCheckpoint(path: path, reason: "a storage is not described as torch.save does") }
            if parts.count > 5, parts[5] != .none {
                throw .notCheckpoint(
                    path: path, reason: "a storage is a view of another, as PyTorch before 0.4 wrote them")
            }
            (self.key, self.type, self.count) = (key, type, count)
        }
    }

    private enum Source {
        case zip(ZipArchive, folder: String)
        /// Where each storage's bytes lie.
        case legacy(MappedFile, [String: Range<Int>])
    }

    private let path: String
    private let source: Source

    /// Longest pickle that is read; that of SAM's ViT-H has 100 KB.
    private static let longestPickle = 64 << 20

    static func open(_ path: String) throws -> (pickle: Pickle, storages: TorchStorages) {
        let file = try MappedFile(path)
        if file.copy(offset: 0, count: 2) == [0x50, 0x4B] { return try openZip(file) }
        return try openLegacy(file)
    }

    /// Lends the bytes of a storage, exactly as many as the reference says.
    func withBytes<Result>(_ reference: Reference, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let size = reference.count * reference.type.size
        let missing = TensorFailure.truncated(
            path: path, reason: "the numbers of storage \(reference.key.prefix(40)) are not all there")
        switch source {
        case .zip(let archive, let folder):
            guard let entry = archive.entry("\(folder)data/\(reference.key)"), entry.size >= size else { throw missing }
            return try Self.explaining(path) {
                try archive.withBytes(of: entry, limit: max(size, entry.size)) { span in
                    try span.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<size])) }
                }
            }
        case .legacy(let file, let ranges):
            guard let range = ranges[reference.key], range.count >= size else { throw missing }
            return try file.withUnsafeBytes { bytes in
                try body(UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound..<range.lowerBound + size]))
            }
        }
    }

    // MARK: The zip form: archive/data.pkl, archive/data/<key>, archive/byteorder

    private static func openZip(_ file: MappedFile) throws -> (pickle: Pickle, storages: TorchStorages) {
        let path = file.path
        return try explaining(path) {
            let archive = try ZipArchive(file)
            guard let entry = archive.entries.first(where: { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") })
            else {
                throw TensorFailure.notCheckpoint(path: path, reason: "the zip archive holds no data.pkl")
            }
            let folder = String(entry.name.dropLast("data.pkl".count))
            if let order = archive.entry("\(folder)byteorder"),
                try archive.bytes(of: order, limit: 64) != Array("little".utf8)
            {
                throw TensorFailure.notCheckpoint(path: path, reason: "its numbers are not little-endian")
            }
            let pickle = try archive.bytes(of: entry, limit: longestPickle)
            let read = try pickle.withUnsafeBytes { bytes in try explaining(path) { try PickleReader.read(bytes) } }
            return (read, TorchStorages(path: path, source: .zip(archive, folder: folder)))
        }
    }

    // MARK: The legacy form: magic number, version, system, the object, the storages' keys, then count and bytes of each

    private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    private static func openLegacy(_ file: MappedFile) throws -> (pickle: Pickle, storages: TorchStorages) {
        let path = file.path
        return try file.withUnsafeBytes { bytes in
            guard bytes.count >= 14, Array(bytes[4..<14]) == magic else {
                throw TensorFailure.notCheckpoint(
                    path: path, reason: "it begins neither as a zip archive nor with PyTorch's magic number")
            }
            return try explaining(path) {
                let first = try PickleReader.read(bytes)
                let version = try PickleReader.read(bytes, from: first.end)
                guard version.root == .int(1001) else {
                    throw TensorFailure.notCheckpoint(path: path, reason: "its version is not 1001")
                }
                let system = try PickleReader.read(bytes, from: version.end)
                if let pair = system.dictionary(system.root)?.first(where: { $0.key == .text("little_endian") }),
                    pair.value != .bool(true)
                {
                    throw TensorFailure.notCheckpoint(path: path, reason: "its numbers are not little-endian")
                }
                let pickle = try PickleReader.read(bytes, from: system.end)
                let keys = try PickleReader.read(bytes, from: pickle.end)
                let ranges = try legacyRanges(bytes, pickle, keys, path)
                return (pickle, TorchStorages(path: path, source: .legacy(file, ranges)))
            }
        }
    }

    private static func legacyRanges(
        _ bytes: UnsafeRawBufferPointer, _ pickle: Pickle, _ keys: Pickle, _ path: String
    ) throws -> [String: Range<Int>] {
        var sizes: [String: Int] = [:]
        for (number, node) in pickle.nodes.enumerated() {
            guard case .persistent = node else { continue }
            let reference = try Reference(pickle, node: number, path: path)
            sizes[reference.key] = reference.type.size
        }
        guard let names = keys.list(keys.root) else {
            throw TensorFailure.notCheckpoint(path: path, reason: "it does not list its storages")
        }
        var ranges: [String: Range<Int>] = [:]
        var position = keys.end
        for name in names {
            guard case .text(let key) = name, let size = sizes[key] else {
                throw TensorFailure.notCheckpoint(path: path, reason: "it lists a storage that no tensor uses")
            }
            let missing = TensorFailure.truncated(
                path: path, reason: "the numbers of storage \(key.prefix(40)) are not all there")
            guard bytes.count - position >= 8 else { throw missing }
            let count = Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self)))
            position += 8
            guard count >= 0, count <= (bytes.count - position) / size else { throw missing }
            ranges[key] = position..<position + count * size
            position += count * size
        }
        return ranges
    }

    /// Runs `body`; a problem of a pickle or an archive becomes a failure of the checkpoint at `path`.
    private static func explaining<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let problem as Pickle.Problem {
            switch problem {
            case .truncated: throw TensorFailure.truncated(path: path, reason: "its pickle ends too early")
            case .forbidden(let reason): throw TensorFailure.forbiddenPickle(path: path, reason: reason)
            case .malformed(let reason):
                throw TensorFailure.notCheckpoint(path: path, reason: "its pickle is not valid: \(reason)")
            }
        } catch let failure as ZipFailure {
            switch failure {
            case .truncated(_, let reason): throw TensorFailure.truncated(path: path, reason: reason)
            case .broken(_, let reason): throw TensorFailure.notCheckpoint(path: path, reason: reason)
            case .notZip: throw TensorFailure.notCheckpoint(path: path, reason: "it is no zip archive")
            }
        }
    }
}
