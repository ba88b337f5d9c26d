package import Failures

/// What can be wrong with a DICOM file, a frame or a series. One case a code; the payload is the text after it.
///
/// *Source*: the table of conditions in the design page on DICOM, section 8.1. Texts hold tags, counts and values of
/// pixel attributes, never anything of a patient.
package enum DICOMFailure: Failure, Equatable {
    /// No DICOM at all.
    case notDICOM(String)
    /// DICOM, but no image: reports, presentation states, segmentations, plans, images whose pixels were removed.
    case notImage(String)
    /// An object that this program wrote.
    case own(String)
    case localizer(String)
    case mosaic(String)
    /// A whole slide image, which needs a reader of tiles.
    case wholeSlide(String)
    /// The bytes cannot be parsed.
    case corrupt(String)
    /// A limit against hostile files was exceeded.
    case limit(String)
    case unsupportedSyntax(String)
    case videoSyntax(String)
    case referencedSyntax(String)
    case pixelSize(String)
    case pixelsTruncated(String)
    case fragments(String)
    case photometric(String)
    case bits(String)
    case codec(String)
    case ambiguous(String)
    case identity(String)
    case duplicateConflict(String)
    case shape(String)
    /// The file could not be read now: an input or output error, no memory.
    case unreadable(String)
    /// The installation lacks something: DCMTK's data dictionary.
    case installation(String)

    package var kind: FailureKind {
        switch self {
        case .notDICOM, .notImage, .own, .localizer, .mosaic: .skipped
        case .unreadable: .failed
        case .installation: .configuration
        default: .refused
        }
    }

    package var code: String { parts.code }
    package var text: String { parts.text }

    private var parts: (code: String, text: String) {
        switch self {
        case .notDICOM(let text): ("IN-NOTDICOM", text)
        case .notImage(let text): ("IN-NOTIMAGE", text)
        case .own(let text): ("IN-OWN", text)
        case .localizer(let text): ("IN-LOCALIZER", text)
        case .mosaic(let text): ("IN-MOSAIC", text)
        case .wholeSlide(let text): ("IN-SLIDE", text)
        case .corrupt(let text): ("IN-CORRUPT", text)
        case .limit(let text): ("IN-LIMIT", text)
        case .unsupportedSyntax(let text): ("TS-UNSUPPORTED", text)
        case .videoSyntax(let text): ("TS-VIDEO", text)
        case .referencedSyntax(let text): ("TS-REFERENCED", text)
        case .pixelSize(let text): ("PIX-SIZE", text)
        case .pixelsTruncated(let text): ("PIX-TRUNCATED", text)
        case .fragments(let text): ("PIX-FRAGMENTS", text)
        case .photometric(let text): ("PIX-PHOTOMETRIC", text)
        case .bits(let text): ("PIX-BITS", text)
        case .codec(let text): ("PIX-CODEC", text)
        case .ambiguous(let text): ("GRP-AMBIGUOUS", text)
        case .identity(let text): ("GRP-IDENTITY", text)
        case .duplicateConflict(let text): ("DUP-CONFLICT", text)
        case .shape(let text): ("GEO-SHAPE", text)
        case .unreadable(let text): ("IN-IO", text)
        case .installation(let text): ("DICOM-DICTIONARY", text)
        }
    }
}
