/// Rows and columns from the upper left corner of a grid: of tokens, or of what is made of them.
package struct GridSize: Hashable, Sendable {
    package let rows, columns: Int

    package init(rows: Int, columns: Int) { (self.rows, self.columns) = (rows, columns) }

    /// The same part of a grid that is so many times as fine.
    package func times(_ factor: Int) -> GridSize { GridSize(rows: rows * factor, columns: columns * factor) }
}
