import Tensors

/// Which tokens of the square a forward pass has, in a model that drops those that lie wholly in the padding.
///
/// A dropped token is nobody's key, and a zero to convolutions; its own output is read by nobody. Both ways to that give the same
/// numbers but for rounding.
enum TokenCover {
    /// The whole grid.
    case all
    /// The layers work on the upper left part alone, the same of every image: fused layers can.
    case cut(GridSize)
    /// The layers work on the whole grid, and nothing looks at dropped tokens: images of a batch may differ, and there are
    /// derivatives.
    case masked(Masks)

    struct Masks {
        let parts: [GridSize]
        /// Tokens a side.
        let grid: Int
        /// What attention adds to the logits of its keys: image tokens; these and a level's prompts; windows.
        let image, global, windows: Tensor
    }

    /// - Parameters:
    ///   - pictures: the tokens that each image's picture reaches.
    ///   - cuts: whether the layers can work on a part of the grid.
    init(_ pictures: [GridSize]?, _ configuration: Configuration, cuts: Bool) {
        let grid = configuration.grid
        guard configuration.padding == .drop, let parts = pictures,
            let first = parts.first, parts.contains(where: { $0 != GridSize(rows: grid, columns: grid) })
        else {
            self = .all
            return
        }
        precondition(
            parts.allSatisfy { (1...grid).contains($0.rows) && (1...grid).contains($0.columns) },
            "TokenCover: \(parts) of \(grid) tokens a side")
        if cuts, parts.allSatisfy({ $0 == first }) {
            self = .cut(first)
        } else {
            self = .masked(
                Masks(
                    parts: parts, grid: grid, image: KeyBias.grid(parts, side: grid),
                    global: KeyBias.grid(parts, side: grid, prompts: configuration.prompts),
                    windows: KeyBias.windows(parts, side: grid, window: configuration.window)))
        }
    }

    /// What is added to the logits of image tokens as keys.
    var imageKeys: Tensor? {
        if case .masked(let masks) = self { masks.image } else { nil }
    }

    /// What is added to the logits of the keys of a block, and of its image tokens alone.
    func keys(window: Int) -> (all: Tensor?, image: Tensor?) {
        guard case .masked(let masks) = self else { return (nil, nil) }
        return window > 0 ? (masks.windows, nil) : (masks.global, masks.image)
    }

    /// The part of x that there is. *Shape*: x `[B, H, W, C]`, H and W multiples of the grid's side.
    func cutting(_ x: Tensor, grid: Int) -> Tensor {
        if case .cut(let part) = self { upperLeft(x, part.times(x.shape[1] / grid)) } else { x }
    }

    /// x as a convolution may see it: 0 where there is no token. *Shape*: as in `cutting`.
    func masking(_ x: Tensor, _ tape: Tape?) -> Tensor {
        guard case .masked(let masks) = self else { return x }
        return zeroOutside(x, masks.parts.map { $0.times(x.shape[1] / masks.grid) }, tape: tape)
    }

    /// Logits of the square, of which the padding repeats the edge of the picture's tokens: only interpolation there looks at it.
    /// *Shape*: `[B, M, 4·rows, 4·columns]` → `[B, M, 4·g, 4·g]`.
    func square(_ logits: Tensor, grid: Int, _ tape: Tape?) -> Tensor {
        let parts: [GridSize]
        switch self {
        case .all: return logits
        case .cut(let part): parts = Array(repeating: part, count: logits.shape[0])
        case .masked(let masks): parts = masks.parts
        }
        return extendEdges(logits, parts.map { $0.times(4) }, side: 4 * grid, tape: tape)
    }

    /// Weights of all tokens, 0 of those that are not there. *Shape*: `[B, c, rows · columns]` → `[B, c, g²]`.
    func square(heat: Tensor, grid: Int) -> Tensor {
        if case .cut(let part) = self { amongZeros(heat, part, side: grid) } else { heat }
    }
}
