import Tensors

/// SAM's random Fourier features of the pixel centres: one for all levels, never trained.
///
/// *Source*: segment_anything/modeling/prompt_encoder.py, `PositionEmbeddingRandom`.
struct PositionEmbeddingRandom {
    /// G `[2, E/2]`
    let gaussianMatrix: Tensor

    init(_ configuration: Configuration, _ scope: ParameterScope) {
        let name = "positional_encoding_gaussian_matrix"
        gaussianMatrix = scope(
            name, [2, configuration.decoderDim / 2], .constant, .normal(deviation: 1),
            sam: ("prompt_encoder.pe_layer.\(name)", .whole))
    }

    /// sin and cos of 2π·(2·[x, y] − 1)·G. *Shape*: `[g², E]`.
    func callAsFunction(grid: Int) -> Tensor {
        let half = gaussianMatrix.shape[1]
        let g = gaussianMatrix.values
        let rows = ThreadPool.map(grid) { row in
            var values: [Float] = []
            values.reserveCapacity(grid * 2 * half)
            for column in 0..<grid {
                let x = 2 * (Float(column) + 0.5) / Float(grid) - 1
                let y = 2 * (Float(row) + 0.5) / Float(grid) - 1
                let angles = (0..<half).map { 2 * Double.pi * Double(x * g[$0] + y * g[half + $0]) }
                values += angles.map { Float(sine($0)) }
                values += angles.map { Float(cosine($0)) }
            }
            return values
        }
        return Tensor([grid * grid, 2 * half], rows.flatMap { $0 })
    }
}
