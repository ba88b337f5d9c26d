import DICOM

extension SourceCopy {
    /// Patient and Study (C.7.1.1, C.7.2.1, C.7.2.2), clinical trial, and what tells of de-identification.
    ///
    /// Attributes that the standard wants together are copied together or not at all.
    mutating func copyPatientAndStudy(into target: inout DataSet) throws(ObjectFailure) {
        try copy([.studyInstanceUID], .one, into: &target)
        try copy(
            [
                .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime,
                .referringPhysicianName, .studyID,
                .accessionNumber,
            ], .two, into: &target)
        try copy(
            [
                .issuerOfPatientID, .otherPatientIDsSequence, .patientAge, .patientSize, .patientWeight,
                .studyDescription,
                .procedureCodeSequence, .issuerOfAccessionNumberSequence, .longitudinalTemporalInformationModified,
            ], .three, into: &target)
        try copyAnimal(into: &target)
        try copyTrial(into: &target)
        try copyDeidentification(into: &target)
    }

    /// For an animal the standard also wants breed and owner, empty where unknown.
    private mutating func copyAnimal(into target: inout DataSet) throws(ObjectFailure) {
        try copy([.patientSpeciesDescription, .patientSpeciesCodeSequence], .three, into: &target)
        let isAnimal =
            target.has(Attribute.patientSpeciesDescription.tag) || target.has(Attribute.patientSpeciesCodeSequence.tag)
        let others: [Attribute] = [
            .patientBreedDescription, .patientBreedCodeSequence, .breedRegistrationSequence, .responsiblePerson,
            .responsibleOrganization, .patientSexNeutered,
        ]
        try copy(others, isAnimal ? .two : .three, into: &target)
        guard target.string(Attribute.responsiblePerson.tag) != nil else { return }
        try copy([.responsiblePersonRole], .three, into: &target)
        if !target.has(Attribute.responsiblePersonRole.tag) { target.putEmpty(.responsiblePerson) }
    }

    private mutating func copyTrial(into target: inout DataSet) throws(ObjectFailure) {
        var trial = DataSet()
        try copy(
            [
                .clinicalTrialSponsorName, .clinicalTrialProtocolID, .clinicalTrialSubjectID,
                .clinicalTrialSubjectReadingID,
            ], .three,
            into: &trial)
        let isWhole =
            trial.has(Attribute.clinicalTrialSponsorName.tag) && trial.has(Attribute.clinicalTrialProtocolID.tag)
            && (trial.has(Attribute.clinicalTrialSubjectID.tag)
                || trial.has(Attribute.clinicalTrialSubjectReadingID.tag))
        guard isWhole else { return }
        try copy([.clinicalTrialProtocolName, .clinicalTrialSiteID, .clinicalTrialSiteName], .two, into: &trial)
        for element in trial.elements { target[element.tag] = element }
        try copy([.clinicalTrialTimePointID, .clinicalTrialTimePointDescription], .three, into: &target)
    }

    /// A source that says it was de-identified but not how would make the result invalid: the gap is named.
    private mutating func copyDeidentification(into target: inout DataSet) throws(ObjectFailure) {
        try copy(
            [.patientIdentityRemoved, .deidentificationMethod, .deidentificationMethodCodeSequence], .three,
            into: &target)
        let hasMethod =
            target.has(Attribute.deidentificationMethod.tag)
            || target.has(Attribute.deidentificationMethodCodeSequence.tag)
        if target.string(Attribute.patientIdentityRemoved.tag) == "YES", !hasMethod {
            target.put(.deidentificationMethod, "Not stated in the source")
        }
    }
}
