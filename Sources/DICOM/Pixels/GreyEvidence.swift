/// What the stored values of a grey frame themselves say of how they are stored, where tags may be wrong.
struct GreyEvidence {
    private let values: [Int32]
    private let bits: Int
    private let isSigned: Bool

    init(_ values: [Int32], bits: Int, isSigned: Bool) {
        self.values = values
        self.bits = bits
        self.isSigned = isSigned
    }

    // MARK: Sign

    /// Whether values of a wrong sign are torn apart at the end of their range: both ends are taken, by many values each, and of the
    /// middle half nothing is. *Cost*: a pass without branches where it is not so.
    var isTorn: Bool {
        guard (12...16).contains(bits) else { return false }
        // From 0, whatever the sign.
        let offset = isSigned ? UInt32(1) << UInt32(bits - 1) : 0
        func place(_ value: Int32) -> UInt32 { UInt32(bitPattern: value) &+ offset }
        let half = UInt32(1) << UInt32(bits - 1)
        var middle: UInt32 = 0
        var high: UInt32 = 0
        for value in values {
            let place = place(value)
            middle |= place ^ place &<< 1
            high |= place
        }
        guard middle & half == 0, high & half != 0 else { return false }
        var ends: (low: Set<UInt32>, high: Set<UInt32>) = ([], [])
        var (count, first, last) = (0, UInt32.max, UInt32(0))
        for value in values {
            let place = place(value)
            (first, last) = (min(first, place), max(last, place))
            if place & half == 0 {
                if ends.low.count < Self.manyValues { ends.low.insert(place) }
            } else {
                count += 1
                if ends.high.count < Self.manyValues { ends.high.insert(place) }
            }
        }
        let near = half / 32
        return min(ends.low.count, ends.high.count) == Self.manyValues && first < near && last >= 2 * half - near
            && min(count, values.count - count) * 100 >= values.count
    }

    private static let manyValues = 32

    // MARK: Order of bytes

    /// Whether the values are noise, and with their two bytes exchanged a picture: neighbours in a row differ by a third of the deviation
    /// of all values or more, and by less than a third of that when exchanged. *Cost*: 64 rows.
    func isByteSwapped(columns: Int) -> Bool {
        let rows = values.count / columns
        guard bits == 16, rows >= 32, columns >= 32 else { return false }
        var (read, swapped) = (Roughness(), Roughness())
        for row in stride(from: 0, to: rows, by: max(1, rows / 64)) {
            for index in row * columns + 1..<(row + 1) * columns {
                read.add(number(values[index]), number(values[index - 1]))
                swapped.add(exchanged(values[index]), exchanged(values[index - 1]))
            }
        }
        return read.value > 0.3 && read.value > 3 * swapped.value && swapped.value > 0
    }

    // MARK: Sides

    /// Whether rows are no neighbours of each other, and would be if the picture were as high as it is wide: Rows and Columns are exchanged.
    ///
    /// - Parameter values: by pixel; of several samples the first counts. *Cost*: 64 rows.
    static func areSidesExchanged(_ values: [Int32], columns: Int, samples: Int = 1) -> Bool {
        let rows = values.count / samples / columns
        guard rows != columns, rows >= 32, columns >= 32, rows * columns * samples == values.count else { return false }
        var (read, exchanged) = (Roughness(), Roughness())
        let last = rows * columns - max(rows, columns)
        func value(_ pixel: Int) -> Double { Double(values[pixel * samples]) }
        for row in stride(from: 0, to: rows - 1, by: max(1, rows / 64)) {
            for pixel in row * columns..<max(row * columns, min((row + 1) * columns, last)) {
                read.add(value(pixel), value(pixel + columns))
                exchanged.add(value(pixel), value(pixel + rows))
            }
        }
        return read.value > 0.1 && read.value > 3 * exchanged.value && exchanged.value > 0
    }

    private func number(_ value: Int32) -> Double {
        isSigned ? Double(Int16(truncatingIfNeeded: value)) : Double(UInt16(truncatingIfNeeded: value))
    }

    private func exchanged(_ value: Int32) -> Double { number(Int32(UInt16(truncatingIfNeeded: value).byteSwapped)) }

    /// Mean difference of neighbours over the deviation of all: 0 where nothing changes, 1.1 of noise.
    private struct Roughness {
        private var (count, sum, squares, differences) = (0.0, 0.0, 0.0, 0.0)

        mutating func add(_ value: Double, _ neighbour: Double) {
            count += 1
            sum += value
            squares += value * value
            differences += (value - neighbour).magnitude
        }

        var value: Double {
            let variance = squares / count - sum / count * (sum / count)
            return variance > 0 ? differences / count / variance.squareRoot() : 0
        }
    }
}
