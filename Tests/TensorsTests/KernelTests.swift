import CKernels
import Foundation
import Testing

/// Kernels against the plain formula and against each other, under every instruction set that this CPU has.
@Suite("kernels", .serialized)
struct KernelTests {
    static let instructionSets: [String] = {
        var names: [String] = []
        while let name = ck_isa_available(names.count) { names.append(String(cString: name)) }
        return names
    }()
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
    private func same(_ body: () -> [Float]) -> [Float] {
        var results: [[Float]] = []
        for name in Self.instructionSets {
            #expect(ck_isa_select(name))
            results.append(body())
        }
        _ = ck_isa_select(nil)
        for result in results { #expect(result.map(\.bitPattern) == results[0].map(\.bitPattern)) }
        return results[0]
    }

    @Test("GELU and its derivative are right to 2e-6 and the same under every instruction set")
    func gelu() {
        for n in Self.sizes {
            let x = noise(n)
            let y = same {
                var y = [Float](repeating: .nan, count: n)
                ck_gelu(&y, x, n)
                return y
            }
            for (x, y) in zip(x, y) where n < 68 {
                #expect(abs(Double(y) - 0.5 * Double(x) * (1 + erf(Double(x) / 2.0.squareRoot()))) < 2e-6)
            }
            let slope = same {
                var dx = [Float](repeating: 1, count: n)
                ck_gelu_backward(&dx, dx, x, n)
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

    @Test("exp is right to 3e-7 from −87 to 88 and keeps NaN")
    func exponential() {
        let x = stride(from: Float(-87), through: 88, by: 0.37).map { $0 } + [.nan]
        let y = same {
            var y = [Float](repeating: 0, count: x.count)
            ck_exp(&y, x, x.count)
            return y
        }
        #expect(y[x.count - 1].isNaN)
        for (x, y) in zip(x.dropLast(), y) { #expect(abs(Double(y) / exp(Double(x)) - 1) < 3e-7) }
    }

    @Test("rows of a softmax sum to 1, whatever their size")
    func softmax() {
        for n in Self.sizes where n > 0 {
            let x = noise(n).map { $0 * 20 }
            let y = same {
                var y = x
                ck_softmax_rows(&y, 1, n)
                return y
            }
            #expect(abs(y.reduce(0) { $0 + Double($1) } - 1) < 1e-5)
        }
    }

    @Test("layer norm gives mean 0 and deviation 1 and is the same under every instruction set")
    func layerNorm() {
        for dim in Self.sizes where dim > 1 && dim < 100 {
            let rows = 130
            let x = noise(rows * dim)
            let (weight, bias) = ([Float](repeating: 1, count: dim), [Float](repeating: 0, count: dim))
            let y = same {
                var y = [Float](repeating: .nan, count: rows * dim)
                ck_layer_norm(&y, nil, nil, x, weight, bias, rows, dim, 1e-6)
                return y
            }
            let row = y[dim * 7..<dim * 8].map(Double.init)
            #expect(abs(row.reduce(0, +)) / Double(dim) < 1e-5)
            #expect(abs(row.reduce(0) { $0 + $1 * $1 } / Double(dim) - 1) < 1e-3)
        }
    }

    @Test("a matrix product is the plain formula for every layout and tile")
    func product() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (600, 40, 60), (20, 300, 300), (1500, 70, 30)] {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let (a, b) = (noise(m * k), noise(k * n, 9))
                var c = [Float](repeating: 1, count: m * n)
                ck_gemm(ta, tb, m, n, k, 0.5, a, ta ? m : k, b, tb ? k : n, 2, &c, n)
                for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3)] {
                    let sum = (0..<k).reduce(0.0) {
                        $0 + Double(ta ? a[$1 * m + i] : a[i * k + $1]) * Double(tb ? b[j * k + $1] : b[$1 * n + j])
                    }
                    #expect(abs(Double(c[i * n + j]) - (0.5 * sum + 2)) < 1e-3)
                }
            }
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
