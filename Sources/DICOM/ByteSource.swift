import Failures
import Storage

/// Where the bytes of a data set are: in a user's file, read through its descriptor when they are needed, or in memory.
enum ByteSource: Sendable {
    case file(InputFile)
    /// A data set that is deflated in a file from `offset` on; inflated anew whenever it is opened, so that the many files of a
    /// study need no memory.
    case deflated(InputFile, offset: Int)
    case memory([UInt8])

    /// Bytes that can be read; nothing of a deflated data set before it is opened.
    var count: Int {
        switch self {
        case .file(let file): file.size
        case .deflated: 0
        case .memory(let bytes): bytes.count
        }
    }

    /// The same, ready to be read: a deflated data set in memory.
    ///
    /// *Throws*: `corrupt`, `limit`, `changed`, `unreadable`.
    func opened(_ limits: DICOMLimits) throws(DICOMFailure) -> ByteSource {
        guard case .deflated(let file, let offset) = self else { return self }
        return .memory(try ByteSource.file(file).inflated(from: offset, limits).bytes)
    }

    /// The bytes of a range that was found when the file was read first.
    ///
    /// *Throws*: `changed` when the file does not have them any more; `unreadable`.
    func bytes(_ range: Range<Int>) throws(DICOMFailure) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw DICOMFailure(.changed(path: "")) }
        switch self {
        case .memory(let bytes): return Array(bytes[range])
        case .deflated: return []
        case .file(let file):
            do throws(StorageFailure) { return try file.read(range) } catch { throw DICOMFailure(error) }
        }
    }

    /// The raw deflate stream from `offset` on, unpacked into memory under the limits, and whether anything but zeros stands behind it.
    func inflated(
        from offset: Int, _ limits: DICOMLimits
    ) throws(DICOMFailure) -> (bytes: [UInt8], hasMore: Bool) {
        let packed = try bytes(offset..<count)
        let (scaled, overflow) = packed.count.multipliedReportingOverflow(by: limits.inflateRatio)
        let limit = min(limits.inflatedBytes, overflow ? .max : scaled + limits.inflateFreeBytes)
        do throws(StorageFailure) {
            let stream = try Inflate.stream(of: packed.span.bytes, limit: limit)
            return (stream.bytes, packed[stream.consumed...].contains { $0 != 0 })
        } catch {
            switch error {
            case .compressedTooLarge(let limit):
                throw .limit(
                    "the data set inflates to more than \(limit) bytes: it is damaged or made to harm.",
                    cure: "Do not use it.")
            case .outOfMemory: throw DICOMFailure(error)
            default: throw .corrupt("the deflated data set is damaged or cut off.", cure: "Send it again.")
            }
        }
    }
}

extension DICOMFailure {
    /// What went wrong with a file as what it means for a DICOM input; the file's name is left to whoever tells it.
    init(_ failure: StorageFailure) {
        let message = failure.message
        switch failure {
        case .changed: self = .changed(message.explanation, cure: message.cure)
        case .tooLarge: self = .limit("the file has \(message.explanation)", cure: message.cure)
        default: self = .unreadable(message.explanation, cure: message.cure)
        }
    }
}
