import DICOM

/// What must be in an object: Type 1 attributes with a value, Type 2 attributes with or without one, in each sequence's items
/// likewise.
///
/// *Source*: PS3.3 2024e, annex A.51 (Segmentation), A.8 (Secondary Capture), A.32 (Visible Light), A.3 (CT),
/// A.19 (RT Structure Set), A.35.13 (Comprehensive 3D SR), A.87 (Bulk Simple Annotations).
struct RequiredAttributes {
    var type1: [Attribute] = []
    var type2: [Attribute] = []
    var items: [Attribute: RequiredAttributes] = [:]

    /// *Throws* `illegal` for the first attribute that is missing.
    static func check(_ dataSet: DataSet) throws(ObjectFailure) {
        try common.check(dataSet)
        try of(dataSet.string(.sopClassUID).flatMap(SOPClass.of)).check(dataSet)
    }

    /// What an object of that class has beside `common`.
    static func of(_ sopClass: SOPClass?) -> RequiredAttributes {
        switch sopClass {
        case .segmentationStorage?: segmentation
        case .labelMapSegmentationStorage?: labelmap
        case .comprehensive3DSRStorage?: report
        case .rtStructureSetStorage?: structureSet
        case .microscopyBulkSimpleAnnotationsStorage?: annotations
        case .ctImageStorage?: ct
        default: image
        }
    }

