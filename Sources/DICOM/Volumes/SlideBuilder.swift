import Imaging

/// The instances of a slide's series to volumes: one for each level, its frames the tiles from top to bottom and from left to right.
///
/// *Source*: PS3.3 2024e, A.32.8, C.7.6.16.2.2.4 (concatenations), C.7.6.17.3, C.8.12.4; `docs/dicom-support.md`, "Whole slides".
enum SlideBuilder {
    /// A level before it becomes a volume.
    struct Level {
        let frames: [SourceFrame]
        let matrix: SlideMatrix
        let findings: [Finding]
    }

    /// Levels from the finest to the coarsest.
    ///
    /// *Returns* those that can be read, and the failure of the instances of the others.
    static func levels(
        of members: [SourceInstance]
    ) -> (levels: [Level], failed: [(instances: [SourceInstance], failure: DICOMFailure)]) {
        var levels: [Level] = []
        var failed: [(instances: [SourceInstance], failure: DICOMFailure)] = []
        let objects = Dictionary(grouping: members) { $0.dataSet.uid(.concatenationUID) ?? $0.sopInstanceUID }
        for key in objects.keys.sorted() {
            let parts = Concatenation.inOrder(objects[key] ?? [])
            do throws(DICOMFailure) {
                levels.append(try level(parts))
            } catch {
                failed.append((parts, error))
            }
        }
        let counts = Dictionary(grouping: levels, by: size).mapValues(\.count)
        for level in levels {
            guard let count = counts[size(level)], count > 1 else { continue }
            let failure = DICOMFailure.slide(
                "\(count) images of \(size(level)) pixels in one series: several focal planes, optical paths or specimens, of which one result cannot be made.",
                cure: "Send the one that is to be segmented.")
            failed.append((level.frames.instances, failure))
        }
        levels.removeAll { counts[size($0)] != 1 }
        levels.sort { ($0.matrix.columns, $0.matrix.rows) > ($1.matrix.columns, $1.matrix.rows) }
        do throws(DICOMFailure) {
            try LevelConsistency.check(levels)
        } catch {
            failed += levels.map { ($0.frames.instances, error) }
            levels = []
        }
        return (levels, failed)
    }

    private static func size(_ level: Level) -> String { "\(level.matrix.rows)×\(level.matrix.columns)" }

    /// One object, or the parts of a concatenation in their order.
    private static func level(_ parts: [SourceInstance]) throws(DICOMFailure) -> Level {
        let first = parts[0].dataSet
        guard let rows = first.int(.totalPixelMatrixRows), let columns = first.int(.totalPixelMatrixColumns),
            rows > 0, columns > 0
        else {
            throw .slide(
                "Total Pixel Matrix Rows or Columns missing or 0: the slide has no size.", cure: "Export it again.")
        }
        try SlideChecks.checkSize(
            rows: rows, columns: columns, tileRows: parts[0].pixels.rows, limits: parts[0].limits)
        try checkParts(parts, rows: rows, columns: columns)
        guard (first.int(.numberOfOpticalPaths) ?? 1) == 1, first.items(.opticalPathSequence).count <= 1 else {
            throw .slide(
                "several optical paths: which one shows what the model was trained with is unknown.",
                cure: "Send the one that is to be segmented.")
        }
        guard (first.int(.totalPixelMatrixFocalPlanes) ?? 1) == 1 else {
            throw .slide("several focal planes.", cure: "Send the one that is to be segmented.")
        }
        var frames: [SourceFrame] = []
        for part in parts {
            let own = try SourceFrame.frames(of: part).frames
            try GroupConsistency.check(own, of: part)
            frames += own
        }
        try SlideChecks.checkAgreement(frames)
        try SlideChecks.checkSpacing(frames[0], rows: rows, columns: columns)
        let origins = try origins(frames, rows: rows, columns: columns, parts[0])
        let order = frames.indices.sorted {
            (origins[$0].row, origins[$0].column, $0) < (origins[$1].row, origins[$1].column, $1)
        }
        var (position, row, column) = try geometry(first)
        let (height, width) = (parts[0].pixels.rows, parts[0].pixels.columns)
        if first.string(.dimensionOrganizationType) != "TILED_FULL" {
            try SlideChecks.checkOverlap(origins, rows: height, columns: width)
        }
        let corner = try SlideChecks.corner(frames, origins, row: row, column: column)
        var findings = [
            SlideChecks.contentFinding(first), SlideChecks.exchangedFinding(frames[0], rows: rows, columns: columns),
            SlideChecks.gapFinding(origins, rows: height, columns: width), TileSeams.finding(frames, origins),
        ]
        if first.item(.totalPixelMatrixOriginSequence) == nil, !first.doubles(.imageOrientationSlide).isEmpty,
            let corner
        {
            position = Vector3(corner.x, corner.y, position.z)
        } else {
            findings.append(SlideChecks.placeFinding(first, frames[0], position, corner))
        }
        return Level(
            frames: order.map { frames[$0] },
            matrix: SlideMatrix(
                rows: rows, columns: columns, origins: order.map { origins[$0] }, position: position, rowCosine: row,
                columnCosine: column),
            findings: findings.compactMap { $0 })
    }

