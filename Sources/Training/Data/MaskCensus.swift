import ImageFiles

/// Which values the masks of a set hold, and how often: what is foreground is decided for the whole set, not for each file.
package struct MaskCensus: Sendable {
    /// Pixels of each grey value or palette index.
    private(set) var greys: [Int: Int] = [:]
    /// Pixels of each colour, 0xRRGGBB, of files that hold colours; grey pixels of such files are colours too.
    private(set) var colors: [Int: Int] = [:]
    /// The same of the pixels at the edges of the pictures.
    private var (edgeGreys, edgeColors): ([Int: Int], [Int: Int]) = ([:], [:])
    /// More colours than are counted: a photograph, or an outline drawn softly.
    private(set) var hasManyColors = false
    /// The largest value that the files could hold.
    private(set) var top = 255
    private(set) var files = 0
    /// Files in which nothing but the value 0 occurs.
    private(set) var emptyFiles = 0
    /// A file whose transparency says something else than its colours.
    private(set) var contradictedByAlpha: String?
    /// Each file's values are 1, 2, 3 … with few gaps.
    private var areConsecutive = true
    /// A file holds several values above 0: where the values are labels, they are so in every file.
    private(set) var numbersObjects = false
    /// Neighbours in a row that are both above 0, and those of them that differ.
    private var (marked, differing) = (0, 0)
    /// Pixels of values near 0 in files whose only other mark is one large value.
    private var smallBesideLarge = 0
    /// What each palette index above 0 that occurs looks like, by the first file that has it.
    private var palette: [Int: PaletteEntry] = [:]
    /// An index that is of two colours.
    private(set) var twoColored: (index: Int, one: PaletteEntry, other: PaletteEntry)?
    /// A file for each of the first values and colours, for messages.
    private var examples: [Int: String] = [:]

    /// The colour of a palette index, 0xRRGGBB, in a file.
    struct PaletteEntry: Sendable, Equatable {
        let color: Int
        let path: String
    }

    private static let colorLimit = 4096

    package init() {}

    /// Counts one mask.
    mutating func add(_ page: RasterPage, path: String) {
        files += 1
        top = max(top, (1 << page.bits) - 1)
        if page.isContradictedByAlpha { contradictedByAlpha = contradictedByAlpha ?? path }
        if page.samples == 1, page.palette?.prefix(3).allSatisfy({ $0 == 0 }) ?? true {
            let present = addGrey(page.values, columns: page.columns, path)
            guard let colors = page.palette else { return }
            for index in present where 3 * index + 2 < colors.count {
                let (red, green, blue) = (colors[3 * index], colors[3 * index + 1], colors[3 * index + 2])
                add(PaletteEntry(color: Int(red) << 16 | Int(green) << 8 | Int(blue), path: path), to: index)
            }
        } else {
            addColors(MaskColors(page), columns: page.columns, path)
        }
    }

    private mutating func add(_ entry: PaletteEntry, to index: Int) {
        if let known = palette[index] {
            if twoColored == nil, known.color != entry.color { twoColored = (index, known, entry) }
        } else {
            palette[index] = entry
        }
    }

    /// Counts classes that need no rule.
    mutating func add(classes: [UInt8], columns: Int, path: String) {
        files += 1
        addGrey(classes.map(UInt16.init), columns: columns, path)
    }

    /// *Returns* the values above 0 that occur, ascending.
    @discardableResult
    private mutating func addGrey(_ values: [UInt16], columns: Int, _ path: String) -> [Int] {
        var counts = [Int](repeating: 0, count: 1 + Int(values.max() ?? 0))
        for value in values { counts[Int(value)] += 1 }
        let present = counts.indices.filter { counts[$0] > 0 && $0 > 0 }
        for value in counts.indices where counts[value] > 0 {
            greys[value, default: 0] += counts[value]
            if examples[value] == nil, examples.count < 1000 { examples[value] = path }
        }
        for pixel in Self.edge(values.count, columns: columns) { edgeGreys[Int(values[pixel]), default: 0] += 1 }
        if present.isEmpty { emptyFiles += 1 }
        if present.count > 1 { numbersObjects = true }
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
        return present
    }

    private mutating func addColors(_ picture: MaskColors, columns: Int, _ path: String) {
        guard !picture.isGrey else {
            addGrey(picture.colors.map { UInt16($0 & 255) }, columns: columns, path)
            return
        }
        for pixel in Self.edge(picture.colors.count, columns: columns) {
            edgeColors[picture.colors[pixel] == 0 ? 0 : 1, default: 0] += 1
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
        edgeGreys.merge(other.edgeGreys, uniquingKeysWith: +)
        edgeColors.merge(other.edgeColors, uniquingKeysWith: +)
        hasManyColors = hasManyColors || other.hasManyColors
        top = max(top, other.top)
        files += other.files
        contradictedByAlpha = contradictedByAlpha ?? other.contradictedByAlpha
        emptyFiles += other.emptyFiles
        areConsecutive = areConsecutive && other.areConsecutive
        numbersObjects = numbersObjects || other.numbersObjects
        marked += other.marked
        differing += other.differing
        smallBesideLarge += other.smallBesideLarge
        twoColored = twoColored ?? other.twoColored
        for (index, entry) in other.palette.sorted(by: { $0.key < $1.key }) { add(entry, to: index) }
        examples.merge(other.examples) { first, _ in first }
    }

    /// The colour of a palette index above 0; nil where there is no palette.
    func color(of index: Int) -> Int? { palette[index]?.color }

    /// Places of the pixels of the first and last row and column.
    private static func edge(_ count: Int, columns: Int) -> [Int] {
        guard columns > 0, count > columns else { return Array(0..<count) }
        let sides = stride(from: columns, to: count - columns, by: columns).flatMap { row in
            columns > 1 ? [row, row + columns - 1] : [row]
        }
        return Array(0..<columns) + sides + Array(count - columns..<count)
    }

    /// The segment's shares of all pixels and of those at the pictures' edges, under a rule for one segment; of colours all but black are it.
    func shares(_ rule: MaskRule) -> (all: Double, edge: Double) {
        func share(_ greys: [Int: Int], _ colors: [Int: Int]) -> Double {
            let marked =
                greys.reduce(0) { $0 + (rule.class(of: $1.key) > 0 ? $1.value : 0) }
                + colors.reduce(0) { $0 + ($1.key == 0 ? 0 : $1.value) }
            return Double(marked) / Double(max(1, greys.values.reduce(0, +) + colors.values.reduce(0, +)))
        }
        return (share(greys, colors), share(edgeGreys, edgeColors))
    }

    /// It holds something, and nothing that `other` does not hold.
    func isPart(of other: MaskCensus) -> Bool {
        let (greys, colors) = (marks, colors.keys.filter { $0 != 0 })
        return !(greys.isEmpty && colors.isEmpty) && greys.allSatisfy { other.greys[$0] != nil }
            && colors.allSatisfy { other.colors[$0] != nil }
    }

    /// Of the pixels that either of two rules marks, the share of those to which they give two classes.
    func unlike(_ one: MaskRule, _ other: MaskRule) -> Double {
        var (marked, differing) = (0, 0)
        func add(_ a: UInt8, _ b: UInt8, _ count: Int) {
            if a > 0 || b > 0 { marked += count }
            if a != b { differing += count }
        }
        for (value, count) in greys {
            let color = color(of: value)
            add(one.class(of: value, color: color), other.class(of: value, color: color), count)
        }
        for (color, count) in colors { add(one.class(ofColor: color), other.class(ofColor: color), count) }
        return Double(differing) / Double(max(1, marked))
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

    /// The one value between black and white that most of the pixels between have, as in a trimap of 0, 128 and 255, or where masks of 0 and
    /// 128 stand beside those of 0 and 255. Loss and soft drawing spread over all shades, and slips of a brush are few pixels.
    var middleMark: Int? {
        guard let largest = marks.last else { return nil }
        let middle = greys.filter { $0.key * 10 > largest && $0.key * 10 <= largest * 9 }
        guard let most = middle.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return nil }
        let all = middle.values.reduce(0, +)
        return most.value * 2 > all && most.value * 1000 >= greys[largest] ?? 0 ? most.key : nil
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
