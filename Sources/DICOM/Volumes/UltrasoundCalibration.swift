import Imaging

/// What a distance in a picture was taken from.
enum SpacingOrigin: Sendable {
    /// The plane that was imaged; also where none is known.
    case plane
    /// The detector's: what lies before it is shown magnified.
    case detector
    /// Of a film, a print or a page that was scanned: how large things are shown on it is unknown.
    case medium
    /// Larger than the detector's, and rays spread on their way to it: a picture that was made smaller, of which only one was corrected.
    case largerThanDetector
    /// Other than that of the detector divided by the factor of magnification, or by one factor.
    case againstMagnification
    /// The detector's, of what was magnified on purpose, by a factor that is none, or by another than the distances from the source say.
    case magnified
    /// A calibrated region of an ultrasound picture whose Pixel Spacing says something else.
    case regionAgainstPixelSpacing
    /// Regions of an ultrasound picture that are calibrated differently: no distance holds for all of them.
    case regionsDiffer

    var isOfSeveral: Bool {
        if case .regionsDiffer = self { true } else { false }
    }

    /// What a person has to know about it.
    var finding: Finding? {
        switch self {
        case .plane: nil
        case .detector:
            Finding(
                "VOL-DETECTOR", .warning,
                "Distances are those in the detector's plane (Imager Pixel Spacing, no magnification factor): lengths and areas of what was imaged are smaller."
            )
        case .medium:
            Finding(
                "VOL-DETECTOR", .warning,
                "Distances are those on the film or paper that was scanned (Nominal Scanned Pixel Spacing): what was imaged has other lengths and areas."
            )
        case .largerThanDetector:
            Finding(
                "VOL-SCALE", .warning,
                "Pixel Spacing is larger than Imager Pixel Spacing, as no projection onto a detector gives: one of them is wrong. Pixel Spacing is used."
            )
        case .againstMagnification:
            Finding(
                "VOL-SCALE", .warning,
                "Pixel Spacing is not Imager Pixel Spacing divided by Estimated Radiographic Magnification Factor, or by one factor in both directions: one of them is wrong. Pixel Spacing is used."
            )
        case .magnified:
            Finding(
                "VOL-SCALE", .warning,
                "How much what was imaged is magnified is unknown: Estimated Radiographic Magnification Factor is missing beside a magnified view (View Modifier Code Sequence), below 1, or another than Distance Source to Detector and to Patient say. Lengths and areas may be others than those told."
            )
        case .regionAgainstPixelSpacing:
            Finding(
                "VOL-CALIBRATION", .warning,
                "Pixel Spacing contradicts the Sequence of Ultrasound Regions: the calibration of the regions is used, within them."
            )
        case .regionsDiffer:
            Finding(
                "VOL-CALIBRATION", .warning,
                "The Sequence of Ultrasound Regions gives regions of different calibrations: areas are given in pixels."
            )
        }
    }
}

/// The calibration of an ultrasound picture by its regions of tissue measured in centimetres.
///
/// *Source*: PS3.3 C.8.5.5.
struct UltrasoundCalibration {
    /// Of all regions; nil where they differ.
    let spacing: PixelSpacing?
    /// Where it holds; empty where one region covers the whole picture.
    let regions: [PixelRectangle]

    /// Nil for a picture without such a region.
    ///
    /// *Throws* `position` for a region of tissue whose place or distances are no usable numbers, or that reaches over the picture.
    init?(_ instance: SourceInstance) throws(DICOMFailure) {
        var calibrated: [(spacing: PixelSpacing, rectangle: PixelRectangle)] = []
        for item in instance.dataSet.items(.sequenceOfUltrasoundRegions) {
            if let region = try Self.region(item, of: instance.pixels) { calibrated.append(region) }
        }
        guard let first = calibrated.first else { return nil }
        spacing = calibrated.allSatisfy { first.spacing.isAlike($0.spacing) } ? first.spacing : nil
        let regions = calibrated.map(\.rectangle)
        let (rows, columns) = (instance.pixels.rows, instance.pixels.columns)
        let isWhole = regions.contains {
            $0.contains(row: 0, column: 0) && $0.contains(row: rows - 1, column: columns - 1)
        }
        self.regions = isWhole ? [] : regions
    }

    /// Nil for what is not tissue measured in centimetres, and where zero stands for an unknown distance.
    private static func region(
        _ item: DataSet, of pixels: PixelDescription
    ) throws(DICOMFailure) -> (spacing: PixelSpacing, rectangle: PixelRectangle)? {
        guard item.int(.regionSpatialFormat) == 1, item.int(.physicalUnitsXDirection) == 3,
            item.int(.physicalUnitsYDirection) == 3
        else { return nil }
        let deltas = [item.double(.physicalDeltaX), item.double(.physicalDeltaY)]
        if deltas.contains(0) { return nil }
        // Deltas may be negative (a picture upside down); centimetres to millimetres.
        let distances = deltas.compactMap { $0.map { $0.magnitude * 10 } }
        guard distances.count == 2, distances.allSatisfy(CheckedNumbers.Range.distance.contains),
            let x0 = item.int(.regionLocationMinX0), let y0 = item.int(.regionLocationMinY0),
            let x1 = item.int(.regionLocationMaxX1), let y1 = item.int(.regionLocationMaxY1), x0 <= x1, y0 <= y1
        else {
            throw .position(
                "\(Attribute.sequenceOfUltrasoundRegions.keyword) \(Attribute.sequenceOfUltrasoundRegions.tag): a calibrated region has no usable place or distances.",
                cure: "Correct the image at its source.")
        }
        // The last pixel, or the one behind it, as some writers count. Of a picture that was scaled down the distances are wrong too.
        guard x1 <= pixels.columns, y1 <= pixels.rows, x0 < pixels.columns, y0 < pixels.rows else {
            throw .position(
                "\(Attribute.sequenceOfUltrasoundRegions.keyword) \(Attribute.sequenceOfUltrasoundRegions.tag): a calibrated region ends at pixel \(x1), \(y1) of a picture of \(pixels.columns) × \(pixels.rows): it was calibrated for another picture.",
                cure: "Export the image in its own size, or without the regions.")
        }
        return (
            PixelSpacing(row: distances[1], column: distances[0]),
            PixelRectangle(rows: y0...min(y1, pixels.rows - 1), columns: x0...min(x1, pixels.columns - 1))
        )
    }
}

extension PixelSpacing {
    /// Beyond what was rounded.
    func isLarger(than other: PixelSpacing) -> Bool {
        row > other.row * (1 + Tolerance.copied.spacing) || column > other.column * (1 + Tolerance.copied.spacing)
    }

    /// Equal to the tolerance of pixel spacings.
    func isAlike(_ other: PixelSpacing) -> Bool {
        abs(row - other.row) <= Tolerance.spacing * max(row, other.row)
            && abs(column - other.column) <= Tolerance.spacing * max(column, other.column)
    }
}