    /// The first attribute that is missing or empty; nil when all is there.
    func check(_ dataSet: DataSet) throws(ObjectFailure) {
        for attribute in type1 {
            let isThere =
                switch dataSet[attribute]?.value {
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
        for attribute in type2 where dataSet[attribute] == nil {
            throw .illegal(tag: attribute.tag, keyword: attribute.keyword, what: "a missing Type 2 attribute")
        }
        for (attribute, rules) in items {
            for item in dataSet.items(attribute) { try rules.check(item) }
        }
    }

    private static let code = RequiredAttributes(type1: [.codingSchemeDesignator, .codeMeaning])
    private static let reference = RequiredAttributes(type1: [.referencedSOPClassUID, .referencedSOPInstanceUID])

    static let common = RequiredAttributes(
        type1: [.sopClassUID, .sopInstanceUID, .studyInstanceUID, .seriesInstanceUID, .modality],
        type2: [
            .patientName, .patientID, .patientBirthDate, .patientSex, .studyDate, .studyTime, .referringPhysicianName,
            .studyID,
            .accessionNumber, .seriesNumber, .manufacturer, .instanceNumber,
        ])

    private static let image = RequiredAttributes(type1: [
        .imageType, .samplesPerPixel, .photometricInterpretation, .rows, .columns, .bitsAllocated, .bitsStored,
        .highBit,
        .pixelRepresentation, .pixelData,
    ])

    private static let ct = RequiredAttributes(
        type1: image.type1 + [
            .frameOfReferenceUID, .imagePositionPatient, .imageOrientationPatient, .pixelSpacing, .rescaleIntercept,
            .rescaleSlope,
        ],
        type2: [.kvp, .acquisitionNumber, .sliceThickness, .positionReferenceIndicator])

    /// Of a structured report (A.35.13), its root's own content among them.
    private static let report = RequiredAttributes(
        type1: [
            .contentDate, .contentTime, .completionFlag, .verificationFlag, .valueType, .conceptNameCodeSequence,
            .continuityOfContent, .contentTemplateSequence, .contentSequence,
            .currentRequestedProcedureEvidenceSequence,
        ],
        type2: [.referencedPerformedProcedureStepSequence, .performedProcedureCodeSequence],
        items: [
            .conceptNameCodeSequence: code,
            .currentRequestedProcedureEvidenceSequence: RequiredAttributes(
                type1: [.studyInstanceUID, .referencedSeriesSequence],
                items: [
                    .referencedSeriesSequence: RequiredAttributes(
                        type1: [.seriesInstanceUID, .referencedSOPSequence], items: [.referencedSOPSequence: reference])
                ]),
        ])

    /// Of a structure set (A.19).
    private static let structureSet = RequiredAttributes(
        type1: [
            .structureSetLabel, .structureSetROISequence, .roiContourSequence, .rtroiObservationsSequence,
            .referencedFrameOfReferenceSequence, .approvalStatus,
        ],
        type2: [.operatorsName, .structureSetDate, .structureSetTime],
        items: [
            .referencedFrameOfReferenceSequence: RequiredAttributes(
                type1: [.frameOfReferenceUID, .rtReferencedStudySequence],
                items: [
                    .rtReferencedStudySequence: RequiredAttributes(
                        type1: reference.type1 + [.rtReferencedSeriesSequence],
                        items: [
                            .rtReferencedSeriesSequence: RequiredAttributes(
                                type1: [.seriesInstanceUID, .contourImageSequence],
                                items: [.contourImageSequence: reference])
                        ])
                ]),
            .structureSetROISequence: RequiredAttributes(
                type1: [.roiNumber, .referencedFrameOfReferenceUID],
                type2: [.roiName, .roiGenerationAlgorithm]),
            .roiContourSequence: RequiredAttributes(
                type1: [.referencedROINumber],
                items: [
                    .contourSequence: RequiredAttributes(
                        type1: [.contourImageSequence, .contourGeometricType, .numberOfContourPoints, .contourData],
                        items: [.contourImageSequence: reference])
                ]),
            .rtroiObservationsSequence: RequiredAttributes(
                type1: [.observationNumber, .referencedROINumber], type2: [.rtroiInterpretedType, .roiInterpreter],
                items: [.rtroiIdentificationCodeSequence: code]),
        ])

    /// Of annotations (A.87).
    private static let annotations = RequiredAttributes(
        type1: [
            .manufacturer, .manufacturerModelName, .deviceSerialNumber, .softwareVersions, .instanceNumber,
            .contentDate, .contentTime, .contentLabel, .annotationCoordinateType, .pixelOriginInterpretation,
            .referencedImageSequence, .referencedSeriesSequence, .annotationGroupSequence,
        ],
        type2: [.contentDescription, .contentCreatorName],
        items: [
            .referencedImageSequence: reference,
            .referencedSeriesSequence: RequiredAttributes(
                type1: [.seriesInstanceUID, .referencedInstanceSequence],
                items: [.referencedInstanceSequence: reference]),
            .annotationGroupSequence: RequiredAttributes(
                type1: [
                    .annotationGroupNumber, .annotationGroupUID, .annotationGroupLabel, .annotationGroupGenerationType,
                    .annotationGroupAlgorithmIdentificationSequence, .annotationPropertyCategoryCodeSequence,
                    .annotationPropertyTypeCodeSequence, .numberOfAnnotations, .graphicType,
                    .annotationAppliesToAllOpticalPaths, .pointCoordinatesData,
                ],
                items: [
                    .annotationPropertyCategoryCodeSequence: code, .annotationPropertyTypeCodeSequence: code,
                    .measurementsSequence: RequiredAttributes(
                        type1: [.conceptNameCodeSequence, .measurementUnitsCodeSequence, .measurementValuesSequence],
                        items: [
                            .conceptNameCodeSequence: code, .measurementUnitsCodeSequence: code,
                            .measurementValuesSequence: RequiredAttributes(type1: [.floatingPointValues]),
                        ]),
                ]),
        ])

    /// One item of the Segment Sequence.
    static let segment = RequiredAttributes(
        type1: [
            .segmentNumber, .segmentLabel, .segmentedPropertyCategoryCodeSequence,
            .segmentedPropertyTypeCodeSequence,
            .segmentAlgorithmType, .segmentAlgorithmName, .recommendedDisplayCIELabValue, .trackingID,
            .trackingUID,
        ],
        items: [
            .segmentedPropertyCategoryCodeSequence: code, .segmentedPropertyTypeCodeSequence: code,
            .segmentedPropertyTypeModifierCodeSequence: code, .anatomicRegionSequence: code,
        ])

    /// Frames name no segment; the background has neither colour nor tracking.
    private static let labelmap: RequiredAttributes = {
        var rules = segmentation
        rules.type1.append(.pixelPaddingValue)
        rules.items[.perFrameFunctionalGroupsSequence]?.type1.removeAll { $0 == .segmentIdentificationSequence }
        rules.items[.segmentSequence]?.type1.removeAll {
            [.recommendedDisplayCIELabValue, .trackingID, .trackingUID].contains($0)
        }
        return rules
    }()

    private static let segmentation = RequiredAttributes(
        type1: image.type1 + [
            .manufacturer, .manufacturerModelName, .deviceSerialNumber, .softwareVersions, .instanceNumber,
            .contentDate,
            .contentTime, .contentLabel, .numberOfFrames, .segmentationType, .segmentSequence, .lossyImageCompression,
            .dimensionOrganizationSequence, .dimensionIndexSequence, .sharedFunctionalGroupsSequence,
            .perFrameFunctionalGroupsSequence, .referencedSeriesSequence,
        ],
        type2: [.contentDescription, .contentCreatorName],
        items: [
            .segmentSequence: segment,
            .dimensionOrganizationSequence: RequiredAttributes(type1: [.dimensionOrganizationUID]),
            .dimensionIndexSequence: RequiredAttributes(type1: [.dimensionOrganizationUID, .dimensionIndexPointer]),
            .sourceImageSequence: reference,
            .referencedSeriesSequence: RequiredAttributes(
                type1: [.seriesInstanceUID, .referencedInstanceSequence],
                items: [.referencedInstanceSequence: reference]),
            .perFrameFunctionalGroupsSequence: RequiredAttributes(
                type1: [.frameContentSequence, .derivationImageSequence, .segmentIdentificationSequence],
                items: [
                    .frameContentSequence: RequiredAttributes(type1: [.dimensionIndexValues]),
                    .segmentIdentificationSequence: RequiredAttributes(type1: [.referencedSegmentNumber]),
                    .planePositionSequence: RequiredAttributes(type1: [.imagePositionPatient]),
                    .derivationImageSequence: RequiredAttributes(
                        type1: [.derivationCodeSequence, .sourceImageSequence],
                        items: [.derivationCodeSequence: code, .sourceImageSequence: reference]),
                ]),
        ])
}
