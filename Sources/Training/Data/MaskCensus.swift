import ImageFiles

/// Which values the masks of a set hold, and how often: what is foreground is decided for the whole set, not for each file.
package struct MaskCensus: Sendable, Equatable {
    /// Pixels of each grey value or palette index.
    private(set) var greys: [Int: Int] = [:]
    /// Pixels of each colour, 0xRRGGBB, of files that hold colours; grey pixels of such files are colours too.
    private(set) var colors: [Int: Int] = [:]
    /// More colours than are counted: a photograph, or an outline drawn softly.
    private(set) var hasManyColors = false
    /// The largest value that the files could hold.
    private(set) var top = 255
    private(set) var files = 0
    /// Files in which nothing but the value 0 occurs.
    private(set) var emptyFiles = 0
    /// Each file's values are 1, 2, 3 … with few gaps.
    private var areConsecutive = true
    /// Neighbours in a row that are both above 0, and those of them that differ.
    private var (marked, differing) = (0, 0)
    /// Pixels of values near 0 in files whose only other mark is one large value.
    private var smallBesideLarge = 0
    /// A file for each of the first values and colours, for messages.
    private var examples: [Int: String] = [:]

    private static let colorLimit = 4096

    package init() {}

    /// Counts one mask.
    mutating func add(_ page: RasterPage, path: String) {
        files += 1
        top = max(top, (1 << page.bits) - 1)
        if page.samples == 1, page.palette?.prefix(3).allSatisfy({ $0 == 0 }) ?? true {
            addGrey(page.values, columns: page.columns, path)
        } else {
            addColors(MaskColors(page), columns: page.columns, path)
        }
    }

    /// Counts classes that need no rule.
    mutating func add(classes: [UInt8], columns: Int, path: String) {
        files += 1
        addGrey(classes.map(UInt16.init), columns: columns, path)
    }

    private mutating func addGrey(_ values: [UInt16], columns: Int, _ path: String) {
        var counts = [Int](repeating: 0, count: 1 + Int(values.max() ?? 0))
        for value in values { counts[Int(value)] += 1 }
        let present = counts.indices.filter { counts[$0] > 0 && $0 > 0 }
        for value in counts.indices where counts[value] > 0 {
            greys[value, default: 0] += counts[value]
            if examples[value] == nil, examples.count < 1000 { examples[value] = path }
        }
        if present.isEmpty { emptyFiles += 1 }
        if let last = present.last {
            if present.count * 2 < last { areConsecutive = false }
            let small = present.filter { $0 * 10 <= last }
            if small.count + 1 == present.count { smallBesideLarge += small.reduce(0) { $0 + counts[$1] } }
        }
        for pixel in values.indices.dropFirst() where values[pixel] > 0 && pixel % max(1, columns) > 0 {
            guard values[pixel - 1] > 0 else { continue }
            marked += 1
            if values[pixel] != values[pixel - 1] { differing += 1 }
        }
    }

    private mutating func addColors(_ picture: MaskColors, columns: Int, _ path: String) {
        guard !picture.isGrey else {
            addGrey(picture.colors.map { UInt16($0 & 255) }, columns: columns, path)
            return
        }
        for color in picture.colors {
            if colors.count < Self.colorLimit || colors[color] != nil {
                colors[color, default: 0] += 1
            } else {
                hasManyColors = true
            }
            if examples[-1 - color] == nil, examples.count < 1000 { examples[-1 - color] = path }
        }
    }

    /// The counts of two sets as of one.
    mutating func merge(_ other: MaskCensus) {
        greys.merge(other.greys, uniquingKeysWith: +)
        colors.merge(other.colors, uniquingKeysWith: +)
        hasManyColors = hasManyColors || other.hasManyColors
        top = max(top, other.top)
        files += other.files
        emptyFiles += other.emptyFiles
        areConsecutive = areConsecutive && other.areConsecutive
        marked += other.marked
        differing += other.differing
        smallBesideLarge += other.smallBesideLarge
        examples.merge(other.examples) { first, _ in first }
    }

    /// A file that holds a grey value.
    func file(with value: Int) -> String? { examples[value] }

    /// Grey values above 0, ascending.
    var marks: [Int] { greys.keys.filter { $0 > 0 }.sorted() }

    /// Whether the values number things: few gaps in each file, and neighbours seldom differ. Shades differ everywhere.
    var areLabels: Bool { areConsecutive && differing * 5 < max(1, marked) }

    /// Whether single values near 0 lie in one file with one large value, as classes lie beside the 255 that PASCAL VOC and others ignore:
    /// which of them is the segment cannot be told. Loss and soft drawing leave values near the largest too, and slips of a brush few pixels.
    var hasSmallMarks: Bool {
        guard let largest = marks.last, largest * 5 >= top * 3 else { return false }
        return marks.count { $0 * 10 > largest } == 1 && smallBesideLarge * 1000 >= greys[largest] ?? 0
            && smallBesideLarge > 0
    }

    /// Whether nearly all pixels are near 0 or near `top`, as in a binary mask that was compressed with loss or drawn softly: where
    /// the upper bound of the middle lies, at nine tenths of the largest value.
    var isNearlyBinary: Bool {
        guard let largest = marks.last, largest * 5 >= top * 3 else { return false }
        var (middle, high) = (0, 0)
        for (value, count) in greys where value * 10 > largest {
            if value * 10 > largest * 9 { high += count } else { middle += count }
        }
        return middle * 2 < high
    }
}

/// The pixels of a mask in colour, 0xRRGGBB.
struct MaskColors {
    let colors: [Int]
    /// Red, green and blue are one everywhere.
    let isGrey: Bool

    init(_ page: RasterPage) {
        let bytes = page.palette == nil ? page.values8 : page.values.map { UInt8(truncatingIfNeeded: $0) }
        if let palette = page.palette {
            colors = bytes.map { index in
                let at = min(3 * Int(index), palette.count - 3)
                return Int(palette[at]) << 16 | Int(palette[at + 1]) << 8 | Int(palette[at + 2])
            }
        } else if page.samples == 1 {
            colors = bytes.map { Int($0) * 0x010101 }
        } else {
            colors = (0..<bytes.count / 3).map {
                Int(bytes[3 * $0]) << 16 | Int(bytes[3 * $0 + 1]) << 8 | Int(bytes[3 * $0 + 2])
            }
        }
        isGrey = colors.allSatisfy { ($0 >> 16) == ($0 & 255) && (($0 >> 8) & 255) == ($0 & 255) }
    }
}
