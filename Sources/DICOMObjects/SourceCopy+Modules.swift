import DICOM

extension SourceCopy {
    /// Patient and Study (C.7.1.1, C.7.2.1, C.7.2.2), clinical trial, and what tells of de-identification.
    ///
    /// Attributes that the standard wants together are copied together or not at all.
    mutating func copyPatientAndStudy(into target: inout DataSet) throws(ObjectFailure) {
        try copy([.studyInstanceUID], .type1, into: &target)
        try copy(
            [
                .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime,
                .referringPhysicianName, .studyID,
                .accessionNumber,
            ], .type2, into: &target)
        try copy(
            [
                .issuerOfPatientID, .otherPatientIDsSequence, .patientAge, .patientSize, .patientWeight,
                .studyDescription,
                .procedureCodeSequence, .issuerOfAccessionNumberSequence, .longitudinalTemporalInformationModified,
            ], .type3, into: &target)
        try copyAnimal(into: &target)
        try copyTrial(into: &target)
        try copyDeidentification(into: &target)
    }

    /// For an animal the standard also wants breed and owner, empty where unknown.
    private mutating func copyAnimal(into target: inout DataSet) throws(ObjectFailure) {
        try copy([.patientSpeciesDescription, .patientSpeciesCodeSequence], .type3, into: &target)
        let isAnimal =
            target.has(.patientSpeciesDescription) || target.has(.patientSpeciesCodeSequence)
        let others: [Attribute] = [
            .patientBreedDescription, .patientBreedCodeSequence, .breedRegistrationSequence, .responsiblePerson,
            .responsibleOrganization, .patientSexNeutered,
        ]
        try copy(others, .type2C(isAnimal), into: &target)
        guard target.string(.responsiblePerson) != nil else { return }
        try copy([.responsiblePersonRole], .type3, into: &target)
        if !target.has(.responsiblePersonRole) { target.putEmpty(.responsiblePerson) }
    }

    private mutating func copyTrial(into target: inout DataSet) throws(ObjectFailure) {
        var trial = DataSet()
        try copy(
            [
                .clinicalTrialSponsorName, .clinicalTrialProtocolID, .clinicalTrialSubjectID,
                .clinicalTrialSubjectReadingID,
            ], .type3,
            into: &trial)
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
