import Numbers

/// The objects of one picture's mask: its connected parts (by sides and corners), or these cut where objects touch.
///
/// Every pixel of the mask belongs to one object, and a cut leaves none smaller than the least that counts. *Cost*: 16 bytes for each run of an object's pixels in a row; of the picture nothing a
/// pixel. Parts are cut one after the other, within the rectangle around each.
package struct MaskObjects: Sendable {
    /// Pixels of each object; object n is at n − 1. Numbers follow the first pixel in row-major order.
    package let sizes: [Int]
    /// Connected parts that are too large to be cut, and stand as one object each.
    package let uncut: Int
    package let rows: Int
    package let columns: Int
    /// In row-major order.
    private let runs: [Run]

    /// Pixels of a row that belong to one object.
    private struct Run {
        var start: Int
        var count: Int32
        var number: Int32

        var pixels: Range<Int> { start..<start + Int(count) }
    }

    /// Pixels of the largest rectangle in which objects are told apart; it takes about 20 bytes for each while that goes on.
    package static let largestRectangle = 1 << 24

    package var count: Int { sizes.count }

    /// - Parameters:
    ///   - interior: the pixels of the mask that lie inside of an object and not at its edge; `boundary` needs them.
    ///   - aspect: height of a pixel over its width; for `distance`.
    ///   - least: pixels that an object has at least: a smaller piece of a part belongs to the piece that it touches most.
    ///   - largest: pixels of the largest rectangle in which objects are told apart.
    package init(
        of mask: Mask, _ separation: ObjectSeparation = .none, interior: Mask? = nil, aspect: Double = 1,
        least: Double = 0, largest: Int = Self.largestRectangle
    ) {
        precondition(separation != .boundary || interior != nil, "MaskObjects: boundaries without insides")
        (rows, columns) = (mask.rows, mask.columns)
        let parts = Components(of: mask)
        var runs: [Run] = []
        parts.visit { number, _, pixels in
            runs.append(Run(start: pixels.lowerBound, count: Int32(pixels.count), number: Int32(number)))
        }
        guard separation != .none else {
            (self.runs, sizes, uncut) = (runs, parts.sizes, 0)
            return
        }
        var cut: [Run] = []
        var (tooLarge, last) = (0, Int32(0))
        for part in Self.grouped(runs, count: parts.count) {
            let rectangle = Rectangle(around: part, columns: mask.columns)
            guard rectangle.area <= largest else {
                tooLarge += 1
                last += 1
                cut += part.map { Run(start: $0.start, count: $0.count, number: last) }
                continue
            }
            let domains = rectangle.domains(of: part, separation, interior: interior, aspect: aspect)
                .map { Watershed.joining(smallerThan: least, of: $0, columns: rectangle.lineWidth) }
            var numbers: [Int32: Int32] = [:]
            for run in part {
                for piece in rectangle.pieces(of: run, domains) {
                    let number = numbers[piece.number] ?? last + 1
                    if number > last { (numbers[piece.number], last) = (number, number) }
                    cut.append(Run(start: piece.start, count: piece.count, number: number))
                }
            }
        }
        cut.sort { $0.start < $1.start }
        var numbers = [Int32](repeating: 0, count: Int(last) + 1)
        var sizes: [Int] = []
        for index in cut.indices {
            let old = Int(cut[index].number)
            if numbers[old] == 0 {
                sizes.append(0)
                numbers[old] = Int32(sizes.count)
            }
            cut[index].number = numbers[old]
            sizes[Int(numbers[old]) - 1] += Int(cut[index].count)
        }
        (self.runs, self.sizes, uncut) = (cut, sizes, tooLarge)
    }

    /// Every run of pixels in a row with its object, in row-major order.
    package func visit(_ body: (_ number: Int, _ pixels: Range<Int>) -> Void) {
        for run in runs { body(Int(run.number), run.pixels) }
    }

    /// The runs within a range of pixels in row-major order, cut to it.
    package func visit(_ range: Range<Int>, _ body: (_ number: Int, _ pixels: Range<Int>) -> Void) {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].pixels.upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
        }
        while low < runs.count, runs[low].start < range.upperBound {
            body(Int(runs[low].number), runs[low].pixels.clamped(to: range))
            low += 1
        }
    }

    /// The object of some pixels, 0 outside: of those of `rows` and `columns`, each ascending; a picture may repeat or leave out pixels of its
    /// source.
    ///
    /// *Shape*: `[rows.count, columns.count]`.
    package func numbers(atRows rows: [Int], columns: [Int]) -> [Int32] {
        var numbers = [Int32](repeating: 0, count: rows.count * columns.count)
        for (line, row) in rows.enumerated() {
            if line > 0, rows[line - 1] == row {
                for column in columns.indices {
                    numbers[line * columns.count + column] = numbers[(line - 1) * columns.count + column]
                }
                continue
            }
            var next = 0
            visit(row * self.columns..<(row + 1) * self.columns) { number, pixels in
                let own = pixels.lowerBound - row * self.columns..<pixels.upperBound - row * self.columns
                while next < columns.count, columns[next] < own.lowerBound { next += 1 }
                while next < columns.count, columns[next] < own.upperBound {
                    numbers[line * columns.count + next] = Int32(number)
                    next += 1
                }
            }
        }
        return numbers
    }

    /// Every object by itself: a mask of the rectangle around it, and the row and column of its first pixel in the picture.
    package func visitMasks<E: Error>(
        _ body: (_ number: Int, _ mask: Mask, _ row: Int, _ column: Int) throws(E) -> Void
    ) throws(E) {
        for (index, object) in Self.grouped(runs, count: count).enumerated() {
            let rectangle = Rectangle(around: object, columns: columns)
            try body(index + 1, rectangle.mask(of: object), rectangle.row, rectangle.column)
        }
    }

    /// The object of each pixel, 0 outside. *Shape*: `[rows · columns]`.
    package var labels: [Int32] {
        var labels = [Int32](repeating: 0, count: rows * columns)
        for run in runs { for pixel in run.pixels { labels[pixel] = run.number } }
        return labels
    }

    /// The runs of each number from 1, in their order.
    private static func grouped(_ runs: [Run], count: Int) -> [[Run]] {
        var groups = [[Run]](repeating: [], count: count)
        for run in runs { groups[Int(run.number) - 1].append(run) }
        return groups
    }

    /// The rectangle around some runs.
    private struct Rectangle {
        let row: Int
        let column: Int
        let rows: Int
        let columns: Int
        /// Of the picture.
        private let width: Int

        init(around runs: [Run], columns width: Int) {
            self.width = width
            row = (runs.first?.start ?? 0) / width
            rows = (runs.last?.start ?? 0) / width - row + 1
            let (left, right) = runs.reduce((width, 0)) { sides, run in
                let column = run.start % width
                return (min(sides.0, column), max(sides.1, column + Int(run.count)))
            }
            (column, columns) = (left, right - left)
        }

        var area: Int { rows * columns }

        func mask(of runs: [Run]) -> Mask {
            var mask = Mask(rows: rows, columns: columns)
            for run in runs {
                let start = (run.start / width - row) * columns + run.start % width - column
                mask.set(start..<start + Int(run.count))
            }
            return mask
        }

        // With a border of one pixel, so that every pixel of the part has neighbours.

        var lineWidth: Int { columns + 2 }

        private func place(_ pixel: Int) -> Int {
            (pixel / width - row + 1) * lineWidth + pixel % width - column + 1
        }

        /// A run cut where the domain of its pixels changes.
        func pieces(of run: Run, _ domains: [Int32]?) -> [Run] {
            guard let domains else { return [Run(start: run.start, count: run.count, number: 1)] }
            var pieces: [Run] = []
            let first = place(run.start)
            for offset in 0..<run.count {
                let domain = domains[first + Int(offset)]
                if pieces.last?.number == domain {
                    pieces[pieces.count - 1].count += 1
                } else {
                    pieces.append(Run(start: run.start + Int(offset), count: 1, number: domain))
                }
            }
            return pieces
        }

        /// The domain of each pixel of the bordered rectangle; nil for a part that is one object.
        func domains(
            of part: [Run], _ separation: ObjectSeparation, interior: Mask?, aspect: Double
        ) -> [Int32]? {
            switch separation {
            case .none: return nil
            case .distance(let depth):
                // Nothing as thin as this has a neck.
                guard min(rows, columns) > 2 else { return nil }
                return Watershed.domains(of: depths(part, aspect: aspect), columns: lineWidth) { peak in
                    max(Self.unit, Self.height((Double(peak) * depth).rounded(.down)))
                }
            case .boundary:
                guard let interior, let heights = nearness(part, interior) else { return nil }
                return Watershed.domains(of: heights, columns: lineWidth) { _ in 1 }
            }
        }

        /// Of heights that are distances: what the smaller side of a pixel is.
        private static let unit: Int32 = 16

        private static func height(_ value: Double) -> Int32 {
            Int32(truncatingIfNeeded: Int(rounding: value, clampedTo: 0...Int(Int32.max)))
        }

        /// How far each pixel lies from what is not of the part, in sixteenths of a pixel's smaller side.
        private func depths(_ part: [Run], aspect: Double) -> [Int32] {
            var outside = Mask(rows: rows + 2, columns: lineWidth)
            outside.set(0..<(rows + 2) * lineWidth)
            for run in part {
                let first = place(run.start)
                for pixel in first..<first + Int(run.count) { outside[pixel] = false }
            }
            let unit = Double(Self.unit)
            let pixel = PixelSpacing(row: max(1, aspect), column: max(1, 1 / aspect))
            return DistanceTransform.squared(to: outside, spacing: pixel).map {
                Self.height(($0 * unit * unit).squareRoot())
            }
        }

        /// Interiors smaller than this, in pixels, are specks and no objects.
        private static let smallestInterior = 4

        /// How near each pixel lies to an interior, in steps within the part, largest there; nil where the part has one interior at most.
        private func nearness(_ part: [Run], _ interior: Mask) -> [Int32]? {
            var seeds = Mask(rows: rows + 2, columns: lineWidth)
            var isPart = Mask(rows: rows + 2, columns: lineWidth)
            for run in part {
                let first = place(run.start)
                isPart.set(first..<first + Int(run.count))
                for offset in 0..<Int(run.count) where interior[run.start + offset] { seeds[first + offset] = true }
            }
            let found = Components(of: seeds)
            let isSeed = found.sizes.map { $0 >= Self.smallestInterior }
            guard isSeed.count(where: { $0 }) > 1 else { return nil }
            var steps = [Int32](repeating: 0, count: (rows + 2) * lineWidth)
            var wave: [Int] = []
            found.visit { number, _, pixels in
                guard isSeed[number - 1] else { return }
                for pixel in pixels { steps[pixel] = 1 }
                wave += pixels
            }
            var distance: Int32 = 1
            while !wave.isEmpty {
                distance += 1
                var next: [Int] = []
                for pixel in wave {
                    for line in [-lineWidth, 0, lineWidth] {
                        for other in pixel + line - 1...pixel + line + 1 where isPart[other] && steps[other] == 0 {
                            steps[other] = distance
                            next.append(other)
                        }
                    }
                }
                wave = next
            }
            return steps.map { $0 == 0 ? 0 : distance - $0 }
        }
    }
}
