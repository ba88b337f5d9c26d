package import DICOM

/// Every attribute that our objects contain, by its keyword, with tag, value representation and multiplicity.
///
/// The raw value is the row of the table: `group,element VR VM`. VM `n` is any number.
/// *Source*: PS3.6 2024e, section 6.
package enum Attribute: String, CaseIterable, Sendable {
    case fileMetaInformationVersion = "0002,0001 OB 1"
    case mediaStorageSOPClassUID = "0002,0002 UI 1"
    case mediaStorageSOPInstanceUID = "0002,0003 UI 1"
    case transferSyntaxUID = "0002,0010 UI 1"
    case implementationClassUID = "0002,0012 UI 1"
    case implementationVersionName = "0002,0013 SH 1"

    case specificCharacterSet = "0008,0005 CS n"
    case imageType = "0008,0008 CS 2-n"
    case instanceCreationDate = "0008,0012 DA 1"
    case instanceCreationTime = "0008,0013 TM 1"
    case instanceCreatorUID = "0008,0014 UI 1"
    case sopClassUID = "0008,0016 UI 1"
    case sopInstanceUID = "0008,0018 UI 1"
    case studyDate = "0008,0020 DA 1"
    case seriesDate = "0008,0021 DA 1"
    case acquisitionDate = "0008,0022 DA 1"
    case contentDate = "0008,0023 DA 1"
    case studyTime = "0008,0030 TM 1"
    case seriesTime = "0008,0031 TM 1"
    case acquisitionTime = "0008,0032 TM 1"
    case contentTime = "0008,0033 TM 1"
    case accessionNumber = "0008,0050 SH 1"
    case issuerOfAccessionNumberSequence = "0008,0051 SQ 1"
    case modality = "0008,0060 CS 1"
    case conversionType = "0008,0064 CS 1"
    case manufacturer = "0008,0070 LO 1"
    case institutionName = "0008,0080 LO 1"
    case referringPhysicianName = "0008,0090 PN 1"
    case codeValue = "0008,0100 SH 1"
    case codingSchemeDesignator = "0008,0102 SH 1"
    case codeMeaning = "0008,0104 LO 1"
    case longCodeValue = "0008,0119 UC 1"
    case timezoneOffsetFromUTC = "0008,0201 SH 1"
    case stationName = "0008,1010 SH 1"
    case studyDescription = "0008,1030 LO 1"
    case procedureCodeSequence = "0008,1032 SQ 1"
    case seriesDescription = "0008,103E LO 1"
    case manufacturerModelName = "0008,1090 LO 1"
    case referencedSeriesSequence = "0008,1115 SQ 1"
    case referencedInstanceSequence = "0008,114A SQ 1"
    case referencedSOPClassUID = "0008,1150 UI 1"
    case referencedSOPInstanceUID = "0008,1155 UI 1"
    case referencedFrameNumber = "0008,1160 IS n"
    case derivationDescription = "0008,2111 ST 1"
    case sourceImageSequence = "0008,2112 SQ 1"
    case anatomicRegionSequence = "0008,2218 SQ 1"
    case anatomicRegionModifierSequence = "0008,2220 SQ 1"
    case derivationImageSequence = "0008,9124 SQ 1"
    case derivationCodeSequence = "0008,9215 SQ 1"

    case patientName = "0010,0010 PN 1"
    case patientID = "0010,0020 LO 1"
    case issuerOfPatientID = "0010,0021 LO 1"
    case typeOfPatientID = "0010,0022 CS 1"
    case patientBirthDate = "0010,0030 DA 1"
    case patientSex = "0010,0040 CS 1"
    case otherPatientIDsSequence = "0010,1002 SQ 1"
    case patientAge = "0010,1010 AS 1"
    case patientSize = "0010,1020 DS 1"
    case patientWeight = "0010,1030 DS 1"
    case patientSpeciesDescription = "0010,2201 LO 1"
    case patientSpeciesCodeSequence = "0010,2202 SQ 1"
    case patientSexNeutered = "0010,2203 CS 1"
    case patientBreedDescription = "0010,2292 LO 1"
    case patientBreedCodeSequence = "0010,2293 SQ 1"
    case breedRegistrationSequence = "0010,2294 SQ 1"
    case responsiblePerson = "0010,2297 PN 1"
    case responsiblePersonRole = "0010,2298 CS 1"
    case responsibleOrganization = "0010,2299 LO 1"
    case clinicalTrialSponsorName = "0012,0010 LO 1"
    case clinicalTrialProtocolID = "0012,0020 LO 1"
    case clinicalTrialProtocolName = "0012,0021 LO 1"
    case clinicalTrialSiteID = "0012,0030 LO 1"
    case clinicalTrialSiteName = "0012,0031 LO 1"
    case clinicalTrialSubjectID = "0012,0040 LO 1"
    case clinicalTrialSubjectReadingID = "0012,0042 LO 1"
    case clinicalTrialTimePointID = "0012,0050 LO 1"
    case clinicalTrialTimePointDescription = "0012,0051 ST 1"
    case patientIdentityRemoved = "0012,0062 CS 1"
    case deidentificationMethod = "0012,0063 LO n"
    case deidentificationMethodCodeSequence = "0012,0064 SQ 1"

    case bodyPartExamined = "0018,0015 CS 1"
    case sliceThickness = "0018,0050 DS 1"
    case kvp = "0018,0060 DS 1"
    case spacingBetweenSlices = "0018,0088 DS 1"
    case deviceSerialNumber = "0018,1000 LO 1"
    case softwareVersions = "0018,1020 LO n"
    case nominalScannedPixelSpacing = "0018,2010 DS 2"
    case pageNumberVector = "0018,2001 IS n"
    case patientPosition = "0018,5100 CS 1"
    case contributingEquipmentSequence = "0018,A001 SQ 1"
    case contributionDateTime = "0018,A002 DT 1"
    case contributionDescription = "0018,A003 ST 1"

    case studyInstanceUID = "0020,000D UI 1"
    case seriesInstanceUID = "0020,000E UI 1"
    case studyID = "0020,0010 SH 1"
    case seriesNumber = "0020,0011 IS 1"
    case acquisitionNumber = "0020,0012 IS 1"
    case instanceNumber = "0020,0013 IS 1"
    case patientOrientation = "0020,0020 CS 2"
    case imagePositionPatient = "0020,0032 DS 3"
    case imageOrientationPatient = "0020,0037 DS 6"
    case frameOfReferenceUID = "0020,0052 UI 1"
    case laterality = "0020,0060 CS 1"
    case positionReferenceIndicator = "0020,1040 LO 1"
    case stackID = "0020,9056 SH 1"
    case inStackPositionNumber = "0020,9057 UL 1"
    case frameContentSequence = "0020,9111 SQ 1"
    case planePositionSequence = "0020,9113 SQ 1"
    case planeOrientationSequence = "0020,9116 SQ 1"
    case dimensionIndexValues = "0020,9157 UL n"
    case dimensionOrganizationUID = "0020,9164 UI 1"
    case dimensionIndexPointer = "0020,9165 AT 1"
    case functionalGroupPointer = "0020,9167 AT 1"
    case dimensionOrganizationSequence = "0020,9221 SQ 1"
    case dimensionIndexSequence = "0020,9222 SQ 1"
    case dimensionDescriptionLabel = "0020,9421 LO 1"
    case algorithmSource = "0024,0202 LO 1"

    case samplesPerPixel = "0028,0002 US 1"
    case photometricInterpretation = "0028,0004 CS 1"
    case planarConfiguration = "0028,0006 US 1"
    case numberOfFrames = "0028,0008 IS 1"
    case frameIncrementPointer = "0028,0009 AT n"
    case rows = "0028,0010 US 1"
    case columns = "0028,0011 US 1"
    case pixelSpacing = "0028,0030 DS 2"
    case pixelAspectRatio = "0028,0034 IS 2"
    case bitsAllocated = "0028,0100 US 1"
    case bitsStored = "0028,0101 US 1"
    case highBit = "0028,0102 US 1"
    case pixelRepresentation = "0028,0103 US 1"
    case burnedInAnnotation = "0028,0301 CS 1"
    case longitudinalTemporalInformationModified = "0028,0303 CS 1"
    case windowCenter = "0028,1050 DS n"
    case windowWidth = "0028,1051 DS n"
    case rescaleIntercept = "0028,1052 DS 1"
    case rescaleSlope = "0028,1053 DS 1"
    case rescaleType = "0028,1054 LO 1"
    case spatialLocationsPreserved = "0028,135A CS 1"
    case lossyImageCompression = "0028,2110 CS 1"
    case lossyImageCompressionRatio = "0028,2112 DS n"
    case lossyImageCompressionMethod = "0028,2114 CS n"
    case pixelMeasuresSequence = "0028,9110 SQ 1"

    case acquisitionContextSequence = "0040,0555 SQ 1"
    case purposeOfReferenceCodeSequence = "0040,A170 SQ 1"
    case segmentationType = "0062,0001 CS 1"
    case segmentSequence = "0062,0002 SQ 1"
    case segmentedPropertyCategoryCodeSequence = "0062,0003 SQ 1"
    case segmentNumber = "0062,0004 US 1"
    case segmentLabel = "0062,0005 LO 1"
    case segmentDescription = "0062,0006 ST 1"
    case segmentationAlgorithmIdentificationSequence = "0062,0007 SQ 1"
    case segmentAlgorithmType = "0062,0008 CS 1"
    case segmentAlgorithmName = "0062,0009 LO 1"
    case segmentIdentificationSequence = "0062,000A SQ 1"
    case referencedSegmentNumber = "0062,000B US n"
    case recommendedDisplayCIELabValue = "0062,000D US 3"
    case segmentedPropertyTypeCodeSequence = "0062,000F SQ 1"
    case segmentedPropertyTypeModifierCodeSequence = "0062,0011 SQ 1"
    case segmentsOverlap = "0062,0013 CS 1"
    case trackingID = "0062,0020 UT 1"
    case trackingUID = "0062,0021 UI 1"
    case algorithmFamilyCodeSequence = "0066,002F SQ 1"
    case algorithmVersion = "0066,0031 LO 1"
    case algorithmParameters = "0066,0032 LT 1"
    case algorithmName = "0066,0036 LO 1"
    case contentLabel = "0070,0080 CS 1"
    case contentDescription = "0070,0081 LO 1"
    case contentCreatorName = "0070,0084 PN 1"
    case presentationLUTShape = "2050,0020 CS 1"
    case sharedFunctionalGroupsSequence = "5200,9229 SQ 1"
    case perFrameFunctionalGroupsSequence = "5200,9230 SQ 1"
    case pixelData = "7FE0,0010 OB 1"

    /// A row of the table, read.
    struct Definition: Sendable {
        let tag: Tag
        let vr: VR
        /// Allowed numbers of values; no value at all is a question of type, not of multiplicity.
        let multiplicity: ClosedRange<Int>
    }

    private static let definitions: [Attribute: Definition] = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0, parse($0.rawValue)) })
    private static let byTag: [Tag: Attribute] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.tag, $0) })

    /// The attribute with that tag, if our objects have it.
    static func of(_ tag: Tag) -> Attribute? { byTag[tag] }

    var definition: Definition { Self.definitions[self] ?? Self.parse(rawValue) }
    package var tag: Tag { definition.tag }
    package var vr: VR { definition.vr }

    /// `StudyDate`, as PS3.6 writes it.
    package var keyword: String {
        let name = String(describing: self)
        let first = name.hasPrefix("sop") || name.hasPrefix("kvp") ? 3 : 1
        return name.prefix(first).uppercased() + name.dropFirst(first)
    }

    private static func parse(_ row: String) -> Definition {
        let fields = row.split(separator: " ")
        let tag = fields[0].split(separator: ",").map { UInt16($0, radix: 16) ?? 0 }
        let counts = fields[2].split(separator: "-").map { $0 == "n" ? Int.max : Int($0) ?? 1 }
        let least = counts[0] == .max ? 1 : counts[0]
        return Definition(
            tag: Tag(tag[0], tag[1]), vr: VR(rawValue: String(fields[1])) ?? .UN,
            multiplicity: least...(counts.last ?? least))
    }
}
