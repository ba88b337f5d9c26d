/// Outlines of masks along the edges of their pixels: they hold exactly the pixels that they surround, whoever asks for a pixel's middle.
package enum MaskOutline {
    /// Where four pixels meet: row and column of the pixel to its lower right, so that 0, 0 is the picture's first corner.
    package struct Corner: Sendable, Hashable {
        package let row: Int
        package let column: Int

        package init(row: Int, column: Int) {
            self.row = row
            self.column = column
        }
    }

    /// The outer ring of the object (connected by sides and corners) whose first pixel in row-major order is `first`; holes are not told.
    ///
    /// Where parts of the object touch at a corner, the ring passes that corner twice.
    package static func outer(of mask: Mask, from first: Int) -> [Corner] {
        let (row, column) = first.quotientAndRemainder(dividingBy: mask.columns)
        var corners: [Corner] = []
        walk(mask, from: Corner(row: row, column: column), joinsCorners: true) { corners.append($0) }
        return withoutStraights(corners)
    }

    /// One closed outline for each part of the mask that is connected by sides, in the order of `Components(of:neighbours: .faces)`.
    ///
    /// Holes are joined to it by channels of no width along edges of pixels (keyholes): what is inside is the same by the even-odd rule, by
    /// the winding rule, and whether outlines are combined by "or" or by "exclusive or".
    /// *Source*: PS3.3 C.8.8.6.3. *Cost*: one pass over the mask's pixels, and proportional to the length of the outlines.
    package static func polygons(of mask: Mask) -> [[Corner]] {
        let components = Components(of: mask, neighbours: .faces)
        guard components.count > 0 else { return [] }
        var rings = [[[Corner]]](repeating: [], count: components.count)
        // The upper edges of pixels that a ring has passed.
        var passed = Mask(rows: mask.rows, columns: mask.columns)
        components.visit { number, _, pixels in
            for pixel in pixels where !passed[pixel] && (pixel < mask.columns || !mask[pixel - mask.columns]) {
                let (row, column) = pixel.quotientAndRemainder(dividingBy: mask.columns)
                var ring: [Corner] = []
                walk(mask, from: Corner(row: row, column: column), joinsCorners: false) { corner in
                    ring.append(corner)
                } alongUpperEdge: { pixel in
                    passed[pixel] = true
                }
                rings[number - 1].append(ring)
            }
        }
        return rings.map { withoutStraights($0.count == 1 ? $0[0] : joined($0)) }
    }

    // MARK: Walking

    private enum Direction: Int { case east, south, west, north }

    /// Walks once around with the mask on the right-hand side, beginning eastwards; every corner on the way is given, straight ones too.
    private static func walk(
        _ mask: Mask, from start: Corner, joinsCorners: Bool, at corner: (Corner) -> Void,
        alongUpperEdge passed: (_ pixel: Int) -> Void = { _ in }
    ) {
        func isSet(_ row: Int, _ column: Int) -> Bool {
            row >= 0 && row < mask.rows && column >= 0 && column < mask.columns && mask[row, column]
        }
        var (row, column, direction) = (start.row, start.column, Direction.east)
        repeat {
            corner(Corner(row: row, column: column))
            switch direction {
            case .east:
                passed(row * mask.columns + column)
                column += 1
            case .south: row += 1
            case .west: column -= 1
            case .north: row -= 1
            }
            // The pixels ahead to the right and to the left.
            let (right, left) =
                switch direction {
                case .east: (isSet(row, column), isSet(row - 1, column))
                case .south: (isSet(row, column - 1), isSet(row, column))
                case .west: (isSet(row - 1, column - 1), isSet(row, column - 1))
                case .north: (isSet(row - 1, column), isSet(row - 1, column - 1))
                }
            let turn = left && (right || joinsCorners) ? 3 : right ? 0 : 1
            direction = Direction(rawValue: (direction.rawValue + turn) % 4) ?? direction
        } while row != start.row || column != start.column || direction != .east
    }

    // MARK: Joining

    /// One ring of an outer one (the first) and its holes, every one with all corners of its way.
    private static func joined(_ rings: [[Corner]]) -> [Corner] {
        var corners: [Corner] = []
        var next: [Int] = []
        var at: [Corner: Int] = [:]
        func append(_ ring: some Collection<Corner>) -> Range<Int> {
            let range = corners.count..<corners.count + ring.count
            corners.append(contentsOf: ring)
            next.append(contentsOf: range.map { $0 + 1 })
            for index in range { at[corners[index]] = index }
            return range
        }
        let outer = append(rings[0])
        next[outer.upperBound - 1] = outer.lowerBound
        let holes = rings.dropFirst().map(fromTop).sorted { ($0[0].row, $0[0].column) < ($1[0].row, $1[0].column) }
        for hole in holes {
            // To the left of a hole's upper left corner the mask goes on until the outer ring, or a hole that is already joined.
            var column = hole[0].column - 1
            while column >= 0, at[Corner(row: hole[0].row, column: column)] == nil { column -= 1 }
            guard let door = at[Corner(row: hole[0].row, column: column)] else {
                preconditionFailure("MaskOutline: a hole lies in nothing")
            }
            let behind = next[door]
            let way = append(hole + [hole[0], corners[door]])
            next[door] = way.lowerBound
            next[way.upperBound - 1] = behind
        }
        var ring: [Corner] = []
        ring.reserveCapacity(corners.count)
        var index = 0
        repeat {
            ring.append(corners[index])
            index = next[index]
        } while index != 0
        return ring
    }

    /// The ring, beginning at its uppermost corner, the leftmost of several.
    private static func fromTop(_ ring: [Corner]) -> [Corner] {
        let top = ring.indices.min { (ring[$0].row, ring[$0].column) < (ring[$1].row, ring[$1].column) } ?? 0
        return Array(ring[top...] + ring[..<top])
    }

    /// Without corners at which the way goes straight on; where it turns back it does not.
    private static func withoutStraights(_ ring: [Corner]) -> [Corner] {
        func direction(_ a: Corner, _ b: Corner) -> (Int, Int) {
            ((b.row - a.row).signum(), (b.column - a.column).signum())
        }
        var kept: [Corner] = []
        for (index, corner) in ring.enumerated() {
            let before = ring[index == 0 ? ring.count - 1 : index - 1]
            let behind = ring[index + 1 == ring.count ? 0 : index + 1]
            if direction(before, corner) != direction(corner, behind) { kept.append(corner) }
        }
        return kept
    }
}
