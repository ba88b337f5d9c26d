import Foundation
import Imaging
import Numbers
import Storage
import Tensors

/// The pixels of a volume, packed for the page: every slice by itself, so that a browser unpacks what it shows.
///
/// Grey values are kept in 16 bits (whole numbers as they are, others on a scale of the slice's own), colour in 8. A slice is the
/// differences of neighbours in a row, low bytes before high bytes, deflated. Should all slices together take more than `budget`, as a few
/// of them say or all of them show, values lose their low bits, then every n-th slice is left; the page says so.
struct PackedSlices {
    /// One slice.
    struct Slice {
        /// Index in the volume.
        var frame: Int
        /// Value = stored · slope + intercept.
        var slope: Double
        var intercept: Double
        fileprivate(set) var packed: [UInt8]
    }

    /// Bytes of all packed slices: 4/3 of that stand in the page.
    static let budget = 42 << 20
    /// Slices larger than this are shown reduced, side by side.
    static let maxSide = 2048
    /// Bits taken from the values at most.
    private static let maxShift = 6

    let rows: Int
    let columns: Int
    /// Source pixels a page pixel, both ways.
    let reduction: Int
    let isColor: Bool
    private(set) var slices: [Slice] = []
    /// Low bits that were taken from each value.
    private(set) var shift = 0
    /// Every n-th slice is there.
    private(set) var stride = 1
    private var bytes = 0
    private let budget: Int

    init(rows: Int, columns: Int, isColor: Bool, budget: Int) {
        reduction = max(1, (max(rows, columns) + Self.maxSide - 1) / Self.maxSide)
        self.rows = max(1, rows / reduction)
        self.columns = max(1, columns / reduction)
        self.isColor = isColor
        self.budget = budget
    }

    /// Whether the values of so many slices could take more than the budget.
    func mayOverflow(_ count: Int) -> Bool { !isColor && count * rows * columns * 2 > budget }

    /// Takes the low bits at once that frames from all over a volume of `count` say it cannot keep: nothing is packed twice for them.
    ///
    /// *Throws* `outOfMemory`.
    mutating func prepare(for count: Int, by sample: [Frame]) throws(StorageFailure) {
        while shift < Self.maxShift {
            let sizes = try ThreadPool.map(sample.count) { (index) throws(StorageFailure) in
                try slice(of: sample[index], at: 0).packed.count
            }
            if sizes.reduce(0, +) / max(1, sample.count) <= budget / count { return }
            shift += 2
        }
    }

    /// The next frames of the volume, packed side by side. What stays at the end does not depend on how many are given at a time.
    ///
    /// - Parameter first: the first one's index.
    /// *Throws* `outOfMemory`.
    mutating func add(_ frames: [Frame], from first: Int) throws(StorageFailure) {
        let packed = try ThreadPool.map(frames.count) { (index) throws(StorageFailure) in
            (first + index) % stride == 0 ? try slice(of: frames[index], at: first + index) : nil
        }
        for case let slice? in packed {
            slices.append(slice)
            bytes += slice.packed.count
        }
        while bytes > budget, !isColor && shift < Self.maxShift || slices.count > 1 { try thin() }
    }

    private func slice(of frame: Frame, at index: Int) throws(StorageFailure) -> Slice {
        if isColor {
            return Slice(frame: index, slope: 1, intercept: 0, packed: try Deflate.bytes(of: colours(frame)))
        }
        let (values, slope, intercept) = stored(frame)
        return Slice(frame: index, slope: slope, intercept: intercept, packed: try packed(values))
    }

    /// A mask at the page's pixels, packed bit by bit. *Throws* `outOfMemory`.
    func pack(_ mask: Mask) throws(StorageFailure) -> [UInt8] {
        if reduction == 1 { return try Deflate.bytes(of: mask.bits) }
        var small = Mask(rows: rows, columns: columns)
        for row in 0..<rows {
            for column in 0..<columns where mask[row * reduction + reduction / 2, column * reduction + reduction / 2] {
                small[row, column] = true
            }
        }
        return try Deflate.bytes(of: small.bits)
    }

    /// Where objects of a mask touch, at the page's pixels: those behind which another one begins, to the right and below, packed bit by bit;
    /// nil where none does. *Throws* `outOfMemory`.
    func packCuts(
        _ mask: Mask, _ objects: MaskObjects?
    ) throws(StorageFailure) -> (right: [UInt8], below: [UInt8])? {
        guard let objects, objects.count > 1 else { return nil }
        let place = { [reduction] (at: Int) in at * reduction + reduction / 2 }
        let drawn = DrawnObjects(mask, objects, rows: rows, columns: columns, row: place, column: place)
        guard let cuts = drawn.cuts else { return nil }
        return (try Deflate.bytes(of: cuts.right.bits), try Deflate.bytes(of: cuts.below.bits))
    }

    // MARK: Packing

