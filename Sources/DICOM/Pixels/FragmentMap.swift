/// Which fragments belong to which frame of encapsulated pixel data.
///
/// *Source*: PS3.5 A.4; `docs/dicom-support.md`, "Transfer syntaxes".
struct FragmentMap {
    /// The pieces of each frame, as ranges of file bytes to be put together.
    let frames: [[Range<Int>]]
    private(set) var notes: [String] = []

    /// How a frame's first fragment begins, for files without offset tables.
    enum Signature {
        /// `FFD8`: JPEG and JPEG-LS; `FF4F`: JPEG 2000.
        case marker(UInt8)
        /// The number of RLE segments, then 64.
        case rle(segments: Int)
        case none
    }

    /// - Parameters:
    ///   - items: the fragments' bytes, item headers not included.
    ///   - extended: values of the Extended Offset Table and its lengths.
    ///   - isCut: the last fragment is shorter than it says.
    /// *Throws*: `fragments` when frames cannot be told apart or one holds two streams, `pixelsTruncated` when some are missing.
    init(
        offsetTable: [UInt8], items: [Range<Int>], frameCount: Int, extended: (offsets: [Int], lengths: [Int])?,
        signature: Signature, isCut: Bool, bytes: ByteSource
    ) throws(DICOMFailure) {
        guard let firstItem = items.first else {
            throw .pixelsTruncated(
                "no fragment for \(frameCount) frames: the pixel data is empty.", cure: "Send the file again.")
        }
        // Offsets count from the first item's header, which is 8 bytes before its bytes.
        var itemAt: [Int: Int] = [:]
        for (index, range) in items.enumerated() { itemAt[range.lowerBound - firstItem.lowerBound] = index }

        let offsets = extended?.offsets.count ?? offsetTable.count / 4
        guard offsets <= frameCount else {
            throw .fragments(
                "an offset table of \(offsets) frames, Number of Frames says \(frameCount): they contradict each other.",
                cure: "Export the image again.")
        }
        try Self.checkAgreement(extended?.offsets ?? [], Self.offsets(offsetTable), itemAt)
        var frames: [[Range<Int>]]?
        if let extended {
            frames = try Self.byExtendedTable(extended, items, itemAt, frameCount)
            if frames == nil { notes.append("the Extended Offset Table does not fit the fragments and was ignored") }
        }
        if frames == nil, !offsetTable.isEmpty {
            frames = try Self.byBasicTable(offsetTable, items, itemAt, frameCount)
            if frames == nil { notes.append("the Basic Offset Table does not fit the fragments and was ignored") }
        }
        if frames == nil, frameCount == 1 { frames = [items] }
        if let frames {
            try Self.checkStreams(frames, signature, bytes)
        } else if items.count == frameCount {
            frames = items.map { [$0] }
        } else if items.count > frameCount {
            let starts = try Self.starts(signature, items, bytes)
            guard starts.first == 0, starts.count == frameCount else {
                throw .fragments(
                    "\(items.count) fragments for \(frameCount) frames, \(starts.count) begin like one: frames cannot be told apart.",
                    cure: "Export the image again, with an offset table.")
            }
            frames = Self.frames(items, starts: starts)
        } else {
            throw .pixelsTruncated(
                "\(items.count) fragments for \(frameCount) frames: some frames are missing.",
                cure: "Send the file again.")
        }
        if isCut {
            throw .pixelsTruncated("the last fragment is cut off: pixels are missing.", cure: "Send the file again.")
        }
        self.frames = frames ?? []
    }

    /// One fragment a frame; a length may leave out the byte that pads the fragment to an even length.
    ///
    /// Nil when its offsets are none of these fragments'.
    private static func byExtendedTable(
        _ table: (offsets: [Int], lengths: [Int]), _ items: [Range<Int>], _ itemAt: [Int: Int], _ count: Int
    ) throws(DICOMFailure) -> [[Range<Int>]]? {
        guard table.offsets.count == count, table.lengths.count == count else { return nil }
        guard let named = try named(table.offsets, itemAt, "Extended", items.count) else { return nil }
        guard named.first == 0 else { throw outOfOrder("Extended", items.count, count) }
        // Of several fragments a frame, which this table cannot have, or with one that belongs to none.
        guard items.count == count else { return nil }
        var frames: [[Range<Int>]] = []
        for (offset, length) in zip(table.offsets, table.lengths) {
            guard let index = itemAt[offset], length >= 0, length <= items[index].count, length > items[index].count - 2
            else {
                return nil
            }
            frames.append([items[index].lowerBound..<items[index].lowerBound + length])
        }
        return frames
    }

