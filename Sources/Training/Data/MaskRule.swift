import ImageFiles
import Storage

/// What the values of a set's masks mean: one rule for all of its files.
package enum MaskRule: Sendable, Equatable {
    /// Everything but 0 (black) is the one segment.
    case nonzero
    /// The one segment is brighter than this.
    case above(Int)
    /// A value is a class: 0 background, 1 the first segment.
    case classes
    /// Values with their classes; all others are background.
    case values([Int: UInt8])
    /// Values with their classes, 0 among them; there are no others.
    case labels([Int: UInt8])
    /// Colours, 0xRRGGBB, with their classes; each pixel has that of the nearest of these and of black, which is background.
    case colors([Int: UInt8])

    /// The class of each pixel.
    ///
    /// *Throws* `TrainingFailure.maskValue` for a class that the model has no segment for, `.maskValues` for a value that is no label.
    func classes(of page: RasterPage, path: String, segments: Int) throws(TrainingFailure) -> [UInt8] {
        if case .colors(let table) = self {
            var known: [Int: UInt8] = [:]
            return MaskColors(page).colors.map { color in
                if let found = known[color] { return found }
                let found = Self.nearest(color, table)
                known[color] = found
                return found
            }
        }
        let values = Self.values(of: page)
        if case .classes = self, let wrong = values.first(where: { $0 > segments }) {
            throw .maskValue(mask: path, value: wrong, segments: segments)
        }
        if case .labels(let table) = self, let wrong = values.first(where: { table[$0] == nil }) {
            throw Self.noLabel("\(wrong)", table, path)
        }
        return values.map { self.class(of: $0) }
    }

    /// Of a grey value or palette index.
    func `class`(of value: Int) -> UInt8 {
        switch self {
        case .nonzero: value > 0 ? 1 : 0
        case .above(let threshold): value > threshold ? 1 : 0
        case .classes: UInt8(clamping: value)
        case .values(let table), .labels(let table): table[value] ?? 0
        case .colors(let table): Self.nearest(value * 0x010101, table)
        }
    }

    /// Of a grey value, or of a palette index with its colour.
    func `class`(of value: Int, color: Int?) -> UInt8 {
        if case .colors(let table) = self, let color { return Self.nearest(color, table) }
        return self.class(of: value)
    }

    /// A palette's indices mean something by themselves; not so where all of them are one segment, or the file's colours or a layout's
    /// description say what they are.
    var readsIndices: Bool {
        switch self {
        case .classes, .values: true
        case .nonzero, .above, .labels, .colors: false
        }
    }

    /// It tells one segment from background by how bright pixels are.
    var marksOneSegment: Bool {
        switch self {
        case .nonzero, .above: true
        case .classes, .values, .labels, .colors: false
        }
    }

    /// Of a colour.
    func `class`(ofColor color: Int) -> UInt8 {
        if case .colors(let table) = self { return Self.nearest(color, table) }
        return self.class(of: Self.brightest(color))
    }

    /// Grey values, palette indices, or of colours the largest of red, green and blue.
    private static func values(of page: RasterPage) -> [Int] {
        if page.samples == 1, page.palette?.prefix(3).allSatisfy({ $0 == 0 }) ?? true {
            return page.values.map(Int.init)
        }
        return MaskColors(page).colors.map(brightest)
    }

    private static func brightest(_ color: Int) -> Int { max(color >> 16, (color >> 8) & 255, color & 255) }

    private static func nearest(_ color: Int, _ table: [Int: UInt8]) -> UInt8 {
        func distance(_ other: Int) -> Int {
            [16, 8, 0].reduce(0) { sum, shift in
                let difference = ((color >> shift) & 255) - ((other >> shift) & 255)
                return sum + difference * difference
            }
        }
        var best = (distance: distance(0), class: UInt8(0))
        for (candidate, value) in table.sorted(by: { $0.key < $1.key }) where distance(candidate) < best.distance {
            best = (distance(candidate), value)
        }
        return best.class
    }

    /// For messages: what was found in the masks and how it is read.
    package var words: String {
        switch self {
        case .nonzero: "every value but 0 is the segment"
        case .above(let threshold): "values above \(threshold) are the segment"
        case .classes: "the values are the classes"
        case .values(let table):
            "the values " + table.keys.sorted().map { "\($0) → \(table[$0] ?? 0)" }.joined(separator: ", ")
        case .labels(let table):
            "the labels of dataset.json, "
                + table.keys.sorted().map { "\($0) → \(table[$0] ?? 0)" }.joined(separator: ", ")
        case .colors(let table):
            "the colours "
                + table.keys.sorted().map { "\(Self.hex($0)) → \(table[$0] ?? 0)" }.joined(separator: ", ")
        }
    }

    /// For a value that the labels of a data set do not have.
    static func noLabel(_ value: String, _ table: [Int: UInt8], _ path: String) -> TrainingFailure {
        .maskValues(
            masks: path,
            found:
                "the value \(value) is none of the labels \(list(table.keys.sorted().map { "\($0)" })) of dataset.json",
            cure: .masks("Correct the mask, or the labels."))
    }

    /// `#ff8000`
    static func hex(_ color: Int) -> String {
        let digits = String(color, radix: 16)
        return "#" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// Everything of it that decides classes.
    func add(to fields: inout CanonicalEncoding) {
        switch self {
        case .nonzero: fields.add("rule", "nonzero")
        case .above(let threshold): fields.add("above", threshold)
        case .classes: fields.add("rule", "classes")
        case .values(let table):
            fields.add("values", table.keys.sorted().flatMap { [$0, Int(table[$0] ?? 0)] })
        case .labels(let table):
            fields.add("labels", table.keys.sorted().flatMap { [$0, Int(table[$0] ?? 0)] })
        case .colors(let table):
            fields.add("colors", table.keys.sorted().flatMap { [$0, Int(table[$0] ?? 0)] })
        }
    }
}

extension MaskRule {
    /// The rule that the masks themselves give.
    ///
    /// With one segment: everything but 0 where the masks hold 0 and one other value, or labels 1, 2, 3 …; what is brighter than half
    /// where nearly all pixels are black or white, but not where labels stand beside one large value or one value between. With several: the values are the classes. Anything else is refused with the values
    /// that were found, and so is transparency that the colours contradict.
    ///
    /// *Throws* `TrainingFailure.maskValues`, `.maskValue`.
    static func decided(_ census: MaskCensus, segments: Int, masks: String) throws(TrainingFailure) -> MaskRule {
        if let path = census.contradictedByAlpha {
            throw .maskValues(
                masks: path,
                found:
                    "its transparency says something else than its colours: pixels with a colour are transparent, or all are black and some transparent",
                cure: .rule(
                    "Where the mask is drawn as transparency, export it as black and white without alpha; where its colours are meant, say"
                        + " mask_above, mask_values or mask_colors."))
        }
        guard census.colors.isEmpty else { return try ofColors(census, segments: segments, masks: masks) }
        let marks = census.marks
        if segments > 1 {
            if let wrong = marks.first(where: { $0 > segments }) {
                throw .maskValue(mask: census.file(with: wrong) ?? masks, value: wrong, segments: segments)
            }
            return .classes
        }
        if marks.count > 1, census.greys[0] == nil, marks.count < 200 {
            throw .maskValues(
                masks: masks, found: "no pixel is 0, the background; the values are \(list(marks.map { "\($0)" }))",
                cure: .rule(
                    "Say mask_values with the value of the segment, for example mask_values: {segment-1: [\(marks[marks.count - 1])]}."
                ))
        }
        if marks.count <= 1 { return .nonzero }
        if census.hasSmallMarks, let smallest = marks.first, let largest = marks.last {
            throw .maskValues(
                masks: census.file(with: smallest) ?? masks,
                found: "the values are 0, \(list(marks.map { "\($0)" })), and nothing says whether \(largest) is the"
                    + " segment or what is to be ignored (the void of PASCAL VOC)",
                cure: .rule(
                    "Say mask_values with the values of the segment, for example mask_values: {segment-1: [\(smallest)]}; every"
                        + " other value is background then."))
        }
        if census.isNearlyBinary, let largest = marks.last {
            if let middle = census.middleMark {
                throw .maskValues(
                    masks: census.file(with: middle) ?? masks,
                    found:
                        "between 0 and \(largest) stands the value \(middle), and nothing says whether it is the segment too or"
                        + " something else (the unknown of a trimap)",
                    cure: .rule(
                        "Say mask_values with the values of the segment, for example mask_values: {segment-1: [\(largest)]}; every"
                            + " other value is background then. Where masks were only drawn softly, say mask_above: \(largest / 2)."
                    ))
            }
            return .above(largest / 2)
        }
        if census.areLabels { return .nonzero }
        throw .maskValues(
            masks: masks,
            found: "\(marks.count) values besides 0 that are neither black and white nor labels: "
                + list(marks.map { "\($0)" }),
            cure: .rule("Say mask_above with a threshold, or mask_values with the values of the segment."))
    }

    private static func ofColors(
        _ census: MaskCensus, segments: Int, masks: String
    ) throws(TrainingFailure) -> MaskRule {
        let marks = census.colors.filter { $0.key != 0 }.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        let greyMarks = census.marks
        if segments == 1, marks.count == 1, !census.hasManyColors, greyMarks.isEmpty { return .nonzero }
        throw .maskValues(
            masks: masks,
            found: "\(census.hasManyColors ? "thousands of" : "\(marks.count)") colours besides black, most often "
                + list(marks.map { hex($0.key) }),
            cure: .rule(
                "Say mask_colors with the colour of each segment, for example mask_colors: {segment-1: [\"#ff0000\"]}.")
        )
    }

    private static func list(_ words: [String]) -> String {
        words.prefix(8).joined(separator: ", ") + (words.count > 8 ? ", …" : "")
    }
}
