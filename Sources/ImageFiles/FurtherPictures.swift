import Storage

/// Pictures of a PNG or JPEG besides the one that is read: frames of an animation, what stands behind the first picture's end.
///
/// *Source*: PNG (third edition) 11.3.6.1, acTL; CIPA DC-007, Multi-Picture Format; ITU-T T.81 B.1.1.
enum FurtherPictures {
    /// What to say of them; nil where the file has one picture. *Throws* `StorageFailure` when the file cannot be read.
    static func finding(_ file: InputFile, _ format: ImageFile.Format) throws(StorageFailure) -> RasterFinding? {
        switch format {
        case .png: try ofPNG(file).map { RasterFinding(.pages, isWarning: true, $0) }
        case .jpeg: try ofJPEG(file)
        case .tiff: nil
        }
    }

    private static func ofPNG(_ file: InputFile) throws(StorageFailure) -> String? {
        var at = 8
        for _ in 0..<100_000 {
            guard at + 12 <= file.size else { return nil }
            let head = try file.read(at..<at + 8)
            let length = number(head[0..<4])
            guard length <= file.size - at - 12 else { return nil }
            let next = at + 12 + length
            if head[4..<8].elementsEqual("acTL".utf8), length >= 4 {
                let frames = number(try file.read(at + 8..<at + 12)[...])
                if frames > 1 {
                    return "the file is an animation of \(frames) frames: the picture that PNG itself shows is read."
                }
            }
            if head[4..<8].elementsEqual("IEND".utf8) {
                guard next + 8 <= file.size else { return nil }
                let isPicture = ImageFile.format(of: try file.read(next..<next + 8)) == .png
                return isPicture ? "another PNG stands behind the end of the first, which alone is read." : nil
            }
            at = next
        }
        return nil
    }

    /// A note where the first picture has an index of them: previews, depth and gain maps of phones.
    private static func ofJPEG(_ file: InputFile) throws(StorageFailure) -> RasterFinding? {
        guard let (end, hasIndex) = try endOfJPEG(file), end + 4 <= file.size else { return nil }
        // Makers fill with zeros up to the next picture.
        let tail = try file.read(end..<min(file.size, end + 65_536))
        guard let first = tail.firstIndex(where: { $0 != 0 }), first + 3 <= tail.endIndex,
            ImageFile.format(of: tail[first...]) == .jpeg
        else { return nil }
        return RasterFinding(
            .pages, isWarning: !hasIndex, "another JPEG stands behind the end of the first, which alone is read.")
    }

    /// Behind the marker that ends the first picture, and whether an index of pictures stands in that (MPF); nil where there is none. *Cost*:
    /// the file is read once, in parts.
    private static func endOfJPEG(_ file: InputFile) throws(StorageFailure) -> (end: Int, hasIndex: Bool)? {
        var at = 2, isInScan = false, hasIndex = false
        var part: [UInt8] = [], start = 0
        func bytes(_ count: Int) throws(StorageFailure) -> ArraySlice<UInt8>? {
            guard at + count <= file.size else { return nil }
            if at < start || at + count > start + part.count {
                start = at
                part = try file.read(at..<min(file.size, at + 1 << 20))
            }
            return part[at - start..<at - start + count]
        }
        while let head = try bytes(2) {
            let (first, marker) = (head[head.startIndex], head[head.startIndex + 1])
            guard first == 0xFF else {
                guard isInScan else { return nil }
                at = start + (part[(at - start)...].firstIndex(of: 0xFF) ?? part.count)
                continue
            }
            switch marker {
            case 0xFF: at += 1
            // A stuffed byte, restarts, and what has no length.
            case 0x00, 0x01, 0xD0...0xD8: at += 2
            case 0xD9: return (at + 2, hasIndex)
            default:
                guard let whole = try bytes(4) else { return nil }
                let length = number(whole.suffix(2))
                guard length >= 2 else { return nil }
                isInScan = marker == 0xDA
                if marker == 0xE2, let name = try bytes(8)?.suffix(4), name.elementsEqual([0x4D, 0x50, 0x46, 0]) {
                    hasIndex = true
                }
                at += 2 + length
            }
        }
        return nil
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
