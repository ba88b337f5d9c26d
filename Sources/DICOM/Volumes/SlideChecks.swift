import Imaging
import Numbers

/// What the tiles and parts of one level of a slide have in common, and where they lie: a contradiction is refused.
enum SlideChecks {
    /// Sides of a total pixel matrix.
    static let mostPixelsASide = 1 << 20

    /// Pixels of a row of tiles, which is in memory as a whole.
    static let mostPixelsABand = 1 << 28

    /// *Throws* `limit` for a matrix that no slide has, and for tiles so high that a row of them does not fit the memory.
    static func checkSize(rows: Int, columns: Int, tileRows: Int, limits: DICOMLimits) throws(DICOMFailure) {
        guard rows <= mostPixelsASide, columns <= mostPixelsASide, rows * columns <= limits.pixelsPerInstance else {
            throw .limit(
                "Total Pixel Matrix Rows \(Attribute.totalPixelMatrixRows.tag) and Columns \(Attribute.totalPixelMatrixColumns.tag) of \(rows) × \(columns) is more than is read (\(mostPixelsASide) a side, \(limits.pixelsPerInstance) pixels).",
                cure: "Export the slide again, or a coarser level of it.")
        }
        guard min(tileRows, rows) * columns <= mostPixelsABand else {
            throw .limit(
                "a row of the slide's tiles has \(min(tileRows, rows)) × \(columns) pixels, more than are held (\(mostPixelsABand)).",
                cure: "Export the slide again, in smaller tiles.")
        }
    }

    /// Pixels of one size, values of one meaning, in every tile and part.
    ///
    /// *Throws* `slide`, `values`, `photometric`.
    static func checkAgreement(_ frames: [SourceFrame]) throws(DICOMFailure) {
        let first = frames[0]
        for frame in frames where !HardSplit.hasAlikeSpacing(frame, first) {
            throw .slide(
                "\(Attribute.pixelSpacing.keyword) \(Attribute.pixelSpacing.tag) differs between the tiles of one level: how large its pixels are is unknown.",
                cure: "Export the slide again.")
        }
        let paths = Set(
            frames.compactMap { $0.group(.opticalPathIdentificationSequence).string(.opticalPathIdentifier) })
        guard paths.count <= 1 else {
            throw .slide(
                "tiles of \(paths.count) optical paths: which one shows what the model was trained with is unknown.",
                cure: "Send the one that is to be segmented.")
        }
        // One frame of each part: frames stand part by part.
        var firsts: [SourceFrame] = []
        for frame in frames where frame.instance !== firsts.last?.instance { firsts.append(frame) }
        guard firsts.count > 1 else { return }
        try GreyConsistency.check(firsts)
        func meaning(_ frame: SourceFrame) -> [Double?] {
            let values = frame.valueTransformation
            return [Attribute.rescaleSlope, .rescaleIntercept].map { values.double($0) }
        }
        for part in firsts.dropFirst() {
            let (own, common) = (part.instance.pixels, first.instance.pixels)
            guard
                (own.bitsStored, own.isSigned, own.photometric) == (
                    common.bitsStored, common.isSigned, common.photometric
                ), meaning(part) == meaning(first)
            else {
                throw .slide(
                    "parts of one concatenation hold pixels of other depth, colour or rescale than the first: they are no one picture.",
                    cure: "Export the slide again.")
            }
            for attribute in [Attribute.imageOrientationSlide, .frameOfReferenceUID]
            where part.instance.dataSet.strings(attribute) != first.instance.dataSet.strings(attribute) {
                throw .slide(
                    "\(attribute.keyword) \(attribute.tag) differs between the parts of one concatenation.",
                    cure: "Export the slide again.")
            }
        }
    }

    /// Tiles of a TILED_FULL slide that say where they lie, which their order says too.
    ///
    /// *Throws* `slide`. *Source*: PS3.3 C.7.6.17.3. *Cost*: one pass.
    static func checkStated(_ frames: [SourceFrame], _ implied: [SlideMatrix.Origin]) throws(DICOMFailure) {
        for (index, (frame, origin)) in zip(frames, implied).enumerated() {
            let place = frame.group(.planePositionSlideSequence)
            let row = place.int(.rowPositionInTotalImagePixelMatrix) ?? origin.row + 1
            let column = place.int(.columnPositionInTotalImagePixelMatrix) ?? origin.column + 1
            guard row == origin.row + 1, column == origin.column + 1 else {
                throw .slide(
                    "TILED_FULL, but tile \(index + 1) of \(frames.count) says row \(row), column \(column) of the total pixel matrix where the order of the tiles puts it at row \(origin.row + 1), column \(origin.column + 1).",
                    cure: "Export the slide again, as TILED_SPARSE or without Plane Position (Slide).")
            }
        }
    }

