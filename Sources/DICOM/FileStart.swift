/// What stands before the data set: preamble, file meta group, transfer syntax.
struct FileStart {
    var meta = DataSet()
    var syntax = TransferSyntax.implicitLittleEndian
    /// Offset of the data set.
    var dataSet = 0
    var warnings: [String] = []
    /// What was read of the source meanwhile.
    private(set) var window: ByteWindow

    /// - Parameter bytes: the first bytes of `source`.
    init(_ source: ByteSource, _ bytes: [UInt8], _ limits: DICOMLimits) throws(DICOMFailure) {
        window = ByteWindow(source, head: bytes, size: limits.windowBytes)
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
        var walk = FileWalk(window, limits: limits)
        if Self.isMeta(bytes, at) { meta = try walk.meta(&at) }
        warnings += walk.warnings
        dataSet = at
        if let uid = meta.uid(.transferSyntaxUID) {
            syntax = TransferSyntax(uid: uid)
        } else {
            syntax = try Self.guess(&walk, at)
            warnings.append("no transfer syntax; taken as \(syntax.name)")
        }
        window = walk.window
    }

    private static func isMeta(_ bytes: [UInt8], _ at: Int) -> Bool {
        bytes.count - at >= 8 && bytes[at] == 2 && bytes[at + 1] == 0 && bytes[at + 3] == 0
    }

    /// A data set without preamble begins with an element of group 0002 or 0008 whose number is small.
    static func isBare(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 8 else { return false }
        let isLittle = (bytes[0] == 2 || bytes[0] == 8) && bytes[1] == 0 && bytes[2] <= 0x20 && bytes[3] == 0
        let isBig = bytes[0] == 0 && bytes[1] == 8 && bytes[2] == 0 && bytes[3] <= 0x20
        return isLittle || isBig
    }

    /// From the first element: the byte order by its group, which is small, and VR by its letters.
    private static func guess(_ walk: inout FileWalk, _ at: Int) throws(DICOMFailure) -> TransferSyntax {
        guard let first = try walk.firstTags(at) else { return .implicitLittleEndian }
        let isBig = first.big.group < first.little.group
        let found = try walk.detected(
            at: at, end: walk.window.count, otherwise: .init(isExplicit: false, isBigEndian: isBig))
        return isBig ? .explicitBigEndian : found.isExplicit ? .explicitLittleEndian : .implicitLittleEndian
    }
}
