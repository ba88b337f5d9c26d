import Imaging
import Storage

/// What one EXIF block of a JPEG or PNG says: a TIFF header with its first directory.
///
/// *Source*: CIPA DC-008 (EXIF 2.32) 4.5.4, 4.6.4; ITU-T T.81 B.1.1; PNG (third edition) 11.3.4.5 and annex D.
struct EXIFBlock {
    private let bytes: [UInt8]
    /// Its checksum is right, where its file has one.
    private let isIntact: Bool

    /// Of an orientation that cannot be read.
    static let damaged = -1
    /// Those among the blocks of a file. *Throws* `StorageFailure` when the file cannot be read.
    static func all(_ blocks: [PictureBlock], of file: InputFile) throws(StorageFailure) -> [EXIFBlock] {
        var found: [EXIFBlock] = []
        for block in blocks {
            switch block.kind {
            case .chunk(Array("eXIf".utf8)):
                guard block.data.count <= 1 << 20 else { continue }
                // The sum that stands behind a chunk is that of its name and data.
                let chunk = try file.read(block.data.lowerBound - 4..<block.data.upperBound + 4)
                let sum = chunk.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                let isIntact = Inflate.crc32(Array(chunk.dropLast(4))) == sum
                found.append(EXIFBlock(bytes: Array(chunk.dropFirst(4).dropLast(4)), isIntact: isIntact))
            case .segment(0xE1):
                let segment = try file.read(block.data)
                if segment.starts(with: Array("Exif\0\0".utf8)) {
                    found.append(EXIFBlock(bytes: Array(segment.dropFirst(6)), isIntact: true))
                }
            default: continue
            }
        }
        return found
    }

    // MARK: What it says

    /// Orientation (274) as it stands there, `damaged` where it cannot be read; nil where the tag is missing.
    var orientation: Int? {
        guard let entry = entry(274) else { return nil }
        // A SHORT by the standard; some write a BYTE or a LONG.
        return isIntact ? whole(entry) ?? Self.damaged : Self.damaged
    }

    /// What XResolution, YResolution and ResolutionUnit (282, 283, 296) say; nothing for what is damaged or of another unit.
    var calibration: PixelCalibration {
        guard isIntact, let across = fraction(282), let down = fraction(283) else { return PixelCalibration() }
        switch entry(296).map({ whole($0) ?? 0 }) ?? 2 {
        case 2: return PixelCalibration(rows: down, columns: across, unit: .inch)
        case 3: return PixelCalibration(rows: down, columns: across, unit: .centimetre)
        default: return PixelCalibration()
        }
    }

    private var isLittle: Bool { bytes.starts(with: [0x49, 0x49]) }

    private func number(_ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset + count <= bytes.count else { return nil }
        let part = bytes[offset..<offset + count]
        return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
    }

    /// Where a tag's entry stands.
    private func entry(_ tag: Int) -> Int? {
        guard let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let found = number(offset, 2) else { return nil }
            if found == tag { return offset }
        }
        return nil
    }

    /// The whole number of an entry: all types stand at the beginning of the value field.
    private func whole(_ entry: Int) -> Int? {
        [1: 1, 3: 2, 4: 4][number(entry + 2, 2) ?? 0].flatMap { number(entry + 8, $0) }
    }

    private func fraction(_ tag: Int) -> Double? {
        guard let entry = entry(tag), number(entry + 2, 2) == 5, let at = number(entry + 8, 4),
            let over = number(at, 4), let under = number(at + 4, 4), under > 0
        else { return nil }
        return Double(over) / Double(under)
    }
}
