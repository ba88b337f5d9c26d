package import Identification

extension IdentityValue {
    /// Nil when the attribute is absent or empty. Bytes that no character set explains are compared as bytes.
    package init?(_ dataSet: DataSet, _ attribute: Attribute) {
        guard let value = dataSet.textValue(attribute) else { return nil }
        guard value.isDecodable else {
            self.init(value.bytes.withoutPadding.map { "\\x" + String($0, radix: 16) }.joined(), .text)
            return
        }
        self.init(value.text, Kind(attribute.vr))
    }
}

extension IdentityValue.Kind {
    package init(_ vr: VR) {
        switch vr {
        case .PN: self = .name
        case .DA: self = .date
        case .TM: self = .time
        case .CS: self = .code
        default: self = .text
        }
    }
}

extension IdentifyingAttribute {
    package var attribute: Attribute {
        switch self {
        case .patientID: .patientID
        case .issuerOfPatientID: .issuerOfPatientID
        case .patientName: .patientName
        case .patientBirthDate: .patientBirthDate
        case .patientSex: .patientSex
        case .studyDate: .studyDate
        case .studyID: .studyID
        case .accessionNumber: .accessionNumber
        }
    }
}
