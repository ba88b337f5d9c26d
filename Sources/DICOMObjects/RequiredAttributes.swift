import DICOM

/// What must be in an object: Type 1 attributes with a value, Type 2 attributes with or without one, in each sequence's items
/// likewise.
///
/// *Source*: PS3.3 2024e, annex A.51 (Segmentation), A.8 (Secondary Capture), A.32 (Visible Light), A.3 (CT).
struct RequiredAttributes {
    var one: [Attribute] = []
    var two: [Attribute] = []
    var items: [Attribute: RequiredAttributes] = [:]

    /// *Throws* `illegal` for the first attribute that is missing.
    static func check(_ dataSet: DataSet) throws(ObjectFailure) {
        let sopClass = dataSet.string(.sopClassUID) ?? ""
        try common.check(dataSet)
        switch sopClass {
        case ObjectClass.segmentation.rawValue: try segmentation.check(dataSet)
        case ObjectClass.ct.rawValue: try ct.check(dataSet)
        default: try image.check(dataSet)
        }
    }

    /// The first attribute that is missing or empty; nil when all is there.
    func check(_ dataSet: DataSet) throws(ObjectFailure) {
        for attribute in one {
            let isThere =
                switch dataSet[attribute.tag]?.value {
                case .bytes(let bytes)?: !bytes.isEmpty
                case .items(let items)?: !items.isEmpty
                case .inFile(_, let length)?: length > 0
                case .fragments?: true
                case nil: false
                }
            if !isThere {
                throw .illegal(
                    tag: attribute.tag, keyword: attribute.keyword, what: "a Type 1 attribute without a value")
            }
        }
        for attribute in two where dataSet[attribute.tag] == nil {
            throw .illegal(tag: attribute.tag, keyword: attribute.keyword, what: "a missing Type 2 attribute")
        }
        for (attribute, rules) in items {
            for item in dataSet.items(attribute.tag) { try rules.check(item) }
        }
    }

    private static let code = RequiredAttributes(one: [.codingSchemeDesignator, .codeMeaning])
    private static let reference = RequiredAttributes(one: [.referencedSOPClassUID, .referencedSOPInstanceUID])

    private static let common = RequiredAttributes(
        one: [.sopClassUID, .sopInstanceUID, .studyInstanceUID, .seriesInstanceUID, .modality],
        two: [
            .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime, .referringPhysicianName,
            .studyID,
            .accessionNumber, .seriesNumber, .manufacturer, .instanceNumber,
        ])

    private static let image = RequiredAttributes(one: [
        .imageType, .samplesPerPixel, .photometricInterpretation, .rows, .columns, .bitsAllocated, .bitsStored,
        .highBit,
        .pixelRepresentation, .pixelData,
    ])

    private static let ct = RequiredAttributes(
        one: image.one + [
            .frameOfReferenceUID, .imagePositionPatient, .imageOrientationPatient, .pixelSpacing, .rescaleIntercept,
            .rescaleSlope,
        ],
        two: [.kvp, .acquisitionNumber, .sliceThickness, .positionReferenceIndicator])

    private static let segmentation = RequiredAttributes(
        one: image.one + [
            .manufacturer, .manufacturerModelName, .deviceSerialNumber, .softwareVersions, .instanceNumber,
            .contentDate,
            .contentTime, .contentLabel, .numberOfFrames, .segmentationType, .segmentSequence, .lossyImageCompression,
            .dimensionOrganizationSequence, .dimensionIndexSequence, .sharedFunctionalGroupsSequence,
            .perFrameFunctionalGroupsSequence, .referencedSeriesSequence,
        ],
        two: [.contentDescription, .contentCreatorName],
        items: [
            .segmentSequence: RequiredAttributes(
                one: [
                    .segmentNumber, .segmentLabel, .segmentedPropertyCategoryCodeSequence,
                    .segmentedPropertyTypeCodeSequence,
                    .segmentAlgorithmType, .segmentAlgorithmName, .recommendedDisplayCIELabValue, .trackingID,
                    .trackingUID,
                ],
                items: [
                    .segmentedPropertyCategoryCodeSequence: code, .segmentedPropertyTypeCodeSequence: code,
                    .segmentedPropertyTypeModifierCodeSequence: code, .anatomicRegionSequence: code,
                ]),
            .dimensionOrganizationSequence: RequiredAttributes(one: [.dimensionOrganizationUID]),
            .dimensionIndexSequence: RequiredAttributes(one: [.dimensionOrganizationUID, .dimensionIndexPointer]),
            .sourceImageSequence: reference,
            .referencedSeriesSequence: RequiredAttributes(
                one: [.seriesInstanceUID, .referencedInstanceSequence], items: [.referencedInstanceSequence: reference]),
            .perFrameFunctionalGroupsSequence: RequiredAttributes(
                one: [.frameContentSequence, .derivationImageSequence, .segmentIdentificationSequence],
                items: [
                    .frameContentSequence: RequiredAttributes(one: [.dimensionIndexValues]),
                    .segmentIdentificationSequence: RequiredAttributes(one: [.referencedSegmentNumber]),
                    .planePositionSequence: RequiredAttributes(one: [.imagePositionPatient]),
                    .derivationImageSequence: RequiredAttributes(
                        one: [.derivationCodeSequence, .sourceImageSequence],
                        items: [.derivationCodeSequence: code, .sourceImageSequence: reference]),
                ]),
        ])
}

/// SOP classes that we write.
package enum ObjectClass: String, Sendable {
    case segmentation = "1.2.840.10008.5.1.4.1.1.66.4"
    case ct = "1.2.840.10008.5.1.4.1.1.2"
    case greyByteCapture = "1.2.840.10008.5.1.4.1.1.7.2"
    case greyWordCapture = "1.2.840.10008.5.1.4.1.1.7.3"
    case colourCapture = "1.2.840.10008.5.1.4.1.1.7.4"
    case microscopic = "1.2.840.10008.5.1.4.1.1.77.1.2"
    case photographic = "1.2.840.10008.5.1.4.1.1.77.1.4"
}
