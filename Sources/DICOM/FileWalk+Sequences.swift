/// What has items: sequences of data sets, and pixel data in fragments.
extension FileWalk {
    /// A sequence with its items; of a private one only where it lies.
    mutating func sequence(
        _ tag: Tag, _ at: inout Int, end: Int, _ encoding: Encoding, depth: Int, _ characterSet: String, length: Int
    ) throws(DICOMFailure) -> Element {
        let start = at
        let items = try items(&at, end: end, encoding, depth: depth, characterSet, length: length)
        return Element(tag, .SQ, tag.isPrivate ? .inFile(offset: start, length: at - start) : .items(items))
    }

    mutating func items(
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
    mutating func fragments(
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
}
