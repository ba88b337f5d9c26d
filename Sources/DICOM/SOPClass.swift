/// Storage SOP classes that this program names, by their UID keywords in lower camel case, and families of classes that hold no
/// image to segment.
///
/// The only table of SOP classes. The raw value is a row: the UID, the name that selection rules use (`-` for none), and what an
/// object of it is: `image`, or why it is none. `.*` ends the row of a family: the UID before it and all UIDs below it, those of
/// later editions too. A class that no row names is an image if it has pixels.
/// *Source*: PS3.6 2024e, table A-1; PS3.4 2024e, B.5.
package enum SOPClass: String, CaseIterable, Sendable {
    case mediaStorageDirectoryStorage = "1.2.840.10008.1.3.10 - a DICOMDIR, which only lists other files"

    case computedRadiographyImageStorage = "1.2.840.10008.5.1.4.1.1.1 CR image"
    case digitalXRayImageStorageForPresentation = "1.2.840.10008.5.1.4.1.1.1.1 DX image"
    case digitalMammographyXRayImageStorageForPresentation = "1.2.840.10008.5.1.4.1.1.1.2 MG image"
    case ctImageStorage = "1.2.840.10008.5.1.4.1.1.2 CT image"
    case enhancedCTImageStorage = "1.2.840.10008.5.1.4.1.1.2.1 EnhancedCT image"
    case legacyConvertedEnhancedCTImageStorage = "1.2.840.10008.5.1.4.1.1.2.2 LegacyConvertedEnhancedCT image"
    case ultrasoundMultiFrameImageStorage = "1.2.840.10008.5.1.4.1.1.3.1 USMultiframe image"
    case mrImageStorage = "1.2.840.10008.5.1.4.1.1.4 MR image"
    case enhancedMRImageStorage = "1.2.840.10008.5.1.4.1.1.4.1 EnhancedMR image"
    case legacyConvertedEnhancedMRImageStorage = "1.2.840.10008.5.1.4.1.1.4.4 LegacyConvertedEnhancedMR image"
    case ultrasoundImageStorage = "1.2.840.10008.5.1.4.1.1.6.1 US image"
    case secondaryCaptureImageStorage = "1.2.840.10008.5.1.4.1.1.7 SC image"
    case multiFrameGrayscaleByteSecondaryCaptureImageStorage = "1.2.840.10008.5.1.4.1.1.7.2 GrayscaleByteSC image"
    case multiFrameGrayscaleWordSecondaryCaptureImageStorage = "1.2.840.10008.5.1.4.1.1.7.3 GrayscaleWordSC image"
    case multiFrameTrueColorSecondaryCaptureImageStorage = "1.2.840.10008.5.1.4.1.1.7.4 TrueColorSC image"
    case xRayAngiographicImageStorage = "1.2.840.10008.5.1.4.1.1.12.1 XA image"
    case xRayRadiofluoroscopicImageStorage = "1.2.840.10008.5.1.4.1.1.12.2 XRF image"
    case nuclearMedicineImageStorage = "1.2.840.10008.5.1.4.1.1.20 NM image"
    case vlEndoscopicImageStorage = "1.2.840.10008.5.1.4.1.1.77.1.1 VLEndoscopic image"
    case vlMicroscopicImageStorage = "1.2.840.10008.5.1.4.1.1.77.1.2 VLMicroscopic image"
    case vlPhotographicImageStorage = "1.2.840.10008.5.1.4.1.1.77.1.4 VLPhotographic image"
    case ophthalmicPhotography8BitImageStorage = "1.2.840.10008.5.1.4.1.1.77.1.5.1 OphthalmicPhotography8Bit image"
    case vlWholeSlideMicroscopyImageStorage = "1.2.840.10008.5.1.4.1.1.77.1.6 WholeSlide image"
    case dermoscopicPhotographyImageStorage = "1.2.840.10008.5.1.4.1.1.77.1.7 DermoscopicPhotography image"
    case positronEmissionTomographyImageStorage = "1.2.840.10008.5.1.4.1.1.128 PET image"
    case legacyConvertedEnhancedPETImageStorage = "1.2.840.10008.5.1.4.1.1.128.1 LegacyConvertedEnhancedPET image"
    case enhancedPETImageStorage = "1.2.840.10008.5.1.4.1.1.130 EnhancedPET image"

    case segmentationStorage = "1.2.840.10008.5.1.4.1.1.66.4 - a segmentation"
    case labelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7 - a segmentation"
    case comprehensive3DSRStorage = "1.2.840.10008.5.1.4.1.1.88.34 - a structured report"
    case rtStructureSetStorage = "1.2.840.10008.5.1.4.1.1.481.3 - a structure set"
    case waveforms = "1.2.840.10008.5.1.4.1.1.9.* - a waveform"
    case presentationStates = "1.2.840.10008.5.1.4.1.1.11.* - a presentation state"
    case parametricMaps = "1.2.840.10008.5.1.4.1.1.30.* - a parametric map"
    case derivedObjects =
        "1.2.840.10008.5.1.4.1.1.66.* - raw data, a registration, a segmentation or another derived object"
    case realWorldValueMappings = "1.2.840.10008.5.1.4.1.1.67.* - a mapping of pixel values"
    case surfaces = "1.2.840.10008.5.1.4.1.1.68.* - a surface"
    case eyeMeasurements = "1.2.840.10008.5.1.4.1.1.69.* - a macular grid or another measurement"
    case lensMeasurements = "1.2.840.10008.5.1.4.1.1.78.* - a measurement of an eye"
    case visualFields = "1.2.840.10008.5.1.4.1.1.79.* - a measurement of an eye"
    case structuredReports =
        "1.2.840.10008.5.1.4.1.1.88.* - a structured report, key object selection or similar document"
    case contentAssessments = "1.2.840.10008.5.1.4.1.1.90.* - an assessment of another object"
    case microscopyBulkSimpleAnnotationsStorage = "1.2.840.10008.5.1.4.1.1.91.1 - annotations"
    case microscopyAnnotations = "1.2.840.10008.5.1.4.1.1.91.* - annotations"
    case encapsulatedDocuments = "1.2.840.10008.5.1.4.1.1.104.* - an encapsulated document"
    case structuredDisplays = "1.2.840.10008.5.1.4.1.1.131.* - a structured display"
    case procedureProtocols = "1.2.840.10008.5.1.4.1.1.200.* - a procedure protocol"
    case storageRequests = "1.2.840.10008.5.1.4.1.1.201.* - a request or response of a storage service"
    case radiotherapy = "1.2.840.10008.5.1.4.1.1.481.* - a radiotherapy object"

    /// The SOP Class UID; of a family the UID above its members.
    package var uid: String { isFamily ? String(field(0).dropLast(2)) : String(field(0)) }

    /// The row of that UID, else the family it belongs to.
    package static func of(_ uid: String) -> SOPClass? {
        if let named = byUID[uid] { return named }
        return families.first { uid.hasPrefix($0.uid + ".") }
    }

    /// An object of it is an image.
    package var isImage: Bool { field(2) == "image" }

    /// The only Modality that objects of it may have; nil where the class leaves it open, or is none of CT, MR, PET and slides.
    ///
    /// *Source*: PS3.3 2024e, C.8.2.1, C.8.3.1, C.8.9.1, C.8.13.1, C.8.15.2, C.8.22.2.
    var modality: String? {
        switch self {
        case .ctImageStorage, .enhancedCTImageStorage, .legacyConvertedEnhancedCTImageStorage: "CT"
        case .mrImageStorage, .enhancedMRImageStorage, .legacyConvertedEnhancedMRImageStorage: "MR"
        case .positronEmissionTomographyImageStorage, .enhancedPETImageStorage,
            .legacyConvertedEnhancedPETImageStorage:
            "PT"
        case .vlWholeSlideMicroscopyImageStorage: "SM"
        default: nil
        }
    }

    /// Its objects repeat classic images, frame by frame.
    ///
    /// *Source*: PS3.3 2024e, A.70 to A.72.
    var isConverted: Bool {
        switch self {
        case .legacyConvertedEnhancedCTImageStorage, .legacyConvertedEnhancedMRImageStorage,
            .legacyConvertedEnhancedPETImageStorage:
            true
        default: false
        }
    }

    /// The UIDs by the names that selection rules may use instead.
    package static let uidsByName: [String: String] = Dictionary(
        uniqueKeysWithValues: allCases.filter { $0.field(1) != "-" }.map { (String($0.field(1)), $0.uid) })

    /// An image of it says by itself where its frames lie and how large their pixels are, and has no functional groups; false also where
    /// the class is not known.
    ///
    /// *Source*: PS3.3 2024e, A.3 to A.33: no Multi-frame Functional Groups module.
    var isClassic: Bool {
        switch self {
        case .enhancedCTImageStorage, .legacyConvertedEnhancedCTImageStorage, .enhancedMRImageStorage,
            .legacyConvertedEnhancedMRImageStorage, .enhancedPETImageStorage, .legacyConvertedEnhancedPETImageStorage,
            .multiFrameGrayscaleByteSecondaryCaptureImageStorage, .multiFrameGrayscaleWordSecondaryCaptureImageStorage,
            .multiFrameTrueColorSecondaryCaptureImageStorage, .vlWholeSlideMicroscopyImageStorage:
            false
        default: isImage
        }
    }

    /// Why an object of that class is not segmented; nil for images and for classes that no row names.
    static func skipped(_ uid: String) -> DICOMFailure? {
        guard let found = of(uid), !found.isImage else { return nil }
        return .notImage("\(found.field(2)) (SOPClassUID = \(uid)): no image to segment.")
    }

    private static let byUID: [String: SOPClass] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.uid, $0) })
    private static let families = allCases.filter(\.isFamily)

    private var isFamily: Bool { field(0).hasSuffix(".*") }
    private func field(_ index: Int) -> Substring { rawValue.split(separator: " ", maxSplits: 2)[index] }
}
