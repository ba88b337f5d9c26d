import Imaging
import Numbers
import Testing

@Suite("Components and measurement")
struct ComponentsTests {
    private static func mask(_ picture: String) -> Mask {
        let lines = picture.split(separator: "\n")
        return Mask(rows: lines.count, columns: lines[0].count, flags: lines.joined().map { $0 == "#" })
    }

    private static let picture = mask(
        """
        #..#.#
        #..#.#
        .#.###
        ......
        """)

    @Test("pixels that touch at a corner are one component by all neighbours and two by sides")
    func neighbours() {
        #expect(Components(of: Self.picture, neighbours: .all).sizes == [3, 7])
        #expect(Components(of: Self.picture, neighbours: .faces).sizes == [2, 7, 1])
    }

    @Test("a mask lies within rectangles that together hold each of its pixels")
    func rectangles() {
        let left = PixelRectangle(rows: 0...2, columns: 0...2)
        #expect(!Self.picture.lies(within: [left]))
        #expect(Self.picture.lies(within: [left, PixelRectangle(rows: 0...9, columns: 3...5)]))
        #expect(!Self.picture.lies(within: [left, PixelRectangle(rows: 0...1, columns: 3...5)]))
        #expect(Mask(rows: 2, columns: 2).lies(within: []))
    }

    @Test("components of a volume join across slices, and a gap of one slice parts them")
    func volume() {
        var a = Mask(rows: 3, columns: 3)
        a[0, 0] = true
        var b = Mask(rows: 3, columns: 3)
        b[1, 1] = true
        let empty = Mask(rows: 3, columns: 3)
        #expect(Components(of: [a, b, empty, a]).sizes == [2, 1])
        #expect(Components(of: [a, b, empty, a], neighbours: .faces).count == 3)
        #expect(Components.largest(of: [a, b, empty, a]) == [a, b, empty, empty])
    }

    @Test("the largest component stays, small ones go, and nothing stays nothing")
    func filters() {
        #expect(Components.largest(of: Self.picture).count == 7)
        #expect(Components.removing(smallerThan: 4, from: Self.picture).count == 7)
        #expect(Components.removing(smallerThan: 3, from: Self.picture) == Self.picture)
        #expect(Components.largest(of: Mask(rows: 2, columns: 2)).isEmpty)
    }

    @Test("an enclosed hole is filled, one that is open at the border or a side is not")
    func holes() {
        let ring = Self.mask(
            """
            .###.
            .#.#.
            .###.
            """)
        let open = Self.mask(
            """
            .###.
            .#.#.
            .#.#.
            """)
        #expect(Components.fillingHoles(in: ring).count == 9)
        #expect(Components.fillingHoles(in: open) == open)
        // In a volume the hole leads out through the slices above and below unless they close it.
        let full = Mask(rows: 3, columns: 5, flags: [Bool](repeating: true, count: 15))
        #expect(Components.fillingHoles(in: [full, ring, full])[1].count == 9)
        #expect(Components.fillingHoles(in: [ring, ring, ring]) == [ring, ring, ring])
    }

    /// Flood fill, pixel by pixel: the plainest way, whose numbering is checked too.
    private static func flooded(_ volume: [Mask], value: Bool, faces: Bool) -> [[Int]] {
        let (rows, columns) = (volume[0].rows, volume[0].columns)
        var labels = volume.map { _ in [Int](repeating: 0, count: rows * columns) }
        var number = 0
        for z in volume.indices {
            for start in 0..<rows * columns where volume[z][start] == value && labels[z][start] == 0 {
                number += 1
                var waiting = [(z, start / columns, start % columns)]
                while let (z, y, x) = waiting.popLast() {
                    guard volume.indices.contains(z), (0..<rows).contains(y), (0..<columns).contains(x),
                        volume[z][y, x] == value, labels[z][y * columns + x] == 0
                    else { continue }
                    labels[z][y * columns + x] = number
                    for step in 0..<27 {
                        let (dz, dy, dx) = (step / 9 - 1, step / 3 % 3 - 1, step % 3 - 1)
                        if faces, abs(dz) + abs(dy) + abs(dx) != 1 { continue }
                        waiting.append((z + dz, y + dy, x + dx))
                    }
                }
            }
        }
        return labels
    }

    @Test("random volumes have the components that a flood fill finds, in the same order", arguments: 0..<24)
    func randomVolumes(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let (slices, rows, columns) = (1 + seed % 4, 1 + random.index(below: 9), 1 + random.index(below: 21))
        let density = random.uniform(0.2...0.8)
        let volume = (0..<slices).map { _ in
            Mask(rows: rows, columns: columns, flags: (0..<rows * columns).map { _ in random.uniform() < density })
        }
        for faces in [false, true] {
            let components = Components(of: volume, neighbours: faces ? .faces : .all)
            let labels = Self.flooded(volume, value: true, faces: faces)
            #expect(components.sizes.reduce(0, +) == volume.reduce(0) { $0 + $1.count })
            for number in 0..<components.count {
                let expected = labels.map { $0.map { $0 == number + 1 } }
                #expect(components.masks { $0 == number + 1 }.map(\.flags) == expected)
            }
            #expect(components.count == labels.joined().max() ?? 0)
        }
        let background = Self.flooded(volume, value: false, faces: true)
        var open: Set<Int> = [0]
        for z in 0..<slices {
            for y in 0..<rows {
                for x in 0..<columns
                where slices > 1 && (z == 0 || z == slices - 1) || y == 0 || y == rows - 1 || x == 0 || x == columns - 1
                {
                    open.insert(background[z][y * columns + x])
                }
            }
        }
        let filled = zip(volume, background).map { mask, labels in
            zip(mask.flags, labels).map { $0 || !open.contains($1) }
        }
        #expect(Components.fillingHoles(in: volume).map(\.flags) == filled)
    }

    @Test("areas and volumes follow spacing and the weights of slices")
    func measurement() {
        let mask = Mask(rows: 10, columns: 10, flags: [Bool](repeating: true, count: 100))
        let spacing = PixelSpacing(row: 0.5, column: 2)
        #expect(Measurement.areaMM2(mask, spacing: spacing) == 100)
        #expect(Measurement.volumeML([mask, mask], spacing: spacing, weightsMM: [5, 5]) == 1)
    }
}
