import Imaging
import Testing

@Suite("Objects of a mask")
struct MaskObjectsTests {
    private static let distance = ObjectSeparation.distance(depth: ObjectSeparation.depth)

    private static func mask(_ rows: Int, _ columns: Int, _ isSet: (_ row: Int, _ column: Int) -> Bool) -> Mask {
        var mask = Mask(rows: rows, columns: columns)
        for row in 0..<rows { mask.setRow(row) { isSet(row, $0) } }
        return mask
    }

    /// Discs of radius 10 whose middles stand in a row.
    private static func discs(at middles: [Int]) -> Mask {
        mask(40, 100) { row, column in
            middles.contains { (row - 20) * (row - 20) + (column - $0) * (column - $0) <= 100 }
        }
    }

    /// As a picture: a letter an object.
    private static func drawn(_ objects: MaskObjects) -> [String] {
        let labels = objects.labels
        return (0..<objects.rows).map { row in
            labels[row * objects.columns..<(row + 1) * objects.columns].reduce(into: "") {
                $0.append($1 == 0 ? "." : Character(UnicodeScalar(UInt8(96 + $1))))
            }
        }
    }

    @Test(
        "discs that overlap are one object each, with their areas; what is connected is one object unless they are to be told apart"
    )
    func discs() {
        let mask = Self.discs(at: [15, 32])
        #expect(MaskObjects(of: mask).sizes == [mask.count])
        let two = MaskObjects(of: mask, Self.distance)
        #expect(two.count == 2 && two.sizes.reduce(0, +) == mask.count && two.uncut == 0)
        #expect(abs(two.sizes[0] - two.sizes[1]) <= 6)
        let three = MaskObjects(of: Self.discs(at: [15, 32, 49]), Self.distance)
        #expect(three.count == 3)
        let alone = Self.discs(at: [15]).count
        #expect(three.sizes.allSatisfy { abs($0 - alone) < alone / 8 })
        // Numbers follow the first pixels, and runs their rows.
        #expect(three.labels[20 * 100 + 15] != three.labels[20 * 100 + 32])
        let firsts = (1...3).compactMap { number in three.labels.firstIndex { $0 == number } }
        #expect(firsts == firsts.sorted())
        #expect(zip(three.labels, Self.discs(at: [15, 32, 49]).flags).allSatisfy { ($0 > 0) == $1 })
    }

    @Test("what has no neck stays whole: a disc, an ellipse, a rectangle of level ridge, a ring, a ragged edge")
    func whole() {
        let shapes = [
            Self.discs(at: [20]),
            Self.mask(40, 60) { 4 * ($0 - 20) * ($0 - 20) + ($1 - 30) * ($1 - 30) <= 28 * 28 },
            Self.mask(40, 60) { 5..<35 ~= $0 && 5..<55 ~= $1 }, Self.mask(12, 60) { 3..<9 ~= $0 && 2..<58 ~= $1 },
            Self.mask(50, 50) { 225...400 ~= ($0 - 25) * ($0 - 25) + ($1 - 25) * ($1 - 25) },
            Self.mask(40, 40) { ($0 - 20) * ($0 - 20) + ($1 - 20) * ($1 - 20) <= 225 - ($0 * 7 + $1 * 3) % 40 },
            Self.mask(3, 9) { row, column in row == 1 && column > 0 },
        ]
        for (index, shape) in shapes.enumerated() {
            let objects = MaskObjects(of: shape, Self.distance)
            #expect(objects.sizes == [shape.count], "shape \(index): \(objects.sizes)")
        }
    }

    @Test("a bridge of one pixel parts two squares, whichever way the picture is turned")
    func bridge() {
        func isSet(_ row: Int, _ column: Int) -> Bool {
            2..<11 ~= row && (2..<11 ~= column || 14..<23 ~= column) || row == 6 && 11..<14 ~= column
        }
        let pictures = [
            Self.mask(13, 25) { isSet($0, $1) }, Self.mask(25, 13) { isSet($1, $0) },
            Self.mask(13, 25) { isSet(12 - $0, 24 - $1) },
        ]
        for picture in pictures {
            let objects = MaskObjects(of: picture, Self.distance)
            #expect(objects.count == 2 && objects.sizes.allSatisfy { 81...84 ~= $0 }, "\(objects.sizes)")
        }
    }

    @Test("where pixels are taller than wide, necks are as narrow as they are shown")
    func aspect() {
        let mask = Self.mask(25, 40) { row, column in
            [8, 16].contains { (middle: Int) in
                4 * (row - middle) * (row - middle) + (column - 20) * (column - 20) <= 100
            }
        }
        #expect(MaskObjects(of: mask, Self.distance).count == 1)
        #expect(MaskObjects(of: mask, Self.distance, aspect: 2).count == 2)
        let turned = Self.mask(40, 25) { mask[$1, $0] }
        #expect(MaskObjects(of: turned, Self.distance, aspect: 0.5).count == 2)
    }

