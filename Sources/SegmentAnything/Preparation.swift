package import Imaging
package import Tensors

/// From a picture to the network's input: resized so that the longest side is S, normalised, padded with zeros at the bottom
/// and right.
///
/// *Source*: `docs/model.md`, section 1; the same function serves training and inference.
package struct Preparation: Sendable {
    package let inputSize: Int
    package let mean: [Float]
    package let std: [Float]

    /// - Parameters mean, std: a value a channel, of images in 0…255.
    package init(inputSize: Int, mean: [Float] = [123.675, 116.28, 103.53], std: [Float] = [58.395, 57.12, 57.375]) {
        precondition(
            mean.count == 3 && std.count == 3,
            "Preparation: \(mean.count) means and \(std.count) deviations for 3 channels")
        self.inputSize = inputSize
        self.mean = mean
        self.std = std
    }

    package init(_ description: ModelDescription) {
        self.init(
            inputSize: description.configuration.inputSize, mean: description.pixelMean, std: description.pixelStd)
    }

    /// *Shape*: `[S, S, 3]`.
    ///
    /// - Parameter extent: pixels of a row that fill the input; the picture's longer side when nil.
    package func prepare(
        _ image: DisplayImage, spacing: PixelSpacing? = nil, extent: Double? = nil
    ) -> (input: Tensor, placement: Placement) {
        // Three equal channels are resized once.
        let isGrey = image.isGrey
        let (step, length) = isGrey ? (3, image.columns) : (1, image.columns * 3)
        return prepare(
            rows: image.rows, columns: image.columns, channels: isGrey ? 1 : 3, spacing: spacing, extent: extent
        ) { row, values in
            let (start, pixels) = (row * image.columns * 3, image.pixels.span)
            var values = values.mutableSpan
            for i in 0..<length { values[i] = Float(pixels[start + i * step]) }
        }
    }

    /// The same of float RGB in 0…255. *Shape*: `rgb` is `[rows · columns · 3]`, row-major; the result `[S, S, 3]`.
    package func prepare(
        rgb: [Float], rows: Int, columns: Int, spacing: PixelSpacing? = nil
    ) -> (input: Tensor, placement: Placement) {
        precondition(rgb.count == rows * columns * 3, "Preparation: \(rgb.count) values for \(rows)×\(columns)×3")
        return prepare(rows: rows, columns: columns, channels: 3, spacing: spacing, extent: nil) { row, values in
            let start = row * columns * 3
            for i in 0..<columns * 3 { values[i] = rgb[start + i] }
        }
    }

    private func prepare(
        rows: Int, columns: Int, channels: Int, spacing: PixelSpacing?, extent: Double?,
        fill: (_ row: Int, _ values: inout [Float]) -> Void
    ) -> (input: Tensor, placement: Placement) {
        let placement = Placement(
            rows: rows, columns: columns, inputSize: inputSize, spacing: spacing, extent: extent)
        let width = placement.resizedColumns * channels
        let across = AxisWeights.antialiased(from: columns, to: placement.resizedColumns)
        let down = AxisWeights.antialiased(from: rows, to: placement.resizedRows)
        // Columns first: all source rows at their new width, `[rows, w′, 3]`.
        var narrow = [Float](repeating: 0, count: rows * width)
        var source = [Float](repeating: 0, count: columns * channels)
        for row in 0..<rows {
            fill(row, &source)
            across.resample(row: source, channels: channels, into: &narrow, at: row * width)
        }
        var input = [Float](repeating: 0, count: inputSize * inputSize * 3)
        var line = [Float](repeating: 0, count: width)
        let scale = std.map { 1 / $0 }
        for row in 0..<placement.resizedRows {
            down.blend(row: row, of: narrow, width: width, into: &line, at: 0)
            let start = row * inputSize * 3
            for x in 0..<placement.resizedColumns {
                for channel in 0..<3 {
                    let value = line[channels == 3 ? x * 3 + channel : x]
                    input[start + x * 3 + channel] = (value - mean[channel]) * scale[channel]
                }
            }
        }
        return (Tensor([inputSize, inputSize, 3], input), placement)
    }
}
