package import DICOM

/// A data set as the bytes of a DICOM file: preamble, file meta group, Explicit VR Little Endian, explicit lengths; pixels of a label map
/// in RLE Lossless, everything else native.
///
/// Every element is checked before it is written (VR, number and form of values, length, order), and what the SOP class needs is
/// there (`RequiredAttributes`): an invalid object cannot be encoded. Attributes in `kept` stand as in a source that archives have
/// already taken: of these only what the encoding itself needs is checked.
/// *Source*: PS3.10 section 7.1, PS3.5 sections 7.1 and 7.5.
package enum DataSetEncoder {
    /// Constant for every version of this program.
    static let implementationClassUID = "2.25.251754416804100703047429023434396328334"
    /// At most 16 characters.
    static let implementationVersionName = "HSPSAM_0.1"

    /// Raised when the same input would give an object that means something else than before (2: the source's character set and bytes,
    /// no dates of files; 3: numbers of series, the algorithm as contributing equipment, noise taken off spacing and orientation;
    /// 4: modifiers of a report, what captures say of burnt-in texts, losses of any page). A part
    /// of every UID and of what identifies a finished study; its only owner.
    package static let writerRevision = "5"

    /// The file's bytes.
    ///
    /// *Throws* `ObjectFailure.illegal` naming the attribute. *Cost*: one pass over the values; pixel data is copied once.
    package static func file(_ dataSet: DataSet, kept: Set<Tag> = []) throws(ObjectFailure) -> [UInt8] {
        try RequiredAttributes.check(dataSet)
        var meta = DataSet()
        meta.put(.fileMetaInformationVersion, bytes: [0, 1])
        meta.put(.mediaStorageSOPClassUID, dataSet.string(.sopClassUID) ?? "")
        meta.put(.mediaStorageSOPInstanceUID, dataSet.string(.sopInstanceUID) ?? "")
        meta.put(.transferSyntaxUID, dataSet.transferSyntax.uid)
        meta.put(.implementationClassUID, implementationClassUID)
        meta.put(.implementationVersionName, implementationVersionName)
        let metaBytes = try data(meta)

        let size = try length(dataSet, kept: kept)
        var bytes = [UInt8](repeating: 0, count: 128)
        bytes.reserveCapacity(144 + metaBytes.count + size)
        bytes += Array("DICM".utf8)
        // Group length (0002,0000) UL.
        bytes += [0x02, 0, 0, 0, 0x55, 0x4C, 4, 0]
        append(UInt32(metaBytes.count), to: &bytes)
        bytes += metaBytes
        guard dataSet.transferSyntax == .rleLossless else {
            try append(dataSet, to: &bytes)
            return bytes
        }
        var before = dataSet
        before[.pixelData] = nil
        try append(before, to: &bytes)
        // Pixel Data is the last attribute of what is written.
        appendRuns(of: dataSet, to: &bytes)
        return bytes
    }

    /// The data set alone, without preamble and meta group.
    package static func data(_ dataSet: DataSet, kept: Set<Tag> = []) throws(ObjectFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(try length(dataSet, kept: kept))
        try append(dataSet, to: &bytes)
        return bytes
    }

    /// Bytes of the data set, every element checked on the way. *Throws* as `file`.
    ///
    /// - Parameter characterSet: in force where the data set is an item of another; the default repertoire for a whole object.
    static func length(
        _ dataSet: DataSet, kept: Set<Tag> = [], characterSet: String = ""
    ) throws(ObjectFailure) -> Int {
        try length(dataSet, Scope(characterSet: characterSet, depth: 0, kept: kept, isKept: false))
    }

    /// What holds for the elements of one data set or item.
    private struct Scope {
        /// In force unless the data set names its own.
        var characterSet: String
        var depth: Int
        var kept: Set<Tag>
        /// Everything in here stands as in the source.
        var isKept: Bool
    }

    private static func length(_ dataSet: DataSet, _ outer: Scope) throws(ObjectFailure) -> Int {
        var scope = outer
        if dataSet.has(.specificCharacterSet) {
            scope.characterSet = dataSet.strings(.specificCharacterSet).joined(separator: "\\")
        }
        var total = 0
        for element in dataSet.elements {
            let isKept = scope.isKept || scope.kept.contains(element.tag)
            let what =
                isKept
                ? ValueRules.structuralViolation(element)
                : ValueRules.violation(element, characterSet: scope.characterSet)
            if let what { throw illegal(element, what) }
            total += element.vr.hasLongLength ? 12 : 8
            switch element.value {
            case .bytes(let bytes): total += bytes.count
            case .items(let items):
                guard scope.depth < 16 else { throw illegal(element, "sequences nested deeper than 16") }
                var inner = scope
                inner.depth += 1
                inner.kept = []
                inner.isKept = isKept
                for item in items { total += 8 + (try length(item, inner)) }
            case .inFile, .fragments: throw illegal(element, "a value that is not in memory")
            }
        }
        guard total <= maximumLength else { throw .size("an object of \(total) bytes") }
        return total
    }

    /// The largest length that a length field can say.
    static let maximumLength = 0xFFFF_FFFE

    private static func append(_ dataSet: DataSet, to bytes: inout [UInt8]) throws(ObjectFailure) {
        for element in dataSet.elements {
            append(element.tag.group, to: &bytes)
            append(element.tag.element, to: &bytes)
            bytes += Array(element.vr.rawValue.utf8)
            // The length stands before the value: it is filled in when the value is there.
            let isLong = element.vr.hasLongLength
            bytes += [UInt8](repeating: 0, count: isLong ? 6 : 2)
            let start = bytes.count
            switch element.value {
            case .bytes(let value): bytes += value
            case .items(let items): for item in items { try append(item: item, to: &bytes) }
            case .inFile, .fragments: throw illegal(element, "a value that is not in memory")
            }
            patch(&bytes, at: start - (isLong ? 4 : 2), width: isLong ? 4 : 2, bytes.count - start)
        }
    }

    /// Encapsulated Pixel Data (PS3.5 A.4): one fragment a frame, and where each begins.
    private static func appendRuns(of dataSet: DataSet, to bytes: inout [UInt8]) {
        guard let pixels = dataSet.bytes(.pixelData) else { return }
        let columns = dataSet.int(.columns) ?? 0
        let width = (dataSet.int(.bitsAllocated) ?? 8) / 8
        let length = (dataSet.int(.rows) ?? 0) * columns * width
        let frames = (0..<(dataSet.int(.numberOfFrames) ?? 0)).map {
            RLEEncoder.frame(pixels[$0 * length..<($0 + 1) * length], columns: columns, width: width)
        }
        // Element of undefined length, and the item of offsets.
        bytes += [0xE0, 0x7F, 0x10, 0x00, 0x4F, 0x42, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0]
        append(UInt32(truncatingIfNeeded: 4 * frames.count), to: &bytes)
        var offset = 0
        for frame in frames {
            append(UInt32(truncatingIfNeeded: offset), to: &bytes)
            offset += 8 + frame.count
        }
        for frame in frames {
            bytes += [0xFE, 0xFF, 0x00, 0xE0]
            append(UInt32(truncatingIfNeeded: frame.count), to: &bytes)
            bytes += frame
        }
        bytes += [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
    }

    private static func append(item: DataSet, to bytes: inout [UInt8]) throws(ObjectFailure) {
        bytes += [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]
        let start = bytes.count
        try append(item, to: &bytes)
        patch(&bytes, at: start - 4, width: 4, bytes.count - start)
    }

    private static func patch(_ bytes: inout [UInt8], at offset: Int, width: Int, _ length: Int) {
        for index in 0..<width { bytes[offset + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    }

    private static func append(_ word: some FixedWidthInteger, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: word.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    private static func illegal(_ element: Element, _ what: String) -> ObjectFailure {
        .illegal(tag: element.tag, keyword: Attribute.of(element.tag)?.keyword ?? "Attribute", what: what)
    }
}

extension DataSet {
    /// How it is written: a label map, whose pixels are mostly equal to their neighbours, in RLE Lossless once it has all of them.
    var transferSyntax: TransferSyntax {
        guard string(.sopClassUID) == SOPClass.labelMapSegmentationStorage.uid, let pixels = bytes(.pixelData) else {
            return .explicitLittleEndian
        }
        let native =
            (int(.rows) ?? 0) * (int(.columns) ?? 0) * ((int(.bitsAllocated) ?? 8) / 8) * (int(.numberOfFrames) ?? 0)
        return native > 0 && pixels.count == native + native % 2 ? .rleLossless : .explicitLittleEndian
    }
}
