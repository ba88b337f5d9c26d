/// Exact Euclidean distances to a set of pixels.
///
/// *Source*: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012: the lower envelope of parabolas,
/// one axis after the other.
package enum DistanceTransform {
    /// The squared distance from each pixel's centre to the nearest pixel of `mask`; infinite everywhere when it is empty.
    ///
    /// *Shape*: `[rows · columns]`, row-major. *Units*: those of `spacing`, squared. *Cost*: two passes, linear in the pixels.
    package static func squared(to mask: Mask, spacing: PixelSpacing) -> [Double] {
        var field = mask.flags.map { $0 ? 0 : Double.infinity }
        var envelope = Envelope(length: max(mask.rows, mask.columns))
        for column in 0..<mask.columns {
            envelope.transform(&field, start: column, stride: mask.columns, count: mask.rows, spacing: spacing.row)
        }
        for row in 0..<mask.rows {
            envelope.transform(
                &field, start: row * mask.columns, stride: 1, count: mask.columns, spacing: spacing.column)
        }
        return field
    }
}

/// Scratch for one line: parabolas of the lower envelope and where each begins to be the lowest.
private struct Envelope {
    private var values: [Double]
    private var parabolas: [Int]
    private var begins: [Double]

    init(length: Int) {
        values = [Double](repeating: 0, count: length)
        parabolas = [Int](repeating: 0, count: length)
        begins = [Double](repeating: 0, count: length + 1)
    }

    /// Replaces each value of the line by the minimum over its points q of value(q) + (distance to q)².
    mutating func transform(_ field: inout [Double], start: Int, stride: Int, count: Int, spacing: Double) {
        for i in 0..<count { values[i] = field[start + i * stride] }
        var last = -1
        for q in 0..<count where values[q] < .infinity {
            let position = Double(q) * spacing
            var begin = -Double.infinity
            while last >= 0 {
                let p = parabolas[last]
                let other = Double(p) * spacing
                begin = ((values[q] + position * position) - (values[p] + other * other)) / (2 * (position - other))
                if begin > begins[last] { break }
                last -= 1
            }
            last += 1
            parabolas[last] = q
            begins[last] = last == 0 ? -.infinity : begin
        }
        guard last >= 0 else { return }
        var k = 0
        for i in 0..<count {
            let position = Double(i) * spacing
            while k < last, begins[k + 1] < position { k += 1 }
            let distance = Double(i - parabolas[k]) * spacing
            field[start + i * stride] = distance * distance + values[parabolas[k]]
        }
    }
}
