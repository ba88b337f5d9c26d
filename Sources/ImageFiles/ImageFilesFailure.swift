package import Failures
import Storage

/// Why an image file was not read or not made.
package struct ImageFilesFailure: Failure, Equatable {
    /// The file as the caller named it.
    package let path: String
    package let reason: Reason

    package enum Reason: Sendable, Equatable {
        /// Cannot be opened or read; the system's word.
        case unreadable(String)
        /// Became another file while it was read.
        case changed(String)
        /// Neither TIFF nor PNG nor JPEG.
        case notAnImage
        case corrupt(String)
        case truncated(String)
        case limit(String)
        case codec(String)
        case photometric(String)
        case bits(String)
        /// No sample is a number that somebody measured.
        case noValues
        /// Some samples are what the file itself calls no measurement, in a form that has no room for it.
        case noData(String)
        /// Slices that lie as far apart as no slices do.
        case distance(String)
        case memory(String)
        /// What its pages are is not known, or not there.
        case axes(String)
        /// A slide scanner's or microscope's own format, by its name.
        case vendor(String)
        /// One of several files of a data set, whose planes nobody asked for.
        case otherPart
    }

    package init(path: String, reason: Reason) {
        self.path = path
        self.reason = reason
    }

    package var kind: FailureKind {
        switch reason {
        case .unreadable, .changed, .memory: .failed
        case .notAnImage, .otherPart: .skipped
        case .corrupt, .truncated, .limit, .codec, .photometric, .bits, .noValues, .noData, .distance, .axes,
            .vendor:
            .refused
        }
    }

    package var code: String {
        switch reason {
        case .unreadable: "IN-IO"
        case .changed: "IN-CHANGED"
        case .notAnImage: "IN-NOTIMAGE"
        case .corrupt: "IN-CORRUPT"
        case .truncated: "PIX-TRUNCATED"
        case .limit: "IN-LIMIT"
        case .codec: "PIX-CODEC"
        case .photometric: "PIX-PHOTOMETRIC"
        case .bits: "PIX-BITS"
        case .noValues, .noData: "PIX-VALUES"
        case .distance: "VOL-PLACE"
        case .memory: "OUT-IO"
        case .axes: "RAS-AXES"
        case .otherPart: "RAS-PART"
        case .vendor: "RAS-FORMAT"
        }
    }

    package var message: FailureMessage {
        let (explanation, cure) = parts
        return FailureMessage(explanation, cure: cure, subject: path)
    }

    private var parts: (explanation: String, cure: String) {
        switch reason {
        case .unreadable(let what): ("the file \(what).", "Check that it exists and may be read.")
        case .changed(let what): (what, "Wait until it is complete, then run again.")
        case .notAnImage:
            ("the file is no TIFF, PNG or JPEG: its first bytes are those of none.", "Give an image file.")
        case .corrupt(let what): ("the file \(what): it is damaged or no image.", "Export it again.")
        case .truncated(let what): ("the picture is incomplete (\(what)).", "Copy or export the file again.")
        case .limit(let what): ("the file \(what): that is more than is read.", "Export it smaller.")
        case .codec(let what):
            (
                "the pixels cannot be decoded (\(what)).",
                "Copy the file again; if that is of no use, export it uncompressed or with LZW."
            )
        case .photometric(let what):
            ("the picture \(what): such colours are not read.", "Export it as grey or RGB.")
        case .bits(let what):
            ("the picture \(what): such samples are not read.", "Export it with 8 or 16 bits a sample.")
        case .noValues:
            (
                "all samples are NaN, infinite or beyond what is measured: there is nothing to see.",
                "Find out why the program that made the picture wrote no values, and export it again."
            )
        case .noData(let value):
            (
                "some samples are \(value), which the file itself (GDAL_NODATA) calls no measurement: they would be shown as one.",
                "Export the part that was measured, or as floating point, where such samples become padding."
            )
        case .distance(let what):
            (
                "\(what), which no slices do: how large things are is unknown.",
                "Correct it in the program that wrote the file, or take it out: then the slices are frames."
            )
        case .memory(let what): ("\(what).", "Free memory and try again.")
        case .otherPart:
            (
                "one of several files of an OME data set: it holds none of the planes that the pipeline takes.",
                "Choose others with tiff.channel, tiff.z and tiff.t of the pipeline."
            )
        case .vendor(let name):
            (
                "a \(name) file, which is not read: its pictures lie where only its maker's format says.",
                "Convert it to DICOM or OME-TIFF, with its maker's program, bfconvert, wsidicomizer or QuPath."
            )
        case .axes(let what):
            (
                "the file \(what): which of its pictures are meant is unknown.",
                "Save it anew, or choose with tiff.channel, tiff.z and tiff.t of the pipeline."
            )
        }
    }
}

extension ImageFilesFailure {
    /// What went wrong with the file itself.
    init(path: String, _ failure: StorageFailure) {
        let reason: Reason =
            switch failure {
            case .changed: .changed(failure.message.explanation)
            case .tooLarge: .limit("has \(failure.message.explanation)")
            case .notAFile(_, let kind): .unreadable("is a \(kind.rawValue)")
            default: .unreadable("cannot be read (\(failure.message.explanation))")
            }
        self.init(path: path, reason: reason)
    }
}
