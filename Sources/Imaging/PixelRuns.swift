/// The runs of equal pixels in the rows of masks, in row-major order: what is connected is found among them.
struct PixelRuns: Sendable {
    let slices: Int
    let rows: Int
    let columns: Int
    /// First column of each run, and the one behind its last.
    private var starts: [Int32] = []
    private var ends: [Int32] = []
    /// Number of the first run of each row of each slice, and the number of all runs behind the last row.
    private var firsts: [Int32] = [0]

    /// Runs of pixels that are set, or of those that are not.
    init(of volume: [Mask], where value: Bool) {
        let first = volume.first ?? Mask(rows: 0, columns: 0)
        precondition(
            volume.allSatisfy { $0.rows == first.rows && $0.columns == first.columns },
            "PixelRuns: slices of different sizes")
        (slices, rows, columns) = (volume.count, first.rows, first.columns)
        firsts.reserveCapacity(slices * rows + 1)
        for mask in volume {
            for row in 0..<rows {
                let (begin, end) = (row * columns, (row + 1) * columns)
                var at = mask.next(value, from: begin, to: end)
                while at < end {
                    let behind = mask.next(!value, from: at, to: end)
                    starts.append(Int32(at - begin))
                    ends.append(Int32(behind - begin))
                    at = mask.next(value, from: behind, to: end)
                }
                firsts.append(Int32(starts.count))
            }
        }
    }

    var count: Int { starts.count }

    func length(_ run: Int) -> Int { Int(ends[run] - starts[run]) }

    /// Every run with its slice and its pixels there.
    func visit(_ body: (_ run: Int, _ slice: Int, _ pixels: Range<Int>) -> Void) {
        for slice in 0..<slices {
            for row in 0..<rows {
                let line = slice * rows + row
                for run in Int(firsts[line])..<Int(firsts[line + 1]) {
                    body(run, slice, row * columns + Int(starts[run])..<row * columns + Int(ends[run]))
                }
            }
        }
    }

    /// The rows that come before row number `row` (counted through all slices) and touch it.
    func earlierRows(than row: Int, _ neighbours: Components.Neighbours) -> [Int] {
        let (slice, y) = (row / rows, row % rows)
        var earlier: [Int] = []
        if y > 0 { earlier.append(row - 1) }
        guard slice > 0 else { return earlier }
        earlier.append(row - rows)
        if neighbours == .all {
            if y > 0 { earlier.append(row - rows - 1) }
            if y + 1 < rows { earlier.append(row - rows + 1) }
        }
        return earlier
    }

    /// Pairs of a run of `row` and a run of `other` that share a column, or come within `reach` of it.
    func visitTouching(_ row: Int, _ other: Int, reach: Int32, _ body: (Int32, Int32) -> Void) {
        var (one, two) = (firsts[row], firsts[other])
        let (oneEnd, twoEnd) = (firsts[row + 1], firsts[other + 1])
        while one < oneEnd, two < twoEnd {
            let (a, b) = (Int(one), Int(two))
            if starts[a] < ends[b] + reach, starts[b] < ends[a] + reach { body(one, two) }
            if ends[a] < ends[b] { one += 1 } else { two += 1 }
        }
    }
}

extension Mask {
    /// The first pixel of `start..<end` that has `value`; `end` when none has.
    fileprivate func next(_ value: Bool, from start: Int, to end: Int) -> Int {
        var at = start
        while at < end {
            let byte = (value ? bits[at >> 3] : ~bits[at >> 3]) >> UInt8(at & 7)
            if byte != 0 { return min(end, at + byte.trailingZeroBitCount) }
            at = (at | 7) + 1
        }
        return end
    }
}
