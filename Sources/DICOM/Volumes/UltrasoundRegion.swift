import Imaging

/// What a distance in a picture was taken from.
enum SpacingOrigin: Sendable {
    /// The plane that was imaged; also where none is known.
    case plane
    /// The detector's: what lies before it is shown magnified.
    case detector
    /// A calibrated region of an ultrasound picture whose Pixel Spacing says something else.
    case regionAgainstPixelSpacing

    /// What a person has to know about it.
    var finding: Finding? {
        switch self {
        case .plane: nil
        case .detector:
            Finding(
                "VOL-DETECTOR", .warning,
                "Distances are those in the detector's plane (Imager Pixel Spacing, no magnification factor): lengths and areas of what was imaged are smaller."
            )
        case .regionAgainstPixelSpacing:
            Finding(
                "VOL-CALIBRATION", .warning,
                "Pixel Spacing contradicts the Sequence of Ultrasound Regions: the calibration of the region, which covers the picture, is used."
            )
        }
    }
}

/// The calibration of ultrasound pictures by regions.
///
/// *Source*: PS3.3 C.8.5.5.
enum UltrasoundRegion {
    /// The spacing of the one region in centimetres of tissue that covers the whole picture; nil when there is none.
    static func covering(_ instance: SourceInstance) -> PixelSpacing? {
        let regions = instance.dataSet.items(.sequenceOfUltrasoundRegions)
        guard regions.count == 1, let region = regions.first, region.int(.regionSpatialFormat) == 1,
            region.int(.physicalUnitsXDirection) == 3, region.int(.physicalUnitsYDirection) == 3,
            let x0 = region.int(.regionLocationMinX0), let y0 = region.int(.regionLocationMinY0),
            let x1 = region.int(.regionLocationMaxX1), let y1 = region.int(.regionLocationMaxY1),
            x0 <= 0, y0 <= 0, x1 >= instance.pixels.columns - 1, y1 >= instance.pixels.rows - 1,
            let across = region.double(.physicalDeltaX), let down = region.double(.physicalDeltaY)
        else { return nil }
        // Deltas may be negative (a picture upside down); centimetres to millimetres.
        let spacing = PixelSpacing(row: down.magnitude * 10, column: across.magnitude * 10)
        let range = CheckedNumbers.Range.distance
        return range.contains(spacing.row) && range.contains(spacing.column) ? spacing : nil
    }
}

extension PixelSpacing {
    /// Equal to the tolerance of pixel spacings.
    func isAlike(_ other: PixelSpacing) -> Bool {
        abs(row - other.row) <= Tolerance.spacing * row && abs(column - other.column) <= Tolerance.spacing * column
    }
}
