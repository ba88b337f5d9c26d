import DICOM

/// Attributes that tell whose images these are: copied as they stand.
///
/// *Source*: PS3.3 2024e, C.7.1.1 (Patient), C.7.2.1 (General Study).
enum IdentityAttributes {
    static let type2: [Attribute] = [
        .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime, .referringPhysicianName,
        .studyID,
        .accessionNumber,
    ]
    static let type3: [Attribute] = [
        .issuerOfPatientID, .typeOfPatientID, .otherPatientIDsSequence, .studyDescription,
        .issuerOfAccessionNumberSequence,
        .nameOfPhysiciansReadingStudy, .patientSpeciesDescription, .patientSpeciesCodeSequence, .responsiblePersonRole,
    ]
    /// Type 2C of an animal.
    static let ofAnimals: [Attribute] = [
        .patientBreedDescription, .patientBreedCodeSequence, .breedRegistrationSequence, .responsiblePerson,
        .responsibleOrganization, .patientSexNeutered,
    ]

    static var all: [Attribute] { type2 + type3 + ofAnimals }
}

extension SourceCopy {
    /// Patient and Study (C.7.1.1, C.7.2.1, C.7.2.2), clinical trial, what tells of de-identification, and what the axes of the patient's
    /// coordinates are.
    mutating func copyPatientAndStudy(into target: inout DataSet) throws(ObjectFailure) {
        try keep([.studyInstanceUID], .type1, into: &target)
        try keep(IdentityAttributes.type2, .type2, into: &target)
        try keep(IdentityAttributes.type3, .type3, into: &target)
        let isAnimal =
            target.has(.patientSpeciesDescription) || target.has(.patientSpeciesCodeSequence)
        try keep(IdentityAttributes.ofAnimals, .type2C(isAnimal), into: &target)
        try copy(
            [
                .admittingDiagnosesDescription, .patientAge, .patientSize, .patientWeight, .procedureCodeSequence,
                .longitudinalTemporalInformationModified,
            ], .type3, into: &target)
        // General Series (C.7.3.1), Type 1C of quadrupeds: without it the results' positions and directions are a biped's.
        try copy([.anatomicalOrientationType], .type3, into: &target)
        try copyTrial(into: &target)
        try copyDeidentification(into: &target)
    }

    /// What lies on the slide (C.7.6.22): all of it or nothing, since a part of it would make the result invalid.
    mutating func copySpecimen(into target: inout DataSet) throws(ObjectFailure) {
        var specimen = DataSet()
        try copy([.containerIdentifier, .specimenDescriptionSequence], .type3, into: &specimen)
        guard specimen.has(.containerIdentifier), specimen.has(.specimenDescriptionSequence) else { return }
        try copy([.issuerOfTheContainerIdentifierSequence, .containerTypeCodeSequence], .type2, into: &specimen)
        for element in specimen.elements { target[element.tag] = element }
    }

    /// The trial's attributes together or not at all: a part of them would make the result invalid.
    private mutating func copyTrial(into target: inout DataSet) throws(ObjectFailure) {
        var trial = DataSet()
        try copy(
            [
                .clinicalTrialSponsorName, .clinicalTrialProtocolID, .clinicalTrialSubjectID,
                .clinicalTrialSubjectReadingID,
            ], .type3, into: &trial)
        let isWhole =
            trial.has(.clinicalTrialSponsorName) && trial.has(.clinicalTrialProtocolID)
            && (trial.has(.clinicalTrialSubjectID)
                || trial.has(.clinicalTrialSubjectReadingID))
        guard isWhole else { return }
        try copy([.clinicalTrialProtocolName, .clinicalTrialSiteID, .clinicalTrialSiteName], .type2, into: &trial)
        for element in trial.elements { target[element.tag] = element }
        try copy([.clinicalTrialTimePointID, .clinicalTrialTimePointDescription], .type3, into: &target)
    }

    /// A source that says it was de-identified but not how would make the result invalid: the gap is named.
    private mutating func copyDeidentification(into target: inout DataSet) throws(ObjectFailure) {
        try copy(
            [.patientIdentityRemoved, .deidentificationMethod, .deidentificationMethodCodeSequence], .type3,
            into: &target)
        let hasMethod =
            target.has(.deidentificationMethod)
            || target.has(.deidentificationMethodCodeSequence)
        if target.string(.patientIdentityRemoved) == "YES", !hasMethod {
            target.put(.deidentificationMethod, "Not stated in the source")
        }
    }
}
