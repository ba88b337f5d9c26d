package import Imaging

/// The total pixel matrix of one level of a whole slide, and where in it the tiles lie that are the volume's frames.
///
/// *Source*: PS3.3 2024e, C.7.6.17.3 (tiling), C.8.12.4 (Whole Slide Microscopy Image), C.8.12.6.1 (Plane Position (Slide)).
package struct SlideMatrix: Sendable {
    /// The first row and column of a tile, from 0.
    package struct Origin: Sendable, Hashable {
        package let row: Int
        package let column: Int

        package init(row: Int, column: Int) {
            self.row = row
            self.column = column
        }
    }

    /// Of the whole matrix.
    package let rows: Int
    package let columns: Int
    /// One for each frame of the volume.
    package let origins: [Origin]
    /// Millimetres in the slide's coordinate system: the middle of the matrix's first pixel; its z is 0 where nothing says otherwise.
    package let position: Vector3
    /// Along a row and along a column, unit length.
    package let rowCosine: Vector3
    package let columnCosine: Vector3

    package init(
        rows: Int, columns: Int, origins: [Origin], position: Vector3, rowCosine: Vector3, columnCosine: Vector3
    ) {
        self.rows = rows
        self.columns = columns
        self.origins = origins
        self.position = position
        self.rowCosine = rowCosine
        self.columnCosine = columnCosine
    }

    /// Where the first pixel of a frame's tile lies. *Units*: mm.
    package func position(ofFrame index: Int, spacing: PixelSpacing) -> Vector3 {
        let origin = origins[index]
        return position + rowCosine * (Double(origin.column) * spacing.column)
            + columnCosine * (Double(origin.row) * spacing.row)
    }

    /// A mask of the matrix as one mask for each frame's tile; what of a tile lies outside the matrix is empty.
    package func cut(_ mask: Mask, tileRows: Int, tileColumns: Int) -> [Mask] {
        origins.map { origin in
            var tile = Mask(rows: tileRows, columns: tileColumns)
            let width = min(tileColumns, columns - origin.column)
            for row in 0..<min(tileRows, rows - origin.row) {
                tile.copy(
                    mask, from: (origin.row + row) * columns + origin.column, count: width, to: row * tileColumns)
            }
            return tile
        }
    }

    /// What of a mask of the matrix lies on a tile: elsewhere nothing was looked at.
    package func onTiles(_ mask: Mask, tileRows: Int, tileColumns: Int) -> Mask {
        var kept = Mask(rows: rows, columns: columns)
        for origin in origins {
            let width = min(tileColumns, columns - origin.column)
            for row in origin.row..<min(origin.row + tileRows, rows) {
                let start = row * columns + origin.column
                kept.copy(mask, from: start, count: width, to: start)
            }
        }
        return kept
    }
}
