import Storage

/// A part of a PNG or JPEG that stands beside the pixels: a chunk, or a segment before the picture.
///
/// *Source*: PNG (third edition) 5.3; ITU-T T.81 B.1.1.
struct PictureBlock {
    enum Kind: Equatable {
        /// A PNG's, by its four letters.
        case chunk([UInt8])
        /// A JPEG's, by the second byte of its marker.
        case segment(UInt8)
    }

    let kind: Kind
    /// Its data in the file.
    let data: Range<Int>

    /// At most so many segments stand before the picture.
    private static let segmentLimit = 1000

    /// Those of a file, wherever they stand before the picture of a JPEG or the end of a PNG.
    ///
    /// *Throws* `StorageFailure` when the file cannot be read.
    static func all(of file: InputFile, _ format: ImageFile.Format) throws(StorageFailure) -> [PictureBlock] {
        switch format {
        case .jpeg: try ofJPEG(file)
        case .png: try ofPNG(file)
        case .tiff: []
        }
    }

    private static func ofPNG(_ file: InputFile) throws(StorageFailure) -> [PictureBlock] {
        var at = 8, blocks: [PictureBlock] = []
        for _ in 0..<100_000 {
            guard at + 12 <= file.size else { return blocks }
            let head = try file.read(at..<at + 8)
            let length = head[0..<4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.size - at - 12 else { return blocks }
            blocks.append(PictureBlock(kind: .chunk(Array(head[4..<8])), data: at + 8..<at + 8 + length))
            at += 12 + length
        }
        return blocks
    }

    private static func ofJPEG(_ file: InputFile) throws(StorageFailure) -> [PictureBlock] {
        var at = 2, blocks: [PictureBlock] = []
        for _ in 0..<segmentLimit {
            guard at + 4 <= file.size else { return blocks }
            let head = try file.read(at..<at + 4)
            guard head[0] == 0xFF else { return blocks }
            // A fill byte, or a marker without a length.
            if head[1] == 0xFF || head[1] == 0x01 || (0xD0...0xD8).contains(head[1]) {
                at += head[1] == 0xFF ? 1 : 2
                continue
            }
            let length = Int(head[2]) << 8 | Int(head[3])
            // Start of scan, end of image.
            guard head[1] != 0xDA, head[1] != 0xD9, length >= 2 else { return blocks }
            let end = min(at + 2 + length, file.size)
            blocks.append(PictureBlock(kind: .segment(head[1]), data: min(at + 4, end)..<end))
            at += 2 + length
        }
        return blocks
    }
}

extension PictureBlock {
    /// The beginning of the colour profile (ICC) that stands in the block, and the size of it where one block has all of it; nil where none does.
    ///
    /// *Source*: PNG (third edition) 11.3.2.3, iCCP; ICC.1:2022 B.4, APP2.
    func profile(_ file: InputFile) throws(StorageFailure) -> (header: [UInt8], size: Int?)? {
        switch kind {
        case .segment(0xE2):
            let bytes = try file.read(data)
            // Name, number of the part from 1, number of parts.
            guard bytes.count >= 14, bytes.starts(with: Array("ICC_PROFILE\0".utf8)), bytes[12] == 1 else { return nil }
            return (Array(bytes.dropFirst(14)), bytes[13] == 1 ? bytes.count - 14 : nil)
        case .chunk(Array("iCCP".utf8)):
            let bytes = try file.read(data.prefix(Self.mostProfileBytes))
            // Name, its end, method; then a zlib stream, whose header has two bytes.
            guard let end = bytes.firstIndex(of: 0), end + 4 <= bytes.count else { return ([], nil) }
            let profile = try? Inflate.bytes(of: Array(bytes[(end + 4)...]), limit: 4 * Self.mostProfileBytes)
            return (profile ?? [], profile?.count)
        default: return nil
        }
    }

    private static let mostProfileBytes = 4 << 20

    /// Whether a JPEG's markers say two kinds of colours: by JFIF they are YCbCr always, and by Adobe's marker they are not transformed.
    ///
    /// *Source*: ITU-T T.871, 6.1; Adobe Technical Note 5116, 18.
    static func areContradictory(_ blocks: [PictureBlock], _ file: InputFile) throws(StorageFailure) -> Bool {
        var (isJFIF, isUntransformed) = (false, false)
        for block in blocks {
            switch block.kind {
            case .segment(0xE0):
                let name = try file.read(block.data.prefix(5))
                if name == Array("JFIF\0".utf8) { isJFIF = true }
            case .segment(0xEE):
                let bytes = try file.read(block.data.prefix(12))
                if bytes.count == 12, bytes.starts(with: Array("Adobe".utf8)), bytes[11] == 0 { isUntransformed = true }
            default: continue
            }
        }
        return isJFIF && isUntransformed
    }
}
