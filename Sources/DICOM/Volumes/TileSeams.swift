import Imaging

/// Whether the tiles of a slide continue each other where they meet. Tiles in another order than the slide says, or with each other's
/// places, are each a fine picture and together none.
///
/// Two lines of pixels on both sides of a seam are compared with each other, and with each other moved along the seam: of one picture they
/// are far more alike as they stand. Seams of glass, and those in whose tiles the next but one line is hardly alike either (noise), say
/// nothing. Of photographs, stained tissue and fluorescence that were cut into tiles and compressed, at most one telling seam in fifteen was
/// torn, and of the same tiles in another order half of them and more.
enum TileSeams {
    /// So many seams that tell something are looked at, of not more than so many, in so many passes over the slide.
    private static let wanted = 16
    private static let looked = 128
    /// Pixels of tiles that are decoded for it.
    private static let pixels = 1 << 27
    private static let passes = 4
    /// Fewer say too little.
    private static let telling = 4
    /// Shorter ones hold too few pixels.
    private static let shortest = 32
    /// Standard deviation along a line, of 256 levels, below which it shows glass.
    private static let flattest = 8.0
    /// What two lines differ, relative to what they do when they are moved: below the first they are neighbours, above the second none.
    private static let alike = 0.5
    private static let unlike = 0.75
    /// Of the telling seams, in percent, that are torn.
    private static let torn = 33

    /// - Parameters:
    ///   - frames: of one size.
    ///   - origins: of each frame.
    /// *Cost*: two decodes for each of some seams.
    static func finding(_ frames: [SourceFrame], _ origins: [SlideMatrix.Origin]) -> Finding? {
        let pixels = frames[0].instance.pixels
        guard min(pixels.rows, pixels.columns) >= shortest else { return nil }
        let seams = seams(origins, rows: pixels.rows, columns: pixels.columns)
        let decoding = FrameDecoding()
        var (counted, broken) = (0, 0)
        let most = min(looked, max(wanted, self.pixels / (2 * pixels.rows * pixels.columns)))
        let step = max(1, seams.count * passes / most)
        let rounds = min(passes, step)
        for round in 0..<rounds where counted < wanted {
            for index in stride(from: round * step / rounds, to: seams.count, by: step) {
                guard let likeness = likeness(seams[index], frames, decoding) else { continue }
                counted += 1
                if likeness > unlike { broken += 1 }
            }
        }
        guard counted >= telling, broken * 100 >= counted * torn else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "tiles do not continue each other where they meet (\(broken) of \(counted) places that were looked at): they may lie in another order than the slide says, and the picture is none of the slide's then."
        )
    }

    /// Two tiles that touch each other.
    private struct Seam {
        let first: Int
        let second: Int
        /// The second lies beside the first, not below it.
        let isBeside: Bool
    }

    private static func seams(_ origins: [SlideMatrix.Origin], rows: Int, columns: Int) -> [Seam] {
        let tiles = Dictionary(zip(origins, origins.indices)) { first, _ in first }
        return origins.indices.flatMap { index -> [Seam] in
            let origin = origins[index]
            let beside = tiles[SlideMatrix.Origin(row: origin.row, column: origin.column + columns)]
            let below = tiles[SlideMatrix.Origin(row: origin.row + rows, column: origin.column)]
            return [
                beside.map { Seam(first: index, second: $0, isBeside: true) },
                below.map { Seam(first: index, second: $0, isBeside: false) },
            ].compactMap { $0 }
        }
    }

    /// How unlike the two sides of a seam are, relative to what has nothing to do with each other; nil where it tells nothing.
    private static func likeness(_ seam: Seam, _ frames: [SourceFrame], _ decoding: FrameDecoding) -> Double? {
        guard let first = try? decoding.frame(frames[seam.first]), let second = try? decoding.frame(frames[seam.second])
        else { return nil }
        let length = seam.isBeside ? first.columns : first.rows
        func line(_ frame: Frame, _ place: Int) -> [Double] { levels(of: frame, place, isColumn: seam.isBeside) }
        let last = line(first, length - 1), next = line(second, 0)
        let scale = first.samples == 3 ? 1 : Double(1 << max(0, frames[0].instance.pixels.bitsStored - 8))
        guard min(deviation(last), deviation(next)) >= flattest * scale,
            unlikeness(line(first, length - 3), last) <= alike, unlikeness(next, line(second, 2)) <= alike
        else { return nil }
        return unlikeness(last, next)
    }

    /// One column or row of a tile, its colours together.
    private static func levels(of frame: Frame, _ place: Int, isColumn: Bool) -> [Double] {
        (0..<(isColumn ? frame.rows : frame.columns)).map { index in
            let pixel = isColumn ? index * frame.columns + place : place * frame.columns + index
            let samples = frame.values[pixel * frame.samples..<(pixel + 1) * frame.samples]
            return samples.reduce(0) { $0 + Double($1) } / Double(frame.samples)
        }
    }

    private static func deviation(_ line: [Double]) -> Double {
        let mean = line.reduce(0, +) / Double(line.count)
        return (line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(line.count)).squareRoot()
    }

    /// Mean difference of two lines, relative to that of the same moved along each other by a quarter to three quarters of their length.
    private static func unlikeness(_ one: [Double], _ other: [Double]) -> Double {
        let count = one.count
        func difference(_ shift: Int) -> Double {
            var sum = 0.0
            for index in 0..<count { sum += abs(one[index] - other[(index + shift) % count]) }
            return sum
        }
        let moved = (2...6).map { difference(count * $0 / 8) }.reduce(0, +) / 5
        return moved > 0 ? difference(0) / moved : 0
    }
}
