import DICOM

/// The character set of a result, and our own texts in it.
///
/// What is copied from the source keeps its bytes, so the result declares the source's Specific Character Set as it stands there, or
/// none where the source has none. Our own texts are ASCII, except for what a pipeline or a site says in other letters. Such a text is
/// written in UTF-8: the result then declares `ISO_IR 192` where everything that was copied is ASCII, which is the same in both; else
/// the *item* that holds the text declares it for itself (PS3.5 7.5.3). Only in the main data set of such a result other letters
/// become `?`: no identity is among our own texts.
struct ResultText {
    /// The value field of Specific Character Set (0008,0005); nil when the result has none.
    let declared: Element?
    /// In force in the main data set.
    let characterSet: String

    private static let utf8 = "ISO_IR 192"

    /// - Parameters:
    ///   - copied: what the result takes from its source.
    ///   - own: every text of the pipeline and the site that the result holds.
    init(source: DataSet, copied: DataSet, own: [String]) {
        let isPlain = Self.isPlain(copied)
        if isPlain, own.contains(where: { !Self.isASCII($0) }) {
            var set = DataSet()
            set.put(.specificCharacterSet, Self.utf8)
            declared = set[.specificCharacterSet]
            characterSet = Self.utf8
        } else {
            declared = source[.specificCharacterSet].flatMap {
                SourceCopy.asItStands($0, vr: Attribute.specificCharacterSet.vr)
            }
            characterSet = source.strings(.specificCharacterSet).joined(separator: "\\")
        }
    }

    /// A text of ours for the main data set.
    func main(_ text: String) -> String {
        if characterSet == Self.utf8 || Self.isASCII(text) { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isASCII ? $0 : "?" }))
    }

    /// An item of ours, which declares UTF-8 for itself when its texts need that.
    func item(_ item: DataSet) -> DataSet {
        guard characterSet != Self.utf8, !Self.isPlain(item) else { return item }
        var item = item
        item.put(.specificCharacterSet, Self.utf8)
        return item
    }

    /// `prefix`, a colon and the source's text in one value of LO: its bytes as they stand, cut where a character ends; `prefix` alone
    /// where there is no text, the character set does not tell where a character ends, or the result would not be legal.
    func line(_ prefix: String, then attribute: Attribute, of source: DataSet) -> Element {
        let start = Array(main(Segmentation.line(prefix)).utf8)
        let element = { (text: [UInt8]) in
            Element(attribute.tag, .LO, .bytes(text.count % 2 == 0 ? text : text + [0x20]))
        }
        let ending = source.bytes(attribute).map { clean($0, limit: max(0, 62 - start.count)) } ?? []
        guard !ending.isEmpty else { return element(start) }
        let whole = element(start + Array(": ".utf8) + ending)
        return ValueRules.violation(whole, characterSet: characterSet) == nil ? whole : element(start)
    }

    /// Without padding, other control characters and backslashes as blanks, of at most `limit` characters.
    private func clean(_ bytes: [UInt8], limit: Int) -> [UInt8] {
        var text = bytes[...]
        while let last = text.last, last == 0x20 || last == 0 { text.removeLast() }
        while text.first == 0x20 { text.removeFirst() }
        // What names nothing is no name.
        if text.allSatisfy({ $0 < 0x30 }) { return [] }
        // In sets of several bytes a character, these may be parts of one: such a text stays whole or away.
        if characterSet.contains("2022") || characterSet.contains("GB") {
            return text.count <= limit ? Array(text) : []
        }
        let line = text.map { $0 < 0x20 || $0 == 0x7F || $0 == 0x5C ? UInt8(0x20) : $0 }
        var cut =
            characterSet == Self.utf8
            ? Array(
                String(String.UnicodeScalarView(String(decoding: line, as: UTF8.self).unicodeScalars.prefix(limit)))
                    .utf8) : Array(line.prefix(limit))
        while let last = cut.last, last == 0x20 || last == 0x3A { cut.removeLast() }
        return cut
    }

    static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    /// Every text is ASCII without escape sequences; items that declare their own character set are not asked.
    static func isPlain(_ dataSet: DataSet) -> Bool {
        dataSet.elements.allSatisfy { element in
            switch element.value {
            case .bytes(let bytes): !element.vr.isEncodedText || bytes.allSatisfy { $0 < 0x80 && $0 != 0x1B }
            case .items(let items):
                items.allSatisfy { $0.has(.specificCharacterSet) || isPlain($0) }
            case .inFile, .fragments: true
            }
        }
    }
}
