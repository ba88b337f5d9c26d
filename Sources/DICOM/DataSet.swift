/// One element of a data set.
package struct Element: Sendable {
    package enum Value: Sendable {
        /// The value field, little endian, padding included.
        case bytes([UInt8])
        /// A long or private value that stayed in the file: offset from its start and length in bytes, in the file's byte order.
        case inFile(offset: Int, length: Int)
        case items([DataSet])
        /// Encapsulated pixel data: the items after the Basic Offset Table, and the table's bytes (little endian).
        case fragments(offsetTable: [UInt8], items: [Range<Int>])
    }

    package let tag: Tag
    package let vr: VR
    package var value: Value

    package init(_ tag: Tag, _ vr: VR, _ value: Value) {
        self.tag = tag
        self.vr = vr
        self.value = value
    }

    /// The same value, padding aside. Values that stayed in the file are equal to none.
    func isEqual(to other: Element) -> Bool {
        switch (value, other.value) {
        case (.bytes(let one), .bytes(let two)):
            guard vr.isText, other.vr.isText else { return one == two }
            return one.withoutPadding == two.withoutPadding
        case (.items(let one), .items(let two)):
            return one.count == two.count
                && zip(one, two).allSatisfy { first, second in
                    first.elements.count == second.elements.count
                        && zip(first.elements, second.elements).allSatisfy { $0.tag == $1.tag && $0.isEqual(to: $1) }
                }
        default: return false
        }
    }
}

extension [UInt8] {
    /// Without the spaces and NULs at the end that make a value's length even.
    var withoutPadding: ArraySlice<UInt8> { self[..<((lastIndex { $0 != 0x20 && $0 != 0 } ?? -1) + 1)] }
}

