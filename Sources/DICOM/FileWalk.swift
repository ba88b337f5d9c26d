import CDICOM

/// Our parser of data sets: one pass through a window, every length checked against what is there and against `DICOMLimits`,
/// no recursion deeper than `nestingDepth`, no time that grows faster than the file. It never traps; what it cannot
/// read it refuses with `IN-CORRUPT` or `IN-LIMIT`.
///
/// *Source*: PS3.5 section 7 (data sets, sequences), annex A.4 (fragments), 6.2.2 (UN).
struct FileWalk {
    /// How elements are written here.
    struct Encoding {
        var isExplicit: Bool
        var isBigEndian: Bool
    }

    private(set) var window: ByteWindow
    let limits: DICOMLimits
    /// Notes of oddities that were tolerated, each once.
    private(set) var warnings: [String] = []
    /// The value of Pixel Data, or its last fragment, is shorter than its length says.
    private(set) var pixelDataIsCut = false

    private var elementCount = 0
    /// Set once Pixel Data of the main data set has been read: whatever is broken behind it costs a warning only.
    private var hasPixelData = false

    init(_ window: ByteWindow, limits: DICOMLimits) {
        self.window = window
        self.limits = limits
    }

    mutating func warn(_ text: String) {
        if warnings.count < 32, !warnings.contains(text) { warnings.append(text) }
    }

    // MARK: File meta information

    /// Group 0002, always Explicit VR Little Endian; `at` moves behind it.
    mutating func meta(_ at: inout Int) throws(DICOMFailure) -> DataSet {
        var elements: [Element] = []
        let encoding = Encoding(isExplicit: true, isBigEndian: false)
        while window.count - at >= 8 {
            try window.load(at, 8)
            guard tag(at, bigEndian: false).group == 0x0002 else { break }
            elements.append(try element(&at, end: window.count, encoding, depth: 0, characterSet: ""))
            guard elements.count <= 256 else {
                throw .limit(
                    "more than 256 file meta elements: the file is damaged or made to harm.", cure: "Export it again.")
            }
        }
        var dropped = 0
        return DataSet(elements, dropped: &dropped)
    }

    // MARK: Data sets

    /// The main data set from `start` to the end of the bytes.
    mutating func mainDataSet(from start: Int, _ encoding: Encoding) throws(DICOMFailure) -> DataSet {
        var at = start
        return try dataSet(&at, end: window.count, encoding, depth: 0, characterSet: "", isDelimited: false)
    }

    /// Elements up to `end`, or up to the item delimiter when `isDelimited`.
    private mutating func dataSet(
        _ at: inout Int, end: Int, _ encoding: Encoding, depth: Int, characterSet: String, isDelimited: Bool
    ) throws(DICOMFailure) -> DataSet {
        var elements: [Element] = []
        var characterSet = characterSet
        var isClosed = !isDelimited
        reading: while at < end {
            let start = at
            do throws(DICOMFailure) {
                guard end - at >= 8 else { throw truncated("an element header") }
                try window.load(at, 12)
                let tag = tag(at, bigEndian: encoding.isBigEndian)
                if tag == Self.itemDelimiter, isDelimited {
                    at += 8
                    isClosed = true
                    break reading
                }
                if tag.group == 0xFFFE {
                    // A delimiter where none belongs; an item here means that the structure is lost.
                    guard tag != Self.item else {
                        throw DICOMFailure.corrupt(
                            "an item \(tag) outside a sequence: the file is damaged.", cure: "Send it again.")
                    }
                    warn("stray delimiter \(tag)")
                    at += 8
                    continue
                }
                if depth == 0, (at..<at + 8).allSatisfy({ window[$0] == 0 }) {
                    warn("zero bytes behind the last element")
                    at = end
                    break reading
                }
                elements.append(try element(&at, end: end, encoding, depth: depth, characterSet: characterSet))
            } catch {
                guard depth == 0, hasPixelData, !error.isOfReading else { throw error }
                warn("bytes behind the pixel data that are no elements, from offset \(start)")
                at = end
                break reading
            }
            guard elements.count <= limits.elementsPerItem else {
                throw .limit(
                    "more than \(limits.elementsPerItem) elements in one data set: the file is damaged or made to harm.",
                    cure: "Export it again.")
            }
            if let last = elements.last {
                if last.tag == .specificCharacterSet, case .bytes(let value) = last.value {
                    characterSet = Self.normalised(characterSet: value)
                }
                if depth == 0,
                    last.tag == .pixelData || last.tag == .floatPixelData || last.tag == .doubleFloatPixelData
                {
                    hasPixelData = true
                }
            }
        }
        if !isClosed {
            guard hasPixelData else { throw truncated("an item without its delimiter") }
            warn("an item without its delimiter")
        }
        var dropped = 0
        let dataSet = DataSet(elements, characterSet: characterSet, dropped: &dropped)
        if dropped > 0 { warn("\(dropped) elements whose tag stood there already; the first was kept") }
        return dataSet
    }

