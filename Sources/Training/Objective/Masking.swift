package import Numbers
package import SegmentAnything

/// How much of an image masked autoencoding hides: squares that are larger than a token, so that what is hidden does not follow from the
/// pixels at its edge.
///
/// *Source*: SimMIM, table 1: squares of 32 pixels, 40 to 80 % of them.
package struct Masking: Sendable, Equatable {
    /// Of the squares that the picture touches.
    package var ratio: Double
    /// Side of a square in pixels of the network's input, a multiple of a token's.
    package var patch: Int

    package init(ratio: Double, patch: Int) { (self.ratio, self.patch) = (ratio, patch) }

    /// Which tokens of a picture are hidden, drawn at random; at least one square is. Padding is never drawn.
    ///
    /// - Parameter token: side of a token in pixels.
    /// *Shape*: `[g²]`
    package func hidden(_ placement: Placement, token: Int, _ random: inout SplitMix64) -> [Bool] {
        let across = (placement.resizedColumns + patch - 1) / patch
        let down = (placement.resizedRows + patch - 1) / patch
        var squares = Array(0..<across * down)
        random.shuffle(&squares)
        let count = Int(rounding: ratio * Double(squares.count), clampedTo: 1...max(1, squares.count))
        let (grid, side) = (placement.inputSize / token, patch / token)
        var hidden = [Bool](repeating: false, count: grid * grid)
        for square in squares.prefix(count) {
            let (top, left) = (square / across * side, square % across * side)
            // The squares at the right and lower edge may reach beyond the input.
            for row in top..<min(top + side, grid) {
                for column in left..<min(left + side, grid) { hidden[row * grid + column] = true }
            }
        }
        return hidden
    }
}