    /// A Pixel Spacing by which the slide is much larger or smaller than it says it is. Sides that are told the wrong way round say
    /// nothing against it.
    ///
    /// *Throws* `slide`. *Source*: PS3.3 C.8.12.4 (Imaged Volume Width, Height).
    static func checkSpacing(_ frame: SourceFrame, rows: Int, columns: Int) throws(DICOMFailure) {
        guard let spacing = frame.pixelSpacing else { return }
        let (height, width) = (Double(rows) * spacing.row, Double(columns) * spacing.column)
        func agrees(_ attribute: Attribute, _ measured: Double) -> Bool {
            guard let stated = frame.instance.dataSet.double(attribute), stated > 0 else { return true }
            return max(stated / measured, measured / stated) <= Tolerance.slideSize
        }
        let isUpright = agrees(.imagedVolumeWidth, width) && agrees(.imagedVolumeHeight, height)
        guard isUpright || agrees(.imagedVolumeWidth, height) && agrees(.imagedVolumeHeight, width) else {
            throw .slide(
                "\(Attribute.pixelSpacing.keyword) \(Attribute.pixelSpacing.tag) makes the slide \(NumberText.short(width)) × \(NumberText.short(height)) mm, Imaged Volume Width \(Attribute.imagedVolumeWidth.tag) and Height say otherwise: how large its pixels are is unknown.",
                cure: "Export the slide again.")
        }
    }

    /// Rows and columns of the matrix are exchanged where its size in mm is that of Imaged Volume Height and Width, and not the other way
    /// round. Of tiles that lie in an order a picture is made even so; those that say where they lie would lie outside.
    static func exchangedFinding(_ frame: SourceFrame, rows: Int, columns: Int) -> Finding? {
        let dataSet = frame.instance.dataSet
        guard dataSet.string(.dimensionOrganizationType) == "TILED_FULL", let spacing = frame.pixelSpacing,
            let statedWidth = dataSet.double(.imagedVolumeWidth),
            let statedHeight = dataSet.double(.imagedVolumeHeight)
        else { return nil }
        let (height, width) = (Double(rows) * spacing.row, Double(columns) * spacing.column)
        func isAlike(_ stated: Double, _ measured: Double) -> Bool {
            abs(stated - measured) <= Tolerance.level.size * measured
        }
        guard isAlike(statedWidth, height), isAlike(statedHeight, width), !isAlike(statedWidth, width) else {
            return nil
        }
        return Finding(
            "VOL-PLACE", .warning,
            "Imaged Volume Width and Height are those of a slide whose Total Pixel Matrix Rows and Columns are exchanged: its tiles may have been put together to another picture than the slide's."
        )
    }

    /// Tiles that lie on one another. *Throws* `slide`. *Cost*: one pass.
    static func checkOverlap(_ origins: [SlideMatrix.Origin], rows: Int, columns: Int) throws(DICOMFailure) {
        struct Cell: Hashable {
            let row: Int
            let column: Int
        }
        // Of tiles that do not overlap one at most begins in each cell of a tile's size.
        var cells: [Cell: SlideMatrix.Origin] = [:]
        for origin in origins {
            let cell = Cell(row: origin.row / rows, column: origin.column / columns)
            for row in cell.row - 1...cell.row + 1 {
                for column in cell.column - 1...cell.column + 1 {
                    guard let other = cells[Cell(row: row, column: column)] else { continue }
                    guard abs(other.row - origin.row) >= rows || abs(other.column - origin.column) >= columns else {
                        throw .slide(
                            "tiles that overlap: which of them shows the slide is unknown.",
                            cure: "Export the slide again, its tiles side by side.")
                    }
                }
            }
            cells[cell] = origin
        }
    }

