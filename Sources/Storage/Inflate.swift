internal import CSystem
internal import Failures

/// Unpacks deflate streams without a header (zip entries, DICOM's deflated transfer syntax) into memory, never more than asked for.
package enum Inflate {
    /// Unpacks the one stream at the beginning of `bytes`; `consumed` is how many of them it takes.
    ///
    /// `expected` is the size that a header promises, if any: with it the result is made in one allocation.
    /// *Throws* `.compressedTooLarge` above `limit` bytes, `.compressedShort`, `.compressedBroken`, `.outOfMemory`.
    package static func stream(
        of bytes: RawSpan, limit: Int, expected: Int? = nil
    ) throws(StorageFailure) -> (bytes: [UInt8], consumed: Int) {
        let count = bytes.byteCount
        let (guess, overflow) = count.multipliedReportingOverflow(by: 4)
        var capacity = max(64, min(limit, max(0, expected ?? (overflow ? limit : guess))))
        while true {
            capacity = min(capacity, max(limit, 0))
            var written = 0
            var consumed = 0
            var status = 0
            let out = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, used in
                status = Int(
                    unsafe bytes.withUnsafeBytes { input in
                        unsafe cs_inflate(
                            input.baseAddress?.assumingMemoryBound(to: UInt8.self), count,
                            buffer.baseAddress, capacity,
                            &written, &consumed)
                    })
                used = written
            }
            switch status {
            case CS_INFLATE_DONE: return (out, consumed)
            case CS_INFLATE_FULL:
                guard capacity < limit else { throw .compressedTooLarge(limit: limit) }
                // Started again with more room: at most twice the work in all, and no state kept between calls.
                capacity = capacity > limit / 4 ? limit : capacity * 4
            case CS_INFLATE_SHORT: throw .compressedShort
            case CS_INFLATE_NO_MEMORY: throw .outOfMemory(bytes: 1 << 16)
            default: throw .compressedBroken
            }
        }
    }

    /// What the one stream at the beginning of `bytes` unpacks to; what follows it is ignored.
    package static func bytes(
        of bytes: RawSpan, limit: Int, expected: Int? = nil
    ) throws(StorageFailure) -> [UInt8] {
        try stream(of: bytes, limit: limit, expected: expected).bytes
    }

    package static func bytes(of bytes: [UInt8], limit: Int, expected: Int? = nil) throws(StorageFailure)
        -> [UInt8]
    {
        try self.bytes(of: bytes.span.bytes, limit: limit, expected: expected)
    }

    /// The CRC-32 of zip entries and gzip files.
    package static func crc32(_ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes {
            unsafe cs_crc32($0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
        }
    }

    package static func crc32(_ bytes: [UInt8]) -> UInt32 { crc32(bytes.span.bytes) }
}
