package import Imaging

/// How many rows and columns of a picture one row and column of a smaller copy of it stand for.
package struct LevelReduction: Sendable, Equatable {
    package let rows: Double
    package let columns: Double

    private init(rows: Double, columns: Double) { (self.rows, self.columns) = (rows, columns) }

    /// Of the picture itself.
    static let none = LevelReduction(rows: 1, columns: 1)

    /// - Parameters:
    ///   - whole: rows and columns of the picture.
    ///   - copy: rows and columns of its copy, none of them 0.
    package init(of whole: (rows: Int, columns: Int), to copy: (rows: Int, columns: Int)) {
        self.init(
            rows: Double(whole.rows) / Double(copy.rows), columns: Double(whole.columns) / Double(copy.columns))
    }

    /// Of the picture turned by a quarter.
    var turned: LevelReduction { LevelReduction(rows: columns, columns: rows) }

    /// Distance of the copy's pixels where those of the picture are `whole` apart; the same for heights and widths without a unit.
    package func spacing(_ whole: PixelSpacing) -> PixelSpacing {
        self == .none ? whole : PixelSpacing(row: whole.row * rows, column: whole.column * columns)
    }

    /// Of pixels that were square: what the copy's are where it was not reduced alike in both directions; nil elsewhere.
    var aspect: PixelSpacing? {
        abs(rows - columns) > 0.01 * max(rows, columns) ? PixelSpacing(row: rows, column: columns) : nil
    }
}
