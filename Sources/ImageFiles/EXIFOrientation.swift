import Storage

/// How a camera was held, as the EXIF block of a JPEG or PNG says: the Orientation that TIFF's tag 274 also has.
///
/// *Source*: CIPA DC-008 (EXIF 2.32) 4.5.4, 4.6.4; ITU-T T.81 B.1.1; PNG (third edition) 11.3.4.5.
enum EXIFOrientation {
    /// At most so many segments stand before the picture.
    private static let segmentLimit = 1000

    /// 1…8; 1, which changes nothing, where the file does not say it in a way that can be read.
    ///
    /// *Throws* `StorageFailure` when the file cannot be read.
    static func read(_ file: InputFile, _ format: ImageFile.Format) throws(StorageFailure) -> Int {
        switch format {
        case .jpeg: try ofJPEG(file)
        case .png: try ofPNG(file)
        case .tiff: 1
        }
    }

    /// Of the chunk `eXIf`, wherever it stands before the end.
    private static func ofPNG(_ file: InputFile) throws(StorageFailure) -> Int {
        var at = 8
        for _ in 0..<100_000 {
            guard at + 12 <= file.size else { return 1 }
            let head = try file.read(at..<at + 8)
            let length = head[0..<4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.size - at - 12 else { return 1 }
            if head[4..<8].elementsEqual("eXIf".utf8), length <= 1 << 20 {
                return orientation(try file.read(at + 8..<at + 8 + length))
            }
            at += 12 + length
        }
        return 1
    }

    private static func ofJPEG(_ file: InputFile) throws(StorageFailure) -> Int {
        var at = 2
        for _ in 0..<segmentLimit {
            guard at + 4 <= file.size else { return 1 }
            let head = try file.read(at..<at + 4)
            guard head[0] == 0xFF else { return 1 }
            // A fill byte, or a marker without a length.
            if head[1] == 0xFF || head[1] == 0x01 || (0xD0...0xD8).contains(head[1]) {
                at += head[1] == 0xFF ? 1 : 2
                continue
            }
            let length = Int(head[2]) << 8 | Int(head[3])
            // Start of scan, end of image.
            guard head[1] != 0xDA, head[1] != 0xD9, length >= 2 else { return 1 }
            if head[1] == 0xE1 {
                let segment = try file.read(at + 4..<min(at + 2 + length, file.size))
                if segment.starts(with: Array("Exif\0\0".utf8)) { return orientation(Array(segment.dropFirst(6))) }
            }
            at += 2 + length
        }
        return 1
    }

    /// Of a TIFF header with its first directory.
    private static func orientation(_ bytes: [UInt8]) -> Int {
        let isLittle = bytes.starts(with: [0x49, 0x49])
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            let part = bytes[offset..<offset + count]
            return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let entries = number(directory, 2) else { return 1 }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = number(offset, 2) else { return 1 }
            // A SHORT stands at the beginning of the value field.
            if tag == 0x0112, number(offset + 2, 2) == 3, let value = number(offset + 8, 2), (1...8).contains(value) {
                return value
            }
        }
        return 1
    }
}
