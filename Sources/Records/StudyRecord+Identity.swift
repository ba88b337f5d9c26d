internal import Identification

extension StudyRecord.Identity {
    /// Keywords of the attributes by which two results of one study are of two patients or two studies; none where they are of one: the
    /// same rule as within one run.
    package func contradictions(_ other: Self) -> [String] {
        IdentifyingAttribute.allCases.filter { attribute in
            guard let mine = value(attribute), let its = other.value(attribute) else { return false }
            return mine.merged(with: its) == nil
        }.map(\.keyword)
    }

    private func value(_ attribute: IdentifyingAttribute) -> IdentityValue? {
        let text =
            switch attribute {
            case .patientID: patientID
            case .issuerOfPatientID: issuerOfPatientID
            case .patientName: patientName
            case .patientBirthDate: patientBirthDate
            case .patientSex: patientSex
            case .studyDate: studyDate
            case .studyID: studyID
            case .accessionNumber: accessionNumber
            }
        return IdentityValue(text, attribute.kind)
    }
}