    private mutating func thin() throws(StorageFailure) {
        if !isColor, shift < Self.maxShift {
            shift += 2
            let coarser = try ThreadPool.map(slices.count) { (index) throws(StorageFailure) in
                try packed(try unpacked(slices[index].packed, shift: shift - 2))
            }
            for (index, packed) in coarser.enumerated() { slices[index].packed = packed }
        } else {
            stride *= 2
            slices.removeAll { $0.frame % stride != 0 }
        }
        bytes = slices.reduce(0) { $0 + $1.packed.count }
    }

    /// Values on 16 bits, and the line that leads back from them.
    private func stored(_ frame: Frame) -> (values: [Int16], slope: Double, intercept: Double) {
        let (low, high, isWhole) = Self.extent(frame.values.span)
        if isWhole, low >= -32768, high <= 32767 {
            let all = sampled(frame)
            var values = [Int16](repeating: Int16(low), count: all.count)
            do {
                let all = all.span
                var values = values.mutableSpan
                for index in all.indices {
                    let value = all[index]
                    values[index] =
                        value.isFinite ? Int16(truncatingIfNeeded: (value + Self.whole).bitPattern) : Int16(low)
                }
            }
            return (values, 1, 0)
        }
        let slope = max(Double(high) - Double(low), 1e-30) / 65535
        let intercept = Double(low) + 32768 * slope
        let values = sampled(frame).map { value in
            let number = value.isFinite ? (Double(value) - intercept) / slope : -32768
            return Int16(clamping: Int(rounding: number, clampedTo: -32768...32767))
        }
        return (values, slope, intercept)
    }

    /// The finite values' smallest and largest, 0 and 0 of none; and whether all that 16 bits could hold are whole numbers.
    private static func extent(_ values: Span<Float>) -> (low: Float, high: Float, isWhole: Bool) {
        var (low, high, fractions) = (Float.greatestFiniteMagnitude, -Float.greatestFiniteMagnitude, 0)
        for index in values.indices {
            let value = values[index]
            guard value.isFinite else { continue }
            low = value < low ? value : low
            high = value > high ? value : high
            fractions += (value + Self.whole) - Self.whole == value ? 0 : 1
        }
        return low > high ? (0, 0, true) : (low, high, fractions == 0)
    }

    /// Added and taken away again it leaves no fraction of a number below 2²²: the library's rounding is a call a value. Between the two the
    /// bits end in the number.
    private static let whole: Float = 12_582_912

    private func colours(_ frame: Frame) -> [UInt8] {
        let pixels = sampled(frame).map { UInt8(grey: $0) }
        var bytes = pixels
        for row in 0..<rows {
            for at in Swift.stride(from: (row * columns + 1) * 3, to: (row + 1) * columns * 3, by: 1) {
                bytes[at] = pixels[at] &- pixels[at - 3]
            }
        }
        return bytes
    }

    /// The values, or every n-th of every n-th row.
    private func sampled(_ frame: Frame) -> [Float] {
        if reduction == 1 { return frame.values }
        var values: [Float] = []
        values.reserveCapacity(rows * columns * frame.samples)
        for row in 0..<rows {
            for column in 0..<columns {
                let pixel = (row * reduction + reduction / 2) * frame.columns + column * reduction + reduction / 2
                for sample in 0..<frame.samples { values.append(frame.values[pixel * frame.samples + sample]) }
            }
        }
        return values
    }

    /// Without the low bits: differences in each row, low bytes before high bytes, deflated.
    private func packed(_ values: [Int16]) throws(StorageFailure) -> [UInt8] {
        let (count, shift) = (values.count, Int16(shift))
        var differences = [Int16](repeating: 0, count: count)
        var bytes = [UInt8](repeating: 0, count: count * 2)
        do {
            let values = values.span
            var differences = differences.mutableSpan
            var bytes = bytes.mutableSpan
            for index in values.indices.dropFirst() {
                differences[index] = (values[index] &>> shift) &- (values[index - 1] &>> shift)
            }
            for row in Swift.stride(from: 0, to: count, by: columns) { differences[row] = values[row] &>> shift }
            for index in values.indices {
                // The sign goes last, so that small differences have an empty high byte.
                let folded = UInt16(bitPattern: differences[index] &<< 1 ^ differences[index] &>> 15)
                bytes[index] = UInt8(truncatingIfNeeded: folded)
                bytes[count + index] = UInt8(truncatingIfNeeded: folded &>> 8)
            }
        }
        return try Deflate.bytes(of: bytes)
    }

    /// What `packed` made of values, their low bits gone.
    private func unpacked(_ packed: [UInt8], shift: Int) throws(StorageFailure) -> [Int16] {
        let count = rows * columns
        let bytes = try Inflate.bytes(of: packed, limit: count * 2, expected: count * 2)
        var values = [Int16](repeating: 0, count: count)
        do {
            let (bytes, shift) = (bytes.span, Int16(shift))
            var values = values.mutableSpan
            for row in Swift.stride(from: 0, to: count, by: columns) {
                var last: Int16 = 0
                for index in row..<row + columns {
                    let folded = UInt16(bytes[index]) | UInt16(bytes[count + index]) &<< 8
                    last = last &+ (Int16(bitPattern: folded &>> 1) ^ (0 &- Int16(bitPattern: folded & 1)))
                    values[index] = last &<< shift
                }
            }
        }
        return values
    }
}
