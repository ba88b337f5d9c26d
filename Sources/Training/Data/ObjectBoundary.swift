import SegmentAnything

/// The edges of objects as a class of their own, so that a network learns where one object ends and the next begins.
///
/// The classes background, inside and boundary, as in the best entries of the Data Science Bowl 2018 (Caicedo et al., Nature Methods 16,
/// 2019). They are made of the numbers of objects as the network will see them, after every change of a sample.
package enum ObjectBoundary {
    /// How wide an edge is, in pixels of the network's input: one cell of the grid that its masks lie on.
    package static let width = 4

    /// Of pixels nearer than `width` to another object or to background the class rises by `segments`; edges of the picture are none.
    ///
    /// *Shape*: `classes` and `objects` are `[side · side]`, of which the first `rows` and `columns` hold the picture; an object's number is
    /// its own, whatever its class, and background is 0. *Cost*: linear in the pixels.
    package static func mark(
        _ classes: inout [UInt8], objects: [Int32], side: Int, rows: Int, columns: Int, segments: Int,
        width: Int = Self.width
    ) {
        // Alone within its square is who is the least and the largest number there: along rows, then along columns.
        var (least, largest) = (objects, objects)
        for row in 0..<rows {
            for column in 0..<columns {
                let at = row * side + column
                for other in max(0, column - width)...min(columns - 1, column + width) where other != column {
                    least[at] = min(least[at], objects[row * side + other])
                    largest[at] = max(largest[at], objects[row * side + other])
                }
            }
        }
        for row in 0..<rows {
            let around = max(0, row - width)...min(rows - 1, row + width)
            for column in 0..<columns where classes[row * side + column] > 0 {
                let own = objects[row * side + column]
                let isAlone = around.allSatisfy {
                    least[$0 * side + column] == own && largest[$0 * side + column] == own
                }
                if !isAlone { classes[row * side + column] += UInt8(segments) }
            }
        }
    }
}
