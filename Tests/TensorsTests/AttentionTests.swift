import CKernels
import Foundation
import Testing

/// The attention of training and its derivatives against the plain formula in double, under every instruction set that this
/// CPU has: sizes below, at and beyond one block of queries or keys, blocks that end within a row of the grid.
@Suite("attention kernels")
struct AttentionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var batch = 1
        var heads = 1
        /// Of the grid, whose keys come first; 0: no positions, and as many queries as `queries` says.
        var side = 0
        var queries = 0
        /// Keys without a position.
        var others: Int
        var channels: Int
        var valueChannels: Int
        var hasBias = false

        var queryCount: Int { side > 0 ? side * side : queries }
        var keys: Int { side * side + others }
        var tableLength: Int { max(0, 2 * side - 1) }
        var testDescription: String {
            "side \(side), \(queryCount) × \(keys), \(batch) · \(heads) × \(channels) and \(valueChannels)\(hasBias ? ", bias" : "")"
        }
    }

    static let cases = [
        Case(queries: 1, others: 1, channels: 1, valueChannels: 1),
        Case(batch: 2, heads: 2, side: 3, others: 2, channels: 80, valueChannels: 64, hasBias: true),
        Case(batch: 2, heads: 3, side: 14, others: 0, channels: 8, valueChannels: 8),
        Case(heads: 2, side: 16, others: 1, channels: 33, valueChannels: 5),
        Case(batch: 2, heads: 2, side: 17, others: 5, channels: 5, valueChannels: 3, hasBias: true),
        // Channels, and entries of the tables, beyond what a packed row has room for.
        Case(side: 18, others: 0, channels: 270, valueChannels: 259),
        Case(side: 65, others: 16, channels: 2, valueChannels: 1, hasBias: true),
        Case(batch: 2, heads: 2, queries: 300, others: 520, channels: 16, valueChannels: 33, hasBias: true),
        Case(heads: 2, queries: 10, others: 1030, channels: 16, valueChannels: 16),
        Case(heads: 2, queries: 1030, others: 7, channels: 16, valueChannels: 16, hasBias: true),
        // Nobody asks: no key has a derivative.
        Case(heads: 2, queries: 0, others: 4, channels: 3, valueChannels: 3),
    ]

    /// Names and values of all that attention gives back, without what lies between the rows.
    private typealias Results = [(name: String, values: [Double])]

    /// Rows are so many floats wider than their heads.
    private static let gap = 3

    private struct Inputs {
        var q, k, v, dout, relativeH, relativeW: [Float]
        var bias: [Float]?

        init(_ c: Case) {
            func noise(_ n: Int, _ seed: UInt32, _ scale: Float) -> [Float] {
                var state = seed &* 2_654_435_761 | 1
                return (0..<n).map { _ in
                    state = state &* 1_664_525 &+ 1_013_904_223
                    return scale * Float(Int32(bitPattern: state)) / Float(1 << 31)
                }
            }
            let (width, valueWidth) = (c.heads * c.channels + gap, c.heads * c.valueChannels + gap)
            q = noise(c.batch * c.queryCount * width, 1, 2)
            k = noise(c.batch * c.keys * width, 2, 2)
            v = noise(c.batch * c.keys * valueWidth, 3, 1)
            dout = noise(c.batch * c.queryCount * valueWidth, 4, 1)
            // Positions of a wide grid count as much as keys do.
            relativeH = noise(c.tableLength * c.channels, 5, 1)
            relativeW = noise(c.tableLength * c.channels, 6, 1)
            // Every fifth key is not there.
            if c.hasBias {
                bias = noise(c.batch * c.keys, 7, 1).enumerated().map { $0.offset % 5 == 3 ? -1e9 : $0.element }
            }
        }
    }

    private func ours(_ kernels: OpaquePointer, _ type: ck_type, _ c: Case, _ x: Inputs) -> Results {
        var pieces: [UnsafeMutablePointer<Float>] = []
        defer { for piece in pieces { piece.deallocate() } }
        func memory(_ values: [Float]) -> UnsafeMutablePointer<Float> {
            let piece = UnsafeMutablePointer<Float>.allocate(capacity: max(1, values.count))
            piece.initialize(from: values, count: values.count)
            pieces.append(piece)
            return piece
        }
        func unset(_ count: Int) -> UnsafeMutablePointer<Float> { memory([Float](repeating: 7, count: count)) }
        let (width, valueWidth) = (c.heads * c.channels + Self.gap, c.heads * c.valueChannels + Self.gap)
        let (out, lse) = (unset(x.dout.count), unset(c.batch * c.heads * c.queryCount))
        var call = ck_attention(
            kernels: kernels, type: type, batch: c.batch, heads: c.heads, queries: c.queryCount, keys: c.keys,
            channels: c.channels, value_channels: c.valueChannels, q: memory(x.q), k: memory(x.k), v: memory(x.v),
            q_stride: width,
            k_stride: width, v_stride: valueWidth, q_batch: c.queryCount * width, k_batch: c.keys * width,
            v_batch: c.keys * valueWidth, scale: 1 / Float(c.channels).squareRoot(), side: c.side,
            rel_h: memory(x.relativeH), rel_w: memory(x.relativeW), out: out, out_stride: valueWidth,
            out_batch: c.queryCount * valueWidth, lse: lse, key_bias: x.bias.map { UnsafePointer(memory($0)) })
        let (dq, dk, dv) = (unset(x.q.count), unset(x.k.count), unset(x.v.count))
        let parts = c.batch * c.heads * c.tableLength * c.channels
        let (dh, dw) = (unset(parts), unset(parts))
        let gradients = ck_attention_gradients(dout: memory(x.dout), dq: dq, dk: dk, dv: dv, drel_h: dh, drel_w: dw)
        func scratch() -> UnsafeMutablePointer<Float> {
            memory([Float](repeating: .nan, count: ck_attention_scratch(&call) * ck_pool_threads()))
        }
        ck_attention_forward(&call, scratch())
        withUnsafePointer(to: gradients) { ck_attention_backward(&call, $0, scratch()) }
        func inner(_ name: String, _ from: UnsafeMutablePointer<Float>, _ count: Int, _ width: Int) -> (
            String, [Double]
        ) {
            let all = UnsafeBufferPointer(start: from, count: count)
            #expect(all.indices.allSatisfy { $0 % width < width - Self.gap || all[$0] == 7 }, "\(name) leaves its rows")
            return (name, all.indices.filter { $0 % width < width - Self.gap }.map { Double(all[$0]) })
        }
        return [
            inner("out", out, x.dout.count, valueWidth), inner("dq", dq, x.q.count, width),
            inner("dk", dk, x.k.count, width), inner("dv", dv, x.v.count, valueWidth),
            ("dh", UnsafeBufferPointer(start: dh, count: parts).map(Double.init)),
            ("dw", UnsafeBufferPointer(start: dw, count: parts).map(Double.init)),
        ]
    }

    private func plain(_ c: Case, _ x: Inputs) -> Results {
        let (n, m, d, e, side, length) = (c.queryCount, c.keys, c.channels, c.valueChannels, c.side, c.tableLength)
        let scale = 1 / Double(d).squareRoot()
        var out = [Double](repeating: 0, count: c.batch * n * c.heads * e)
        var (dq, dk) = (
            [Double](repeating: 0, count: c.batch * n * c.heads * d),
            [Double](repeating: 0, count: c.batch * m * c.heads * d)
        )
        var dv = [Double](repeating: 0, count: c.batch * m * c.heads * e)
        var dh = [Double](repeating: 0, count: c.batch * c.heads * length * d)
        var dw = dh
        /// One head's columns of rows with a gap.
        func head(_ from: [Float], _ rows: Int, _ b: Int, _ h: Int, _ channels: Int) -> [Double] {
            let width = c.heads * channels + Self.gap
            return (0..<rows * channels).map {
                Double(from[(b * rows + $0 / channels) * width + h * channels + $0 % channels])
            }
        }
        func dot(_ a: [Double], _ i: Int, _ b: [Double], _ j: Int, _ channels: Int) -> Double {
            var sum = 0.0
            for s in 0..<channels { sum += a[i * channels + s] * b[j * channels + s] }
            return sum
        }
        func add(_ to: inout [Double], _ at: Int, _ factor: Double, _ from: [Double], _ i: Int, _ channels: Int) {
            for s in 0..<channels { to[at + s] += factor * from[i * channels + s] }
        }
        let (tableH, tableW) = (x.relativeH.map(Double.init), x.relativeW.map(Double.init))
        for b in 0..<c.batch {
            for h in 0..<c.heads {
                let (q, k) = (head(x.q, n, b, h, d), head(x.k, m, b, h, d))
                let (v, dout) = (head(x.v, m, b, h, e), head(x.dout, n, b, h, e))
                let tables = (b * c.heads + h) * length * d
                for i in 0..<n {
                    let ownQ = ((b * n + i) * c.heads + h) * d, own = ((b * n + i) * c.heads + h) * e
                    let (y, column) = side > 0 ? (i / side + side - 1, i % side + side - 1) : (0, 0)
                    let (rows, columns) = (
                        (0..<side).map { dot(q, i, tableH, y - $0, d) },
                        (0..<side).map { dot(q, i, tableW, column - $0, d) }
                    )
                    var weights = (0..<m).map { j in
                        scale * dot(q, i, k, j, d) + (x.bias.map { Double($0[b * m + j]) } ?? 0)
                            + (j < side * side ? rows[j / side] + columns[j % side] : 0)
                    }
                    let top = weights.max() ?? 0
                    let sum = weights.reduce(0) { $0 + exp($1 - top) }
                    for j in 0..<m { weights[j] = exp(weights[j] - top) / sum }
                    for j in 0..<m { add(&out, own, weights[j], v, j, e) }
                    var mean = 0.0
                    for s in 0..<e { mean += out[own + s] * dout[i * e + s] }
                    var (drows, dcolumns) = ([Double](repeating: 0, count: side), [Double](repeating: 0, count: side))
                    for j in 0..<m {
                        add(&dv, ((b * m + j) * c.heads + h) * e, weights[j], dout, i, e)
                        let ds = weights[j] * (dot(dout, i, v, j, e) - mean)
                        add(&dq, ownQ, scale * ds, k, j, d)
                        add(&dk, ((b * m + j) * c.heads + h) * d, scale * ds, q, i, d)
                        if j < side * side { drows[j / side] += ds; dcolumns[j % side] += ds }
                    }
                    for s in 0..<side {
                        add(&dq, ownQ, drows[s], tableH, y - s, d)
                        add(&dq, ownQ, dcolumns[s], tableW, column - s, d)
                        add(&dh, tables + (y - s) * d, drows[s], q, i, d)
                        add(&dw, tables + (column - s) * d, dcolumns[s], q, i, d)
                    }
                }
            }
        }
        return [("out", out), ("dq", dq), ("dk", dk), ("dv", dv), ("dh", dh), ("dw", dw)]
    }

    /// Of bfloat16 each factor is off by 2⁻⁹ of itself.
    static let bounds = [(type: ck_type_f32, bound: 2e-5), (type: ck_type_bf16, bound: 3e-2)]

    @Test(
        "attention and its derivatives are the plain formula, to 2e-5 of the largest, of bfloat16 to 3e-2",
        arguments: cases)
    func derivatives(_ c: Case) {
        let x = Inputs(c)
        let expected = plain(c, x)
        for table in KernelTable.all {
            for (type, bound) in Self.bounds {
                for (ours, expected) in zip(ours(table.kernels, type, c, x), expected) {
                    let largest = expected.values.reduce(0) { max($0, abs($1)) }
                    // NaN is no distance below the bound.
                    let isNear = zip(ours.values, expected.values).allSatisfy { abs($0 - $1) <= bound * largest + 1e-6 }
                    #expect(
                        isNear && ours.values.count == expected.values.count, "\(table.name), \(type): \(ours.name)")
                }
            }
        }
    }
}
