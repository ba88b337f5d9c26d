package import Imaging
import Numbers
package import Tensors

/// Where an image lies in the network's square input: what is needed to come back.
///
/// *Source*: segment_anything/utils/transforms.py, `get_preprocess_shape`; pixels that are not square by their physical sides.
package struct Placement: Sendable, Equatable {
    /// The image's own size.
    package let rows: Int
    package let columns: Int
    /// S
    package let inputSize: Int
    /// The part of the square that holds the image: its top left corner.
    package let resizedRows: Int
    package let resizedColumns: Int

    /// - Parameters:
    ///   - spacing: the pixels' spacing, or any two numbers of the same ratio; within 1 % of square it changes nothing.
    ///   - extent: pixels of a row that fill the square; the picture's longer side when nil. A smaller picture leaves a part of it empty.
    package init(rows: Int, columns: Int, inputSize: Int, spacing: PixelSpacing? = nil, extent: Double? = nil) {
        precondition(rows > 0 && columns > 0 && inputSize > 0, "Placement: \(rows)×\(columns) in \(inputSize)")
        self.rows = rows
        self.columns = columns
        self.inputSize = inputSize
        var height = Double(rows)
        var width = Double(columns)
        var filling = extent
        if let spacing, spacing.row > 0, spacing.column > 0, !(0.99...1.01).contains(spacing.row / spacing.column) {
            height *= spacing.row
            width *= spacing.column
            filling = extent.map { $0 * spacing.column }
        }
        let scale = Double(inputSize) / (filling ?? max(height, width))
        resizedRows = Self.side(height * scale, inputSize)
        resizedColumns = Self.side(width * scale, inputSize)
    }

    /// The tokens that the picture reaches; all others lie wholly in the padding.
    package func tokens(patch: Int) -> GridSize {
        GridSize(rows: (resizedRows + patch - 1) / patch, columns: (resizedColumns + patch - 1) / patch)
    }

    private static func side(_ length: Double, _ limit: Int) -> Int {
        Int(rounding: length, clampedTo: 1...limit)
    }
}
