package import Imaging

/// The probabilities of a segment's pixels, summed over the runs of set pixels in its rows: what a confidence is made of, in
/// memory that grows with the segment's outline and not with the picture.
package struct ProbabilityRuns: Sendable {
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private var sums: [Float] = []

    /// One run: its first pixel in row-major order, and the probabilities of its pixels.
    mutating func add(start: Int, length: Int, sum: Float) {
        starts.append(start)
        lengths.append(Int32(clamping: length))
        sums.append(sum)
    }

    /// The mean probability over the runs whose first pixel `mask` has kept; nil when none is left. Steps that clean a mask take whole
    /// components away; pixels that they fill in were not the network's and do not count.
    package func confidence(of mask: Mask) -> Float? {
        var (sum, count) = (0.0, 0)
        for index in starts.indices where mask[starts[index]] {
            sum += Double(sums[index])
            count += Int(lengths[index])
        }
        return count == 0 ? nil : Float(sum / Double(count))
    }
}
