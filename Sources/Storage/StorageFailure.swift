internal import CSystem
package import Failures

/// What went wrong with a file: the path, what the system said, and the cure.
///
/// A caller for whom it means something else (an input that was typed, a model that must exist) maps it to its own area.
package enum StorageFailure: Failure, Equatable {
    /// The system refused `operation` ("open", "write", ...) on `path` with error number `errno`.
    case system(operation: String, path: String, errno: Int32)
    /// Something else than a regular file stands there.
    case notAFile(path: String, kind: FileStatus.Kind)
    /// The file became shorter, was written to or was replaced while it was read.
    case changed(path: String)
    /// The file holds more than the caller can accept.
    case tooLarge(path: String, bytes: Int, limit: Int)
    /// A compressed stream is damaged, ends too early, or gives more than `limit` bytes.
    case compressedBroken
    case compressedShort
    case compressedTooLarge(limit: Int)
    case outOfMemory(bytes: Int)

    package var kind: FailureKind {
        switch self {
        case .system(_, _, let number): SystemError(number) == .isLink ? .refused : .failed
        // Whole in a minute, perhaps.
        case .changed, .outOfMemory: .failed
        case .notAFile, .tooLarge, .compressedBroken, .compressedShort, .compressedTooLarge: .refused
        }
    }

    package var code: String {
        switch self {
        case .system(_, _, let number): SystemError(number).code
        case .notAFile: "FILE-KIND"
        case .changed: "IN-CHANGED"
        case .tooLarge: "FILE-LARGE"
        case .compressedBroken: "ZLIB-BROKEN"
        case .compressedShort: "ZLIB-SHORT"
        case .compressedTooLarge: "ZLIB-LARGE"
        case .outOfMemory: "MEMORY"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .system(let operation, let path, let number):
            FailureMessage(
                "cannot \(operation): \(SystemError.text(number)).", cure: SystemError(number).cure, subject: path)
        case .notAFile(let path, let kind):
            FailureMessage(
                "a \(kind.rawValue), not a regular file: it is neither read nor replaced.",
                cure: "Give a regular file.", subject: path)
        case .changed(let path):
            FailureMessage(
                "the file changed while it was read: what was read may be half of it.",
                cure: "Wait until it is complete, then run again.", subject: path)
        case .tooLarge(let path, let bytes, let limit):
            FailureMessage(
                "\(bytes) bytes, more than the \(limit) that are accepted here.", cure: "Give a smaller file.",
                subject: path)
        case .compressedBroken:
            FailureMessage(
                "the compressed bytes are damaged: they cannot be unpacked.",
                cure: "Fetch the file again from its source.")
        case .compressedShort:
            FailureMessage(
                "the compressed bytes end too early: the file is incomplete.", cure: "Fetch it again from its source.")
        case .compressedTooLarge(let limit):
            FailureMessage(
                "the compressed bytes unpack to more than \(limit) bytes, more than their header allows: the file is damaged or made to harm.",
                cure: "Do not use it.")
        case .outOfMemory(let bytes):
            FailureMessage(
                "no memory for \(bytes) bytes.", cure: "Close other programs, or give the machine more memory.")
        }
    }

    /// The error number behind `.system`, for callers that act on one (`EEXIST`, `ENOENT`).
    package var systemError: SystemError? {
        if case .system(_, _, let number) = self { SystemError(number) } else { nil }
    }
}

/// The few error numbers that mean something of their own to us.
package enum SystemError: Sendable, Equatable {
    case notFound, denied, diskFull, exists, notEmpty, isFolder, readOnly, otherFileSystem, tooManyFiles, isLink,
        wouldBlock, other

    // Linux numbers; they never change.
    init(_ number: Int32) {
        self =
            switch number {
            case 2, 20: .notFound
            case 1, 13: .denied
            case 28, 122: .diskFull
            case 17: .exists
            case 39: .notEmpty
            case 21: .isFolder
            case 30: .readOnly
            case 18: .otherFileSystem
            case 23, 24: .tooManyFiles
            case 40: .isLink
            case 11: .wouldBlock
            default: .other
            }
    }

    static func text(_ number: Int32) -> String { unsafe String(cString: cs_error_text(number)) }

    var code: String {
        switch self {
        case .notFound: "FILE-NOT-FOUND"
        case .denied: "FILE-DENIED"
        case .diskFull: "DISK-FULL"
        case .exists, .notEmpty: "FILE-EXISTS"
        case .isFolder: "FILE-KIND"
        case .readOnly: "FILE-READONLY"
        case .otherFileSystem: "FILE-OTHER-DISK"
        case .tooManyFiles: "FILE-TOO-MANY"
        case .isLink: "FILE-LINK"
        case .wouldBlock: "FILE-BUSY"
        case .other: "FILE-IO"
        }
    }

    var cure: String {
        switch self {
        case .notFound: "Check the path."
        case .denied: "Give this user the permission (ls -l), or choose another path."
        case .diskFull: "Free space on that disk (df -h)."
        case .exists, .notEmpty: "Remove what stands there, or choose another name."
        case .isFolder: "A folder stands where a file is to be: remove it, or choose another name."
        case .readOnly: "The file system is mounted read-only; choose another path or remount it."
        case .otherFileSystem: "Both must be on one file system."
        case .tooManyFiles: "Raise the limit of open files (ulimit -n)."
        case .isLink: "Symbolic links are not followed here; give the file itself."
        case .wouldBlock: "Another process uses it; stop that one or wait."
        case .other: "Check the disk (dmesg)."
        }
    }
}

/// Throws what a `cs_` call returned when that is negative.
@discardableResult
func check(_ result: Int32, _ operation: String, _ path: String) throws(StorageFailure) -> Int32 {
    if result < 0 { throw .system(operation: operation, path: path, errno: -result) }
    return result
}