    /// Specific Character Set as DCMTK wants it: values without padding, joined by backslashes.
    private static func normalised(characterSet value: [UInt8]) -> String {
        value.split(separator: 0x5C, omittingEmptySubsequences: false).map { term in
            var term = term
            while let last = term.last, last == 0x20 || last == 0 { term.removeLast() }
            while term.first == 0x20 { term.removeFirst() }
            return CharacterSet.repertoire(term)
        }.joined(separator: "\\")
    }

    // MARK: Elements

    private mutating func element(
        _ at: inout Int, end: Int, _ encoding: Encoding, depth: Int, characterSet: String
    ) throws(DICOMFailure) -> Element {
        elementCount += 1
        guard elementCount <= limits.elements else {
            throw .limit(
                "more than \(limits.elements) elements: the file is damaged or made to harm.", cure: "Export it again.")
        }
        guard end - at >= 8 else { throw truncated("an element header") }
        try window.load(at, 12)
        let tag = tag(at, bigEndian: encoding.isBigEndian)
        var (vr, length) = try header(&at, end: end, tag, encoding)
        let isSwapped = encoding.isBigEndian && vr != .UN
        let isUndefined = length == Self.undefined

        if vr == .UN, !tag.isPrivate || isUndefined {
            // PS3.5 6.2.2: UN is written as Implicit VR Little Endian whatever the rest is; undefined length means a
            // sequence.
            let known = isUndefined ? .SQ : Self.dictionaryVR(tag)
            if known != .SQ || isUndefined {
                vr = known
            } else {
                let valueStart = at
                let before = self
                do throws(DICOMFailure) {
                    return try sequence(
                        tag, &at, end: valueStart + length, Self.implicitLittle, depth: depth, characterSet,
                        length: length)
                } catch {
                    if error.isOfReading { throw error }
                    // Not a sequence after all: the bytes stay what they are.
                    self = before
                    at = valueStart
                }
            }
            if vr == .SQ {
                return try sequence(
                    tag, &at, end: end, Self.implicitLittle, depth: depth, characterSet, length: length)
            }
        }
        if vr == .SQ {
            return try sequence(tag, &at, end: end, encoding, depth: depth, characterSet, length: length)
        }
        if isUndefined {
            guard vr == .OB || vr == .OW else {
                throw .corrupt("\(tag) has no length (VR \(vr.rawValue)): the file is damaged.", cure: "Send it again.")
            }
            return Element(tag, vr, try fragments(&at, end: end, encoding, tag: tag, depth: depth))
        }

        var available = length
        if length > end - at {
            guard tag == .pixelData, depth == 0 else {
                throw .corrupt(
                    "\(tag) is \(length) bytes long, but only \(end - at) follow: the file is cut off or damaged.",
                    cure: "Send it again.")
            }
            available = end - at
            pixelDataIsCut = true
            warn("Pixel Data says \(length) bytes, \(available) are there")
        }
        defer { at += available }
        // Of private values only b-values are asked for. A look-up table of 65536 entries of 16 bits is longer than other values may be.
        let kept = tag.group == 0x0028 ? 4 * limits.valueBytes : limits.valueBytes
        guard available <= kept, !tag.isPrivate || DiffusionTags.all.contains(tag), !(depth == 0 && tag == .pixelData)
        else {
            return Element(tag, vr, .inFile(offset: at, length: available))
        }
        var value = try window.copy(at..<at + available)
        if isSwapped, let size = Self.wordSize(vr), size > 1 { Self.swap(&value, wordSize: size) }
        return Element(tag, vr, .bytes(value))
    }

