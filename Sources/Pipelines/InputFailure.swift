package import Failures

/// Why a run did not begin, or why one of its inputs is left aside.
package enum InputFailure: Failure, Equatable {
    /// An input that does not exist.
    case missing(path: String)
    /// The output folder cannot be made or written, or holds what a run must not touch.
    case output(path: String, what: FailureMessage)
    /// Another run works in the output folder.
    case busy(path: String, owner: String)
    /// A line of the list of known keys is none.
    case knownKeys(path: String, line: Int)
    case empty
    case sidecar
    /// Looks like a sidecar and is that of no picture; why.
    case strayed(String)
    case link
    case notFile(String)
    case notImage(String, cure: String)
    /// An archive that exceeds a limit.
    case zipLimit(String)
    /// An archive with a file that would lie outside of its folder.
    case zipPath
    /// A DICOMDIR that lists files which are not there.
    case medium(missing: Int, of: Int)
    /// A file named DICOMDIR that is none.
    case mediumUnknown
    /// Another volume of the study that the rule takes before this one.
    case notPicked
    /// How large the picture is cannot be brought together with what the pipeline asks for.
    case scale(String, cure: String)
    /// A file beside the objects that its format cannot hold.
    case format(String, cure: String)
    /// Another level of the same slide suits the pipeline better.
    case level
    /// Another input holds the same image.
    case copy
    /// The study's result exists.
    case known

    package var kind: FailureKind {
        switch self {
        case .missing, .output, .busy, .knownKeys: .usage
        case .empty, .sidecar, .link, .notFile, .notImage, .notPicked, .level, .copy, .known: .skipped
        case .strayed, .zipLimit, .zipPath, .medium, .mediumUnknown, .scale, .format: .refused
        }
    }

    package var code: String {
        switch self {
        case .missing: "USE-INPUT"
        case .output: "USE-OUT"
        case .busy: "USE-BUSY"
        case .knownKeys: "USE-KNOWN"
        case .empty: "IN-EMPTY"
        case .sidecar: "IN-SIDECAR"
        case .strayed: "SIDE-VALUE"
        case .link: "IN-LINK"
        case .notFile: "IN-NOTFILE"
        case .notImage: "IN-NOTIMAGE"
        case .zipLimit: "IN-LIMIT"
        case .zipPath: "IN-ZIPPATH"
        case .medium, .mediumUnknown: "IN-MEDIUM"
        case .notPicked: "SEL-PICK"
        case .scale: "GEO-SCALE"
        case .format: "OUT-NIFTI"
        case .level: "SEL-LEVEL"
        case .copy: "DUP-COPY"
        case .known: "DUP-STUDY"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .missing(let path):
            FailureMessage(
                "no such file or folder.",
                cure: path.contains("\u{FFFD}")
                    ? "A name that is not UTF-8 cannot be given: give the folder that holds it."
                    : "Check the path.",
                subject: path)
        case .output(let path, let what):
            FailureMessage(
                what.explanation,
                cure: (what.cure.isEmpty ? "" : "\(what.cure) ") + "Choose another folder with --out.",
                subject: what.subject ?? path)
        case .busy(let path, let owner):
            FailureMessage(
                "another run works there: \(owner).", cure: "Wait for its end or choose another folder with --out.",
                subject: path)
        case .knownKeys(let path, let line):
            FailureMessage(
                "line \(line) is no key of a study.", cure: "Write 64 hexadecimal digits a line.", subject: path)
        case .empty:
            FailureMessage("an empty file (0 bytes): nothing to segment.", cure: "Copy it again.")
        case .sidecar: FailureMessage("the identity of the TIFF files beside it: no image.", cure: "")
        case .strayed(let why):
            FailureMessage(
                "looks like the identity or the scale of pictures and was not read: \(why).",
                cure:
                    "Name it after the picture with its ending, in the same capitals (a.tif.yaml for a.tif), or \(Sidecar.folderName) for all pictures of its folder; move it elsewhere if it is something else."
            )
        case .link: FailureMessage("a symbolic link: links inside folders are not followed.", cure: "")
        case .notFile(let what): FailureMessage("a \(what): no file to read.", cure: "")
        case .notImage(let what, let cure), .scale(let what, let cure), .format(let what, let cure):
            FailureMessage(what, cure: cure)
        case .zipLimit(let what):
            FailureMessage("the archive \(what).", cure: "Unpack it and give the folder.")
        case .zipPath:
            FailureMessage(
                "the archive holds a file that would lie outside of its folder.",
                cure: "Do not unpack it: make it anew.")
        case .medium(let missing, let count):
            FailureMessage(
                "the DICOMDIR lists \(count) files, and \(missing) of them are not there: a series may be incomplete.",
                cure: "Copy the whole medium, or give the folder without its DICOMDIR.")
        case .mediumUnknown:
            FailureMessage(
                "the file is named DICOMDIR and is no DICOM: what the medium should hold is not known, a series may be incomplete.",
                cure: "Copy the whole medium again, or give the folder without its DICOMDIR.")
        case .notPicked:
            FailureMessage(
                "the pipeline picks another volume of the study.", cure: "Change pick in its selection to have all.")
        case .level:
            FailureMessage("a level of a slide of which another level suits the pipeline better.", cure: "")
        case .copy:
            FailureMessage("a copy of another file of this run: the other one is used.", cure: "")
        case .known:
            FailureMessage("these instances have their result under these pipelines already.", cure: "")
        }
    }
}
