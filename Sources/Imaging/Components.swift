/// Connected parts of a mask, or of a volume of masks of one size (slices in order).
///
/// One mask is a volume of one slice, so each function exists once for both. *Cost*: one pass over the bits of the masks, and
/// 16 bytes for each run of equal pixels in a row; nothing a pixel.
///
/// *Source*: L. He, Y. Chao, K. Suzuki, "A run-based two-scan labeling algorithm", IEEE Trans. Image Process. 17 (2008).
package struct Components: Sendable {
    /// What counts as touching.
    package enum Neighbours: Sendable {
        /// Shared sides: 4 in a plane, 6 in a volume.
        case faces
        /// Shared sides, edges or corners: 8 in a plane, 26 in a volume.
        case all
    }

    /// Pixels of each component; component n is at n − 1. Numbers follow the first pixel in row-major order.
    package let sizes: [Int]
    private let runs: PixelRuns
    /// The component of each run, from 1.
    private let numbers: [Int32]

    package var count: Int { sizes.count }

    /// The components of one mask.
    package init(of mask: Mask, neighbours: Neighbours = .all) { self.init(of: [mask], neighbours: neighbours) }

    /// The components of a volume.
    package init(of volume: [Mask], neighbours: Neighbours = .all) {
        self.init(PixelRuns(of: volume, where: true), neighbours)
    }

    private init(_ runs: PixelRuns, _ neighbours: Neighbours) {
        var sets = DisjointSets(count: runs.count)
        // Corners touch where one run begins one pixel behind another's end.
        let reach: Int32 = neighbours == .all ? 1 : 0
        for row in 0..<runs.slices * runs.rows {
            for earlier in runs.earlierRows(than: row, neighbours) {
                runs.visitTouching(row, earlier, reach: reach) { one, other in
                    let (a, b) = (sets.root(one), sets.root(other))
                    // The smaller number wins, so that numbers keep the order of first pixels.
                    if a != b { sets.join(max(a, b), to: min(a, b)) }
                }
            }
        }
        var numbers = [Int32](repeating: 0, count: runs.count)
        var sizes: [Int] = []
        for run in 0..<runs.count {
            let first = Int(sets.root(Int32(run)))
            // The first run of a component is its root, so it is met before all others.
            if first == run {
                sizes.append(0)
                numbers[run] = Int32(sizes.count)
            } else {
                numbers[run] = numbers[first]
            }
            sizes[Int(numbers[run]) - 1] += runs.length(run)
        }
        self.runs = runs
        self.numbers = numbers
        self.sizes = sizes
    }

    /// The masks that hold the components for which `keep` is true.
    package func masks(where keep: (_ number: Int) -> Bool) -> [Mask] {
        var masks = [Mask](repeating: Mask(rows: runs.rows, columns: runs.columns), count: runs.slices)
        add(to: &masks, where: keep)
        return masks
    }

    /// Every run of pixels in a row with its component, slice by slice, in row-major order.
    package func visit(_ body: (_ number: Int, _ slice: Int, _ pixels: Range<Int>) -> Void) {
        runs.visit { run, slice, pixels in body(Int(numbers[run]), slice, pixels) }
    }

    /// The component of each pixel of each slice, 0 outside. *Shape*: `[slices][rows · columns]`.
    package var labels: [[Int32]] {
        var labels = [[Int32]](
            repeating: [Int32](repeating: 0, count: runs.rows * runs.columns), count: runs.slices)
        runs.visit { run, slice, pixels in
            for pixel in pixels { labels[slice][pixel] = numbers[run] }
        }
        return labels
    }

    /// Sets the pixels of the components for which `keep` is true.
    private func add(to masks: inout [Mask], where keep: (_ number: Int) -> Bool) {
        let kept = [false] + (0..<count).map { keep($0 + 1) }
        runs.visit { run, slice, pixels in
            if kept[Int(numbers[run])] { masks[slice].set(pixels) }
        }
    }
}

extension Components {
    /// Of each component, its pixels; those of slice n count `shares[n]`. Empty: all count one.
    private func amounts(_ shares: [Double]) -> [Double] {
        guard !shares.isEmpty else { return sizes.map(Double.init) }
        var amounts = [Double](repeating: 0, count: count)
        visit { number, slice, pixels in amounts[number - 1] += shares[slice] * Double(pixels.count) }
        return amounts
    }

    /// Keeps the largest component; of equals the one that comes first.
    ///
    /// - Parameter shares: of each slice, how much a pixel of it counts: slices may be unlike thick. Empty: all count one.
    package static func largest(of volume: [Mask], shares: [Double] = []) -> [Mask] {
        let components = Components(of: volume)
        let amounts = components.amounts(shares)
        guard let amount = amounts.max(), let number = amounts.firstIndex(of: amount) else { return volume }
        return components.masks { $0 == number + 1 }
    }

    /// The same of one mask.
    package static func largest(of mask: Mask) -> Mask { largest(of: [mask])[0] }

    /// Drops components of fewer than `least` pixels, counted by `shares` as in `largest`.
    package static func removing(smallerThan least: Double, from volume: [Mask], shares: [Double] = []) -> [Mask] {
        let components = Components(of: volume)
        let amounts = components.amounts(shares)
        return components.masks { amounts[$0 - 1] >= least }
    }

    /// The same of one mask.
    package static func removing(smallerThan least: Double, from mask: Mask) -> Mask {
        removing(smallerThan: least, from: [mask])[0]
    }

    /// Fills what the mask encloses: background that is not connected, by shared sides, to the border of the image (of the
    /// volume, whose first and last slices are border too).
    package static func fillingHoles(in volume: [Mask]) -> [Mask] {
        let outside = Components(PixelRuns(of: volume, where: false), .faces)
        var isOpen = [Bool](repeating: false, count: outside.count + 1)
        let runs = outside.runs
        runs.visit { run, slice, pixels in
            let row = pixels.lowerBound / max(1, runs.columns)
            let isOuterSlice = runs.slices > 1 && (slice == 0 || slice + 1 == runs.slices)
            let isOuterRow = row == 0 || row + 1 == runs.rows
            let touchesSide =
                pixels.lowerBound == row * runs.columns || pixels.upperBound == (row + 1) * runs.columns
            if isOuterSlice || isOuterRow || touchesSide { isOpen[Int(outside.numbers[run])] = true }
        }
        var filled = volume
        outside.add(to: &filled) { !isOpen[$0] }
        return filled
    }

    /// The same of one mask.
    package static func fillingHoles(in mask: Mask) -> Mask { fillingHoles(in: [mask])[0] }
}