    /// Several fragments a frame. Nil when its offsets are none of these fragments', or all are one: a table that nobody has filled in.
    private static func byBasicTable(
        _ table: [UInt8], _ items: [Range<Int>], _ itemAt: [Int: Int], _ count: Int
    ) throws(DICOMFailure) -> [[Range<Int>]]? {
        let offsets = offsets(table)
        guard offsets.count == count, count == 1 || Set(offsets).count > 1,
            let starts = try named(offsets, itemAt, "Basic", items.count), starts.first == 0
        else { return nil }
        return Self.frames(items, starts: starts)
    }

    private static func offsets(_ basicTable: [UInt8]) -> [Int] {
        (0..<basicTable.count / 4).map { word(basicTable, $0 * 4) }
    }

    /// The fragments that a table's offsets begin, in its order; nil when one begins none.
    ///
    /// *Throws* `fragments` where they are out of order or one stands twice: the table says something else of the frames than their own
    /// order, in which PS3.5 A.4 puts them, and readers follow the one or the other.
    private static func named(
        _ offsets: [Int], _ itemAt: [Int: Int], _ table: String, _ items: Int
    ) throws(DICOMFailure) -> [Int]? {
        let named = offsets.compactMap { itemAt[$0] }
        guard named.count == offsets.count else { return nil }
        guard zip(named, named.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw outOfOrder(table, items, offsets.count)
        }
        return named
    }

    private static func outOfOrder(_ table: String, _ items: Int, _ frames: Int) -> DICOMFailure {
        .fragments(
            "the \(table) Offset Table names the \(items) fragments of \(frames) frames out of order, or one twice: it contradicts the pixel data.",
            cure: "Export the image again, without an offset table.")
    }

    /// Two tables (PS3.5 A.4 allows one) that both name fragments, and not the same.
    private static func checkAgreement(
        _ extended: [Int], _ basic: [Int], _ itemAt: [Int: Int]
    ) throws(DICOMFailure) {
        guard extended.count == basic.count, extended != basic, Set(basic).count > 1,
            (extended + basic).allSatisfy({ itemAt[$0] != nil })
        else { return }
        throw .fragments(
            "the Extended and the Basic Offset Table name other fragments: they contradict each other.",
            cure: "Export the image again, without an offset table.")
    }

    /// What says which fragments are a frame's is not believed where a frame would hold more than one picture.
    private static func checkStreams(
        _ frames: [[Range<Int>]], _ signature: Signature, _ bytes: ByteSource
    ) throws(DICOMFailure) {
        for (index, items) in frames.enumerated() where items.count > 1 {
            let count = try starts(signature, items, bytes).count
            guard count > 1 else { continue }
            throw .fragments(
                "\(count) streams begin in the \(items.count) fragments of frame \(index + 1) of \(frames.count): Number of Frames or the offset table contradicts the pixel data.",
                cure: "Export the image again.")
        }
    }

    /// A frame starts where a stream starts after the one before has ended.
    private static func starts(
        _ signature: Signature, _ items: [Range<Int>], _ bytes: ByteSource
    ) throws(DICOMFailure) -> [Int] {
        var starts: [Int] = []
        for (index, range) in items.enumerated() {
            switch signature {
            case .none: return []
            case .marker(let second):
                guard range.count >= 2, try bytes.bytes(range.prefix(2)) == [0xFF, second] else { continue }
                if index > 0, try !endsStream(items[index - 1], bytes) { continue }
            case .rle(let segments):
                guard range.count >= 64 else { continue }
                let header = try bytes.bytes(range.prefix(8))
                guard word(header, 0) == segments, word(header, 4) == 64 else { continue }
            }
            starts.append(index)
        }
        return starts
    }

    /// `FFD9`, with at most ten bytes of padding behind it.
    private static func endsStream(_ range: Range<Int>, _ bytes: ByteSource) throws(DICOMFailure) -> Bool {
        let end = try bytes.bytes(range.suffix(12))
        return end.indices.dropFirst().contains { end[$0 - 1] == 0xFF && end[$0] == 0xD9 }
    }

    private static func frames(_ items: [Range<Int>], starts: [Int]) -> [[Range<Int>]] {
        starts.indices.map { Array(items[starts[$0]..<($0 + 1 < starts.count ? starts[$0 + 1] : items.count)]) }
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> Int {
        Int(bytes[at]) | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]) << 16 | Int(bytes[at + 3]) << 24
    }
}
