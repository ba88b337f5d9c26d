package import DICOM
package import Failures

/// Why an object was not written.
package enum ObjectFailure: Failure, Equatable {
    /// A value that the standard does not allow at that place; never written.
    case illegal(tag: Tag, keyword: String, what: String)
    /// A Type 1 attribute of the source, needed in the object, is missing or cannot be written.
    case source(tag: Tag, keyword: String, what: String)
    /// More segments, frames or bytes than an object can hold.
    case size(String)
    /// Masks, segments or pages that do not belong together.
    case mismatch(String)
    /// The bytes that were read back do not mean what was meant.
    case verify(String)

    package var kind: FailureKind {
        switch self {
        case .illegal, .mismatch: .internalDefect
        case .source, .size: .refused
        case .verify: .failed
        }
    }

    package var code: String {
        switch self {
        case .illegal: "OUT-ILLEGAL"
        case .source: "OUT-SOURCE"
        case .size: "SEG-SIZE"
        case .mismatch: "OUT-MISMATCH"
        case .verify: "OUT-VERIFY"
        }
    }

    package var text: String {
        switch self {
        case .illegal(let tag, let keyword, let what):
            "\(keyword) \(tag): \(what): DICOM does not allow that, so nothing was written. Please report it."
        case .source(let tag, let keyword, let what):
            "\(keyword) \(tag) of the source: \(what): a result cannot refer to it. Correct it in the source and send it again."
        case .size(let text): "\(text)"
        case .mismatch(let text): "\(text): the object cannot be composed. Please report it."
        case .verify(let text):
            "\(text): the written file does not hold the result, so it did not get its name. Run again; if it comes back, check memory and disk."
        }
    }
}
