import Storage

/// Where the bytes of an object's pixels stand that stayed in the file, and what they are digested with: the one place for both.
struct PixelBytes {
    /// Ascending.
    let ranges: [Range<Int>]
    /// Values that stayed in the file have its byte order.
    private let isBigEndian: Bool

    /// Nil for values in memory, and for a sequence.
    init?(_ element: Element, isBigEndian: Bool) {
        switch element.value {
        case .inFile(let offset, let length): (ranges, self.isBigEndian) = ([offset..<offset + length], isBigEndian)
        case .fragments(_, let items): (ranges, self.isBigEndian) = (items, false)
        case .bytes, .items: return nil
        }
    }

    /// Of the element that holds the pixels of a main data set.
    init?(of dataSet: DataSet, isBigEndian: Bool) {
        for attribute in [Attribute.pixelData, .floatPixelData, .doubleFloatPixelData] {
            guard let element = dataSet[attribute], let pixels = PixelBytes(element, isBigEndian: isBigEndian),
                pixels.ranges.contains(where: { !$0.isEmpty })
            else { continue }
            self = pixels
            return
        }
        return nil
    }

    func sum() -> FileDigest.Accumulator {
        var sum = FileDigest.Accumulator()
        if isBigEndian { sum.add("big endian") }
        return sum
    }

    /// *Throws* `changed`, `unreadable`. *Cost*: one pass over them.
    func digest(_ source: ByteSource) throws(DICOMFailure) -> FileDigest {
        var sum = sum()
        for range in ranges {
            guard case .file(let file) = source else {
                sum.add(try source.bytes(range))
                continue
            }
            guard range.lowerBound >= 0, range.upperBound <= file.size else { throw DICOMFailure(.changed(path: "")) }
            do throws(StorageFailure) { try sum.add(file, range) } catch { throw DICOMFailure(error) }
        }
        return sum.finish()
    }
}

/// What is known of a file's bytes once they were read.
struct FileDigests: Sendable {
    /// Of those after the file meta group, as they stand in the file.
    let content: FileDigest
    /// Of those of the pixels that stayed in the file; nil where there are none.
    let pixels: FileDigest?

    init(content: FileDigest, pixels: FileDigest?) { (self.content, self.pixels) = (content, pixels) }

    /// Of a file from `start` on, in one pass for both.
    ///
    /// - Parameter head: the first bytes of the file, read already.
    /// *Throws* `changed`, `system`.
    init(of file: InputFile, _ head: [UInt8], from start: Int, _ pixels: PixelBytes?) throws(StorageFailure) {
        let ranges = pixels?.ranges ?? []
        var all = FileDigest.Accumulator()
        var own = FileDigest.Accumulator()
        if let pixels { own = pixels.sum() }
        var bytes = Array(head.dropFirst(start))
        var (at, next) = (start, 0)
        while true {
            all.add(bytes.span.bytes)
            while next < ranges.count, ranges[next].lowerBound < at + bytes.count {
                let part = ranges[next].clamped(to: at..<at + bytes.count)
                own.add(bytes.span.bytes.extracting(part.lowerBound - at..<part.upperBound - at))
                guard ranges[next].upperBound <= at + bytes.count else { break }
                next += 1
            }
            at += bytes.count
            guard at < file.size else { break }
            let count = min(Self.pieceBytes, file.size - at)
            if bytes.count != count { bytes = [UInt8](repeating: 0, count: count) }
            try file.read(at: at, into: &bytes, count: count)
        }
        let found = own.finish()
        self.init(content: all.finish(), pixels: pixels == nil ? nil : found)
    }

    private static let pieceBytes = 1 << 18
}