    /// VR and length; `at` moves to the value.
    private mutating func header(
        _ at: inout Int, end: Int, _ tag: Tag, _ encoding: Encoding
    ) throws(DICOMFailure) -> (vr: VR, length: Int) {
        if encoding.isExplicit {
            let first = window[at + 4]
            let second = window[at + 5]
            if Self.isUpper(first), Self.isUpper(second) {
                let vr = VR(rawValue: String(decoding: [first, second], as: UTF8.self))
                if vr == nil { warn("an unknown VR at \(tag)") }
                guard vr?.hasLongLength ?? true else {
                    let length = Int(word16(at + 6, bigEndian: encoding.isBigEndian))
                    at += 8
                    return (vr ?? .UN, length)
                }
                guard end - at >= 12 else { throw truncated("the header of \(tag)") }
                let length = word32(at + 8, bigEndian: encoding.isBigEndian)
                at += 12
                return (vr ?? .UN, length == UInt32.max ? Self.undefined : Int(length))
            }
            if first == 0x20, second == 0x20 {
                // Blank letters stand for a VR that the writer did not know; the length is a short one.
                warn("an unknown VR at \(tag)")
                let length = Int(word16(at + 6, bigEndian: encoding.isBigEndian))
                at += 8
                return (Self.dictionaryVR(tag), length)
            }
            warn("elements without a VR among explicit ones")
        }
        let length = word32(at + 4, bigEndian: encoding.isBigEndian)
        at += 8
        return (Self.dictionaryVR(tag), length == UInt32.max ? Self.undefined : Int(length))
    }

    // MARK: Sequences

    /// A sequence with its items; of a private one only where it lies.
    private mutating func sequence(
        _ tag: Tag, _ at: inout Int, end: Int, _ encoding: Encoding, depth: Int, _ characterSet: String, length: Int
    ) throws(DICOMFailure) -> Element {
        let start = at
        let items = try items(&at, end: end, encoding, depth: depth, characterSet, length: length)
        return Element(tag, .SQ, tag.isPrivate ? .inFile(offset: start, length: at - start) : .items(items))
    }

    private mutating func items(
        _ at: inout Int, end: Int, _ encoding: Encoding, depth: Int, _ characterSet: String, length: Int
    ) throws(DICOMFailure) -> [DataSet] {
        guard depth < limits.nestingDepth else {
            throw .limit(
                "sequences nested deeper than \(limits.nestingDepth): the file is damaged or made to harm.",
                cure: "Export it again.")
        }
        let isUndefined = length == Self.undefined
        guard isUndefined || length <= end - at else { throw truncated("a sequence") }
        let stop = isUndefined ? end : at + length
        var items: [DataSet] = []
        while at < stop {
            guard stop - at >= 8 else { throw truncated("an item header") }
            try window.load(at, 8)
            let tag = tag(at, bigEndian: encoding.isBigEndian)
            let itemLength = word32(at + 4, bigEndian: encoding.isBigEndian)
            if tag == Self.sequenceDelimiter {
                at += 8
                if isUndefined { return items }
                warn("stray delimiter \(tag)")
                continue
            }
            guard tag == Self.item else {
                throw .corrupt("\(tag) where an item was expected: the file is damaged.", cure: "Send it again.")
            }
            guard items.count < limits.itemsPerSequence else {
                throw .limit(
                    "more than \(limits.itemsPerSequence) items in a sequence: the file is damaged or made to harm.",
                    cure: "Export it again.")
            }
            at += 8
            let isOpen = itemLength == UInt32.max
            guard isOpen || Int(itemLength) <= stop - at else { throw truncated("an item") }
            // Inside UN the writer may have kept explicit VR: the first element tells.
            let inner = encoding.isExplicit ? encoding : try detected(at: at, end: stop, otherwise: encoding)
            items.append(
                try dataSet(
                    &at, end: isOpen ? stop : at + Int(itemLength), inner, depth: depth + 1, characterSet: characterSet,
                    isDelimited: isOpen))
        }
        if isUndefined {
            guard hasPixelData else { throw truncated("a sequence without its delimiter") }
            warn("a sequence without its delimiter")
        }
        return items
    }

    // MARK: Fragments