    /// Parts of one concatenation are whole and alike.
    private static func checkParts(_ parts: [SourceInstance], rows: Int, columns: Int) throws(DICOMFailure) {
        guard parts.count > 1 || parts[0].dataSet.uid(.concatenationUID) != nil else { return }
        let isFull = parts.allSatisfy { $0.dataSet.string(.dimensionOrganizationType) == "TILED_FULL" }
        if let lack = Concatenation.lack(parts, countIsKnown: isFull) {
            throw .slide("\(lack.found): tiles are missing, or may be.", cure: lack.cure)
        }
        let first = parts[0]
        for part in parts {
            guard part.dataSet.int(.totalPixelMatrixRows) == rows,
                part.dataSet.int(.totalPixelMatrixColumns) == columns,
                part.pixels.rows == first.pixels.rows, part.pixels.columns == first.pixels.columns,
                part.pixels.samples == first.pixels.samples
            else { throw .slide("parts of one concatenation have different sizes.", cure: "Export the slide again.") }
        }
    }

    private static func origins(
        _ frames: [SourceFrame], rows: Int, columns: Int, _ instance: SourceInstance
    ) throws(DICOMFailure) -> [SlideMatrix.Origin] {
        let (height, width) = (instance.pixels.rows, instance.pixels.columns)
        let across = (columns + width - 1) / width
        let count = across * ((rows + height - 1) / height)
        if instance.dataSet.string(.dimensionOrganizationType) == "TILED_FULL" {
            guard frames.count == count else {
                throw .slide(
                    "TILED_FULL with \(frames.count) frames, but \(count) tiles of \(height) × \(width) cover \(rows) × \(columns) pixels: they contradict each other.",
                    cure: "Export the slide again, with all parts.")
            }
            let implied = (0..<count).map {
                SlideMatrix.Origin(row: $0 / across * height, column: $0 % across * width)
            }
            try SlideChecks.checkStated(frames, implied)
            return implied
        }
        var origins: [SlideMatrix.Origin] = []
        var seen: Set<SlideMatrix.Origin> = []
        for frame in frames {
            let place = frame.group(.planePositionSlideSequence)
            guard let row = place.int(.rowPositionInTotalImagePixelMatrix),
                let column = place.int(.columnPositionInTotalImagePixelMatrix)
            else {
                throw .slide(
                    "a frame says no position in the total pixel matrix, and the slide is not TILED_FULL.",
                    cure: "Export the slide again.")
            }
            guard (1...rows).contains(row), (1...columns).contains(column) else {
                throw .slide("a tile lies outside of the total pixel matrix.", cure: "Export the slide again.")
            }
            let origin = SlideMatrix.Origin(row: row - 1, column: column - 1)
            guard seen.insert(origin).inserted else {
                throw .slide(
                    "two frames at one place: several focal planes or optical paths.",
                    cure: "Send the one that is to be segmented.")
            }
            origins.append(origin)
        }
        return origins
    }

    /// Where the matrix lies on the slide; one that does not say it lies at 0, upright, and a finding tells of it.
    private static func geometry(
        _ dataSet: DataSet
    ) throws(DICOMFailure) -> (position: Vector3, row: Vector3, column: Vector3) {
        guard dataSet.items(.totalPixelMatrixOriginSequence).count < 2 else {
            throw .slide(
                "Total Pixel Matrix Origin has several items: which of them is right is unknown.",
                cure: "Export the slide again.")
        }
        let origin = dataSet.item(.totalPixelMatrixOriginSequence)
        func offset(_ attribute: Attribute, in range: ClosedRange<Double>) throws(DICOMFailure) -> Double {
            guard let value = origin?.double(attribute) else { return 0 }
            guard range.contains(value) else {
                throw .position(
                    "\(attribute.keyword) \(attribute.tag) of Total Pixel Matrix Origin lies off any slide: where the picture lies on it is unknown.",
                    cure: "Correct it at its source.")
            }
            return value
        }
        let position = Vector3(
            try offset(.xOffsetInSlideCoordinateSystem, in: CheckedNumbers.Range.slide),
            try offset(.yOffsetInSlideCoordinateSystem, in: CheckedNumbers.Range.slide),
            try offset(.zOffsetInSlideCoordinateSystem, in: CheckedNumbers.Range.position))
        let cosines = dataSet.doubles(.imageOrientationSlide)
        guard !cosines.isEmpty else { return (position, Vector3(0, -1, 0), Vector3(-1, 0, 0)) }
        guard let (row, column) = SourceFrame.directions(cosines) else {
            throw .position(
                "Image Orientation (Slide) is no pair of orthogonal directions.", cure: "Export the slide again.")
        }
        guard abs(row.z) <= Tolerance.unit, abs(column.z) <= Tolerance.unit else {
            throw .position(
                "Image Orientation (Slide) points out of the slide's plane: how the picture lies on it is unknown.",
                cure: "Export the slide again.")
        }
        return (position, row, column)
    }
}
