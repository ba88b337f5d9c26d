import CKernels
import Foundation
import Testing

/// Kernels against the plain formula and against each other, under every instruction set that this CPU has.
@Suite("kernels")
struct KernelTests {
    /// 0 to beyond one vector and its tail, and one that is cut into tiles.
    static let sizes = Array(0...67) + [70_000]

    private func noise(_ n: Int, _ seed: UInt32 = 1) -> [Float] {
        var state = seed
        return (0..<n).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) / Float(1 << 29)
        }
    }

    /// Runs under each instruction set and expects the same bits from all.
    private func same(_ body: (OpaquePointer) -> [Float]) -> [Float] {
        let results = KernelTable.all.map { ($0.name, body($0.kernels)) }
        for (name, result) in results { #expect(result.map(\.bitPattern) == results[0].1.map(\.bitPattern), "\(name)") }
        return results[0].1
    }

    @Test("GELU and its derivative are right to 2e-6 and the same under every instruction set")
    func gelu() {
        for n in Self.sizes {
            let x = noise(n)
            let y = same { kernels in
                var y = [Float](repeating: .nan, count: n)
                ck_gelu(kernels, &y, x, n)
                return y
            }
            for (x, y) in zip(x, y) where n < 68 {
                #expect(abs(Double(y) - 0.5 * Double(x) * (1 + erf(Double(x) / 2.0.squareRoot()))) < 2e-6)
            }
            let slope = same { kernels in
                var dx = [Float](repeating: 1, count: n)
                ck_gelu_backward(kernels, &dx, dx, x, n)
                return dx
            }
            for (x, d) in zip(x, slope) where n < 68 {
                let x = Double(x)
                #expect(
                    abs(
                        Double(d)
                            - (0.5 * (1 + erf(x / 2.0.squareRoot())) + x * exp(-x * x / 2)
                                / (2 * Double.pi).squareRoot())) < 2e-6)
            }
        }
    }

    /// One query of one head over keys whose logits are `logits` and whose values are `values`: softmax(logits) · values.
    private func attention(_ kernels: OpaquePointer, _ logits: [Float], _ values: [Float]) -> Float {
        let n = logits.count
        let query: [Float] = [1]
        var (out, lse): ([Float], [Float]) = ([.nan], [.nan])
        query.withUnsafeBufferPointer { q in
            logits.withUnsafeBufferPointer { k in
                values.withUnsafeBufferPointer { v in
                    out.withUnsafeMutableBufferPointer { out in
                        lse.withUnsafeMutableBufferPointer { lse in
                            var call = ck_attention(
                                kernels: kernels, type: ck_type_f32, batch: 1, heads: 1, queries: 1, keys: n,
                                channels: 1,
                                value_channels: 1,
                                q: q.baseAddress, k: k.baseAddress, v: v.baseAddress, q_stride: 1, k_stride: 1,
                                v_stride: 1,
                                q_batch: 1, k_batch: n, v_batch: n, scale: 1, side: 0, rel_h: nil, rel_w: nil,
                                out: out.baseAddress, out_stride: 1, out_batch: 1, lse: lse.baseAddress, key_bias: nil)
                            var scratch = [Float](repeating: 0, count: ck_attention_scratch(&call) * ck_pool_threads())
                            ck_attention_forward(&call, &scratch)
                        }
                    }
                }
            }
        }
        return out[0]
    }

    @Test("the exp of a softmax is right to 5e-7 from −87 to 0, and NaN stays NaN")
    func exponential() {
        for x in stride(from: Float(-87), through: 0, by: 0.37) {
            let y = same { [attention($0, [0, x], [0, 1])] }[0]
            // The sum, its inverse and the product round once each; exp itself is right to 3e-7.
            #expect(abs(Double(y) / (exp(Double(x)) / (1 + exp(Double(x)))) - 1) < 5e-7)
        }
        #expect(attention(ck_kernels_default(), [0, .nan], [1, 1]).isNaN)
    }

    @Test("the weights of a softmax sum to 1, however many they are")
    func softmax() {
        for n in Self.sizes where n > 0 {
            let y = same { [attention($0, noise(n).map { 20 * $0 }, [Float](repeating: 1, count: n))] }[0]
            #expect(abs(Double(y) - 1) < 1e-5)
        }
    }

    @Test("layer norm gives mean 0 and deviation 1 and is the same under every instruction set")
    func layerNorm() {
        for dim in Self.sizes where dim > 1 && dim < 100 {
            let rows = 130
            let x = noise(rows * dim)
            let (weight, bias) = ([Float](repeating: 1, count: dim), [Float](repeating: 0, count: dim))
            let y = same { kernels in
                var y = [Float](repeating: .nan, count: rows * dim)
                ck_layer_norm(kernels, &y, nil, nil, x, weight, bias, rows, dim, 1e-6)
                return y
            }
            let row = y[dim * 7..<dim * 8].map(Double.init)
            #expect(abs(row.reduce(0, +)) / Double(dim) < 1e-5)
            #expect(abs(row.reduce(0) { $0 + $1 * $1 } / Double(dim) - 1) < 1e-3)
        }
    }

    @Test("a matrix product is the plain formula for every layout and tile", arguments: KernelTable.all)
    func product(_ table: KernelTable) {
        for (m, n, k) in [
            (1, 1, 1), (3, 5, 7), (2, 3, 0), (600, 40, 60), (20, 300, 300), (1500, 70, 30), (31, 33, 1030),
            (250, 64, 513),
        ] {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let (a, b) = (noise(m * k), noise(k * n, 9))
                for (type, beta, bound) in [
                    (ck_type_f32, Float(0), 1e-6), (ck_type_f32, 2, 1e-6), (ck_type_bf16, 1, 5e-3),
                ] {
                    // Nothing is read where beta is 0; the element behind the result stays as it is.
                    var c = [Float](repeating: beta == 0 ? .nan : 1, count: m * n) + [7]
                    var alone = c
                    let scratch = ck_gemm_scratch(table.kernels, type, ta, tb, m, n, k, 0.5)
                    // Exactly its size, so that a sanitiser sees what leaves it.
                    let panels = UnsafeMutableRawPointer.allocate(byteCount: max(1, 4 * scratch), alignment: 64)
                    defer { panels.deallocate() }
                    func multiply(_ c: inout [Float], _ scratch: UnsafeMutablePointer<Float>?) {
                        ck_gemm(
                            table.kernels, type, ta, tb, m, n, k, 0.5, a, max(1, ta ? m : k), b, max(1, tb ? k : n),
                            beta, &c, n, scratch)
                    }
                    multiply(&c, scratch > 0 ? panels.assumingMemoryBound(to: Float.self) : nil)
                    multiply(&alone, nil)
                    #expect(c[m * n] == 7)
                    #expect(c.map(\.bitPattern) == alone.map(\.bitPattern), "scratch memory changes a sum")
                    for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3), (m - 1, 0), (0, n - 1)] {
                        let terms = (0..<k).map {
                            Double(ta ? a[$0 * m + i] : a[i * k + $0]) * Double(tb ? b[j * k + $0] : b[$0 * n + j])
                        }
                        let expected = 0.5 * terms.reduce(0, +) + Double(beta)
                        let size = terms.reduce(1.0) { $0 + abs($1) }
                        #expect(abs(Double(c[i * n + j]) - expected) <= bound * size, "\(type) \(m) × \(n) × \(k)")
                    }
                }
            }
        }
    }

    @Test("floats become the nearest bfloat16, halves the even one, the same under every instruction set")
    func encode() {
        let special: [Float] = [0, -0.0, 1, 1.00390625, 1.01171875, -1.00390625, 1e-39, -1e-39, .infinity, .nan, 3e38]
        for n in Self.sizes {
            let x = special + noise(n)
            let back = same { kernels in
                var words = [UInt32](repeating: .max, count: (x.count + 1) / 2)
                ck_encode_bf16(kernels, &words, x, x.count)
                if !x.count.isMultiple(of: 2) { #expect(words[words.count - 1] >> 16 == 0) }
                var back = [Float](repeating: 7, count: x.count)
                ck_decode(kernels, &back, words, ck_stored_bf16, x.count)
                return back
            }
            #expect(back[..<6].elementsEqual([0, 0, 1, 1, 1.015625, -1]) && back[6] == 0 && back[7].sign == .minus)
            #expect(back[8] == .infinity && back[9].isNaN && back[10].isFinite)
            #expect(zip(x[11...], back[11...]).allSatisfy { abs($0 - $1) <= abs($0) / 256 })
        }
    }

    @Test("every stored number becomes its float, at any address", arguments: KernelTable.all)
    func decode(_ table: KernelTable) {
        let patterns = (0...UInt16.max).map { $0.littleEndian }
        for shift in [0, 1] {
            let bytes = [UInt8](repeating: 0, count: shift) + patterns.withUnsafeBytes { [UInt8]($0) }
            for (type, expected) in [
                (ck_stored_f16, patterns.map { Float(Float16(bitPattern: $0)) }),
                (ck_stored_bf16, patterns.map { Float(bitPattern: UInt32($0) << 16) }),
            ] {
                var out = [Float](repeating: 7, count: expected.count + 1)
                let isFinite = bytes.withUnsafeBytes {
                    ck_decode(table.kernels, &out, $0.baseAddress.map { $0 + shift }, type, expected.count)
                }
                #expect(!isFinite && out[expected.count] == 7)
                let same = zip(out, expected).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
                #expect(same)
            }
        }
        // Floats, and the largest finite ones of both.
        var out = [Float](repeating: 0, count: 37)
        let floats = noise(37)
        #expect(floats.withUnsafeBytes { ck_decode(table.kernels, &out, $0.baseAddress, ck_stored_f32, 37) })
        #expect(out == floats)
        for (type, largest) in [(ck_stored_f16, UInt16(0x7BFF)), (ck_stored_bf16, 0xFF7F)] {
            let stored = [largest, 0, largest]
            #expect(stored.withUnsafeBytes { ck_decode(table.kernels, &out, $0.baseAddress, type, 3) })
        }
    }

    @Test("NaN and infinity are found wherever they stand")
    func finite() {
        var x = noise(67)
        #expect(ck_all_finite(x, 67))
        for (index, value) in [(0, Float.nan), (66, .infinity), (33, -.infinity)] {
            let old = x[index]
            x[index] = value
            #expect(!ck_all_finite(x, 67))
            x[index] = old
        }
    }
}
