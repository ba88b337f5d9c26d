import DICOM

/// Copies attributes out of a source, as far as they are legal: texts become UTF-8, UIDs and numbers stay as they stand.
///
/// An illegal or undecodable value is dropped (Type 3), written empty (Type 2) or refused (Type 1), and noted by its keyword.
struct SourceCopy {
    let source: DataSet
    private(set) var notes: [String] = []

    init(_ source: DataSet) { self.source = source }

    mutating func copy(_ attributes: [Attribute], _ type: RequirementType, into target: inout DataSet)
        throws(ObjectFailure)
    {
        for attribute in attributes {
            let original = source[attribute.tag]
            let copied = original.flatMap { Self.legal($0, as: attribute.vr, in: source) }
            if let copied, !Self.isEmpty(copied) {
                target[attribute.tag] = copied
                continue
            }
            let isIllegal = original != nil && copied == nil
            if isIllegal {
                notes.append("\(attribute.keyword) \(attribute.tag) of the source is not legal and was not copied")
            }
            switch type {
            case .type1:
                throw .source(tag: attribute.tag, keyword: attribute.keyword, what: isIllegal ? "not legal" : "missing")
            case .type2, .type2C(true): target.putEmpty(attribute)
            case .type2C(false), .type3: break
            }
        }
    }

    /// The element in UTF-8 with even length, nested items likewise; nil when it cannot be written.
    static func legal(_ element: Element, as vr: VR, in dataSet: DataSet) -> Element? {
        let copy: Element
        switch element.value {
        case .items(let items):
            guard vr == .SQ else { return nil }
            copy = Element(element.tag, .SQ, .items(items.map(legal).filter { isWhole($0, in: element.tag) }))
        case .bytes(let bytes):
            guard vr != .SQ else { return bytes.isEmpty ? Element(element.tag, .SQ, .items([])) : nil }
            guard dataSet.isDecodable(element.tag) else { return nil }
            if vr.isText {
                var text = Array(dataSet.strings(element.tag).joined(separator: "\\").utf8)
                if text.count % 2 == 1 { text.append(vr == .UI ? 0 : 0x20) }
                copy = Element(element.tag, vr, .bytes(text))
            } else {
                copy = Element(element.tag, vr, .bytes(bytes))
            }
        case .inFile, .fragments: return nil
        }
        return ValueRules.violation(copy) == nil ? copy : nil
    }

    /// An item with everything in it that is legal; private attributes stay behind, as their creators would be missing.
    private static func legal(_ item: DataSet) -> DataSet {
        var copy = DataSet()
        for element in item.elements
        where !element.tag.isPrivate && element.vr != .UN && element.tag != .specificCharacterSet {
            copy[element.tag] = legal(element, as: element.vr, in: item)
        }
        return copy
    }

    /// False for an item that lacks what its sequence demands: copied, it would make the result invalid.
    private static func isWhole(_ item: DataSet, in sequence: Tag) -> Bool {
        let codes: [Attribute] = [
            .procedureCodeSequence, .patientSpeciesCodeSequence, .patientBreedCodeSequence,
            .deidentificationMethodCodeSequence,
            .purposeOfReferenceCodeSequence,
        ]
        if codes.contains(where: { $0.tag == sequence }) {
            let hasValue =
                item.string(.codeValue) != nil || item.string(.longCodeValue) != nil
            return hasValue && item.string(.codingSchemeDesignator) != nil
                && item.string(.codeMeaning) != nil
        }
        if sequence == .otherPatientIDsSequence {
            return item.string(.patientID) != nil && item.string(.typeOfPatientID) != nil
        }
        if sequence == .contributingEquipmentSequence {
            return item.string(.manufacturer) != nil
                && !item.items(.purposeOfReferenceCodeSequence).isEmpty
        }
        return !item.isEmpty
    }

    private static func isEmpty(_ element: Element) -> Bool {
        switch element.value {
        case .bytes(let bytes): bytes.allSatisfy { $0 == 0x20 || $0 == 0 }
        case .items(let items): items.isEmpty
        case .inFile, .fragments: true
        }
    }
}