    /// Encapsulated pixel data (PS3.5 A.4): the offset table and where each fragment lies in the file.
    private mutating func fragments(
        _ at: inout Int, end: Int, _ encoding: Encoding, tag owner: Tag, depth: Int
    ) throws(DICOMFailure) -> Element.Value {
        let isMain = owner == .pixelData && depth == 0
        var table: [UInt8] = []
        var ranges: [Range<Int>] = []
        var isFirst = true
        var isClosed = false
        while end - at >= 8 {
            // What follows a fragment's header is skipped.
            try window.load(at, 8, ahead: 512)
            let tag = tag(at, bigEndian: encoding.isBigEndian)
            let length = Int(word32(at + 4, bigEndian: encoding.isBigEndian))
            if tag == Self.sequenceDelimiter {
                at += 8
                isClosed = true
                break
            }
            guard tag == Self.item else {
                guard isMain else {
                    throw .corrupt("\(tag) where a fragment was expected: the file is damaged.", cure: "Send it again.")
                }
                warn("\(tag) where a fragment was expected")
                break
            }
            guard ranges.count < limits.fragments else {
                throw .limit(
                    "more than \(limits.fragments) fragments: the file is damaged or made to harm.",
                    cure: "Export it again.")
            }
            at += 8
            let available = min(length, end - at)
            if available < length {
                guard isMain else { throw truncated("a fragment") }
                pixelDataIsCut = true
                warn("the last fragment says \(length) bytes, \(available) are there")
            }
            if isFirst {
                guard available <= 8 * limits.frames else {
                    throw .limit(
                        "an offset table of \(available) bytes: the file is damaged or made to harm.",
                        cure: "Export it again.")
                }
                table = try window.copy(at..<at + available)
                isFirst = false
            } else {
                ranges.append(at..<at + available)
            }
            at += available
        }
        if !isClosed {
            guard isMain else { throw truncated("fragments without their delimiter") }
            warn("fragments without their delimiter")
            at = end
        }
        return .fragments(offsetTable: table, items: ranges)
    }

    // MARK: Bytes

    /// Explicit when the first element at `at` carries a VR that exists, implicit otherwise.
    mutating func detected(at: Int, end: Int, otherwise: Encoding) throws(DICOMFailure) -> Encoding {
        if end - at >= 8 { try window.load(at, 8) }
        guard end - at >= 8, Self.isUpper(window[at + 4]), Self.isUpper(window[at + 5]),
            VR(rawValue: String(decoding: [window[at + 4], window[at + 5]], as: UTF8.self)) != nil
        else { return Encoding(isExplicit: false, isBigEndian: otherwise.isBigEndian) }
        return Encoding(isExplicit: true, isBigEndian: otherwise.isBigEndian)
    }

    /// The tag at `at` in both byte orders; nil where no element fits.
    mutating func firstTags(_ at: Int) throws(DICOMFailure) -> (little: Tag, big: Tag)? {
        guard window.count - at >= 8 else { return nil }
        try window.load(at, 8)
        return (tag(at, bigEndian: false), tag(at, bigEndian: true))
    }

    private func tag(_ at: Int, bigEndian: Bool) -> Tag {
        Tag(word16(at, bigEndian: bigEndian), word16(at + 2, bigEndian: bigEndian))
    }

    private func word16(_ at: Int, bigEndian: Bool) -> UInt16 {
        let word = UInt16(window[at]) | UInt16(window[at + 1]) << 8
        return bigEndian ? word.byteSwapped : word
    }

    private func word32(_ at: Int, bigEndian: Bool) -> UInt32 {
        let low = UInt32(word16(at, bigEndian: false))
        let word = low | UInt32(word16(at + 2, bigEndian: false)) << 16
        return bigEndian ? word.byteSwapped : word
    }

    /// Bytes of a word that byte order turns round; nil for text. AT is two 16-bit words.
    private static func wordSize(_ vr: VR) -> Int? { vr == .AT ? 2 : vr.valueSize }

    static func swap(_ value: inout [UInt8], wordSize: Int) {
        for start in stride(from: 0, to: value.count - value.count % wordSize, by: wordSize) {
            value[start..<start + wordSize].reverse()
        }
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

    private func truncated(_ what: String) -> DICOMFailure {
        .corrupt("the file ends inside \(what): it is cut off or damaged.", cure: "Send it again.")
    }

    private static let undefined = -1
    private static let implicitLittle = Encoding(isExplicit: false, isBigEndian: false)
    static let item = Tag(0xFFFE, 0xE000)
    static let itemDelimiter = Tag(0xFFFE, 0xE00D)
    static let sequenceDelimiter = Tag(0xFFFE, 0xE0DD)

    /// The VR of the standard's dictionary; UN for private and unknown attributes. Where pixel attributes decide
    /// between US and SS it is US: whoever needs the sign reads the value with `ints16`.
    static func dictionaryVR(_ tag: Tag) -> VR {
        if tag.element == 0 { return .UL }
        if tag.isPrivate { return (0x10...0xFF).contains(tag.element) ? .LO : .UN }
        var letters: (CChar, CChar, CChar) = (0, 0, 0)
        let name = withUnsafeMutableBytes(of: &letters) { buffer in
            cd_value_representation(tag.group, tag.element, buffer.baseAddress?.assumingMemoryBound(to: CChar.self))
            return String(decoding: buffer.prefix(2), as: UTF8.self)
        }
        switch name {
        case "xs": return .US
        case "ox", "px", "lt": return .OW
        default: return VR(rawValue: name) ?? .UN
        }
    }
}
