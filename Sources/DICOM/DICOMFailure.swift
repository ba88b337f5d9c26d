package import Failures

/// What can be wrong with a DICOM file, a frame or a series. One case a code, with what was found
/// and means, and what to do.
///
/// *Source*: `docs/dicom-support.md`, "Codes". Texts hold tags, counts and values of
/// pixel attributes, never anything of a patient.
package enum DICOMFailure: Failure, Equatable {
    /// No DICOM at all.
    case notDICOM(String, cure: String = "")
    /// DICOM, but no image: reports, presentation states, segmentations, plans.
    case notImage(String, cure: String = "")
    /// An object that this program wrote.
    case own(String, cure: String = "")
    case localizer(String, cure: String = "")
    case mosaic(String, cure: String = "")
    /// The tiles of a whole slide image do not make one picture.
    case slide(String, cure: String = "")
    /// The bytes cannot be parsed.
    case corrupt(String, cure: String = "")
    /// A limit against hostile files was exceeded.
    case limit(String, cure: String = "")
    case unsupportedSyntax(String, cure: String = "")
    case videoSyntax(String, cure: String = "")
    case referencedSyntax(String, cure: String = "")
    case pixelSize(String, cure: String = "")
    /// Pixels that the image must have are not in the file.
    case pixelsTruncated(String, cure: String = "")
    /// Objects that are parts of one image, and not all of them: the others may still come.
    case missingParts(String, cure: String = "")
    case fragments(String, cure: String = "")
    case photometric(String, cure: String = "")
    case bits(String, cure: String = "")
    case codec(String, cure: String = "")
    case ambiguous(String, cure: String = "")
    case identity(String, cure: String = "")
    case duplicateConflict(String, cure: String = "")
    case shape(String, cure: String = "")
    /// Positions, directions or distances that no image of a patient has.
    case position(String, cure: String = "")
    /// Slices that complete a volume and cannot be part of it.
    case unlike(String, cure: String = "")
    /// Values of frames whose scale is unknown or unlike that of their neighbours.
    case values(String, cure: String = "")
    /// The file became another one while it was read.
    case changed(String, cure: String = "")
    /// The file could not be read now: an input or output error, no memory.
    case unreadable(String, cure: String = "")
    /// The installation lacks something: DCMTK's data dictionary.
    case installation(String, cure: String = "")

    package var kind: FailureKind {
        switch self {
        case .notDICOM, .notImage, .own, .localizer, .mosaic: .skipped
        case .changed, .unreadable: .failed
        case .installation: .configuration
        default: .refused
        }
    }

    /// The bytes did not come, which tells nothing about what they would have been.
    var isOfReading: Bool {
        switch self {
        case .changed, .unreadable: true
        default: false
        }
    }

    package var code: String { parts.code }
    package var message: FailureMessage { FailureMessage(parts.explanation, cure: parts.cure) }

    private var parts: (code: String, explanation: String, cure: String) {
        switch self {
        case .notDICOM(let explanation, let cure): ("IN-NOTDICOM", explanation, cure)
        case .notImage(let explanation, let cure): ("IN-NOTIMAGE", explanation, cure)
        case .own(let explanation, let cure): ("IN-OWN", explanation, cure)
        case .localizer(let explanation, let cure): ("IN-LOCALIZER", explanation, cure)
        case .mosaic(let explanation, let cure): ("IN-MOSAIC", explanation, cure)
        case .slide(let explanation, let cure): ("GEO-SLIDE", explanation, cure)
        case .corrupt(let explanation, let cure): ("IN-CORRUPT", explanation, cure)
        case .limit(let explanation, let cure): ("IN-LIMIT", explanation, cure)
        case .unsupportedSyntax(let explanation, let cure): ("TS-UNSUPPORTED", explanation, cure)
        case .videoSyntax(let explanation, let cure): ("TS-VIDEO", explanation, cure)
        case .referencedSyntax(let explanation, let cure): ("TS-REFERENCED", explanation, cure)
        case .pixelSize(let explanation, let cure): ("PIX-SIZE", explanation, cure)
        case .pixelsTruncated(let explanation, let cure): ("PIX-TRUNCATED", explanation, cure)
        case .missingParts(let explanation, let cure): ("VOL-PARTS", explanation, cure)
        case .fragments(let explanation, let cure): ("PIX-FRAGMENTS", explanation, cure)
        case .photometric(let explanation, let cure): ("PIX-PHOTOMETRIC", explanation, cure)
        case .bits(let explanation, let cure): ("PIX-BITS", explanation, cure)
        case .codec(let explanation, let cure): ("PIX-CODEC", explanation, cure)
        case .ambiguous(let explanation, let cure): ("GRP-AMBIGUOUS", explanation, cure)
        case .identity(let explanation, let cure): ("GRP-IDENTITY", explanation, cure)
        case .duplicateConflict(let explanation, let cure): ("DUP-CONFLICT", explanation, cure)
        case .shape(let explanation, let cure): ("GEO-SHAPE", explanation, cure)
        case .position(let explanation, let cure): ("VOL-PLACE", explanation, cure)
        case .unlike(let explanation, let cure): ("VOL-UNLIKE", explanation, cure)
        case .values(let explanation, let cure): ("PIX-VALUES", explanation, cure)
        case .changed(let explanation, let cure): ("IN-CHANGED", explanation, cure)
        case .unreadable(let explanation, let cure): ("IN-IO", explanation, cure)
        case .installation(let explanation, let cure): ("DICOM-DICTIONARY", explanation, cure)
        }
    }
}
