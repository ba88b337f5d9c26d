import Imaging
import Numbers
import Testing

@Suite("Outlines of masks")
struct MaskOutlineTests {
    private func mask(_ lines: [String]) -> Mask {
        Mask(rows: lines.count, columns: lines[0].count, flags: lines.flatMap { $0.map { $0 == "#" } })
    }

    /// Pixels whose middle lies inside of an odd number of times, and by which winding number: what readers do.
    private func filled(_ polygon: [MaskOutline.Corner], _ rows: Int, _ columns: Int) -> (odd: [Bool], wound: [Bool]) {
        var odd = [Bool](repeating: false, count: rows * columns)
        var wound = odd
        for row in 0..<rows {
            for column in 0..<columns {
                let (x, y) = (Double(column) + 0.5, Double(row) + 0.5)
                var (crossings, winding) = (0, 0)
                for (a, b) in zip(polygon, polygon.dropFirst() + polygon.prefix(1)) {
                    let (top, bottom) = (Double(min(a.row, b.row)), Double(max(a.row, b.row)))
                    guard a.column == b.column, Double(a.column) > x, top < y, y < bottom else { continue }
                    crossings += 1
                    winding += a.row < b.row ? 1 : -1
                }
                odd[row * columns + column] = crossings % 2 == 1
                wound[row * columns + column] = winding != 0
            }
        }
        return (odd, wound)
    }

    private func check(_ mask: Mask, _ comment: Comment? = nil) {
        let components = Components(of: mask, neighbours: .faces)
        let polygons = MaskOutline.polygons(of: mask)
        #expect(polygons.count == components.count, comment)
        var sum = [Int](repeating: 0, count: mask.rows * mask.columns)
        for (number, polygon) in polygons.enumerated() {
            let part = components.masks { $0 == number + 1 }[0]
            let inside = filled(polygon, mask.rows, mask.columns)
            #expect(inside.odd == part.flags, comment)
            #expect(inside.wound == part.flags, comment)
            for pixel in sum.indices where inside.odd[pixel] { sum[pixel] += 1 }
        }
        #expect(sum.map { $0 == 1 } == mask.flags && sum.allSatisfy { $0 <= 1 }, comment)
    }

    @Test("one pixel is a square, a block has four corners")
    func simple() {
        let one = MaskOutline.polygons(of: mask(["...", ".#.", "..."]))
        #expect(one == [[(1, 1), (1, 2), (2, 2), (2, 1)].map { .init(row: $0.0, column: $0.1) }])
        #expect(MaskOutline.polygons(of: mask(["####", "####"]))[0].count == 4)
        #expect(MaskOutline.polygons(of: mask(["...", "..."])).isEmpty)
    }

    @Test(
        "holes, islands in holes, holes side by side, parts that touch at corners: the even-odd and the winding rule give the mask"
    )
    func shapes() {
        check(mask(["#####", "#...#", "#.#.#", "#...#", "#####"]), "island in a hole")
        check(mask(["#######", "#.#.#.#", "#######", "##.#.##", "#######"]), "many holes")
        check(mask(["#.", ".#"]), "corner")
        check(mask(["####", "#.##", "##.#", "####"]), "holes that touch at a corner")
        check(
            mask([
                "#########", "#.......#", "#.#####.#", "#.#...#.#", "#.#.#.#.#", "#.#...#.#", "#.#####.#", "#.......#",
                "#########",
            ]))
        check(mask(["######", "#....#", "#.##.#", "##...#", "######"]), "a hole with a step on its left")
        check(mask(["#.#", ".#.", "#.#"]), "chessboard")
    }

    @Test("any mask", arguments: 0..<60)
    func random(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let (rows, columns) = (1 + random.index(below: 14), 1 + random.index(below: 14))
        let density = random.uniform()
        check(
            Mask(rows: rows, columns: columns, flags: (0..<rows * columns).map { _ in random.uniform() < density }),
            "seed \(seed)")
    }

    @Test("the outer ring of each object, corners joined, holds the object with its holes filled", arguments: 0..<30)
    func outer(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed) + 100)
        let (rows, columns) = (2 + random.index(below: 12), 2 + random.index(below: 12))
        let mask = Mask(rows: rows, columns: columns, flags: (0..<rows * columns).map { _ in random.uniform() < 0.5 })
        let components = Components(of: mask)
        var firsts: [Int: Int] = [:]
        components.visit { number, _, pixels in if firsts[number] == nil { firsts[number] = pixels.lowerBound } }
        for number in 1...max(1, components.count) {
            guard let first = firsts[number] else { continue }
            let object = components.masks { $0 == number }[0]
            let ring = MaskOutline.outer(of: mask, from: first)
            #expect(filled(ring, rows, columns).wound == Components.fillingHoles(in: object).flags, "seed \(seed)")
        }
    }
}
