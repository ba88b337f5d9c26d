import DICOM
import DICOMObjects
import ImageFiles
import Imaging
import Numbers
import Storage

/// Masks as files that researchers' programs read, beside the DICOM objects.
package enum MaskFiles: String, Sendable, CaseIterable {
    /// A PNG for each segment and frame, 0 and 255, on the frame's own pixels.
    case masks
    /// A NIfTI-1 file for each segment, 0 and 1, with the volume's place in the patient.
    case nifti

    /// Writes those of one volume into `folder`; their names begin with `stem`.
    ///
    /// *Shape*: `masks[segment][picture]`; `keys` one a segment. *Returns* what a person should know of it.
    /// *Throws* `ImageFilesFailure`, `StorageFailure`.
    func write(_ volume: Volume, masks: [[Mask]], keys: [String], folder: String, stem: String) throws -> [Finding] {
        let names = Self.names(keys)
        switch self {
        case .masks:
            let path = Folder.join(folder, "\(stem).masks")
            try Folder.make(path)
            for (name, frames) in zip(names, masks) {
                for (index, mask) in frames.enumerated() {
                    let page = RasterPage(
                        rows: mask.rows, columns: mask.columns, samples: 1, bits: 8,
                        values: mask.flags.map { $0 ? 255 : 0 })
                    let number = StudyNames.number(volume.number(ofPicture: index), digits: 4)
                    let name = "\(name)-\(number).png"
                    try DurableFile.write(try ImageFile.png(page), to: Folder.join(path, name))
                }
            }
            return []
        case .nifti:
            let block = try NIfTIBlock(volume)
            for (name, frames) in zip(names, masks) {
                var bytes = block.header
                for mask in block.grid?.resampled(frames) ?? frames { bytes += mask.flags.map { $0 ? 1 : 0 } }
                try DurableFile.write(try GZip.bytes(of: bytes), to: Folder.join(folder, "\(stem).\(name).nii.gz"))
            }
            return block.findings
        }
    }

    /// Whether they can be written: asked before the first frame is segmented.
    ///
    /// *Throws* `InputFailure.format` for more voxels a side than the format can count; `ObjectFailure.place` for slices that no grid holds.
    func check(_ volume: Volume) throws {
        guard self == .nifti else { return }
        let sides = try NIfTIBlock(volume).sides
        guard sides.allSatisfy({ $0 <= Int(Int16.max) }) else {
            throw InputFailure.format(
                "NIfTI counts at most 32767 voxels a side, and these masks have \(sides[0]) × \(sides[1]) × \(sides[2]).",
                cure: "Run without --also nifti.")
        }
    }

    /// What persons wrote as keys, as parts of files' names: two keys never give one name.
    package static func names(_ keys: [String]) -> [String] {
        var names: [String] = []
        for (index, key) in keys.enumerated() {
            var name = safe(key)
            while names.contains(name) { name += "-\(index + 1)" }
            names.append(name)
        }
        return names
    }

    private static func safe(_ key: String) -> String {
        String(
            key.lowercased().unicodeScalars.map { scalar in
                let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || (0x30...0x39).contains(scalar.value))
                return isPlain ? Character(scalar) : "-"
            })
    }
}

/// The grid of a NIfTI-1 file and its header, of bytes: columns first, then rows, then slices.
///
/// *Source*: R. W. Cox et al., "A (Sort of) New Image Data Format Standard: NIfTI-1" (2004), nifti1.h.
struct NIfTIBlock {
    let header: [UInt8]
    /// Columns, rows, slices.
    let sides: [Int]
    /// For slices that no affine map leads to (gaps, uneven spacing): where their masks go. Tilted ones stay as they are.
    let grid: RegularGrid?
    /// What the format cannot say.
    let findings: [Finding]

    /// *Throws* what `RegularGrid` throws.
    init(_ volume: Volume) throws(ObjectFailure) {
        let spacing = volume.pictureSpacing ?? PixelSpacing(row: 1, column: 1)
        var step = Vector3(0, 0, volume.sliceSpacing ?? 1)
        let planes = volume.hasPlace ? volume.frames.compactMap(\.plane) : []
        var first = planes.first
        var grid: RegularGrid?
        if let start = planes.first, let last = planes.last, planes.count > 1 {
            step = (last.position - start.position) * (1 / Double(planes.count - 1))
            let isEven = planes.enumerated().allSatisfy { index, plane in
                (plane.position - (start.position + step * Double(index))).length <= 0.01 * step.length
            }
            if !isEven, let regular = try RegularGrid(volume, evenToo: true) {
                grid = regular
                first = regular.plane
                step = regular.plane.normal * regular.step
            }
        } else if let only = planes.first {
            step = only.normal * (volume.frames[0].sliceThickness ?? 1)
        }
        self.grid = grid
        findings = Self.findings(volume, grid)
        let pictures = volume.pictures
        sides =
            grid.map { [$0.columns, $0.rows, $0.sources.count] } ?? [pictures.columns, pictures.rows, pictures.count]
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
        for (index, size) in ([3] + sides + [1, 1, 1, 1]).enumerated() {
            put(Int16(clamping: size), at: 40 + 2 * index)
        }
        put(Int16(2), at: 70)
        put(Int16(8), at: 72)
        put([1, spacing.column, spacing.row, step.length, 1, 1, 1, 1], at: 76)
        put([352, 1, 0], at: 108)
        // NIFTI_UNITS_MM, or NIFTI_UNITS_UNKNOWN.
        bytes[123] = volume.pictureSpacing == nil ? 0 : 2
        for (index, byte) in "hspsam mask".utf8.enumerated() { bytes[148 + index] = byte }
        if let first {
            // Scanner coordinates; DICOM's x and y point the other way.
            put(Int16(1), at: 254)
            let (column, row) = (first.rowCosine * spacing.column, first.columnCosine * spacing.row)
            put([-column.x, -row.x, -step.x, -first.position.x], at: 280)
            put([-column.y, -row.y, -step.y, -first.position.y], at: 296)
            put([column.z, row.z, step.z, first.position.z], at: 312)
        }
        for (index, byte) in "n+1".utf8.enumerated() { bytes[344 + index] = byte }
        header = bytes
    }

    private static func findings(_ volume: Volume, _ grid: RegularGrid?) -> [Finding] {
        if let grid {
            return [
                Finding(
                    "OUT-NIFTI", .warning,
                    "the slices are not evenly spaced, which NIfTI cannot say: its file has \(grid.sources.count) slices at \(NumberText.length(mm: grid.step)), each the mask of the nearest slice."
                )
            ]
        }
        guard volume.voxelMM3 == nil else { return [] }
        let what =
            volume.pictureSpacing == nil
            ? "The source has no pixel spacing: the NIfTI file counts in pixels."
            : "The source has no slice thickness: 1 mm stands for it in the NIfTI file, whose voxels give no volume."
        return [Finding("OUT-NIFTI", .note, what)]
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
