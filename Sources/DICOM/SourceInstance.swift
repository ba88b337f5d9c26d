/// One image instance that can be segmented: its file, its identity and its checked pixel attributes.
package final class SourceInstance: Sendable {
    package let file: DICOMFile
    package let pixels: PixelDescription
    package let studyInstanceUID: String
    package let seriesInstanceUID: String
    package let sopInstanceUID: String
    package let sopClassUID: String
    package let frameOfReferenceUID: String?
    /// Upper case; "OT" when absent.
    package let modality: String
    /// Image Type (0008,0008), upper case.
    package let imageType: [String]
    /// That it was read under, and that its frames are decoded under.
    let limits: DICOMLimits

    /// Why the image is none of a volume's slices, by its Image Type; nil for all others.
    let planning: DICOMFailure?

    package var path: String { file.path }
    package var dataSet: DataSet { file.dataSet }
    /// Everything odd that was tolerated in file and pixel attributes.
    package var warnings: [String] { file.warnings + pixels.warnings }

    /// *Throws*: `notImage`, `own`, `localizer`, `mosaic` for what is skipped; `corrupt` when a Type 1 UID is missing
    /// or illegal, or an attribute stands there twice with different values; a `TS-…` or `PIX-…` refusal when the pixels cannot be
    /// decoded.
    /// - Parameter keepsPlanning: a localizer or projection is an instance too, for `VolumeBuilder` to judge: one that lies where a
    ///   volume's slice is missing is none.
    package init(
        _ file: DICOMFile, limits: DICOMLimits = .standard, keepsPlanning: Bool = false
    ) throws(DICOMFailure) {
        self.file = file
        self.limits = limits
        let dataSet = file.dataSet
        let sopClass = dataSet.uid(.sopClassUID) ?? file.meta.uid(.mediaStorageSOPClassUID) ?? ""
        guard (file.meta.uid(.mediaStorageSOPClassUID) ?? sopClass) == sopClass else {
            throw .corrupt(
                "\(Attribute.mediaStorageSOPClassUID.keyword) \(Attribute.mediaStorageSOPClassUID.tag) of the file and \(Attribute.sopClassUID.keyword) \(Attribute.sopClassUID.tag) of what is in it name two classes: what kind of object it is is unknown.",
                cure: "Export it again.")
        }
        if let failure = SOPClass.skipped(sopClass) { throw failure }
        if dataSet.uid(.instanceCreatorUID) == InstanceCreator.results {
            throw .own("a result of hspsam: results are not segmented again.")
        }
        if let attribute = file.meta.contradiction ?? dataSet.contradiction {
            throw .corrupt(
                "\(attribute.keyword) \(attribute.tag) stands more than once with different values: which one holds is unknown, and readers differ.",
                cure: "Export it again.")
        }
        imageType = dataSet.strings(.imageType).map { $0.uppercased() }
        planning = Self.planning(imageType)
        if let planning, !keepsPlanning { throw planning }
        if imageType.contains("MOSAIC") {
            throw .mosaic(
                "a mosaic (Image Type): its tiles need the vendor's private header.", cure: "Export single slices.")
        }
        do throws(DICOMFailure) {
            pixels = try PixelDescription(dataSet, limits: limits)
        } catch {
            throw planning ?? error
        }
        guard !sopClass.isEmpty, let study = dataSet.uid(.studyInstanceUID),
            let series = dataSet.uid(.seriesInstanceUID),
            let instance = dataSet.uid(.sopInstanceUID)
        else {
            throw .corrupt(
                "SOP Class, Study, Series or SOP Instance UID missing or no UID: the image has no identity.",
                cure: "Export it again.")
        }
        guard dataSet.uid(.frameOfReferenceUID) != nil || dataSet.text(.frameOfReferenceUID) == nil else {
            throw .corrupt(
                "\(Attribute.frameOfReferenceUID.keyword) \(Attribute.frameOfReferenceUID.tag) is no UID of at most 64 digits and dots: no result could lie where its images do.",
                cure: "Export it again.")
        }
        studyInstanceUID = study
        seriesInstanceUID = series
        sopInstanceUID = instance
        sopClassUID = sopClass
        frameOfReferenceUID = dataSet.uid(.frameOfReferenceUID)
        modality = (dataSet.string(.modality) ?? "OT").uppercased()
        if isSlide {
            let type = imageType.count > 2 ? imageType[2] : ""
            // Of a frame the same is said again; of one that says it, for there is one kind of picture in an object.
            let frame = [Attribute.sharedFunctionalGroupsSequence, .perFrameFunctionalGroupsSequence].lazy
                .compactMap { dataSet.item($0)?.item(.wholeSlideMicroscopyImageFrameTypeSequence) }.first
            let frameType = frame?.strings(.frameType) ?? []
            guard frameType.count < 3 || type.isEmpty || frameType[2].uppercased() == type else {
                throw .slide(
                    "\(Attribute.imageType.keyword) \(Attribute.imageType.tag) and \(Attribute.frameType.keyword) \(Attribute.frameType.tag) name two kinds of image: whether it shows a slide's tissue, its label or an overview is unknown.",
                    cure: "Export it again.")
            }
            if ["LABEL", "OVERVIEW", "THUMBNAIL", "LOCALIZER"].contains(type) {
                throw .notImage("a \(type.lowercased()) of a slide (Image Type): it shows no tissue to segment.")
            }
        }
        do throws(DICOMFailure) {
            try file.transferSyntax.checkSupported()
            try PixelReader.checkLength(file, pixels, limits)
        } catch {
            throw planning ?? error
        }
    }

    /// A level of a whole slide, or a part of one.
    var isSlide: Bool { SOPClass.of(sopClassUID) == .vlWholeSlideMicroscopyImageStorage }

    /// An enhanced multi-frame object (PS3.3 C.7.6.16), or another one that has what belongs to these.
    var hasFunctionalGroups: Bool {
        dataSet.has(.sharedFunctionalGroupsSequence) || dataSet.has(.perFrameFunctionalGroupsSequence)
    }

    /// What it says itself of its frames holds, and functional groups only add to it.
    var isClassic: Bool { SOPClass.of(sopClassUID)?.isClassic ?? false }

    /// Of a class whose objects hold one slice of a volume.
    var isSingleSlice: Bool {
        switch SOPClass.of(sopClassUID) {
        case .ctImageStorage, .mrImageStorage, .positronEmissionTomographyImageStorage: true
        default: false
        }
    }

    /// A picture of a screen or of paper that a program made beside the images of a study (Secondary Capture), and not one that this program
    /// made of a picture which was given to it.
    package var isCapture: Bool {
        let family = SOPClass.secondaryCaptureImageStorage.uid
        return (sopClassUID == family || sopClassUID.hasPrefix(family + "."))
            && dataSet.uid(.instanceCreatorUID) != InstanceCreator.imports
    }

    /// Of a class that holds the slices of a volume as frames, and has to say where each of them lies.
    ///
    /// *Source*: PS3.3 A.36.2, A.38.1, A.56 (original images), A.70 to A.72 (all), macro Plane Position (Patient).
    var mustPlaceFrames: Bool {
        switch SOPClass.of(sopClassUID) {
        case .enhancedCTImageStorage, .enhancedMRImageStorage, .enhancedPETImageStorage:
            ["ORIGINAL", "MIXED"].contains(imageType.first)
        case let named?: named.isConverted
        case nil: false
        }
    }

    /// Its frames are slices: without their places nothing in the third dimension can be told of them.
    var holdsSlices: Bool {
        switch SOPClass.of(sopClassUID) {
        case .enhancedCTImageStorage, .enhancedMRImageStorage, .enhancedPETImageStorage: true
        case .nuclearMedicineImageStorage: imageType.contains("RECON TOMO") || imageType.contains("RECON GATED TOMO")
        default: isSingleSlice || mustPlaceFrames
        }
    }

    /// The attributes or the transfer syntax say that the pixels lost something on their way here.
    var statesLoss: Bool { file.transferSyntax.isLossy || dataSet.string(.lossyImageCompression) == "01" }

    /// The pixels lost something on their way here: the file says so, the syntax always does, or a stream is a lossy one whatever the
    /// file says. Pixels of which that cannot be found out count as lossy.
    ///
    /// *Cost*: opens the file when its pixels are compressed and nothing states the loss.
    package var isLossy: Bool {
        if statesLoss { return true }
        guard case .fragments? = dataSet[pixels.attribute]?.value else { return false }
        do { return try PixelReader(file, pixels).hasLossyStream() } catch { return true }
    }

    /// Images that are computed for planning, by Image Type.
    private static func planning(_ imageType: [String]) -> DICOMFailure? {
        if imageType.contains(where: { $0 == "LOCALIZER" || $0 == "SCOUT" }) {
            return .localizer("a localizer image (Image Type): it only plans other images.")
        }
        if imageType.contains("PROJECTION IMAGE") {
            return .localizer("a projection image (Image Type): it is computed from other images.")
        }
        return nil
    }
}
