import CKernels
import Foundation
import Testing

/// Products with packed weights and the encoder's fused attention against the plain formula, in every type, under every
/// instruction set that this CPU has, at awkward sizes and alignments.
@Suite("packed kernels")
struct PackedKernelTests {
    /// A layer of one matrix, or two.
    struct Case: CustomTestStringConvertible, Sendable {
        var rows, k, n: Int
        var second: Int?
        var isNormed = false
        var activation = ck_activation_none
        var hasResidual = true
        /// Floats by which inputs and outputs are off any alignment.
        var shift = 0

        var testDescription: String { "\(rows) × \(k) → \(n)\(second.map { " → \($0)" } ?? ""), off by \(shift)" }
    }

    static let cases = [
        Case(rows: 1, k: 1, n: 1), Case(rows: 1, k: 7, n: 33, shift: 1),
        Case(rows: 3, k: 64, n: 32, hasResidual: false),
        Case(rows: 13, k: 65, n: 31, activation: ck_activation_relu), Case(rows: 15, k: 255, n: 100, shift: 3),
        Case(rows: 29, k: 513, n: 64, isNormed: true), Case(rows: 57, k: 1030, n: 70, activation: ck_activation_gelu),
        Case(rows: 300, k: 9, n: 5), Case(rows: 470, k: 40, n: 65, isNormed: true, shift: 5),
        Case(rows: 40, k: 33, n: 130, second: 35, isNormed: true, activation: ck_activation_gelu),
        Case(rows: 5, k: 2100, n: 7, second: 3, activation: ck_activation_relu),
        // More hidden values than one block holds, of any type.
        Case(rows: 30, k: 33, n: 1100, second: 35, isNormed: true, activation: ck_activation_gelu),
    ]
    enum Kind: String, CaseIterable, Sendable {
        case floats, bfloat16, bytes

        var type: ck_type {
            switch self {
            case .floats: ck_type_f32
            case .bfloat16: ck_type_bf16
            case .bytes: ck_type_i8
            }
        }
    }

