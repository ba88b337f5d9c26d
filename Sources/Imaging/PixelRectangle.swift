/// A part of a picture.
package struct PixelRectangle: Sendable, Equatable {
    package let rows: ClosedRange<Int>
    package let columns: ClosedRange<Int>

    package init(rows: ClosedRange<Int>, columns: ClosedRange<Int>) {
        self.rows = rows
        self.columns = columns
    }

    package func contains(row: Int, column: Int) -> Bool { rows.contains(row) && columns.contains(column) }
}

extension Mask {
    /// Every pixel set lies in one of them.
    package func lies(within rectangles: [PixelRectangle]) -> Bool {
        (0..<rows).allSatisfy { row in
            (0..<columns).allSatisfy { column in
                !self[row, column] || rectangles.contains { $0.contains(row: row, column: column) }
            }
        }
    }
}
