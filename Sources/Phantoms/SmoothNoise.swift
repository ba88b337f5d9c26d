/// Smooth random texture: values on a lattice, blended with a smooth step, in octaves.
struct SmoothNoise {
    private let seed: UInt64
    private let octaves: Int

    init(_ random: inout PhantomRandom, octaves: Int = 3) {
        seed = random.next()
        self.octaves = octaves
    }

    /// About −1…1; one lattice cell a unit.
    func callAsFunction(_ x: Double, _ y: Double, _ z: Double = 0) -> Double {
        var (sum, weight, scale, total) = (0.0, 1.0, 1.0, 0.0)
        for _ in 0..<octaves {
            sum += weight * lattice(x * scale, y * scale, z * scale)
            total += weight
            weight /= 2
            scale *= 2
        }
        return sum / total
    }

    private func lattice(_ x: Double, _ y: Double, _ z: Double) -> Double {
        let (fx, fy, fz) = (x.rounded(.down), y.rounded(.down), z.rounded(.down))
        let (u, v, w) = (smoothStep(x - fx), smoothStep(y - fy), smoothStep(z - fz))
        let (i, j, k) = (cell(fx), cell(fy), cell(fz))
        func row(_ j: Int, _ k: Int) -> Double {
            let (a, b) = (value(i, j, k), value(i + 1, j, k))
            return a + (b - a) * u
        }
        func plane(_ k: Int) -> Double {
            let (a, b) = (row(j, k), row(j + 1, k))
            return a + (b - a) * v
        }
        let near = plane(k)
        return w == 0 ? near : near + (plane(k + 1) - near) * w
    }

    private func value(_ i: Int, _ j: Int, _ k: Int) -> Double {
        var z = seed &+ UInt64(bitPattern: Int64(i)) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ UInt64(bitPattern: Int64(j))) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 29) ^ UInt64(bitPattern: Int64(k))) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1
    }
}

/// The lattice coordinate of a whole number; phantoms stay within thousands of cells.
private func cell(_ whole: Double) -> Int { Int(exactly: whole) ?? 0 }

/// 0 below 0, 1 above 1, smooth between.
func smoothStep(_ t: Double) -> Double {
    let t = min(max(t, 0), 1)
    return t * t * (3 - 2 * t)
}

func mix(_ a: Double, _ b: Double, _ t: Double) -> Double { a + (b - a) * t }
