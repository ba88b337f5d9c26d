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

    package var path: String { file.path }
    package var dataSet: DataSet { file.dataSet }
    /// Everything odd that was tolerated in file and pixel attributes.
    package var warnings: [String] { file.warnings + pixels.warnings }

    /// *Throws*: `notImage`, `own`, `localizer`, `mosaic` for what is skipped; `corrupt` when a Type 1 UID is missing
    /// or illegal; `wholeSlide`; a `TS-…` or `PIX-…` refusal when the pixels cannot be decoded.
    package init(_ file: DICOMFile, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        self.file = file
        let dataSet = file.dataSet
        let sopClass = dataSet.uid(.sopClassUID) ?? file.meta.uid(.mediaStorageSOPClassUID) ?? ""
        if let reason = SOPClass.reasonToSkip(sopClass) { throw .notImage(reason) }
        if dataSet.uid(.instanceCreatorUID) == InstanceCreator.results {
            throw .own("a result of hspsam: results are not segmented again.")
        }
        imageType = dataSet.strings(.imageType).map { $0.uppercased() }
        if let failure = Self.skipped(imageType) { throw failure }
        pixels = try PixelDescription(dataSet, limits: limits)
        guard !sopClass.isEmpty, let study = dataSet.uid(.studyInstanceUID),
            let series = dataSet.uid(.seriesInstanceUID),
            let instance = dataSet.uid(.sopInstanceUID)
        else {
            throw .corrupt(
                "SOP Class, Study, Series or SOP Instance UID missing or no UID: the image has no identity. Export it again."
            )
        }
        studyInstanceUID = study
        seriesInstanceUID = series
        sopInstanceUID = instance
        sopClassUID = sopClass
        frameOfReferenceUID = dataSet.uid(.frameOfReferenceUID)
        modality = (dataSet.string(.modality) ?? "OT").uppercased()
        if sopClass == SOPClass.wholeSlideMicroscopy {
            let type = imageType.count > 2 ? imageType[2] : ""
            if ["LABEL", "OVERVIEW", "THUMBNAIL", "LOCALIZER"].contains(type) {
                throw .notImage("a \(type.lowercased()) of a slide (Image Type): it shows no tissue to segment.")
            }
            throw .wholeSlide(
                "a whole slide image: its tiles are not read yet. Export the region of interest as a single image.")
        }
        try file.transferSyntax.checkSupported()
        try PixelReader.checkLength(file, pixels)
    }

    /// Kinds of image that are never segmented, by Image Type.
    private static func skipped(_ imageType: [String]) -> DICOMFailure? {
        if imageType.contains(where: { $0 == "LOCALIZER" || $0 == "SCOUT" }) {
            return .localizer("a localizer image (Image Type): it only plans other images.")
        }
        if imageType.contains("MOSAIC") {
            return .mosaic("a mosaic (Image Type): its tiles need the vendor's private header. Export single slices.")
        }
        if imageType.contains("PROJECTION IMAGE") {
            return .localizer("a projection image (Image Type): it is computed from other images.")
        }
        return nil
    }
}

/// Storage SOP classes by what we do with them (PS3.4 B.5, edition 2024e).
package enum SOPClass {
    private static let storage = "1.2.840.10008.5.1.4.1.1."
    package static let wholeSlideMicroscopy = storage + "77.1.6"

    /// Why an object of that class is no image to segment; nil for images.
    static func reasonToSkip(_ uid: String) -> String? {
        if uid == "1.2.840.10008.1.3.10" { return "a DICOMDIR: it only lists other files." }
        guard uid.hasPrefix(storage) else { return nil }
        let number = uid.dropFirst(storage.count)
        let families: [(prefixes: [String], what: String)] = [
            (["88."], "a structured report, key object selection or similar document"),
            (["11."], "a presentation state"),
            (["9."], "a waveform"),
            (["104."], "an encapsulated document"),
            (["481."], "a radiotherapy object"),
            (["66"], "raw data, a registration, a segmentation or another derived object"),
            (["30"], "a parametric map"),
            (["67", "68.", "69", "79.", "90.", "91.", "131", "200.", "201."], "an object without a source image"),
        ]
        for family in families where family.prefixes.contains(where: { matches(number, $0) }) {
            return "\(family.what) (SOPClassUID = \(uid)): no image to segment."
        }
        return nil
    }

    /// Prefix with its dot, or the whole number or its sub-numbers when there is none.
    private static func matches(_ number: Substring, _ prefix: String) -> Bool {
        prefix.hasSuffix(".") ? number.hasPrefix(prefix) : number == prefix || number.hasPrefix(prefix + ".")
    }
}
