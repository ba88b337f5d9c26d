package import DICOM
package import Failures

/// Why an object was not written.
package enum ObjectFailure: Failure, Equatable {
    /// A value that the standard does not allow at that place; never written.
    case illegal(tag: Tag, keyword: String, what: String)
    /// An attribute of the source that a result must carry is missing or cannot be carried over.
    case source(tag: Tag, keyword: String, what: String)
    /// A text, code or number of the pipeline that its attribute cannot hold; `part` is the key that it stands under.
    case pipeline(part: String, keyword: String, what: String)
    /// An object that the kind of image does not allow.
    case place(String, cure: String)
    /// More segments, frames or bytes than an object can hold.
    case size(String, cure: String = "Segment fewer frames or segments at once.")
    /// A pixel in two segments, where an object can hold one.
    case overlap
    /// Masks, segments or pages that do not belong together.
    case mismatch(String)
    /// The bytes that were read back do not mean what was meant.
    case verify(String)

    /// Who has to act.
    package var kind: FailureKind {
        switch self {
        case .illegal, .mismatch: .internalDefect
        case .source, .place, .size, .overlap: .refused
        case .pipeline: .configuration
        case .verify: .failed
        }
    }

    /// As `docs/messages.md` lists them.
    package var code: String {
        switch self {
        case .illegal: "OUT-ILLEGAL"
        case .source: "OUT-SOURCE"
        case .pipeline: "OUT-PIPELINE"
        case .place: "OUT-PLACE"
        case .size: "SEG-SIZE"
        case .overlap: "SEG-OVERLAP"
        case .mismatch: "OUT-MISMATCH"
        case .verify: "OUT-VERIFY"
        }
    }

    /// Keywords and tags, never a value of a patient.
    package var message: FailureMessage {
        switch self {
        case .illegal(let tag, let keyword, let what):
            FailureMessage(
                "\(keyword) \(tag): \(what): DICOM does not allow that, so nothing was written.",
                cure: "Please report it.")
        case .source(let tag, let keyword, let what):
            FailureMessage(
                "\(keyword) \(tag) of the source: \(what): a result cannot belong to the same patient and study.",
                cure: "Correct it in the source and send it again.")
        case .pipeline(let part, let keyword, let what):
            FailureMessage(
                "the pipeline's \(part): \(what): \(keyword) of a result cannot hold it.",
                cure: "Correct it in pipeline.yaml.")
        case .place(let what, let cure): FailureMessage("\(what).", cure: cure)
        case .size(let what, let cure): FailureMessage("\(what): more than one object can hold.", cure: cure)
        case .overlap:
            FailureMessage(
                "segments share pixels: a LABELMAP holds one segment a pixel.",
                cure: "Write outputs: {seg: {type: binary}} in pipeline.yaml.")
        case .mismatch(let what):
            FailureMessage("\(what): the object cannot be composed.", cure: "Please report it.")
        case .verify(let what):
            FailureMessage(
                "\(what): the written file does not hold the result, so it did not get its name.",
                cure: "Run again; if it comes back, check memory and disk.")
        }
    }
}
