package import Imaging

/// What the decoded frames of a volume say together that none says by itself: one picture at two places, pixels that were lost in one slice,
/// a slice that is none of the volume's, a CT in which nothing is less dense than water, and one that is too dense, or too thin, for a body.
///
/// *Cost*: a pass over each frame.
package struct PictureCensus {
    /// Smaller pictures are no acquisition.
    private static let smallest = 64 * 64
    private let frames: [SourceFrame]
    /// The slices by what they show.
    private var known: [UInt64: Int] = [:]
    private var copies: [(copy: Int, of: Int)] = []
    /// Of each slice and row how many pixels differ from their neighbour in it; nil where the slice was not seen.
    private var steps: [[Int32]?]
    /// The last two slices, and of each slice how unlike it is to the one before and the one before that; nil where one was not seen.
    private var previous: [(index: Int, picture: CoarsePicture)] = []
    private var unlike: [(one: Double?, two: Double?, range: Double)?]
    /// Values of an original CT rise with density: by no intercept below 0, and in Hounsfield units.
    private let isUnshifted: Bool
    private let isDensity: Bool
    /// Of these, padding left out: how many there are, how many no tissue has, and from where to where they reach.
    private var density: (count: Int, tooDense: Int, least: Float, most: Float) = (0, 0, .infinity, -.infinity)
    /// Slices that were computed between others may repeat their neighbours.
    private let isOriginal: Bool

    package init(_ volume: Volume) {
        let isLarge = volume.samples == 1 && volume.rows * volume.columns >= Self.smallest
        frames = volume.kind == .spatial && isLarge ? volume.frames : []
        steps = [[Int32]?](repeating: nil, count: frames.count)
        unlike = [(one: Double?, two: Double?, range: Double)?](repeating: nil, count: frames.count)
        isOriginal = frames.allSatisfy { $0.imageType.first == "ORIGINAL" }
        let transforms = frames.map(\.valueTransformation)
        let rises =
            isOriginal && volume.modality == "CT"
            && transforms.allSatisfy { $0.number(.rescaleSlope, in: CheckedNumbers.Range.scale) ?? 0 > 0 }
        isDensity = rises && transforms.allSatisfy { ($0.string(.rescaleType)?.uppercased() ?? "HU").hasPrefix("HU") }
        isUnshifted =
            rises
            && transforms.allSatisfy {
                $0.number(.rescaleIntercept, in: 0...CheckedNumbers.Range.value.upperBound) != nil
            }
    }

    /// - Parameter index: of the frame in the volume.
    package mutating func add(_ index: Int, _ frame: Frame) {
        guard frames.indices.contains(index), let first = frame.values.first else { return }
        if isUnshifted || isDensity { addDensity(frame) }
        var (digest, last, changes) = (UInt64(0xCBF2_9CE4_8422_2325), first, 0)
        var steps = [Int32](repeating: 0, count: frame.rows)
        for row in 0..<frame.rows {
            let start = row * frame.columns
            for pixel in start..<start + frame.columns {
                let value = frame.values[pixel]
                digest = (digest ^ UInt64(value.bitPattern)) &* 0x9E37_79B9_7F4A_7C15
                digest ^= digest >> 29
                if value != last {
                    changes += 1
                    if pixel > start { steps[row] += 1 }
                }
                last = value
            }
        }
        self.steps[index] = steps
        let picture = CoarsePicture(frame)
        func difference(_ distance: Int) -> Double? {
            previous.first { $0.index == index - distance }.flatMap { picture.difference(from: $0.picture) }
        }
        unlike[index] = (difference(1), difference(2), picture.range)
        previous = previous.suffix(1) + [(index, picture)]
        guard Self.isAcquired(changes, of: frame) else { return }
        guard let one = known[digest] else {
            known[digest] = index
            return
        }
        if isOriginal || index - one > 1 { copies.append((index, one)) }
        if !isOriginal { known[digest] = index }
    }

    private mutating func addDensity(_ frame: Frame) {
        var (count, tooDense, least, most) = density
        for (pixel, value) in frame.values.enumerated() where frame.padding.isEmpty || !frame.padding[pixel] {
            count += 1
            if value > Self.densest { tooDense += 1 }
            least = min(least, value)
            most = max(most, value)
        }
        density = (count, tooDense, least, most)
    }

    /// Whether a frame shows something that was acquired.
    static func isAcquired(_ frame: Frame) -> Bool {
        frame.values.count >= smallest * frame.samples
            && isAcquired(zip(frame.values, frame.values.dropFirst(frame.samples)).count { $0 != $1 }, of: frame)
    }

    /// Where most neighbours are equal nothing was: slices beside the patient, masks, drawings.
    private static func isAcquired(_ changes: Int, of frame: Frame) -> Bool { changes * 4 > frame.values.count }

    /// Slices of which a band of rows, a sixteenth of the picture or more, is of one value each, where slices before and behind it show
    /// what was acquired: pixels that did not come were filled up. At an end of the volume a slice may be wholly empty, and a body tapers
    /// off, where nothing is what surrounds it: only beside rows that are full something was lost there.
    private var lost: [Int] {
        frames.indices.filter { index in
            guard let own = steps[index] else { return false }
            let isEnd = index == 0 || index == frames.count - 1
            return bands(own).contains { band in
                let sides = [isShown(band, from: index, by: -1), isShown(band, from: index, by: 1)]
                guard isEnd else { return !sides.contains(false) }
                let beside = [band.lowerBound - 1, band.upperBound].filter(own.indices.contains)
                return isOriginal && sides.contains(true) && beside.contains { isFull($0..<$0 + 1, of: own) }
            }
        }
    }

    /// Few slices each of which is unlike the one before and the one behind, by far more than these are unlike each other: of another
    /// patient or place, of another rescale, mirrored. What changes from slice to slice, by turns too, is what was acquired; and from left to
    /// right a body has one slice in its middle whose neighbours mirror each other.
    private var strange: [Int] {
        guard frames.count >= Self.fewest, abs(frames[0].plane?.normal.x ?? 0) < Self.sagittal else { return [] }
        let odd = frames.indices.dropFirst().dropLast().filter { index in
            guard let own = unlike[index], let next = unlike[index + 1], let before = own.one, let behind = next.one,
                let across = next.two
            else { return false }
            return min(before, behind) > Self.strangeness * max(across, Self.noise * next.range)
        }
        return odd.count * 10 <= max(10, frames.count) ? odd : []
    }

    /// Above it there is metal, below the other there is air, HU.
    private static let densest: Float = 4000
    private static let thinnest: Float = -500

    /// Slices of a volume of which it can be told that one is unlike, how many times so, and what of a picture's range is none.
    private static let fewest = 5
    /// Share of left and right in the direction from slice to slice.
    private static let sagittal = 0.8
    private static let strangeness = 3.0
    private static let noise = 0.02

    /// Of rows of one value each.
    private func bands(_ steps: [Int32]) -> [Range<Int>] {
        var bands: [Range<Int>] = []
        var start = 0
        for row in 0...steps.count where row == steps.count || steps[row] > 0 {
            if row - start >= max(2, steps.count / Self.band) { bands.append(start..<row) }
            start = row + 1
        }
        return bands
    }

    /// Whether one of the next slices in a direction shows in these rows what was acquired.
    private func isShown(_ rows: Range<Int>, from index: Int, by step: Int) -> Bool {
        (1...Self.near).contains { distance in
            let other = index + step * distance
            guard steps.indices.contains(other), let steps = steps[other] else { return false }
            return isFull(rows, of: steps)
        }
    }

    /// Whether rows of a slice show what was acquired.
    private func isFull(_ rows: Range<Int>, of steps: [Int32]) -> Bool {
        steps[rows].reduce(0) { $0 + Int($1) } * 4 > rows.count * frames[0].instance.pixels.columns
    }

    /// Part of the rows that are enough to be missed, and how many slices may be lost beside each other.
    private static let band = 16
    private static let near = 3

    /// Behind the last frame.
    package var findings: [Finding] {
        var findings: [Finding] = []
        if let first = copies.first {
            let more = copies.count > 1 ? ", and so do \(copies.count - 1) more" : ""
            findings.append(
                Finding(
                    "VOL-PLACE", .warning,
                    "\(frames.name(first.copy)) shows the very picture of slice \(first.of + 1), value for value\(more): what lies at one of their places is not in these images."
                ))
        }
        let lost = lost
        let strange = strange.filter { !lost.contains($0) }
        func doubt(_ text: String) { findings.append(Finding("PIX-NOTE", .warning, text)) }
        func name(_ slices: [Int], _ first: Int) -> String {
            "\(frames.name(first))\(slices.count > 1 ? " and \(slices.count - 1) more are" : " is")"
        }
        if let first = strange.first {
            doubt(
                "\(name(strange, first)) unlike the slices before and behind, which are like each other: the picture, its values or its place may be another image's."
            )
        }
        if let first = lost.first {
            doubt(
                "\(name(lost, first)) of one value in rows in which the slices before and behind show something: pixels may have been lost and filled up. What lies there was not looked for."
            )
        }
        if isUnshifted, density.count > 0, density.least >= 0 {
            doubt(
                "no value of the CT lies below 0 Hounsfield units, neither air nor fat nor noise around water: Rescale Intercept may lack what was to be subtracted."
            )
        }
        if isDensity, density.tooDense * 10 > density.count {
            doubt(
                "more than a tenth of the CT lies above 4000 Hounsfield units, as no tissue does: its values may be shifted by bits, or Rescale Slope be another's."
            )
        }
        if isDensity, density.count > 0, density.most < Self.thinnest {
            doubt(
                "no value of the CT lies above -500 Hounsfield units, as all tissue does: Rescale Slope may be another's."
            )
        }
        return findings
    }
}