    private func noise(_ n: Int, _ seed: UInt32) -> [Float] {
        var state = seed &* 2_654_435_761 | 1
        return (0..<n).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) / Float(1 << 31)
        }
    }

    /// Runs under each instruction set.
    private func each(_ body: (OpaquePointer) -> [Float]) -> [(name: String, values: [Float])] {
        KernelTable.all.map { ($0.name, body($0.kernels)) }
    }

    /// What of its type a weight is multiplied as: a plain formula, with the sums in the order that the kernels promise.
    private struct Reference {
        let type: ck_type
        let weight: [Float]
        let n, k: Int
        let inputScale: [Float]
        /// Of bfloat16: the sums of AMX.
        var isTiled = false

        private func bfloat(_ x: Float) -> Float {
            let bits = x.bitPattern
            let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000
            return rounded & 0x7F80_0000 == 0 ? Float(bitPattern: rounded & 0x8000_0000) : Float(bitPattern: rounded)
        }

        func apply(_ x: [Float]) -> [Float] {
            switch type {
            case ck_type_bf16:
                let a = x.map(bfloat)
                return (0..<n).map { column in
                    let w = weight[column * k..<(column + 1) * k].map(bfloat)
                    var sum = Float(0)
                    if isTiled {
                        for tile in stride(from: 0, to: k, by: 32) {
                            var parts: [Float] = [0, 0]
                            for i in tile..<min(tile + 32, k) { parts[i % 2] += a[i] * w[i] }
                            sum += parts[0] + parts[1]
                        }
                        return sum
                    }
                    for pair in stride(from: 0, to: k, by: 2) {
                        if pair + 1 < k { sum += a[pair + 1] * w[pair + 1] } else { sum += 0 }
                        sum += a[pair] * w[pair]
                    }
                    return sum
                }
            case ck_type_i8:
                let scaled = zip(x, inputScale).map { $0 * $1 }
                let scale = (scaled.map(abs).max() ?? 0) / 127
                let inverse = scale > 0 ? 1 / scale : 0
                let a = scaled.map { Int(($0 * inverse).rounded(.toNearestOrEven)) }
                return (0..<n).map { column in
                    let w = zip(weight[column * k..<(column + 1) * k], inputScale).map { $0 / $1 }
                    let step = (w.map(abs).max() ?? 0) / 63
                    let q = w.map { step > 0 ? Int(($0 / step).rounded(.toNearestOrAwayFromZero)) : 0 }
                    return Float(zip(a, q).reduce(0) { $0 + $1.0 * $1.1 }) * (scale * step)
                }
            default:
                return (0..<n).map { column in
                    Float((0..<k).reduce(0.0) { $0 + Double(x[$1]) * Double(weight[column * k + $1]) })
                }
            }
        }
    }

    /// Memory that is gone with its owner; every piece has exactly its size, so that a sanitiser sees what leaves it.
    private final class Memory {
        private var pieces: [UnsafeMutableRawPointer] = []

        deinit { for piece in pieces { piece.deallocate() } }

        func floats(_ values: [Float]) -> UnsafeMutablePointer<Float> {
            let piece = UnsafeMutablePointer<Float>.allocate(capacity: max(values.count, 1))
            piece.initialize(from: values, count: values.count)
            pieces.append(UnsafeMutableRawPointer(piece))
            return piece
        }

        func packed(_ kernels: OpaquePointer, _ r: Reference) -> UnsafeMutablePointer<ck_matrix> {
            let bytes = UnsafeMutableRawPointer.allocate(byteCount: ck_matrix_bytes(r.type, r.n, r.k), alignment: 64)
            let matrix = UnsafeMutablePointer<ck_matrix>.allocate(capacity: 1)
            matrix.initialize(to: ck_matrix_at(kernels, r.type, r.n, r.k, bytes))
            ck_matrix_pack(matrix, r.weight, r.inputScale)
            pieces += [bytes, UnsafeMutableRawPointer(matrix)]
            return matrix
        }
    }

    private func run(
        _ kernels: OpaquePointer, _ c: Case, _ a: Reference, _ b: Reference?, x: [Float], bias: [Float],
        residual: [Float]
    ) -> [Float] {
        let last = c.second ?? c.n
        let memory = Memory()
        var call = ck_layer()
        call.rows = c.rows
        call.x = UnsafePointer(memory.floats([Float](repeating: .nan, count: c.shift) + x) + c.shift)
        if c.isNormed {
            call.norm_weight = UnsafePointer(memory.floats([Float](repeating: 1, count: c.k)))
            call.norm_bias = UnsafePointer(memory.floats([Float](repeating: 0, count: c.k)))
            call.epsilon = 1e-6
        }
        call.first = UnsafePointer(memory.packed(kernels, a))
        call.first_bias = UnsafePointer(memory.floats(bias))
        call.activation = c.activation
        if let b {
            call.second = UnsafePointer(memory.packed(kernels, b))
            call.second_bias = call.first_bias
        }
        if c.hasResidual {
            call.residual = UnsafePointer(memory.floats([Float](repeating: .nan, count: c.shift) + residual) + c.shift)
        }
        let count = c.shift + c.rows * last + 1
        let result = memory.floats([Float](repeating: .nan, count: count))
        call.out = result + c.shift
        let scratch = [Float](repeating: .nan, count: ck_layer_scratch(&call) * ck_pool_threads())
        ck_layer_forward(&call, memory.floats(scratch))
        let out = Array(UnsafeBufferPointer(start: result, count: count))
        // Nothing is written beside the result.
        #expect(out.prefix(c.shift).allSatisfy(\.isNaN) && out[out.count - 1].isNaN)
        return Array(out[c.shift..<out.count - 1])
    }

    private func activated(_ x: Float, _ activation: ck_activation) -> Float {
        var (x, y) = ([x], [Float(0)])
        switch activation {
        case ck_activation_gelu: ck_gelu(ck_kernels_default(), &y, &x, 1)
        case ck_activation_relu: ck_relu(ck_kernels_default(), &y, &x, 1)
        default: y = x
        }
        return y[0]
    }

    private func normed(_ x: [Float]) -> [Float] {
        let (ones, zeros) = ([Float](repeating: 1, count: x.count), [Float](repeating: 0, count: x.count))
        var y = x
        ck_layer_norm(ck_kernels_default(), &y, nil, nil, x, ones, zeros, 1, x.count, 1e-6)
        return y
    }

    @Test(
        "a packed layer is the plain formula: floats to 2e-6 of the terms' sizes, bfloat16 and 8 bits bit for bit",
        arguments: cases, Kind.allCases)
    func layer(_ c: Case, _ kind: Kind) {
        let type = kind.type
        let x = noise(c.rows * c.k, 1)
        let scales = noise(c.k, 7).map { 1 + abs($0) }
        let a = Reference(type: type, weight: noise(c.n * c.k, 2), n: c.n, k: c.k, inputScale: scales)
        let b = c.second.map {
            Reference(
                type: type, weight: noise($0 * c.n, 3), n: $0, k: c.n,
                inputScale: noise(c.n, 8).map { 1 + abs($0) })
        }
        let last = c.second ?? c.n
        let bias = noise(max(c.n, last), 4)
        let residual = noise(c.rows * last, 5)
        func expected(isTiled: Bool) -> [Float] {
            var (a, b) = (a, b)
            a.isTiled = isTiled
            b?.isTiled = isTiled
            return (0..<c.rows).flatMap { row in
                let input = Array(x[row * c.k..<(row + 1) * c.k])
                var y = zip(a.apply(c.isNormed ? normed(input) : input), bias).map { activated($0 + $1, c.activation) }
                if let b { y = zip(b.apply(y), bias).map { $0 + $1 } }
                return c.hasResidual ? zip(y, residual[row * last..<(row + 1) * last]).map { $0 + $1 } : y
            }
        }
        // Floats are summed in an order of their own under each instruction set, bfloat16 under AMX.
        let (others, tiled) = (expected(isTiled: false), KernelTable.hasTiles ? expected(isTiled: true) : [])
        let bound = 2e-6 * Float(max(c.k, c.n))
        for (name, ours) in each({ run($0, c, a, b, x: x, bias: bias, residual: residual) }) {
            let expected = name == KernelTable.tiled ? tiled : others
            if type == ck_type_f32 {
                #expect(zip(ours, expected).allSatisfy { abs($0 - $1) <= bound }, "\(name)")
            } else {
                #expect(ours.map(\.bitPattern) == expected.map(\.bitPattern), "\(name)")
            }
        }
    }

    @Test("a row that is not finite gives nothing that is finite, in every type", arguments: Kind.allCases)
    func notFinite(_ kind: Kind) {
        let type = kind.type
        let c = Case(rows: 2, k: 40, n: 33)
        var x = noise(80, 1)
        x[45] = .nan
        let a = Reference(
            type: type, weight: noise(33 * 40, 2), n: 33, k: 40, inputScale: [Float](repeating: 1, count: 40))
        for (_, y) in each({ run($0, c, a, nil, x: x, bias: noise(33, 4), residual: noise(66, 5)) }) {
            #expect(y[..<33].allSatisfy(\.isFinite) && !y[33...].contains(where: \.isFinite))
        }
    }

    struct Grid: CustomTestStringConvertible, Sendable {
        var batch = 1
        var grid: Int
        var window = 0
        var heads = 1
        var channels: Int
        var prompts = 0
        /// The upper left part that has tokens; nil: all.
        var part: (rows: Int, columns: Int)?

        var rows: Int { part?.rows ?? grid }
        var columns: Int { part?.columns ?? grid }

        var testDescription: String {
            "grid \(grid), \(rows) × \(columns) of it, window \(window), \(heads) × \(channels), \(prompts) prompts"
        }
    }

    static let grids = [
        Grid(grid: 1, channels: 1), Grid(batch: 2, grid: 5, window: 3, heads: 2, channels: 4),
        Grid(grid: 7, heads: 2, channels: 5, prompts: 3), Grid(grid: 20, window: 14, channels: 64),
        Grid(grid: 33, channels: 80, prompts: 40), Grid(grid: 9, window: 8, heads: 3, channels: 33),
        Grid(batch: 2, grid: 33, heads: 2, channels: 5, prompts: 3, part: (9, 30)),
        Grid(grid: 40, channels: 8, part: (33, 1)), Grid(batch: 2, grid: 9, window: 8, channels: 4, part: (9, 5)),
        // In windows that reach beyond the grid, tokens that are not there stand between others and the constant ones.
        Grid(grid: 20, window: 14, heads: 2, channels: 6, part: (15, 17)),
        Grid(grid: 20, window: 14, channels: 6, part: (16, 20)),
        Grid(batch: 2, grid: 8, window: 3, channels: 3, part: (7, 1)),
        Grid(grid: 21, window: 7, channels: 3, part: (8, 10)),
    ]

    @Test(
        "the encoder's attention is softmax over all keys with their positions: floats to 2e-5, bfloat16 to 0.08, and the same bits under every instruction set but AMX in bfloat16",
        arguments: grids, [Kind.floats, .bfloat16])
    func attention(_ g: Grid, _ kind: Kind) {
        let type = kind.type
        let side = g.window > 0 ? g.window : g.grid
        let (dim, length) = (g.heads * g.channels, 2 * side - 1)
        let tokens = g.rows * g.columns
        let qkv = noise(g.batch * tokens * 3 * dim, 1).map { $0 * 2 }
        let (padding, prompts) = (noise(3 * dim, 2), noise(max(1, g.prompts) * 3 * dim, 3))
        let (h, w) = (noise(length * g.channels, 4), noise(length * g.channels, 5))
        let results = each { kernels in
            let memory = Memory()
            let count = g.batch * tokens * dim
            let out = memory.floats([Float](repeating: .nan, count: count))
            var call = ck_encoder_attention(
                kernels: kernels, type: type, batch: g.batch, rows: g.rows, columns: g.columns, grid: g.grid,
                window: g.window, heads: g.heads, channels: g.channels,
                qkv: memory.floats(qkv), padding: memory.floats(padding),
                prompt_qkv: memory.floats(prompts), prompts: g.prompts, scale: 1 / Float(g.channels).squareRoot(),
                rel_h: memory.floats(h), rel_w: memory.floats(w), out: out)
            let scratch = [Float](repeating: .nan, count: ck_encoder_attention_scratch(&call) * ck_pool_threads())
            ck_encoder_attention_forward(&call, memory.floats(scratch))
            return Array(UnsafeBufferPointer(start: out, count: count))
        }
        func plain(_ image: Int, _ y: Int, _ x: Int, _ head: Int) -> [Double] {
            let (top, left) = (y / side * side, x / side * side)
            func at(_ y: Int, _ x: Int) -> ArraySlice<Float>? {
                if y >= g.grid || x >= g.grid { return padding[...] }
                return y < g.rows && x < g.columns
                    ? qkv[((image * tokens + y * g.columns + x) * 3 * dim)...].prefix(3 * dim) : nil
            }
            let q = Array((at(y, x) ?? []).dropFirst(head * g.channels).prefix(g.channels))
            var logits: [Double] = []
            var values: [[Float]] = []
            func add(_ token: [Float], _ position: Double) {
                let k = token[(dim + head * g.channels)...].prefix(g.channels)
                logits.append(
                    zip(q, k).reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(g.channels).squareRoot()
                        + position)
                values.append(Array(token[(2 * dim + head * g.channels)...].prefix(g.channels)))
            }
            for yy in 0..<side {
                for xx in 0..<side {
                    let (a, b) = (y - top + side - 1 - yy, x - left + side - 1 - xx)
                    let position = (0..<g.channels).reduce(0.0) {
                        $0 + Double(q[$1]) * (Double(h[a * g.channels + $1]) + Double(w[b * g.channels + $1]))
                    }
                    if let token = at(top + yy, left + xx) { add(Array(token), position) }
                }
            }
            for i in 0..<g.prompts { add(Array(prompts[(i * 3 * dim)...].prefix(3 * dim)), 0) }
            let top2 = logits.max() ?? 0
            let weights = logits.map { exp($0 - top2) }
            let sum = weights.reduce(0, +)
            return (0..<g.channels).map { c in zip(weights, values).reduce(0) { $0 + $1.0 * Double($1.1[c]) } / sum }
        }
        let bound = type == ck_type_f32 ? 2e-5 : 0.08
        for (name, out) in results {
            for token in stride(from: 0, to: g.batch * tokens, by: max(1, tokens / 60)) {
                let (image, i) = (token / tokens, token % tokens)
                for head in 0..<g.heads {
                    let expected = plain(image, i / g.columns, i % g.columns, head)
                    let ours = out[(token * dim + head * g.channels)...].prefix(g.channels)
                    #expect(zip(ours, expected).allSatisfy { abs(Double($0) - $1) <= bound }, "\(name), token \(token)")
                }
            }
            if type == ck_type_bf16, name != KernelTable.tiled {
                #expect(out.map(\.bitPattern) == results[0].values.map(\.bitPattern), "\(name)")
            }
        }
    }
}
