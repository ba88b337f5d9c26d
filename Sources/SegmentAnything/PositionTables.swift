import Imaging
package import Tensors

/// Position tables of one input size made to serve another.
///
/// *Source*: `docs/model.md`, section 10; segment_anything/modeling/image_encoder.py, `get_rel_pos`.
package enum PositionTables {
    /// The tensors of a model with those position tables resized that do not have the size that `configuration` asks for: absolute
    /// ones bilinear, relative ones linear; half-pixel centres, no antialiasing. All others are passed on as they are.
    ///
    /// - Parameter tensors: of a configuration that differs from `configuration` in its input size alone.
    package static func resized(_ tensors: [String: Tensor], to configuration: Configuration) -> [String: Tensor] {
        var result = tensors
        for parameter in ParameterShapes.of(configuration) {
            guard let table = tensors[parameter.name], table.shape != parameter.shape else { continue }
            switch parameter.role {
            case .absolutePosition: result[parameter.name] = absolute(table, grid: parameter.shape[1])
            case .relativePosition: result[parameter.name] = relative(table, length: parameter.shape[0])
            default: break
            }
        }
        return result
    }

    /// *Shape*: `[1, g, g, D]` → `[1, grid, grid, D]`.
    private static func absolute(_ table: Tensor, grid: Int) -> Tensor {
        precondition(
            table.shape.rank == 4 && table.shape[1] == table.shape[2], "pos_embed: \(table.shape) is not [1, g, g, D]")
        let (old, width) = (table.shape[1], table.shape[3])
        let weights = AxisWeights.bilinear(from: old, to: grid)
        let values = AxisWeights.resample(
            table.values, rows: old, columns: old, channels: width, down: weights, across: weights)
        return Tensor([1, grid, grid, width], values)
    }

    /// *Shape*: `[n, C]` → `[length, C]`.
    private static func relative(_ table: Tensor, length: Int) -> Tensor {
        precondition(table.shape.rank == 2, "rel_pos: \(table.shape) is not [2·side − 1, C]")
        let weights = AxisWeights.bilinear(from: table.shape[0], to: length)
        let values = table.values
        var out = [Float](repeating: 0, count: length * table.shape[1])
        for row in 0..<length {
            weights.blend(row: row, of: values, width: table.shape[1], into: &out, at: row * table.shape[1])
        }
        return Tensor([length, table.shape[1]], out)
    }
}
