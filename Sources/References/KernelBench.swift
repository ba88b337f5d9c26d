package import Tensors
import Numbers

/// The kernels one by one at the sizes of ViT-B and 1024: what `hspsam bench --what kernels` prints.
package struct KernelBench: Sendable {
    /// One kernel in one precision.
    package struct Row: Sendable {
        package let name: String
        package let precision: Precision
        package let seconds: Double
        /// Multiplications and additions.
        package let operations: Double
        /// Of these a second in registers alone, measured just before.
        package let peak: Double

        package var rate: Double { operations / seconds }
    }

    /// The best of so many runs of each, after one that is not counted.
    ///
    /// - Parameter grid: tokens along a side.
    /// *Cost*: about four seconds a run.
    package static func rows(runs: Int, grid: Int = 64) -> [Row] {
        var random = SplitMix64(seed: 1)
        let (dim, hidden, heads) = (768, 3072, 12)
        let tokens = grid * grid
        func noise(_ shape: Shape) -> Tensor { .uniform(shape, bound: 1, &random) }
        let x = noise([tokens, dim])
        let wide = noise([tokens, hidden])
        let norm = PackedNorm(weight: noise([dim]), bias: noise([dim]), epsilon: 1e-6)
        let (up, down, fused) = (noise([hidden, dim]), noise([dim, hidden]), noise([3 * dim, dim]))
        let qkv = noise([1, grid, grid, 3 * dim])
        let padding = noise([3 * dim])
        let prompt = noise([1, 3 * dim])
        let product = 2 * Double(tokens) * Double(dim) * Double(hidden)
        var rows: [Row] = []
        for precision in Precision.allCases {
            let peak = KernelProfile.peak(precision)
            func time(_ name: String, _ operations: Double, _ body: () -> Void) {
                let clock = ContinuousClock()
                let best = (0...runs).map { _ in clock.measure(body) / .seconds(1) }.dropFirst().min() ?? .infinity
                rows.append(Row(name: name, precision: precision, seconds: best, operations: operations, peak: peak))
            }
            func layer(_ weight: Tensor) -> PackedLinear {
                PackedLinear(PackedMatrix(weight, precision), bias: noise([weight.shape[0]]))
            }
            let (first, second, qkvLayer) = (layer(up), layer(down), layer(fused))
            time("norm, qkv", 0.75 * product) { _ = packedLayer(x, norm: norm, qkvLayer) }
            time("norm, MLP with GELU, residual", 2 * product) {
                _ = packedLayer(x, norm: norm, first, .gelu, second, residual: x)
            }
            if precision == .int8 { continue }
            for window in [0, 14] {
                let side = window == 0 ? grid : window
                let (h, w) = (noise([2 * side - 1, dim / heads]), noise([2 * side - 1, dim / heads]))
                time(
                    window == 0 ? "attention over the whole grid" : "attention in windows of \(window)",
                    4 * Double(tokens) * Double(dim) * Double(side * side + 1)
                ) {
                    _ = packedAttention(
                        qkv, padding: padding, prompts: prompt, relativeH: h, relativeW: w, grid: grid, window: window,
                        heads: heads, precision)
                }
            }
            if precision == .fp32 {
                time("product of a training step", product) { _ = linear(x, up, nil, tape: nil) }
                time("product of a training step, long sums", product) { _ = linear(wide, down, nil, tape: nil) }
            }
        }
        return rows
    }
}
