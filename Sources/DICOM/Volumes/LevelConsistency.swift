import Imaging

/// Whether the levels of a series are pictures of one slide: one of them is taken, and stands for all.
///
/// *Source*: PS3.3 2024e, C.7.6.22 (Specimen), C.8.12.5 (Optical Path). A level that says nothing contradicts none. Converters that give each
/// level a Frame of Reference of its own are common, and a result has that of the one level that is taken.
enum LevelConsistency {
    /// - Parameter levels: from the finest to the coarsest.
    ///
    /// *Throws* `slide` naming what differs.
    static func check(_ levels: [SlideBuilder.Level]) throws(DICOMFailure) {
        guard let first = levels.first else { return }
        for level in levels.dropFirst() {
            let (one, other) = (first.dataSet, level.dataSet)
            try compare(
                .containerIdentifier, one.strings(.containerIdentifier), other.strings(.containerIdentifier))
            for attribute in [Attribute.specimenIdentifier, .specimenUID] {
                func values(_ dataSet: DataSet) -> [String] {
                    dataSet.items(.specimenDescriptionSequence).compactMap { $0.string(attribute) }.sorted()
                }
                try compare(attribute, values(one), values(other))
            }
            for attribute in [Attribute.illuminationTypeCodeSequence, .illuminationColorCodeSequence] {
                func values(_ dataSet: DataSet) -> [String] {
                    dataSet.items(.opticalPathSequence).flatMap { $0.items(attribute) }
                        .compactMap { $0.string(.codeValue) }.sorted()
                }
                try compare(attribute, values(one), values(other))
            }
            func wavelengths(_ dataSet: DataSet) -> [String] {
                dataSet.items(.opticalPathSequence).compactMap { $0.double(.illuminationWaveLength) }.map { "\($0)" }
            }
            try compare(.illuminationWaveLength, wavelengths(one), wavelengths(other))
            try compare(.samplesPerPixel, ["\(first.pixels.samples)"], ["\(level.pixels.samples)"])
            guard !isElsewhere(first, level) else {
                throw failure("where they lie on it (Total Pixel Matrix Origin, Image Orientation (Slide))")
            }
            guard hasAlikeSize(first, level) else {
                throw failure("the size of what they show in mm (Total Pixel Matrix Rows, Columns and Pixel Spacing)")
            }
        }
    }

    private static func compare(_ attribute: Attribute, _ one: [String], _ other: [String]) throws(DICOMFailure) {
        guard !one.isEmpty, !other.isEmpty, one != other else { return }
        throw failure("\(attribute.keyword) \(attribute.tag)")
    }

    private static func failure(_ what: String) -> DICOMFailure {
        .slide(
            "the images of one series, which are to be levels of one slide, differ in \(what): they are of several slides or regions, a label or overview is among them, or one of them is wrong.",
            cure: "Send the images of one slide, or of one region of it, as a series.")
    }

    private static func isElsewhere(_ one: SlideBuilder.Level, _ other: SlideBuilder.Level) -> Bool {
        let (a, b) = (one.matrix, other.matrix)
        func isTurned(_ first: Vector3, _ second: Vector3) -> Bool { (first - second).length > Tolerance.cosine }
        if [one, other].allSatisfy({ !$0.dataSet.doubles(.imageOrientationSlide).isEmpty }),
            isTurned(a.rowCosine, b.rowCosine) || isTurned(a.columnCosine, b.columnCosine)
        {
            return true
        }
        guard [one, other].allSatisfy({ $0.dataSet.item(.totalPixelMatrixOriginSequence) != nil }) else {
            return false
        }
        let side = one.pixelSpacing.map { max(Double(a.rows) * $0.row, Double(a.columns) * $0.column) } ?? 0
        let away = a.position - b.position
        // Z is in micrometres.
        return max(abs(away.x), abs(away.y)) > max(Tolerance.level.mm, Tolerance.level.size * side)
    }

    /// Some scanners fill the last tiles of each level, so that its matrix ends where they do.
    private static func hasAlikeSize(_ one: SlideBuilder.Level, _ other: SlideBuilder.Level) -> Bool {
        guard let a = one.pixelSpacing, let b = other.pixelSpacing else { return true }
        func size(_ count: Int, tile: Int, usual: Int, _ mm: Double) -> ClosedRange<Double> {
            let isFilled = count % tile == 0 && (count > tile || tile == usual)
            let least = max(0, (isFilled ? count - tile : count) - 2)
            return Double(least) * mm * (1 - Tolerance.level.size)...Double(count + 2) * mm * (1 + Tolerance.level.size)
        }
        func overlap(_ sides: (SlideBuilder.Level, PixelSpacing) -> (count: Int, tile: Int, mm: Double)) -> Bool {
            let (first, second) = (sides(one, a), sides(other, b))
            return size(first.count, tile: first.tile, usual: second.tile, first.mm).overlaps(
                size(second.count, tile: second.tile, usual: first.tile, second.mm))
        }
        return overlap { ($0.matrix.rows, $0.pixels.rows, $1.row) }
            && overlap { ($0.matrix.columns, $0.pixels.columns, $1.column) }
    }
}

extension SlideBuilder.Level {
    fileprivate var dataSet: DataSet { frames[0].instance.dataSet }
    fileprivate var pixels: PixelDescription { frames[0].instance.pixels }
    fileprivate var pixelSpacing: PixelSpacing? { frames[0].pixelSpacing }
}
