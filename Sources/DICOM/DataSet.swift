/// One element of a data set.
package struct Element: Sendable {
    package enum Value: Sendable {
        /// The value field, little endian, padding included.
        case bytes([UInt8])
        /// A long value that stayed in the file: offset from its start and length in bytes, in the file's byte order.
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
}

/// Attributes in ascending order of their tags: a value, independent of the file that it came from.
///
/// Reading is tolerant: an accessor gives nil for what is absent, empty or not of the asked kind; the caller decides
/// whether that matters. Texts are decoded by the data set's Specific Character Set (a nested item's own, otherwise its
/// parent's).
package struct DataSet: Sendable {
    /// Sorted by tag, each tag once.
    package private(set) var elements: [Element] = []
    /// Specific Character Set in force for this data set, as the defined terms stand in the file.
    package var characterSet: String = ""

    package init() {}

    /// From elements in any order. Of several with one tag the first is kept; `dropped` counts the others.
    package init(_ unsorted: [Element], characterSet: String = "", dropped: inout Int) {
        self.characterSet = characterSet
        var isAscending = true
        for index in unsorted.indices.dropFirst() where !(unsorted[index - 1].tag < unsorted[index].tag) {
            isAscending = false
        }
        guard !isAscending else {
            elements = unsorted
            return
        }
        elements.reserveCapacity(unsorted.count)
        // Swift's sort is stable in practice but not by promise, so the place in the file breaks ties.
        let order = unsorted.indices.sorted { (unsorted[$0].tag, $0) < (unsorted[$1].tag, $1) }
        for index in order {
            if elements.last?.tag == unsorted[index].tag { dropped += 1 } else { elements.append(unsorted[index]) }
        }
    }

    package var isEmpty: Bool { elements.isEmpty }

    private func index(of tag: Tag) -> (position: Int, found: Bool) {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle].tag < tag { low = middle + 1 } else { high = middle }
        }
        return (low, low < elements.count && elements[low].tag == tag)
    }

    /// The element, or nil. Setting replaces or inserts; nil removes.
    package subscript(tag: Tag) -> Element? {
        get {
            let (position, found) = index(of: tag)
            return found ? elements[position] : nil
        }
        set {
            let (position, found) = index(of: tag)
            if let newValue {
                precondition(newValue.tag == tag, "DataSet: element \(newValue.tag) set at \(tag)")
                if found { elements[position] = newValue } else { elements.insert(newValue, at: position) }
            } else if found {
                elements.remove(at: position)
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
}
