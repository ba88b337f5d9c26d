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

    /// The length of what runs up to its delimiter.
    static let undefined = -1
    static let implicitLittle = Encoding(isExplicit: false, isBigEndian: false)
    static let item = Tag(0xFFFE, 0xE000)
    static let itemDelimiter = Tag(0xFFFE, 0xE00D)
    static let sequenceDelimiter = Tag(0xFFFE, 0xE0DD)

    var window: ByteWindow
    let limits: DICOMLimits
    /// Notes of oddities that were tolerated, each once.
    private(set) var warnings: [String] = []
    /// The value of Pixel Data, or its last fragment, is shorter than its length says.
    var pixelDataIsCut = false
    /// Something other than zeros stands behind the last element.
    private(set) var hasBytesBehind = false

    private var elementCount = 0
    /// Set once Pixel Data of the main data set has been read: whatever is broken behind it costs a warning only.
    var hasPixelData = false

    init(_ window: ByteWindow, limits: DICOMLimits) {
        self.window = window
        self.limits = limits
    }

    mutating func warn(_ text: String) {
        if warnings.count < 32, !warnings.contains(text) { warnings.append(text) }
    }

    /// The refusal of a file that ends too soon.
    func truncated(_ what: String) -> DICOMFailure {
        .corrupt("the file ends inside \(what): it is cut off or damaged.", cure: "Send it again.")
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
    mutating func dataSet(
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
                    try skipRest(&at, end)
                    break reading
                }
                elements.append(try element(&at, end: end, encoding, depth: depth, characterSet: characterSet))
            } catch {
                guard depth == 0, hasPixelData, !error.isOfReading else { throw error }
                at = start
                try skipRest(&at, end)
                if hasBytesBehind {
                    warn("bytes behind the pixel data that are no elements, from offset \(start)")
                }
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

    /// To the end, past what is no element. *Cost*: reads the zeros there.
    private mutating func skipRest(_ at: inout Int, _ end: Int) throws(DICOMFailure) {
        while at < end, !hasBytesBehind {
            let count = min(end - at, limits.windowBytes)
            try window.load(at, count)
            hasBytesBehind = (at..<at + count).contains { window[$0] != 0 }
            at += count
        }
        at = end
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
}
