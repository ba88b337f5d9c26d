import Imaging
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

    @Test("areas and volumes follow spacing and the weights of slices")
    func measurement() {
        let mask = Mask(rows: 10, columns: 10, flags: [Bool](repeating: true, count: 100))
        let spacing = PixelSpacing(row: 0.5, column: 2)
        #expect(Measurement.areaMM2(mask, spacing: spacing) == 100)
        #expect(Measurement.volumeML([mask, mask], spacing: spacing, weightsMM: [5, 5]) == 1)
    }
}
