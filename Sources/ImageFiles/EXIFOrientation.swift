import Storage

/// How a camera was held, as the EXIF block of a JPEG or PNG says: the Orientation that TIFF's tag 274 also has.
///
/// *Source*: CIPA DC-008 (EXIF 2.32) 4.5.4, 4.6.4; ITU-T T.81 B.1.1; PNG (third edition) 11.3.4.5.
enum EXIFOrientation {
    /// At most so many segments stand before the picture.
    private static let segmentLimit = 1000

    /// 1…8; 1, which changes nothing, where the file does not say it, or not in a way that can be obeyed: then with a warning.
    ///
    /// *Throws* `StorageFailure` when the file cannot be read.
    static func read(
        _ file: InputFile, _ format: ImageFile.Format
    ) throws(StorageFailure) -> (orientation: Int, finding: RasterFinding?) {
        let stated: [Int]
        switch format {
        case .jpeg: stated = try ofJPEG(file)
        case .png: stated = try ofPNG(file)
        case .tiff: return (1, nil)
        }
        // Cameras that do not know how they are held write 0.
        let known = Set(stated.filter { $0 != 0 })
        func warning(_ text: String) -> RasterFinding {
            RasterFinding(.picture, isWarning: true, "\(text): the picture is not turned.")
        }
        guard let orientation = known.first else { return (1, nil) }
        guard known.count == 1 else { return (1, warning("two EXIF blocks say different orientations")) }
        guard (1...8).contains(orientation) else {
            return (1, warning("the EXIF orientation is damaged or none of those that there are (1 to 8)"))
        }
        return (orientation, nil)
    }

    /// Of what cannot be read.
    private static let damaged = -1

    /// Of the chunks `eXIf`, wherever they stand before the end. One whose checksum is wrong is damaged.
    private static func ofPNG(_ file: InputFile) throws(StorageFailure) -> [Int] {
        var at = 8, stated: [Int] = []
        for _ in 0..<100_000 {
            guard at + 12 <= file.size else { return stated }
            let head = try file.read(at..<at + 8)
            let length = head[0..<4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.size - at - 12 else { return stated }
            if head[4..<8].elementsEqual("eXIf".utf8), length <= 1 << 20 {
                let chunk = try file.read(at + 4..<at + 12 + length)
                let sum = chunk.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                let value = orientation(Array(chunk.dropFirst(4).dropLast(4)))
                if let value { stated.append(checksum(chunk.dropLast(4)) == sum ? value : damaged) }
            }
            at += 12 + length
        }
        return stated
    }

    /// *Source*: PNG (third edition), annex D.
    private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    private static func ofJPEG(_ file: InputFile) throws(StorageFailure) -> [Int] {
        var at = 2, stated: [Int] = []
        for _ in 0..<segmentLimit {
            guard at + 4 <= file.size else { return stated }
            let head = try file.read(at..<at + 4)
            guard head[0] == 0xFF else { return stated }
            // A fill byte, or a marker without a length.
            if head[1] == 0xFF || head[1] == 0x01 || (0xD0...0xD8).contains(head[1]) {
                at += head[1] == 0xFF ? 1 : 2
                continue
            }
            let length = Int(head[2]) << 8 | Int(head[3])
            // Start of scan, end of image.
            guard head[1] != 0xDA, head[1] != 0xD9, length >= 2 else { return stated }
            if head[1] == 0xE1 {
                let segment = try file.read(at + 4..<min(at + 2 + length, file.size))
                if segment.starts(with: Array("Exif\0\0".utf8)), let value = orientation(Array(segment.dropFirst(6))) {
                    stated.append(value)
                }
            }
            at += 2 + length
        }
        return stated
    }

    /// Of a TIFF header with its first directory, as it stands there; nil where the tag is missing.
    private static func orientation(_ bytes: [UInt8]) -> Int? {
        let isLittle = bytes.starts(with: [0x49, 0x49])
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            let part = bytes[offset..<offset + count]
            return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + 12 * entry
            guard let tag = number(offset, 2) else { return nil }
            guard tag == 0x0112 else { continue }
            // A SHORT by the standard; some write a BYTE or a LONG. All stand at the beginning of the value field.
            let size = [1: 1, 3: 2, 4: 4][number(offset + 2, 2) ?? 0]
            return size.flatMap { number(offset + 8, $0) } ?? damaged
        }
        return nil
    }
}