    @Test("one mask gives one result, and objects do not depend on what else is in the picture")
    func deterministic() {
        let mask = Self.discs(at: [15, 32, 49, 80])
        #expect(MaskObjects(of: mask, Self.distance).labels == MaskObjects(of: mask, Self.distance).labels)
        let without = MaskObjects(of: Self.discs(at: [15, 32, 49]), Self.distance)
        #expect(Array(MaskObjects(of: mask, Self.distance).sizes.sorted().prefix(3)) == without.sizes.sorted())
        #expect(MaskObjects(of: Mask(rows: 5, columns: 4), Self.distance).count == 0)
        #expect(MaskObjects(of: Mask(rows: 0, columns: 0), Self.distance).labels.isEmpty)
    }

    @Test(
        "insides that are known grow to the mask's edge; specks are none, and a part without two of them is one object")
    func interiors() {
        let picture = [
            "..........", ".######...", ".########.", ".########.", "..........", ".###......",
        ]
        let inside = [
            "..........", ".##..##...", ".##..##.#.", "..........", "..........", ".#........",
        ]
        func mask(_ lines: [String]) -> Mask {
            Mask(rows: lines.count, columns: 10, flags: lines.joined().map { $0 == "#" })
        }
        let objects = MaskObjects(of: mask(picture), .boundary, interior: mask(inside))
        #expect(
            Self.drawn(objects) == [
                "..........", ".aaabbb...", ".aaabbbbb.", ".aaabbbbb.", "..........", ".ccc......",
            ])
        #expect(MaskObjects(of: mask(picture), .boundary, interior: mask(picture)).count == 2)
    }

    @Test("a piece below the least that counts belongs to the one that it touches most, and no pixel is lost")
    func least() {
        // A large disc with a small one at its side, and a small one that stands alone.
        let mask = Self.mask(40, 100) { row, column in
            let isLarge = (row - 20) * (row - 20) + (column - 20) * (column - 20) <= 225
            let isSmall = [39, 60].contains { (row - 20) * (row - 20) + (column - $0) * (column - $0) <= 16 }
            return isLarge || isSmall
        }
        let all = MaskObjects(of: mask, Self.distance)
        #expect(all.count == 3)
        let small = all.sizes.min() ?? 0
        #expect(MaskObjects(of: mask, Self.distance, least: Double(small)).sizes == all.sizes)
        let kept = MaskObjects(of: mask, Self.distance, least: Double(all.sizes.sorted()[1] + 1))
        #expect(kept.count == 2 && kept.sizes.reduce(0, +) == mask.count)
        // Three in a row: what has joined another and is still too small joins the next.
        let chain = Self.discs(at: [15, 32, 49])
        #expect(MaskObjects(of: chain, Self.distance, least: Double(chain.count)).sizes == [chain.count])
        #expect(MaskObjects(of: chain, Self.distance, least: 1e9).sizes == [chain.count])
    }

    @Test("a part too large to be cut is one object, and is counted; the others are cut")
    func large() {
        let mask = Self.mask(100, 100) { row, column in
            let isDisc = [15, 32].contains { (row - 20) * (row - 20) + (column - $0) * (column - $0) <= 100 }
            let isLarge = [20, 60].contains { (row - 70) * (row - 70) + (column - $0) * (column - $0) <= 484 }
            return isDisc || isLarge
        }
        #expect(MaskObjects(of: mask, Self.distance).count == 4)
        let some = MaskObjects(of: mask, Self.distance, largest: 1000)
        #expect(some.count == 3 && some.uncut == 1)
    }

    @Test("a picture of another size shows the objects of its pixels' sources")
    func sampled() {
        let objects = MaskObjects(of: Self.discs(at: [15, 32]), Self.distance)
        let labels = objects.labels
        for (rows, columns) in [
            (Array(0..<40), Array(0..<100)),
            (Array(stride(from: 1, to: 40, by: 3)), Array(stride(from: 2, to: 100, by: 7))),
            ((0..<80).map { $0 / 2 }, (0..<250).map { $0 * 100 / 250 }), ([20], [15, 15, 32, 99]), ([], [3]),
        ] {
            let expected = rows.flatMap { row in columns.map { labels[row * 100 + $0] } }
            #expect(objects.numbers(atRows: rows, columns: columns) == expected)
        }
    }

    @Test("a part of the picture has the runs that lie in it, and each object its own mask")
    func parts() {
        let objects = MaskObjects(of: Self.discs(at: [15, 32]), Self.distance)
        var labels = [Int32](repeating: 0, count: 4000)
        for row in 0..<40 {
            for columns in [0..<17, 17..<100] {
                objects.visit(row * 100 + columns.lowerBound..<row * 100 + columns.upperBound) { number, pixels in
                    for pixel in pixels { labels[pixel] += Int32(number) }
                }
            }
        }
        #expect(labels == objects.labels)
        var again = [Int32](repeating: 0, count: 4000)
        objects.visitMasks { number, mask, row, column in
            #expect(mask.count == objects.sizes[number - 1])
            for pixel in 0..<mask.rows * mask.columns where mask[pixel] {
                again[(row + pixel / mask.columns) * 100 + column + pixel % mask.columns] += Int32(number)
            }
        }
        #expect(again == objects.labels)
    }
}
