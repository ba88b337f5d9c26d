/// The attributes by which two images are of two patients or of two studies, by their DICOM keywords.
///
/// *Source*: PS3.3 2024e, C.7.1.1 and C.7.2.1: they are the same in every object of a patient and study.
package enum IdentifyingAttribute: String, CaseIterable, Sendable {
    case patientID = "PatientID"
    case issuerOfPatientID = "IssuerOfPatientID"
    case patientName = "PatientName"
    case patientBirthDate = "PatientBirthDate"
    case patientSex = "PatientSex"
    case studyDate = "StudyDate"
    case studyID = "StudyID"
    case accessionNumber = "AccessionNumber"

    package var keyword: String { rawValue }

    package var kind: IdentityValue.Kind {
        switch self {
        case .patientName: .name
        case .patientBirthDate, .studyDate: .date
        case .patientSex: .code
        case .patientID, .issuerOfPatientID, .studyID, .accessionNumber: .text
        }
    }
}
