import DICOM
import ImageFiles
import Imaging
import Storage

/// Masks as files that researchers' programs read, beside the DICOM objects.
package enum MaskFiles: String, Sendable, CaseIterable {
    /// A PNG for each segment and frame, 0 and 255, on the frame's own pixels.
    case masks
    /// A NIfTI-1 file for each segment, 0 and 1, with the volume's place in the patient.
    case nifti

    /// Writes those of one volume into `folder`; their names begin with `stem`.
    ///
    /// *Shape*: `masks[segment][frame]`; `keys` one a segment. *Returns* why nothing could be written, nil when it was.
    /// *Throws* `ImageFilesFailure`, `StorageFailure`.
    func write(_ volume: Volume, masks: [[Mask]], keys: [String], folder: String, stem: String) throws -> String? {
        switch self {
        case .masks:
            let path = Folder.join(folder, "\(stem).masks")
            try Folder.make(path)
            for (key, frames) in zip(keys, masks) {
                for (index, mask) in frames.enumerated() {
                    let page = RasterPage(
                        rows: mask.rows, columns: mask.columns, samples: 1, bits: 8,
                        values: mask.flags.map { $0 ? 255 : 0 })
                    let name = "\(Self.safe(key))-\(StudyNames.number(index + 1, digits: 4)).png"
                    try DurableFile.write(try ImageFile.png(page), to: Folder.join(path, name))
                }
            }
            return nil
        case .nifti:
            guard masks.allSatisfy({ $0.count == volume.frames.count }), let header = NIfTIHeader(volume) else {
                return
                    "no NIfTI file was written: its slices are not evenly spaced, and that format knows one spacing only."
            }
            for (key, frames) in zip(keys, masks) {
                var bytes = header.bytes
                for mask in frames { bytes += mask.flags.map { $0 ? 1 : 0 } }
                try DurableFile.write(
                    try GZip.bytes(of: bytes), to: Folder.join(folder, "\(stem).\(Self.safe(key)).nii.gz"))
            }
            return nil
        }
    }

    /// What a person wrote as a key, as a part of a file's name.
    private static func safe(_ key: String) -> String {
        String(
            key.lowercased().unicodeScalars.map { scalar in
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || (0x30...0x39).contains(scalar.value))
                return isPlain ? Character(scalar) : "-"
            })
    }
}

/// The header of a NIfTI-1 file of bytes: columns first, then rows, then slices.
///
/// *Source*: R. W. Cox et al., "A (Sort of) New Image Data Format Standard: NIfTI-1" (2004), nifti1.h.
struct NIfTIHeader {
    let bytes: [UInt8]

    /// Nil for slices that no affine map leads to: gaps and uneven spacing.
    init?(_ volume: Volume) {
        let spacing = volume.pixelSpacing ?? PixelSpacing(row: 1, column: 1)
        var step = Vector3(0, 0, volume.sliceSpacing ?? 1)
        let planes = volume.hasPlace ? volume.frames.compactMap(\.plane) : []
        if let first = planes.first, let last = planes.last, planes.count > 1 {
            step = (last.position - first.position) * (1 / Double(planes.count - 1))
            for (index, plane) in planes.enumerated() {
                let wanted = first.position + step * Double(index)
                guard (plane.position - wanted).length <= 0.01 * step.length else { return nil }
            }
        } else if let only = planes.first {
            step = only.normal * (volume.frames[0].sliceThickness ?? 1)
        }
        var bytes = [UInt8](repeating: 0, count: 352)
        func put(_ bits: some FixedWidthInteger, at offset: Int) {
            for index in 0..<bits.bitWidth / 8 {
                bytes[offset + index] = UInt8(truncatingIfNeeded: bits >> (8 * index))
            }
        }
        func put(_ numbers: [Double], at offset: Int) {
            for (index, number) in numbers.enumerated() { put(Float(number).bitPattern, at: offset + 4 * index) }
        }
        put(Int32(348), at: 0)
        for (index, size) in [3, volume.columns, volume.rows, volume.frames.count, 1, 1, 1, 1].enumerated() {
            put(Int16(clamping: size), at: 40 + 2 * index)
        }
        put(Int16(2), at: 70)
        put(Int16(8), at: 72)
        put([1, spacing.column, spacing.row, step.length, 1, 1, 1, 1], at: 76)
        put([352, 1, 0], at: 108)
        bytes[123] = 2
        for (index, byte) in "hspsam mask".utf8.enumerated() { bytes[148 + index] = byte }
        if let first = planes.first {
            // Scanner coordinates; DICOM's x and y point the other way.
            put(Int16(1), at: 254)
            let (column, row) = (first.rowCosine * spacing.column, first.columnCosine * spacing.row)
            put([-column.x, -row.x, -step.x, -first.position.x], at: 280)
            put([-column.y, -row.y, -step.y, -first.position.y], at: 296)
            put([column.z, row.z, step.z, first.position.z], at: 312)
        }
        for (index, byte) in "n+1".utf8.enumerated() { bytes[344 + index] = byte }
        self.bytes = bytes
    }
}

/// A gzip file of one stream (RFC 1952), without a time and a name.
enum GZip {
    static func bytes(of bytes: [UInt8]) throws(StorageFailure) -> [UInt8] {
        let (crc, size) = (Inflate.crc32(bytes), UInt32(truncatingIfNeeded: bytes.count))
        let end = [crc, size].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + (try Deflate.bytes(of: bytes)) + end
    }
}
