package import Imaging
import Tensors

/// Finds how the encoder's layers are best rounded to 8 bits: images are run in float32, what each layer gets is looked at, and
/// every way of scaling its inputs is tried on a part of it.
///
/// *Source*: SmoothQuant (arXiv 2211.10438): what makes a channel large is moved from the inputs to the weights, exponent α.
package final class Calibration {
    /// A layer whose outputs are off by more than this share of their size stays in bfloat16.
    package static let largestError = 0.04
    /// 0 leaves inputs as they are.
    static let exponents: [Float] = [0, 0.25, 0.5, 0.75]
    /// Rows of a layer's input that are kept of all images together.
    static let keptRows = 512

    private struct Layer {
        let weight: Tensor
        /// The largest magnitude of each channel of the input.
        var largest: [Float]
        var rows: [Float] = []
    }

    private let network: HSPSAM
    private let preparation: Preparation
    private let rowsAnImage: Int
    private var layers: [String: Layer] = [:]

    /// - Parameter images: how many will be shown.
    /// *Throws* what reading the weights throws.
    package init(_ model: ModelDirectory, images: Int) throws {
        network = HSPSAM(model.configuration, Parameters(try model.tensors()), mergeLoRA: true)
        preparation = Preparation(model.description)
        rowsAnImage = max(1, Self.keptRows / max(images, 1))
    }

    /// Runs one image and notes what the layers get.
    package func show(_ image: DisplayImage) {
        let side = network.configuration.inputSize
        let (input, placement) = preparation.prepare(image)
        _ = network(
            input.reshaped([1, side, side, 3]), pictures: [placement.tokens(patch: network.configuration.patch)],
            inputs: note)
    }

    private func note(_ name: String, _ x: Tensor, _ weight: Tensor) {
        let (rows, width) = (x.shape.rows, x.shape.last)
        var layer = layers[name] ?? Layer(weight: weight, largest: [Float](repeating: 0, count: width))
        let values = x.values
        for row in 0..<rows {
            for i in 0..<width { layer.largest[i] = max(layer.largest[i], abs(values[row * width + i])) }
        }
        for row in stride(from: 0, to: rows, by: max(1, rows / rowsAnImage)).prefix(rowsAnImage) {
            layer.rows += values[row * width..<(row + 1) * width]
        }
        layers[name] = layer
    }

    /// What became of one layer.
    package struct Choice: Sendable {
        package let weight: String
        /// The root of the mean square of the difference of its outputs over that of the outputs.
        package let error: Double
        package let exponent: Float
        /// What its inputs are multiplied by; nil: it stays in bfloat16.
        package let inputScale: [Float]?
    }

    /// One a layer, in the order of the model.
    package func choices() -> [Choice] {
        Quantisation.weights(network.configuration).compactMap { name in layers[name].map { Self.choose(name, $0) } }
    }

    private static func choose(_ name: String, _ layer: Layer) -> Choice {
        let width = layer.largest.count
        let rows = Tensor([layer.rows.count / width, width], layer.rows)
        let expected = linear(rows, layer.weight, nil, tape: nil).values
        let size = expected.reduce(0.0) { $0 + Double($1) * Double($1) }
        let columns = largestOfColumns(layer.weight)
        var best: (error: Double, exponent: Float, scale: [Float])?
        for exponent in exponents {
            let scale = zip(layer.largest, columns).map { input, weight -> Float in
                guard exponent > 0, input > 0, weight > 0 else { return 1 }
                let smooth = power(Double(input), Double(exponent)) / power(Double(weight), Double(1 - exponent))
                return Float(1 / smooth)
            }
            let matrix = PackedMatrix(layer.weight, .int8, inputScale: scale)
            let ours = packedLayer(rows, PackedLinear(matrix, bias: nil)).values
            let off = zip(ours, expected).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
            let error = size > 0 ? (off / size).squareRoot() : 0
            if best.map({ error < $0.error }) ?? true { best = (error, exponent, scale) }
        }
        guard let best else { return Choice(weight: name, error: .infinity, exponent: 0, inputScale: nil) }
        return Choice(
            weight: name, error: best.error, exponent: best.exponent,
            inputScale: best.error <= largestError ? best.scale : nil)
    }

    /// *Shape*: weight `[n, k]` → k.
    private static func largestOfColumns(_ weight: Tensor) -> [Float] {
        let (n, k) = (weight.shape[0], weight.shape[1])
        let values = weight.values
        var largest = [Float](repeating: 0, count: k)
        for row in 0..<n {
            for i in 0..<k { largest[i] = max(largest[i], abs(values[row * k + i])) }
        }
        return largest
    }
}
