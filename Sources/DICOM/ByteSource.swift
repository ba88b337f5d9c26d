import Failures
import Storage

/// Where the bytes of a data set are: a file that is opened again when long values are needed, or memory (inflated data
/// sets).
///
/// Files are not kept open or mapped: a study may have a hundred thousand of them.
enum ByteSource: Sendable {
    case file(path: String, count: Int)
    case memory([UInt8])

    /// The bytes, ready to be read.
    enum Opened {
        case mapped(MappedFile)
        case memory([UInt8])

        func withBytes<Result>(
            _ body: (UnsafeRawBufferPointer) throws(DICOMFailure) -> Result
        ) throws(DICOMFailure) -> Result {
            switch self {
            case .mapped(let file): return try file.withUnsafeBytes(body)
            case .memory(let bytes):
                // Array's own method throws untyped errors only.
                let outcome = bytes.withUnsafeBytes { buffer in
                    Swift.Result { () throws(DICOMFailure) in try body(buffer) }
                }
                return try outcome.get()
            }
        }

        var count: Int {
            switch self {
            case .mapped(let file): file.count
            case .memory(let bytes): bytes.count
            }
        }
    }

    /// *Throws*: `unreadable` when the file is gone or has another length than when it was read first.
    func opened() throws(DICOMFailure) -> Opened {
        switch self {
        case .memory(let bytes): return .memory(bytes)
        case .file(let path, let count):
            let file = try Self.map(path, limit: .max)
            guard file.count == count else {
                throw .unreadable(
                    "the file changed while it was read.", cure: "Wait until it is complete, then run again.")
            }
            return .mapped(file)
        }
    }

    static func map(_ path: String, limit: Int) throws(DICOMFailure) -> MappedFile {
        do throws(StorageFailure) {
            return try MappedFile(path, limit: limit)
        } catch {
            switch error {
            case .tooLarge(_, let bytes, let limit):
                throw .limit("the file has \(bytes) bytes, more than \(limit).", cure: "Export it in smaller parts.")
            default:
                throw .unreadable(error.message.explanation, cure: error.message.cure)
            }
        }
    }
}

extension ByteSource.Opened {
    /// The raw deflate stream from `offset` on, unpacked into memory under the limits.
    func inflated(from offset: Int, _ limits: DICOMLimits) throws(DICOMFailure) -> [UInt8] {
        try withBytes { bytes throws(DICOMFailure) in
            let packed = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let (scaled, overflow) = packed.count.multipliedReportingOverflow(by: limits.inflateRatio)
            let limit = min(limits.inflatedBytes, overflow ? .max : scaled + limits.inflateFreeBytes)
            do throws(StorageFailure) {
                return try Inflate.bytes(of: packed.bytes, .raw, limit: limit)
            } catch {
                switch error {
                case .compressedTooLarge(let limit):
                    throw DICOMFailure.limit(
                        "the data set inflates to more than \(limit) bytes: it is damaged or made to harm.",
                        cure: "Do not use it.")
                case .outOfMemory: throw DICOMFailure.unreadable(error.message.explanation, cure: error.message.cure)
                default:
                    throw DICOMFailure.corrupt("the deflated data set is damaged or cut off.", cure: "Send it again.")
                }
            }
        }
    }
}
