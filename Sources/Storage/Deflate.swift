internal import CSystem

/// Packs bytes into a deflate stream without a header, as browsers unpack it (`DecompressionStream("deflate-raw")`).
package enum Deflate {
    /// The stream of `bytes`; the same on every machine with the same libdeflate. *Throws* `.outOfMemory`.
    package static func bytes(of bytes: [UInt8]) throws(StorageFailure) -> [UInt8] {
        let capacity = cs_deflate_bound(bytes.count)
        var written = 0
        var status = 0
        let packed = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, used in
            status = Int(
                unsafe bytes.withUnsafeBufferPointer { input in
                    unsafe cs_deflate(input.baseAddress, bytes.count, buffer.baseAddress, capacity, &written)
                })
            used = written
        }
        guard status == CS_DEFLATE_DONE else { throw .outOfMemory(bytes: capacity) }
        return packed
    }
}
