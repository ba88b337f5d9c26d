/// The attributes that this program reads or writes, by their DICOM keywords: tag, value representation, multiplicity.
///
/// The only table of attributes. The raw value is a row of the standard's: `group,element VR VM`; of several value
/// representations the first is written. VM `n` is any number.
/// *Source*: PS3.6 2024e, section 6 (table 6-1), section 7 (group 0002).
package enum Attribute: String, CaseIterable, Sendable {
    case fileMetaInformationVersion = "0002,0001 OB 1"
    case mediaStorageSOPClassUID = "0002,0002 UI 1"
    case mediaStorageSOPInstanceUID = "0002,0003 UI 1"
    case transferSyntaxUID = "0002,0010 UI 1"
    case implementationClassUID = "0002,0012 UI 1"
    case implementationVersionName = "0002,0013 SH 1"

    case directoryRecordSequence = "0004,1220 SQ 1"
    case referencedFileID = "0004,1500 CS 1-8"

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
    case acquisitionDateTime = "0008,002A DT 1"
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
    case mappingResource = "0008,0105 CS 1"
    case codingSchemeIdentificationSequence = "0008,0110 SQ 1"
    case codingSchemeName = "0008,0115 ST 1"
    case codingSchemeResponsibleOrganization = "0008,0116 ST 1"
    case longCodeValue = "0008,0119 UC 1"
    case timezoneOffsetFromUTC = "0008,0201 SH 1"
    case stationName = "0008,1010 SH 1"
    case studyDescription = "0008,1030 LO 1"
    case procedureCodeSequence = "0008,1032 SQ 1"
    case seriesDescription = "0008,103E LO 1"
    case nameOfPhysiciansReadingStudy = "0008,1060 PN n"
    case admittingDiagnosesDescription = "0008,1080 LO n"
    case manufacturerModelName = "0008,1090 LO 1"
    case referencedStudySequence = "0008,1110 SQ 1"
    case referencedPerformedProcedureStepSequence = "0008,1111 SQ 1"
    case referencedSeriesSequence = "0008,1115 SQ 1"
    case referencedInstanceSequence = "0008,114A SQ 1"
    case referencedSOPClassUID = "0008,1150 UI 1"
    case referencedSOPInstanceUID = "0008,1155 UI 1"
    case referencedFrameNumber = "0008,1160 IS n"
    case referencedSOPSequence = "0008,1199 SQ 1"
    case derivationDescription = "0008,2111 ST 1"
    case sourceImageSequence = "0008,2112 SQ 1"
    case anatomicRegionSequence = "0008,2218 SQ 1"
    case anatomicRegionModifierSequence = "0008,2220 SQ 1"
    case frameType = "0008,9007 CS 4"
    case derivationImageSequence = "0008,9124 SQ 1"
    case volumetricProperties = "0008,9206 CS 1"
    case complexImageComponent = "0008,9208 CS 1"
    case derivationCodeSequence = "0008,9215 SQ 1"

    case patientName = "0010,0010 PN 1"
    case patientID = "0010,0020 LO 1"
    case issuerOfPatientID = "0010,0021 LO 1"
    case typeOfPatientID = "0010,0022 CS 1"
    case issuerOfPatientIDQualifiersSequence = "0010,0024 SQ 1"
    case patientBirthDate = "0010,0030 DA 1"
    case patientBirthTime = "0010,0032 TM 1"
    case patientSex = "0010,0040 CS 1"
    case otherPatientIDs = "0010,1000 LO n"
    case otherPatientNames = "0010,1001 PN n"
    case otherPatientIDsSequence = "0010,1002 SQ 1"
    case patientAge = "0010,1010 AS 1"
    case patientSize = "0010,1020 DS 1"
    case patientWeight = "0010,1030 DS 1"
    case ethnicGroup = "0010,2160 SH 1"
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
    case echoTime = "0018,0081 DS 1"
    case inversionTime = "0018,0082 DS 1"
    case echoNumbers = "0018,0086 IS n"
    case spacingBetweenSlices = "0018,0088 DS 1"
    case deviceSerialNumber = "0018,1000 LO 1"
    case deviceUID = "0018,1002 UI 1"
    case softwareVersions = "0018,1020 LO n"
    case triggerTime = "0018,1060 DS 1"
    case estimatedRadiographicMagnificationFactor = "0018,1114 DS 1"
    case imagerPixelSpacing = "0018,1164 DS 2"
    case flipAngle = "0018,1314 DS 1"
    case pageNumberVector = "0018,2001 IS n"
    case nominalScannedPixelSpacing = "0018,2010 DS 2"
    case patientPosition = "0018,5100 CS 1"
    case sequenceOfUltrasoundRegions = "0018,6011 SQ 1"
    case regionSpatialFormat = "0018,6012 US 1"
    case regionLocationMinX0 = "0018,6018 UL 1"
    case regionLocationMinY0 = "0018,601A UL 1"
    case regionLocationMaxX1 = "0018,601C UL 1"
    case regionLocationMaxY1 = "0018,601E UL 1"
    case physicalUnitsXDirection = "0018,6024 US 1"
    case physicalUnitsYDirection = "0018,6026 US 1"
    case physicalDeltaX = "0018,602C FD 1"
    case physicalDeltaY = "0018,602E FD 1"
    case frameAcquisitionDateTime = "0018,9074 DT 1"
    case diffusionGradientDirectionSequence = "0018,9076 SQ 1"
    case inversionTimes = "0018,9079 FD 1-n"
    case effectiveEchoTime = "0018,9082 FD 1"
    case diffusionBValue = "0018,9087 FD 1"
    case diffusionGradientOrientation = "0018,9089 FD 3"
    case mrTimingAndRelatedParametersSequence = "0018,9112 SQ 1"
    case mrEchoSequence = "0018,9114 SQ 1"
    case mrModifierSequence = "0018,9115 SQ 1"
    case mrDiffusionSequence = "0018,9117 SQ 1"
    case cardiacSynchronizationSequence = "0018,9118 SQ 1"
    case mrImageFrameTypeSequence = "0018,9226 SQ 1"
    case ctImageFrameTypeSequence = "0018,9329 SQ 1"
    case petFrameTypeSequence = "0018,9751 SQ 1"
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
    case temporalPositionIdentifier = "0020,0100 IS 1"
    case positionReferenceIndicator = "0020,1040 LO 1"
    case stackID = "0020,9056 SH 1"
    case inStackPositionNumber = "0020,9057 UL 1"
    case frameContentSequence = "0020,9111 SQ 1"
    case planePositionSequence = "0020,9113 SQ 1"
    case planeOrientationSequence = "0020,9116 SQ 1"
    case temporalPositionIndex = "0020,9128 UL 1"
    case nominalCardiacTriggerDelayTime = "0020,9153 FD 1"
    case frameAcquisitionNumber = "0020,9156 US 1"
    case dimensionIndexValues = "0020,9157 UL n"
    case concatenationUID = "0020,9161 UI 1"
    case inConcatenationNumber = "0020,9162 US 1"
    case inConcatenationTotalNumber = "0020,9163 US 1"
    case dimensionOrganizationUID = "0020,9164 UI 1"
    case dimensionIndexPointer = "0020,9165 AT 1"
    case functionalGroupPointer = "0020,9167 AT 1"
    case dimensionOrganizationSequence = "0020,9221 SQ 1"
    case dimensionIndexSequence = "0020,9222 SQ 1"
    case concatenationFrameOffsetNumber = "0020,9228 UL 1"
    case dimensionOrganizationType = "0020,9311 CS 1"
    case dimensionDescriptionLabel = "0020,9421 LO 1"

    case illuminationTypeCodeSequence = "0022,0016 SQ 1"

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
    case pixelPaddingValue = "0028,0120 US or SS 1"
    case pixelPaddingRangeLimit = "0028,0121 US or SS 1"
    case floatPixelPaddingValue = "0028,0122 FL 1"
    case doubleFloatPixelPaddingValue = "0028,0123 FD 1"
    case floatPixelPaddingRangeLimit = "0028,0124 FL 1"
    case doubleFloatPixelPaddingRangeLimit = "0028,0125 FD 1"
    case burnedInAnnotation = "0028,0301 CS 1"
    case longitudinalTemporalInformationModified = "0028,0303 CS 1"
    case pixelIntensityRelationship = "0028,1040 CS 1"
    case windowCenter = "0028,1050 DS n"
    case windowWidth = "0028,1051 DS n"
    case rescaleIntercept = "0028,1052 DS 1"
    case rescaleSlope = "0028,1053 DS 1"
    case rescaleType = "0028,1054 LO 1"
    case windowCenterWidthExplanation = "0028,1055 LO n"
    case voiLUTFunction = "0028,1056 CS 1"
    case redPaletteColorLookupTableDescriptor = "0028,1101 US or SS 3"
    case greenPaletteColorLookupTableDescriptor = "0028,1102 US or SS 3"
    case bluePaletteColorLookupTableDescriptor = "0028,1103 US or SS 3"
    case redPaletteColorLookupTableData = "0028,1201 OW 1"
    case greenPaletteColorLookupTableData = "0028,1202 OW 1"
    case bluePaletteColorLookupTableData = "0028,1203 OW 1"
    case segmentedRedPaletteColorLookupTableData = "0028,1221 OW 1"
    case segmentedGreenPaletteColorLookupTableData = "0028,1222 OW 1"
    case segmentedBluePaletteColorLookupTableData = "0028,1223 OW 1"
    case spatialLocationsPreserved = "0028,135A CS 1"
    case lossyImageCompression = "0028,2110 CS 1"
    case lossyImageCompressionRatio = "0028,2112 DS n"
    case lossyImageCompressionMethod = "0028,2114 CS n"
    case modalityLUTSequence = "0028,3000 SQ 1"
    case lutDescriptor = "0028,3002 US or SS 3"
    case lutData = "0028,3006 US or OW n"
    case voiLUTSequence = "0028,3010 SQ 1"
    case pixelMeasuresSequence = "0028,9110 SQ 1"
    case frameVOILUTSequence = "0028,9132 SQ 1"
    case pixelValueTransformationSequence = "0028,9145 SQ 1"

    case requestedProcedureDescription = "0032,1060 LO 1"
    case requestedProcedureCodeSequence = "0032,1064 SQ 1"

    case requestAttributesSequence = "0040,0275 SQ 1"
    case containerIdentifier = "0040,0512 LO 1"
    case issuerOfTheContainerIdentifierSequence = "0040,0513 SQ 1"
    case containerTypeCodeSequence = "0040,0518 SQ 1"
    case specimenIdentifier = "0040,0551 LO 1"
    case specimenUID = "0040,0554 UI 1"
    case acquisitionContextSequence = "0040,0555 SQ 1"
    case specimenDescriptionSequence = "0040,0560 SQ 1"
    case issuerOfTheSpecimenIdentifierSequence = "0040,0562 SQ 1"
    case specimenPreparationSequence = "0040,0610 SQ 1"
    case wholeSlideMicroscopyImageFrameTypeSequence = "0040,0710 SQ 1"
    case xOffsetInSlideCoordinateSystem = "0040,072A DS 1"
    case yOffsetInSlideCoordinateSystem = "0040,073A DS 1"
    case zOffsetInSlideCoordinateSystem = "0040,074A DS 1"
    case measurementUnitsCodeSequence = "0040,08EA SQ 1"
    case requestedProcedureID = "0040,1001 SH 1"
    case placerOrderNumberImagingServiceRequest = "0040,2016 LO 1"
    case fillerOrderNumberImagingServiceRequest = "0040,2017 LO 1"
    case relationshipType = "0040,A010 CS 1"
    case valueType = "0040,A040 CS 1"
    case conceptNameCodeSequence = "0040,A043 SQ 1"
    case continuityOfContent = "0040,A050 CS 1"
    case uid = "0040,A124 UI 1"
    case textValue = "0040,A160 UT 1"
    case floatingPointValue = "0040,A161 FD n"
    case conceptCodeSequence = "0040,A168 SQ 1"
    case purposeOfReferenceCodeSequence = "0040,A170 SQ 1"
    case measuredValueSequence = "0040,A300 SQ 1"
    case numericValue = "0040,A30A DS n"
    case referencedRequestSequence = "0040,A370 SQ 1"
    case performedProcedureCodeSequence = "0040,A372 SQ 1"
    case currentRequestedProcedureEvidenceSequence = "0040,A375 SQ 1"
    case completionFlag = "0040,A491 CS 1"
    case verificationFlag = "0040,A493 CS 1"
    case preliminaryFlag = "0040,A496 CS 1"
    case contentTemplateSequence = "0040,A504 SQ 1"
    case contentSequence = "0040,A730 SQ 1"
    case templateIdentifier = "0040,DB00 CS 1"

    case imagedVolumeWidth = "0048,0001 FL 1"
    case imagedVolumeHeight = "0048,0002 FL 1"
    case imagedVolumeDepth = "0048,0003 FL 1"
    case totalPixelMatrixColumns = "0048,0006 UL 1"
    case totalPixelMatrixRows = "0048,0007 UL 1"
    case totalPixelMatrixOriginSequence = "0048,0008 SQ 1"
    case specimenLabelInImage = "0048,0010 CS 1"
    case focusMethod = "0048,0011 CS 1"
    case extendedDepthOfField = "0048,0012 CS 1"
    case imageOrientationSlide = "0048,0102 DS 6"
    case opticalPathSequence = "0048,0105 SQ 1"
    case opticalPathIdentifier = "0048,0106 SH 1"
    case illuminationColorCodeSequence = "0048,0108 SQ 1"
    case opticalPathIdentificationSequence = "0048,0207 SQ 1"
    case numberOfOpticalPaths = "0048,0302 UL 1"
    case totalPixelMatrixFocalPlanes = "0048,0303 UL 1"
    case planePositionSlideSequence = "0048,021A SQ 1"
    case columnPositionInTotalImagePixelMatrix = "0048,021E SL 1"
    case rowPositionInTotalImagePixelMatrix = "0048,021F SL 1"

    case detectorInformationSequence = "0054,0022 SQ 1"

    case segmentationType = "0062,0001 CS 1"
    case segmentSequence = "0062,0002 SQ 1"
    case segmentedPropertyCategoryCodeSequence = "0062,0003 SQ 1"
    case segmentNumber = "0062,0004 US 1"
    case segmentLabel = "0062,0005 LO 1"
    case segmentDescription = "0062,0006 ST 1"
    case segmentationAlgorithmIdentificationSequence = "0062,0007 SQ 1"
    case segmentAlgorithmType = "0062,0008 CS 1"
    case segmentAlgorithmName = "0062,0009 LO n"
    case segmentIdentificationSequence = "0062,000A SQ 1"
    case referencedSegmentNumber = "0062,000B US n"
    case recommendedDisplayCIELabValue = "0062,000D US 3"
    case maximumFractionalValue = "0062,000E US 1"
    case segmentedPropertyTypeCodeSequence = "0062,000F SQ 1"
    case segmentationFractionalType = "0062,0010 CS 1"
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

    case extendedOffsetTable = "7FE0,0001 OV 1"
    case extendedOffsetTableLengths = "7FE0,0002 OV 1"
    case floatPixelData = "7FE0,0008 OF 1"
    case doubleFloatPixelData = "7FE0,0009 OD 1"
    case pixelData = "7FE0,0010 OB or OW 1"

    /// A row of the table, read.
    package struct Definition: Sendable {
        package let tag: Tag
        /// The first is the one that we write.
        package let representations: [VR]
        /// Allowed numbers of values; no value at all is a question of type, not of multiplicity.
        package let multiplicity: ClosedRange<Int>
    }

    private static let definitions: [Attribute: Definition] = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0, $0.parsed) })
    private static let byTag: [Tag: Attribute] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.tag, $0) })

    /// The attribute with that tag, if the table has it.
    package static func of(_ tag: Tag) -> Attribute? { byTag[tag] }

    /// Its row of the table.
    package var definition: Definition { Self.definitions[self] ?? parsed }

    /// Read from the row at each call: cheaper than a look-up.
    package var tag: Tag {
        var digits = rawValue.utf8.prefix(9).makeIterator()
        func word() -> UInt16 {
            var word: UInt16 = 0
            for _ in 0..<4 {
                let digit = digits.next() ?? 0x30
                word = word << 4 | UInt16(digit >= 0x41 ? digit - 0x37 : digit - 0x30)
            }
            return word
        }
        let group = word()
        _ = digits.next()
        return Tag(group, word())
    }

    /// The value representation that we write.
    package var vr: VR { definition.representations[0] }

    /// `StudyDate`, as PS3.6 writes it.
    package var keyword: String {
        let name = String(describing: self)
        let first = Self.acronyms.first { name.hasPrefix($0) }?.count ?? 1
        return name.prefix(first).uppercased() + name.dropFirst(first)
    }

    /// With these keywords begin in capitals.
    private static let acronyms = ["sop", "kvp", "voi", "lut", "pet", "ct", "mr", "uid"]

    private var parsed: Definition {
        let fields = rawValue.split(separator: " ")
        let counts = fields[fields.count - 1].split(separator: "-").map { Int($0) ?? .max }
        let least = counts[0] == .max ? 1 : counts[0]
        return Definition(
            tag: tag,
            representations: fields[1..<fields.count - 1].filter { $0 != "or" }.map { VR(rawValue: String($0)) ?? .UN },
            multiplicity: least...(counts.last ?? least))
    }
}

extension Tag {
    /// Whether it is the tag of that attribute.
    package static func == (tag: Tag, attribute: Attribute) -> Bool { tag == attribute.tag }
    package static func != (tag: Tag, attribute: Attribute) -> Bool { tag != attribute.tag }
}
