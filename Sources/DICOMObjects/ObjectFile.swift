package import DICOM
import Failures
import Storage

/// An object as a file: whole, verified and under its name, or not there.
package enum ObjectFile {
    /// Encodes, writes `.NAME.tmp`, syncs it, reads it back once, lets `verify` judge what was read, then gives the file its name.
    ///
    /// A file that is not what it should be is removed. Something that stands under the name is replaced.
    /// - Parameter kept: attributes that stand as in a source, legal or not.
    /// *Throws* `ObjectFailure`, `StorageFailure`. *Cost*: one open and one pass over the file for all readers together.
    package static func write(
        _ dataSet: DataSet, kept: Set<Tag> = [], to path: String, verify: (WrittenObject) throws -> Void = { _ in }
    ) throws {
        let (folder, name) = Folder.split(path)
        let temporary = Folder.join(folder, ".\(name).tmp")
        let length = try encode(dataSet, kept: kept, to: temporary)
        do {
            let written = try WrittenObject(try DurableFile.read(temporary, limit: length))
            try written.checkWithDCMTK()
            try Verification.same(written, dataSet)
            try verify(written)
            try Folder.remove(path)
            try Folder.rename(temporary, to: path)
        } catch {
            // What went wrong is told by the first error, also when the removal fails.
            try? Folder.remove(temporary)
            throw error
        }
        try Folder.sync(folderOf: path)
    }

    /// The file's length. The encoded bytes are gone when the file is read back.
    private static func encode(_ dataSet: DataSet, kept: Set<Tag>, to path: String) throws -> Int {
        let bytes = try DataSetEncoder.file(dataSet, kept: kept)
        try DurableFile.write(bytes, to: path)
        return bytes.count
    }
}

/// A file of ours as it was read back, once: what every part of the verification looks at.
package struct WrittenObject: Sendable {
    /// The whole file.
    package let bytes: [UInt8]
    /// By the parser that reads sources, which shares nothing with the encoder.
    package let file: DICOMFile
    /// Compressed pixels as native bytes, or why they are none: unpacked once for all readers. Nil for native pixels.
    private let unpacked: Result<[UInt8], ObjectFailure>?

    /// Without the file meta group.
    package var dataSet: DataSet { file.dataSet }

    /// *Throws* `verify` when our parser cannot read it.
    package init(_ bytes: [UInt8]) throws(ObjectFailure) {
        self.bytes = bytes
        do {
            file = try DICOMFile(bytes: bytes)
        } catch {
            throw .verify("the file cannot be read: \(error.message.withoutSubject)")
        }
        unpacked = Self.unpacked(file, bytes)
    }

    /// DCMTK, which shares no code with us, reads the same bytes and finds their identity. *Throws* `verify`.
    package func checkWithDCMTK() throws(ObjectFailure) {
        do {
            try SecondReader.check(bytes)
        } catch {
            throw .verify("DCMTK cannot read the file: \(error.message.withoutSubject)")
        }
    }

    /// The value field, wherever the parser left it; of compressed pixels the native bytes. *Throws* `verify` for what has none.
    func value(of element: Element) throws(ObjectFailure) -> ArraySlice<UInt8> {
        switch element.value {
        case .bytes(let bytes): return bytes[...]
        case .inFile(let offset, let length):
            guard offset >= 0, length >= 0, offset <= bytes.count - length else {
                throw .verify("\(element.tag) lies outside of the file")
            }
            return bytes[offset..<offset + length]
        case .fragments, .items:
            guard element.tag == Attribute.pixelData.tag, let unpacked else {
                throw .verify("\(element.tag) has no plain value")
            }
            return try unpacked.get()[...]
        }
    }

    private static func unpacked(_ file: DICOMFile, _ bytes: [UInt8]) -> Result<[UInt8], ObjectFailure>? {
        let dataSet = file.dataSet
        guard case .fragments(_, let items)? = dataSet[.pixelData]?.value else { return nil }
        let width = (dataSet.int(.bitsAllocated) ?? 8) / 8
        let framePixels = (dataSet.int(.rows) ?? 0) * (dataSet.int(.columns) ?? 0)
        guard file.transferSyntax == .rleLossless, items.count == dataSet.int(.numberOfFrames) else {
            return .failure(.verify("Pixel Data is compressed in another way, or has another number of frames"))
        }
        var pixels: [UInt8] = []
        for (index, range) in items.enumerated() {
            guard range.upperBound <= bytes.count,
                let frame = try? RunLength.unpack(
                    Array(bytes[range]), pixels: framePixels, samples: 1, bytesPerSample: width)
            else { return .failure(.verify("frame \(index + 1) is no RLE of its pixels")) }
            pixels += frame
        }
        return .success(pixels.count % 2 == 0 ? pixels : pixels + [0])
    }
}
