import DICOM

/// Copies attributes out of a source without decoding them: a result declares the source's character set, so its bytes mean there what
/// they mean here.
///
/// Identity (`keep`) is copied as it stands, legal or not: archives file by it, and they hold the source with that very value. Anything
/// else (`copy`) is copied only where it is legal; what is not is left away, or written empty (Type 2), and noted by its keyword.
struct SourceCopy {
    let source: DataSet
    /// For the report: what could not be copied.
    private(set) var notes: [String] = []
    /// Attributes that stand in the result as in the source, whatever they hold.
    private(set) var kept: Set<Tag> = []

    init(_ source: DataSet) { self.source = source }

    // MARK: Identity

    /// *Throws* `source` when a value of Type 1 is missing, or one of Type 1 or 2 is longer than its length field can say in a result.
    mutating func keep(
        _ attributes: [Attribute], _ type: RequirementType, into target: inout DataSet
    ) throws(ObjectFailure) {
        for attribute in attributes {
            guard let original = source[attribute] else {
                try putMissing(attribute, type, what: "missing", into: &target)
                continue
            }
            guard let copy = Self.asItStands(original, vr: attribute.vr) else {
                let what = "its value cannot be carried over: it is longer than 65,534 bytes or of another kind"
                notes.append("\(attribute.keyword) \(attribute.tag) of the source was not copied: \(what)")
                if case .type3 = type { continue }
                throw .source(tag: attribute.tag, keyword: attribute.keyword, what: what)
            }
            if case .type1 = type, Self.isEmpty(copy) { try putMissing(attribute, type, what: "empty", into: &target) }
            target[attribute] = copy
            kept.insert(attribute.tag)
        }
    }

    /// The same bytes, padded to even length where the source is not (a UID anew, with a NUL); nil when an element of that VR cannot
    /// hold them.
    static func asItStands(_ element: Element, vr: VR) -> Element? {
        switch element.value {
        case .items(let items):
            guard vr == .SQ else { return nil }
            return Element(element.tag, .SQ, .items(items.map(asItStands)))
        case .bytes(let bytes):
            if vr == .SQ { return bytes.isEmpty ? Element(element.tag, .SQ, .items([])) : nil }
            let text = vr == .UI ? withoutPadding(bytes) : bytes
            let copy = Element(element.tag, vr, .bytes(even(text, vr)))
            return ValueRules.structuralViolation(copy) == nil ? copy : nil
        case .inFile, .fragments: return nil
        }
    }

    /// An item without private attributes and those of unknown VR: what they mean is known to their creators only.
    private static func asItStands(_ item: DataSet) -> DataSet {
        var copy = DataSet()
        copy.characterSet = item.characterSet
        for element in item.elements where isCopied(element) {
            copy[element.tag] = asItStands(element, vr: element.vr)
        }
        return copy
    }

    // MARK: The rest

    /// *Throws* `source` for Type 1 without a legal value.
    mutating func copy(
        _ attributes: [Attribute], _ type: RequirementType, into target: inout DataSet
    ) throws(ObjectFailure) {
        for attribute in attributes {
            let original = source[attribute]
            let copied = original.flatMap { Self.legal($0, as: attribute.vr, in: source.characterSet) }
            if let copied, !Self.isEmpty(copied) {
                target[attribute] = copied
                continue
            }
            let isIllegal = original != nil && copied == nil
            if isIllegal {
                notes.append("\(attribute.keyword) \(attribute.tag) of the source is not legal and was not copied")
            }
            try putMissing(attribute, type, what: isIllegal ? "not legal" : "missing", into: &target)
        }
    }

    /// The element with even length, nested items likewise; nil when it is not legal.
    static func legal(_ element: Element, as vr: VR, in characterSet: String) -> Element? {
        let copy: Element
        switch element.value {
        case .items(let items):
            guard vr == .SQ else { return nil }
            copy = Element(element.tag, .SQ, .items(items.map(legal).filter { isWhole($0, in: element.tag) }))
        case .bytes(let bytes):
            guard vr != .SQ else { return bytes.isEmpty ? Element(element.tag, .SQ, .items([])) : nil }
            copy = Element(element.tag, vr, .bytes(even(bytes, vr)))
        case .inFile, .fragments: return nil
        }
        return ValueRules.violation(copy, characterSet: characterSet) == nil ? copy : nil
    }

    private static func legal(_ item: DataSet) -> DataSet {
        var copy = DataSet()
        copy.characterSet = item.characterSet
        for element in item.elements where isCopied(element) {
            copy[element.tag] = legal(element, as: element.vr, in: item.characterSet)
        }
        return copy
    }

    /// False for an item that lacks what its sequence demands: copied, it would make the result invalid.
    private static func isWhole(_ item: DataSet, in sequence: Tag) -> Bool {
        let codes: [Attribute] = [
            .procedureCodeSequence, .deidentificationMethodCodeSequence, .purposeOfReferenceCodeSequence,
        ]
        if codes.contains(where: { $0.tag == sequence }) {
            let hasValue =
                item.string(.codeValue) != nil || item.string(.longCodeValue) != nil
            return hasValue && item.string(.codingSchemeDesignator) != nil
                && item.string(.codeMeaning) != nil
        }
        if sequence == Attribute.contributingEquipmentSequence.tag {
            return item.string(.manufacturer) != nil
                && !item.items(.purposeOfReferenceCodeSequence).isEmpty
        }
        return !item.isEmpty
    }

    // MARK: Both

    private func putMissing(
        _ attribute: Attribute, _ type: RequirementType, what: String, into target: inout DataSet
    ) throws(ObjectFailure) {
        switch type {
        case .type1: throw .source(tag: attribute.tag, keyword: attribute.keyword, what: what)
        case .type2, .type2C(true): target.putEmpty(attribute)
        case .type2C(false), .type3: break
        }
    }

    private static func isCopied(_ element: Element) -> Bool {
        !element.tag.isPrivate && element.vr != .UN && element.tag.element != 0
    }

    private static func withoutPadding(_ uid: [UInt8]) -> [UInt8] {
        let isPadding = { (byte: UInt8) in byte == 0 || byte == 0x20 }
        guard let first = uid.firstIndex(where: { !isPadding($0) }), let last = uid.lastIndex(where: { !isPadding($0) })
        else { return [] }
        return Array(uid[first...last])
    }

    private static func even(_ bytes: [UInt8], _ vr: VR) -> [UInt8] {
        bytes.count % 2 == 0 ? bytes : bytes + [vr.isText && vr != .UI ? 0x20 : 0]
    }

    private static func isEmpty(_ element: Element) -> Bool {
        switch element.value {
        case .bytes(let bytes): bytes.allSatisfy { $0 == 0x20 || $0 == 0 }
        case .items(let items): items.isEmpty
        case .inFile, .fragments: true
        }
    }
}
