import Imaging

/// The objects of one segment in a picture of another size than their source: each has an outline of its own, also where two touch.
struct DrawnObjects {
    let rows: Int
    let columns: Int
    /// Of each pixel, 0 outside. *Shape*: `[rows, columns]`.
    let numbers: [Int32]

    /// - Parameters:
    ///   - objects: of the mask; nil where it is one object.
    ///   - row: of the source, that a row of the picture shows; `column` likewise.
    init(
        _ mask: Mask, _ objects: MaskObjects?, rows: Int, columns: Int, row: (Int) -> Int, column: (Int) -> Int
    ) {
        (self.rows, self.columns) = (rows, columns)
        let (sourceRows, sourceColumns) = ((0..<rows).map(row), (0..<columns).map(column))
        if let objects {
            numbers = objects.numbers(atRows: sourceRows, columns: sourceColumns)
        } else {
            numbers = sourceRows.flatMap { row in sourceColumns.map { mask[row, $0] ? 1 : 0 } }
        }
    }

    /// 0 outside of the objects; nil outside of the picture, whose frame is no edge of anything.
    func number(_ row: Int, _ column: Int) -> Int32? {
        row >= 0 && column >= 0 && row < rows && column < columns ? numbers[row * columns + column] : nil
    }

    /// Whether a pixel is the last of its object before another one to the right or below: each cut is drawn once.
    func isBeforeAnother(_ row: Int, _ column: Int) -> Bool {
        isCut(row, column, before: number(row, column + 1)) || isCut(row, column, before: number(row + 1, column))
    }

    private func isCut(_ row: Int, _ column: Int, before other: Int32?) -> Bool {
        guard let other else { return false }
        return other > 0 && other != numbers[row * columns + column]
    }

    /// The pixels behind which another object begins: to the right, and below; nil where no two touch.
    var cuts: (right: Mask, below: Mask)? {
        var (right, below) = (Mask(rows: rows, columns: columns), Mask(rows: rows, columns: columns))
        for row in 0..<rows {
            for column in 0..<columns where numbers[row * columns + column] > 0 {
                if isCut(row, column, before: number(row, column + 1)) { right[row, column] = true }
                if isCut(row, column, before: number(row + 1, column)) { below[row, column] = true }
            }
        }
        return right.isEmpty && below.isEmpty ? nil : (right, below)
    }
}