    /// Tiles whose place on the slide in mm is another than that in the matrix. What all have in common, where the matrix lies, is
    /// `placeFinding`'s.
    ///
    /// *Returns* where the matrix lies by the first tile that says where it lies; nil where none does.
    /// *Throws* `slide`. *Cost*: one pass.
    static func corner(
        _ frames: [SourceFrame], _ origins: [SlideMatrix.Origin], row: Vector3, column: Vector3
    ) throws(DICOMFailure) -> Vector3? {
        guard let spacing = frames[0].pixelSpacing else { return nil }
        let (height, width) = (frames[0].instance.pixels.rows, frames[0].instance.pixels.columns)
        var first: (place: Vector3, origin: SlideMatrix.Origin)?
        for (frame, origin) in zip(frames, origins) {
            let group = frame.group(.planePositionSlideSequence)
            guard let x = group.double(.xOffsetInSlideCoordinateSystem),
                let y = group.double(.yOffsetInSlideCoordinateSystem), x.isFinite, y.isFinite
            else { continue }
            let place = Vector3(x, y, 0)
            guard let first else {
                first = (place, origin)
                continue
            }
            let moved = place - first.place
            let across = moved.dot(row) / spacing.column - Double(origin.column - first.origin.column)
            let down = moved.dot(column) / spacing.row - Double(origin.row - first.origin.row)
            // Half a tile: what scanners round is far below, what lies elsewhere far above.
            guard abs(across) <= Double(width) / 2, abs(down) <= Double(height) / 2 else {
                throw .slide(
                    "a tile's X and Y Offset in Slide Coordinate System and its position in the total pixel matrix are two places.",
                    cure: "Export the slide again.")
            }
        }
        return first.map {
            $0.place - row * (Double($0.origin.column) * spacing.column) - column
                * (Double($0.origin.row) * spacing.row)
        }
    }

    /// Where on the slide the matrix lies is not said, or by its tiles elsewhere than by its origin (by half a tile).
    ///
    /// - Parameter corner: by the tiles, where they say it.
    static func placeFinding(
        _ dataSet: DataSet, _ tile: SourceFrame, _ position: Vector3, _ corner: Vector3?
    ) -> Finding? {
        guard dataSet.item(.totalPixelMatrixOriginSequence) != nil, !dataSet.doubles(.imageOrientationSlide).isEmpty
        else {
            return Finding(
                "VOL-PLACE", .warning,
                "the slide does not say where its picture lies on it, or how it is turned (Total Pixel Matrix Origin, Image Orientation (Slide)): the result lies right on the slide's pixels, and its coordinates in mm mean nothing."
            )
        }
        guard let corner, let spacing = tile.pixelSpacing else { return nil }
        let pixels = tile.instance.pixels
        let half = max(Double(pixels.rows) * spacing.row, Double(pixels.columns) * spacing.column) / 2
        guard max(abs(corner.x - position.x), abs(corner.y - position.y)) > half else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "Total Pixel Matrix Origin and X and Y Offset in Slide Coordinate System of the tiles put the slide's picture at two places: the first is used."
        )
    }

    /// An image that shows something else than tissue, or may.
    static func contentFinding(_ dataSet: DataSet) -> Finding? {
        let type = dataSet.strings(.imageType)
        let text: String
        if type.count < 3 || type[2].uppercased() != "VOLUME" {
            text =
                "Image Type does not say that the image is a slide's tissue (VOLUME): it may be a label or an overview, and was segmented as if it were not"
        } else if dataSet.string(.specimenLabelInImage)?.uppercased() == "YES" {
            text = "the slide's label stands in the image (Specimen Label in Image): what was found there is no tissue"
        } else {
            return nil
        }
        return Finding("PIX-NOTE", .warning, text)
    }

    /// Strips between tiles that are narrower than a tile: nobody leaves them away as glass.
    ///
    /// *Cost*: one pass where the tiles lie on a grid, another where not.
    static func gapFinding(_ origins: [SlideMatrix.Origin], rows: Int, columns: Int) -> Finding? {
        guard let top = origins.map(\.row).min(), let left = origins.map(\.column).min(),
            !origins.allSatisfy({ ($0.row - top) % rows == 0 && ($0.column - left) % columns == 0 })
        else { return nil }
        /// Along one direction: from a tile's end to the next one's beginning, of tiles that begin in one line across it.
        func hasGap(_ places: [(line: Int, start: Int)], _ length: Int) -> Bool {
            let sorted = places.sorted { ($0.line, $0.start) < ($1.line, $1.start) }
            return zip(sorted, sorted.dropFirst()).contains { one, next in
                one.line == next.line && (length + 1..<2 * length).contains(next.start - one.start)
            }
        }
        // Tiles that lie a little beside a line are in it: a tile's half.
        guard
            hasGap(origins.map { (($0.row - top + rows / 2) / rows, $0.column) }, columns)
                || hasGap(origins.map { (($0.column - left + columns / 2) / columns, $0.row) }, rows)
        else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "between tiles of the slide lie strips narrower than a tile, of which there is no picture: their places may be wrong, and the strips were taken for glass."
        )
    }
}
