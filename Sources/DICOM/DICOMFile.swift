package import Storage

/// A DICOM file as read: its data set with short values in memory and long ones left where they are.
package struct DICOMFile: Sendable {
    /// The user's file; nil for bytes that never were one.
    package let input: InputFile?
    /// Group 0002; empty when the file has none.
    package let meta: DataSet
    /// What (0002,0010) says, or what was found where it is missing.
    package let transferSyntax: TransferSyntax
    package let dataSet: DataSet
    /// Oddities that were tolerated; no values in them.
    package let warnings: [String]
    let digests: FileDigests
    /// Pixel Data, or its last fragment, is shorter than its length says.
    package let pixelDataIsCut: Bool
    /// Something other than zeros stands behind the last element.
    package let hasBytesBehind: Bool
    /// Where long values are read from.
    let source: ByteSource

    /// As it was given; empty for bytes that never were a file.
    package var path: String { input?.path.text ?? "" }
    /// SHA-256 of the bytes after the file meta group, as they stand in the file.
    package var digest: FileDigest { digests.content }
    /// `digest` as 64 hexadecimal digits.
    package var contentDigest: String { digest.hex }

    /// Reads a user's file.
    ///
    /// - Parameter digests: what an earlier reading of this file found; without them every byte is read for them.
    /// *Throws*: `notDICOM` when it does not look like DICOM at all; `corrupt`, `limit` (`notImage` when the damaged
    /// object is neither an image nor a DICOMDIR); `changed` when the file changed meanwhile; `unreadable` when the system refuses.
    /// *Cost*: the header is read in pieces of `limits.windowBytes`, pixel data only for the digest, each byte once.
    init(_ file: InputFile, digests: FileDigests?, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        try self.init(.file(file), file, digests, limits)
    }

    /// Reads a user's file, each of its bytes. *Throws*: as above.
    package init(_ file: InputFile, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        try self.init(file, digests: nil, limits: limits)
    }

    /// Reads the file at `path`. *Throws*: as above.
    package init(path: String, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        let file: InputFile
        do throws(StorageFailure) { file = try InputFile(path) } catch { throw DICOMFailure(error) }
        try self.init(file, limits: limits)
    }

    /// Reads bytes in memory as if they were a file.
    package init(bytes: [UInt8], limits: DICOMLimits = .standard) throws(DICOMFailure) {
        try self.init(.memory(bytes), nil, nil, limits)
    }

    private init(
        _ whole: ByteSource, _ input: InputFile?, _ known: FileDigests?, _ limits: DICOMLimits
    ) throws(DICOMFailure) {
        try DCMTK.checkInstallation()
        guard whole.count <= limits.fileBytes else {
            throw .limit("the file has \(whole.count) bytes.", cure: "Export it in smaller parts.")
        }
        let head = try whole.bytes(0..<min(whole.count, max(limits.windowBytes, 256)))
        let start = try FileStart(whole, head, limits)
        let syntax = start.syntax
        var body = whole
        var hasMore = false
        if syntax.isDeflated {
            let inflated = try whole.inflated(from: start.dataSet, limits)
            (body, hasMore) = (.memory(inflated.bytes), inflated.hasMore)
        }
        var walk = FileWalk(
            syntax.isDeflated ? ByteWindow(body, size: limits.windowBytes) : start.window, limits: limits)
        let offset = syntax.isDeflated ? 0 : start.dataSet
        let expected = FileWalk.Encoding(isExplicit: syntax.isExplicit, isBigEndian: syntax.isBigEndian)
        let found = try walk.detected(at: offset, end: body.count, otherwise: expected)
        if found.isExplicit != expected.isExplicit, body.count - offset >= 8 {
            walk.warn(
                "the transfer syntax says \(expected.isExplicit ? "explicit" : "implicit") VR, the elements do not")
        }
        do throws(DICOMFailure) {
            dataSet = try walk.mainDataSet(from: offset, found)
        } catch {
            if error.isOfReading { throw error }
            // Damage in an object that nothing is asked of is no reason to call a person. Of a DICOMDIR is asked what it lists.
            let sopClass = start.meta.uid(.mediaStorageSOPClassUID) ?? ""
            guard sopClass != SOPClass.mediaStorageDirectoryStorage.uid else { throw error }
            throw SOPClass.skipped(sopClass) ?? error
        }
        guard !dataSet.isEmpty || !start.meta.isEmpty else {
            throw .corrupt("no element in it: the file is damaged.", cure: "Send it again.")
        }
        let pixels = PixelBytes(of: dataSet, isBigEndian: syntax.isBigEndian)
        if let known {
            digests = known
        } else {
            digests = try Self.digests(whole, head, from: start.dataSet, body, pixels)
        }
        self.input = input
        if let input, syntax.isDeflated {
            source = .deflated(input, offset: start.dataSet)
        } else {
            source = body
        }
        meta = start.meta
        transferSyntax = syntax
        warnings = start.warnings + walk.warnings
        pixelDataIsCut = walk.pixelDataIsCut
        hasBytesBehind = walk.hasBytesBehind || hasMore
    }

    /// Of the bytes from `start` on; `head` is read already. The file must be the same at the end as it was at the beginning.
    ///
    /// - Parameter body: what the pixels stand in.
    private static func digests(
        _ source: ByteSource, _ head: [UInt8], from start: Int, _ body: ByteSource, _ pixels: PixelBytes?
    ) throws(DICOMFailure) -> FileDigests {
        guard case .file(let file) = source else {
            return FileDigests(
                content: FileDigest(of: try source.bytes(start..<source.count)), pixels: try pixels?.digest(body))
        }
        let isWhole = if case .file = body { true } else { false }
        let digests: FileDigests
        do throws(StorageFailure) {
            digests = try FileDigests(of: file, head, from: start, isWhole ? pixels : nil)
            try file.checkUnchanged()
        } catch {
            throw DICOMFailure(error)
        }
        return isWhole ? digests : FileDigests(content: digests.content, pixels: try pixels?.digest(body))
    }

    /// True when the first bytes of a file (132 are enough) may be the start of a DICOM file.
    package static func looksLikeDICOM(_ prefix: [UInt8]) -> Bool {
        if prefix.count >= 132, prefix[128..<132].elementsEqual([0x44, 0x49, 0x43, 0x4D]) { return true }
        return FileStart.isBare(prefix)
    }
}
