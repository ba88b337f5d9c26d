import Imaging

/// A picture and its mask on a coarse grid: enough to tell masks of the field of view, as sets of fundus photographs have them beside the
/// truth (DRIVE's `mask/`), from masks of something in it.
struct FieldOfView: Sendable {
    private static let side = Thumbnail.side

    private var marks = [Bool](repeating: false, count: side * side)
    private let greys: [UInt8]

    /// - Parameter small: the picture at the size of a thumbnail.
    init(_ small: DisplayImage) {
        let pixels = small.pixels
        greys = stride(from: 0, to: pixels.count, by: 3).map { max(pixels[$0], pixels[$0 + 1], pixels[$0 + 2]) }
    }

    /// - Parameter isMarked: whether a pixel of the mask, row by row, is above 0.
    mutating func add(rows: Int, columns: Int, isMarked: (Int) -> Bool) {
        for cell in marks.indices {
            let row = (2 * (cell / Self.side) + 1) * rows / (2 * Self.side)
            let column = (2 * (cell % Self.side) + 1) * columns / (2 * Self.side)
            if isMarked(row * columns + column) { marks[cell] = true }
        }
    }

    /// What lies outside of the mask is black, and what lies in it is a picture.
    private var isLit: Bool {
        let outside = greys.indices.filter { !marks[$0] }.map { greys[$0] }.sorted()
        let inside = greys.indices.filter { marks[$0] }.map { greys[$0] }.sorted()
        guard outside.count * 20 > greys.count, inside.count * 4 > greys.count else { return false }
        return outside[outside.count * 3 / 4] < Self.black
            && inside[inside.count / 2] > Self.black && inside[inside.count * 9 / 10] - inside[inside.count / 10] > 8
    }

    /// Of 255: what a camera writes where no light comes.
    private static let black = 32

    /// Whether the masks of several pictures mark nearly the same pixels, and all that is to be seen in each.
    static func isMarked(in pictures: [FieldOfView]) -> Bool {
        guard !pictures.isEmpty, pictures.allSatisfy(\.isLit) else { return false }
        let each = (0..<side * side).map { cell in pictures.count { $0.marks[cell] } }
        return each.count { $0 == pictures.count } * 10 >= each.count { $0 > 0 } * 9
    }
}
