import Storage

/// A DICOM file as read: its data set with short values in memory and long ones left where they are.
package struct DICOMFile: Sendable {
    /// As it was given; empty for bytes that never were a file.
    package let path: String
    /// Group 0002; empty when the file has none.
    package let meta: DataSet
    /// What (0002,0010) says, or what was found where it is missing.
    package let transferSyntax: TransferSyntax
    package let dataSet: DataSet
    /// Oddities that were tolerated; no values in them.
    package let warnings: [String]
    /// SHA-256 of the bytes after the file meta group, as they stand in the file: 64 hexadecimal digits.
    package let contentDigest: String
    /// Pixel Data, or its last fragment, is shorter than its length says.
    package let pixelDataIsCut: Bool
    /// Where long values are read from.
    let source: ByteSource

    /// Reads the file at `path`.
    ///
    /// *Throws*: `notDICOM` when it does not look like DICOM at all; `corrupt`, `limit` (`notImage` when the damaged
    /// object is none); `unreadable` when the system refuses.
    /// *Cost*: one pass over the bytes for the digest; pixel data is not looked at.
    package init(path: String, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        let file = try ByteSource.map(path, limit: limits.fileBytes)
        try self.init(.mapped(file), .file(path: path, count: file.count), path: path, limits)
    }

    /// Reads bytes in memory as if they were a file.
    package init(bytes: [UInt8], limits: DICOMLimits = .standard) throws(DICOMFailure) {
        try self.init(.memory(bytes), .memory(bytes), path: "", limits)
    }

    private init(_ opened: ByteSource.Opened, _ source: ByteSource, path: String, _ limits: DICOMLimits)
        throws(DICOMFailure)
    {
        try DCMTK.checkInstallation()
        let start = try opened.withBytes { bytes throws(DICOMFailure) in try Start(bytes, limits) }
        let syntax = start.syntax
        contentDigest = try opened.withBytes { bytes throws(DICOMFailure) in
            FileDigest(of: UnsafeRawBufferPointer(rebasing: bytes[start.dataSet...]).bytes).hex
        }
        let inflated = syntax.isDeflated ? try opened.inflated(from: start.dataSet, limits) : nil
        let body = inflated.map { ByteSource.Opened.memory($0) } ?? opened
        let offset = inflated == nil ? start.dataSet : 0
        let walked = try body.withBytes { bytes throws(DICOMFailure) in
            var walk = FileWalk(bytes, limits: limits)
            let expected = FileWalk.Encoding(isExplicit: syntax.isExplicit, isBigEndian: syntax.isBigEndian)
            let found = walk.detected(at: offset, end: bytes.count, otherwise: expected)
            if found.isExplicit != expected.isExplicit, bytes.count - offset >= 8 {
                walk.warn(
                    "the transfer syntax says \(expected.isExplicit ? "explicit" : "implicit") VR, the elements do not")
            }
            let dataSet: DataSet
            do throws(DICOMFailure) {
                dataSet = try walk.mainDataSet(from: offset, found)
            } catch {
                // Damage in an object that nothing is asked of is no reason to call a person.
                throw SOPClass.skipped(start.meta.uid(.mediaStorageSOPClassUID) ?? "") ?? error
            }
            return (dataSet: dataSet, warnings: walk.warnings, isCut: walk.pixelDataIsCut)
        }
        guard !walked.dataSet.isEmpty || !start.meta.isEmpty else {
            throw .corrupt("no element in it: the file is damaged.", cure: "Send it again.")
        }
        self.path = path
        self.source = inflated.map { .memory($0) } ?? source
        meta = start.meta
        transferSyntax = syntax
        dataSet = walked.dataSet
        warnings = start.warnings + walked.warnings
        pixelDataIsCut = walked.isCut
    }

    /// True when the first bytes of a file (132 are enough) may be the start of a DICOM file.
    package static func looksLikeDICOM(_ prefix: [UInt8]) -> Bool {
        if prefix.count >= 132, prefix[128..<132].elementsEqual([0x44, 0x49, 0x43, 0x4D]) { return true }
        return prefix.withUnsafeBytes { Start.isBare($0) }
    }
}

/// What stands before the data set: preamble, file meta group, transfer syntax.
private struct Start {
    var meta = DataSet()
    var syntax = TransferSyntax.implicitLittleEndian
    /// Offset of the data set.
    var dataSet = 0
    var warnings: [String] = []

    init(_ bytes: UnsafeRawBufferPointer, _ limits: DICOMLimits) throws(DICOMFailure) {
        guard bytes.count <= limits.fileBytes else {
            throw .limit("the file has \(bytes.count) bytes.", cure: "Export it in smaller parts.")
        }
        let hasMark = bytes.count >= 132 && bytes[128..<132].elementsEqual([0x44, 0x49, 0x43, 0x4D])
        var at = hasMark ? 132 : 0
        if hasMark {
            guard bytes.count > 132 else {
                throw .corrupt("only a preamble: the file is cut off.", cure: "Send it again.")
            }
            // The letters may stand by chance in a bare data set.
            if !Self.isMeta(bytes, 132), Self.isBare(bytes) {
                at = 0
                warnings.append("no preamble, though the letters DICM stand at byte 128")
            }
        } else {
            guard Self.isBare(bytes) else {
                throw .notDICOM("no DICOM file: neither DICM at byte 128 nor a data set at byte 0.")
            }
            warnings.append("no preamble")
        }
        var walk = FileWalk(bytes, limits: limits)
        if Self.isMeta(bytes, at) { meta = try walk.meta(&at) }
        warnings += walk.warnings
        dataSet = at
        if let uid = meta.uid(.transferSyntaxUID) {
            syntax = TransferSyntax(uid: uid)
        } else {
            syntax = Self.guess(walk, at)
            warnings.append("no transfer syntax; taken as \(syntax.name)")
        }
    }

    private static func isMeta(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Bool {
        bytes.count - at >= 8 && bytes[at] == 2 && bytes[at + 1] == 0 && bytes[at + 3] == 0
    }

    /// A data set without preamble begins with an element of group 0002 or 0008 whose number is small.
    static func isBare(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 8 else { return false }
        let isLittle = (bytes[0] == 2 || bytes[0] == 8) && bytes[1] == 0 && bytes[2] <= 0x20 && bytes[3] == 0
        let isBig = bytes[0] == 0 && bytes[1] == 8 && bytes[2] == 0 && bytes[3] <= 0x20
        return isLittle || isBig
    }

    /// From the first element: the byte order by its group, which is small, and VR by its letters.
    private static func guess(_ walk: FileWalk, _ at: Int) -> TransferSyntax {
        guard walk.bytes.count - at >= 8 else { return .implicitLittleEndian }
        let isBig = walk.tag(at, bigEndian: true).group < walk.tag(at, bigEndian: false).group
        let found = walk.detected(
            at: at, end: walk.bytes.count, otherwise: .init(isExplicit: false, isBigEndian: isBig))
        return isBig ? .explicitBigEndian : found.isExplicit ? .explicitLittleEndian : .implicitLittleEndian
    }
}