/// Attributes in ascending order of their tags: a value, independent of the file that it came from.
///
/// Reading is tolerant: an accessor gives nil for what is absent, empty or not of the asked kind; the caller decides
/// whether that matters. Texts are decoded by the data set's Specific Character Set (a nested item's own, otherwise its
/// parent's).
///
/// *Cost*: 16 bytes an element and the bytes of its short values, all in two blocks of memory: a study of 50,000 instances is
/// held as a whole.
package struct DataSet: Sendable {
    /// Sorted by tag, each tag once.
    private var entries: [Entry] = []
    /// The short values, one behind the other.
    private var values: [UInt8] = []
    /// Sequences, fragments, and values too long for `values`.
    private var others: [Element.Value] = []
    /// Specific Character Set in force for this data set, as the defined terms stand in the file.
    package var characterSet: String = ""
    /// Tags that stood in the file more than once with different values; the first value was kept.
    private var contradicted: [Tag] = []

    private struct Entry: Sendable {
        enum Kind: UInt8, Sendable { case inValues, inFile, inOthers }

        let tag: Tag
        let vr: VR
        let kind: Kind
        /// Into `values`, the file or `others`.
        let offset: UInt32
        let length: UInt32
    }

    /// Longer values keep a block of their own.
    private static let longestPacked = 4096

    package init() {}

    /// From elements in any order. Of several with one tag the first is kept; `dropped` counts the others.
    package init(_ unsorted: [Element], characterSet: String = "", dropped: inout Int) {
        self.characterSet = characterSet
        var isAscending = true
        for index in unsorted.indices.dropFirst() where !(unsorted[index - 1].tag < unsorted[index].tag) {
            isAscending = false
        }
        entries.reserveCapacity(unsorted.count)
        values.reserveCapacity(unsorted.reduce(0) { $0 + Self.packedLength($1.value) })
        // Swift's sort is stable in practice but not by promise, so the order in the file breaks ties.
        let order =
            isAscending
            ? Array(unsorted.indices) : unsorted.indices.sorted { (unsorted[$0].tag, $0) < (unsorted[$1].tag, $1) }
        for index in order {
            guard let last = entries.last, last.tag == unsorted[index].tag else {
                entries.append(packed(unsorted[index]))
                continue
            }
            dropped += 1
            if !unpacked(last).isEqual(to: unsorted[index]) { contradicted.append(last.tag) }
        }
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// All of them, in ascending order. *Cost*: a copy of every value.
    package var elements: [Element] { entries.map(unpacked) }

    /// The first attribute of the table that stood in the file more than once with different values, here or in an item of a
    /// sequence of the table. Readers differ in which of the values they take.
    package var contradiction: Attribute? {
        for tag in contradicted { if let attribute = Attribute.of(tag) { return attribute } }
        for entry in entries where entry.kind == .inOthers {
            guard case .items(let items) = others[Int(entry.offset)], Attribute.of(entry.tag) != nil else { continue }
            for item in items { if let found = item.contradiction { return found } }
        }
        return nil
    }

    /// The element, or nil. Setting replaces or inserts; nil removes.
    package subscript(tag: Tag) -> Element? {
        get {
            let (position, found) = index(of: tag)
            return found ? unpacked(entries[position]) : nil
        }
        set {
            let (position, found) = index(of: tag)
            if let newValue {
                precondition(newValue.tag == tag, "DataSet: element \(newValue.tag) set at \(tag)")
                // What stood there before stays behind unused: data sets are changed while they are composed only.
                if found {
                    entries[position] = packed(newValue)
                } else {
                    entries.insert(packed(newValue), at: position)
                }
            } else if found {
                entries.remove(at: position)
            }
        }
    }

    /// The raw value field (little endian), nil when absent, a sequence or left in the file.
    package func bytes(_ tag: Tag) -> [UInt8]? {
        if case .bytes(let bytes)? = self[tag]?.value { bytes } else { nil }
    }

    /// The items of a sequence; empty when absent or no sequence.
    package func items(_ tag: Tag) -> [DataSet] {
        if case .items(let items)? = self[tag]?.value { items } else { [] }
    }

    /// The attribute is there with a value or with items; padding is no value.
    func states(_ tag: Tag) -> Bool {
        guard let element = self[tag] else { return false }
        return switch element.value {
        case .bytes(let bytes): !bytes.isEmpty && !(element.vr.isText && bytes.allSatisfy { $0 == 0x20 || $0 == 0 })
        case .items(let items): !items.isEmpty
        default: true
        }
    }

    /// With what the other says and this one does not.
    func completed(by other: DataSet) -> DataSet {
        var completed = self
        for element in other.elements where !states(element.tag) { completed[element.tag] = element }
        return completed
    }

    // MARK: Packing

    private func index(of tag: Tag) -> (position: Int, found: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].tag < tag { low = middle + 1 } else { high = middle }
        }
        return (low, low < entries.count && entries[low].tag == tag)
    }

    private static func packedLength(_ value: Element.Value) -> Int {
        if case .bytes(let bytes) = value, bytes.count <= longestPacked { bytes.count } else { 0 }
    }

    private mutating func packed(_ element: Element) -> Entry {
        switch element.value {
        case .bytes(let bytes) where bytes.count <= Self.longestPacked && values.count < Int(UInt32.max) - bytes.count:
            values += bytes
            return entry(element, .inValues, values.count - bytes.count, bytes.count)
        case .inFile(let offset, let length) where offset <= Int(UInt32.max) && length <= Int(UInt32.max):
            return entry(element, .inFile, offset, length)
        default:
            others.append(element.value)
            return entry(element, .inOthers, others.count - 1, 0)
        }
    }

    private func entry(_ element: Element, _ kind: Entry.Kind, _ offset: Int, _ length: Int) -> Entry {
        Entry(
            tag: element.tag, vr: element.vr, kind: kind, offset: UInt32(offset),
            length: UInt32(length))
    }

    private func unpacked(_ entry: Entry) -> Element {
        let offset = Int(entry.offset), length = Int(entry.length)
        return switch entry.kind {
        case .inValues: Element(entry.tag, entry.vr, .bytes(Array(values[offset..<offset + length])))
        case .inFile: Element(entry.tag, entry.vr, .inFile(offset: offset, length: length))
        case .inOthers: Element(entry.tag, entry.vr, others[offset])
        }
    }
}
