package import Imaging

/// The probabilities of a segment's pixels, summed over the runs of set pixels in its rows and over those between them: what a confidence
/// is made of, in memory that grows with the segment's outline and not with the picture.
package struct ProbabilityRuns: Sendable {
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private var sums: [Float] = []

    init() {}

    /// *Shape*: `probabilities` is `[rows · columns]` of the mask.
    package init(of mask: Mask, probabilities: [Float]) {
        let (bits, values) = (mask.bits.span, probabilities.span)
        for row in 0..<mask.rows {
            var at = row * mask.columns
            let end = at + mask.columns
            while at < end {
                let start = at
                let isSet = mask[at]
                var sum: Float = 0
                while at < end {
                    // Most of a picture is bytes of one kind.
                    if at & 7 == 0, at + 8 <= end, bits[at >> 3] == (isSet ? 0xFF : 0) {
                        for pixel in at..<at + 8 { sum += values[pixel] }
                        at += 8
                    } else if (bits[at >> 3] >> UInt8(at & 7) & 1 == 1) == isSet {
                        sum += values[at]
                        at += 1
                    } else {
                        break
                    }
                }
                add(start: start, length: at - start, sum: sum)
            }
        }
    }

    /// One run: its first pixel in row-major order, and the probabilities of its pixels.
    mutating func add(start: Int, length: Int, sum: Float) {
        starts.append(start)
        lengths.append(Int32(clamping: length))
        sums.append(sum)
    }

    /// The mean probability over the pixels of `mask`, nil when there is none. Steps that clean a mask take whole components away and fill
    /// whole holes, so a run is kept or not as its first pixel is; rows that were not given to the network count for nothing.
    package func confidence(of mask: Mask) -> Float? {
        var (sum, count) = (0.0, 0)
        for index in starts.indices where mask[starts[index]] {
            sum += Double(sums[index])
            count += Int(lengths[index])
        }
        return count == 0 ? nil : Float(sum / Double(count))
    }
}
