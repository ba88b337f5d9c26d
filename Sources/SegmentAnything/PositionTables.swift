package import Tensors

/// Position tables of one input size made to serve another.
///
/// *Source*: hspsam.md; segment_anything/modeling/image_encoder.py, `get_rel_pos`.
package enum PositionTables {
    /// The tensors of a model of configuration `old`, with the absolute positions (bilinear) and the relative tables of the global
    /// blocks (linear) resized to `new.inputSize`; half-pixel centres, no antialiasing. All others are passed on as they are.
    ///
    /// The configurations differ in nothing but their input size. Tables whose size already fits are left alone.
    package static func resized(_ tensors: [String: Tensor], from old: Configuration, to new: Configuration) -> [String:
        Tensor]
    {
        var result = tensors
        let name = "image_encoder.pos_embed"
        if let table = tensors[name], old.grid != new.grid { result[name] = absolute(table, grid: new.grid) }
        for block in old.globalBlocks {
            for axis in ["h", "w"] {
                let name = "image_encoder.blocks.\(block).attn.rel_pos_\(axis)"
                if let table = tensors[name] { result[name] = relative(table, length: 2 * new.grid - 1) }
            }
        }
        return result
    }

    /// *Shape*: `[1, g, g, D]` → `[1, grid, grid, D]`.
    static func absolute(_ table: Tensor, grid: Int) -> Tensor {
        precondition(
            table.shape.rank == 4 && table.shape[1] == table.shape[2], "pos_embed: \(table.shape) is not [1, g, g, D]")
        let (old, width) = (table.shape[1], table.shape[3])
        let weights = AxisWeights.bilinear(from: old, to: grid)
        let values = table.values
        var wide = [Float](repeating: 0, count: old * grid * width)
        for row in 0..<old {
            let start = row * old * width
            weights.resample(
                row: Array(values[start..<start + old * width]), channels: width, into: &wide, at: row * grid * width)
        }
        var out = [Float](repeating: 0, count: grid * grid * width)
        for row in 0..<grid {
            weights.blend(row: row, of: wide, width: grid * width, into: &out, at: row * grid * width)
        }
        return Tensor([1, grid, grid, width], out)
    }

    /// *Shape*: `[n, C]` → `[length, C]`.
    static func relative(_ table: Tensor, length: Int) -> Tensor {
        precondition(table.shape.rank == 2, "rel_pos: \(table.shape) is not [2·side − 1, C]")
        guard table.shape[0] != length else { return table }
        let weights = AxisWeights.bilinear(from: table.shape[0], to: length)
        let values = table.values
        var out = [Float](repeating: 0, count: length * table.shape[1])
        for row in 0..<length {
            weights.blend(row: row, of: values, width: table.shape[1], into: &out, at: row * table.shape[1])
        }
        return Tensor([length, table.shape[1]], out)
    }
}
