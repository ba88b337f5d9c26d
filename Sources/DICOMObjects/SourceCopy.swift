import DICOM

/// Copies attributes out of a source, as far as they are legal: texts become UTF-8, UIDs and numbers stay as they stand.
///
/// An illegal or undecodable value is dropped (Type 3), written empty (Type 2) or refused (Type 1), and noted by its keyword.
struct SourceCopy {
    enum Need { case one, two, three }

    let source: DataSet
    private(set) var notes: [String] = []

    init(_ source: DataSet) { self.source = source }

    mutating func copy(_ attributes: [Attribute], _ need: Need, into target: inout DataSet) throws(ObjectFailure) {
        for attribute in attributes {
            let original = source[attribute.tag]
            let copied = original.flatMap { Self.legal($0, as: attribute.vr, in: source) }
            if let copied, !Self.isEmpty(copied) {
                target[attribute.tag] = copied
                continue
            }
            let isIllegal = original != nil && copied == nil
            if isIllegal { notes.append("\(attribute.keyword) \(attribute.tag) of the source is not legal and was not copied") }
            switch need {
            case .one: throw .source(tag: attribute.tag, keyword: attribute.keyword, what: isIllegal ? "not legal" : "missing")
            case .two: target.putEmpty(attribute)
            case .three: break
            }
        }
    }

    /// The element in UTF-8 with even length, nested items likewise; nil when it cannot be written.
    static func legal(_ element: Element, as vr: VR, in dataSet: DataSet) -> Element? {
        let copy: Element
        switch element.value {
        case .items(let items):
            guard vr == .SQ else { return nil }
            copy = Element(element.tag, .SQ, .items(items.map(legal)))
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
        for element in item.elements where !element.tag.isPrivate && element.vr != .UN && element.tag != Attribute.specificCharacterSet.tag {
            copy[element.tag] = legal(element, as: element.vr, in: item)
        }
        return copy
    }

    private static func isEmpty(_ element: Element) -> Bool {
        switch element.value {
        case .bytes(let bytes): bytes.allSatisfy { $0 == 0x20 || $0 == 0 }
        case .items(let items): items.isEmpty
        case .inFile, .fragments: true
        }
    }

    // MARK: Modules

    /// Patient and Study (C.7.1.1, C.7.2.1), clinical trial and what tells of de-identification.
    static let patientAndStudyTwo: [Attribute] = [
        .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime, .referringPhysicianName, .studyID,
        .accessionNumber,
    ]
    static let patientAndStudyThree: [Attribute] = [
        .issuerOfPatientID, .otherPatientIDsSequence, .patientAge, .patientSize, .patientWeight, .patientSpeciesDescription,
        .patientSpeciesCodeSequence, .patientSexNeutered, .patientBreedDescription, .patientBreedCodeSequence,
        .breedRegistrationSequence, .responsiblePerson, .responsiblePersonRole, .responsibleOrganization, .studyDescription,
        .procedureCodeSequence, .issuerOfAccessionNumberSequence, .clinicalTrialSponsorName, .clinicalTrialProtocolID,
        .clinicalTrialProtocolName, .clinicalTrialSiteID, .clinicalTrialSiteName, .clinicalTrialSubjectID,
        .clinicalTrialSubjectReadingID, .clinicalTrialTimePointID, .clinicalTrialTimePointDescription, .patientIdentityRemoved,
        .deidentificationMethod, .deidentificationMethodCodeSequence, .longitudinalTemporalInformationModified,
    ]

    mutating func copyPatientAndStudy(into target: inout DataSet) throws(ObjectFailure) {
        try copy([.studyInstanceUID], .one, into: &target)
        try copy(Self.patientAndStudyTwo, .two, into: &target)
        try copy(Self.patientAndStudyThree, .three, into: &target)
        Self.complete(&target)
    }

    /// What the standard asks for beside an attribute that the source has (Types 1C and 2C), where the source left it out.
    private static func complete(_ target: inout DataSet) {
        if target[Attribute.patientSpeciesDescription.tag] != nil || target[Attribute.patientSpeciesCodeSequence.tag] != nil {
            for attribute in animal where target[attribute.tag] == nil { target.putEmpty(attribute) }
        }
        let isDeidentified = target.string(Attribute.patientIdentityRemoved.tag) == "YES"
        if isDeidentified, target[Attribute.deidentificationMethod.tag] == nil, target[Attribute.deidentificationMethodCodeSequence.tag] == nil {
            target.put(.deidentificationMethod, "Not stated in the source")
        }
    }

    /// Demanded, empty if unknown, of a patient who is no human being (C.7.1.1, C.7.2.2).
    private static let animal: [Attribute] = [
        .patientSexNeutered, .patientBreedDescription, .patientBreedCodeSequence, .breedRegistrationSequence, .responsiblePerson,
        .responsibleOrganization,
    ]

    /// Body part and side of the series; a side stands only beside a part that has sides (C.7.3.1).
    mutating func copyBodyPart(into target: inout DataSet) throws(ObjectFailure) {
        try copy([.bodyPartExamined], .three, into: &target)
        if target[Attribute.bodyPartExamined.tag] != nil { try copy([.laterality], .three, into: &target) }
    }
}
