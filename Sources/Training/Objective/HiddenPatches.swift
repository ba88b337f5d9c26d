import SegmentAnything
package import Tensors

/// What masked autoencoding hides of a batch, and what it should find there.
package struct HiddenPatches: Sendable {
    /// Which tokens are hidden, `[B · g²]`.
    package let tokens: [Bool]
    /// Those of them that count: what reaches into the padding does not.
    package let counted: [Bool]
    /// The pixels of the hidden patches, each patch less its mean and divided by its deviation; 0 elsewhere. *Shape*: `[B · g², p² · 3]`.
    package let pixels: Tensor
}

/// A prepared picture taken apart: what the network sees of it, and what it is to tell.
struct MaskedPicture {
    /// `[S, S, 3]` with 0, the mean colour, where it is hidden: no layer can look at what is not there.
    let visible: [Float]
    let counted: [Bool]
    /// `[g², p² · 3]`
    let pixels: [Float]

    /// - Parameters:
    ///   - input: `[S, S, 3]`, normalised.
    ///   - hidden: `[g²]`
    init(_ input: Tensor, _ placement: Placement, hidden: [Bool], patch: Int) {
        let side = placement.inputSize
        let (grid, line) = (side / patch, patch * 3)
        var visible = input.values
        var counted = [Bool](repeating: false, count: hidden.count)
        var pixels = [Float](repeating: 0, count: hidden.count * patch * line)
        for token in hidden.indices where hidden[token] {
            let (row, column) = (token / grid, token % grid)
            counted[token] =
                (row + 1) * patch <= placement.resizedRows && (column + 1) * patch <= placement.resizedColumns
            for y in 0..<patch {
                let (from, to) = (((row * patch + y) * side + column * patch) * 3, (token * patch + y) * line)
                for i in 0..<line {
                    pixels[to + i] = visible[from + i]
                    visible[from + i] = 0
                }
            }
            Self.normalise(&pixels, token * patch * line..<(token + 1) * patch * line)
        }
        (self.visible, self.counted, self.pixels) = (visible, counted, pixels)
    }

    /// *Source*: K. He et al., section 4.1, "Reconstruction target".
    private static func normalise(_ values: inout [Float], _ range: Range<Int>) {
        var (sum, squares) = (0.0, 0.0)
        for i in range {
            sum += Double(values[i])
            squares += Double(values[i]) * Double(values[i])
        }
        let mean = sum / Double(range.count)
        let scale = 1 / (max(0, squares / Double(range.count) - mean * mean) + 1e-6).squareRoot()
        for i in range { values[i] = Float((Double(values[i]) - mean) * scale) }
    }
}
