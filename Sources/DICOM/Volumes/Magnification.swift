import Imaging

/// How much larger a projection shows what was imaged than it is.
///
/// *Source*: PS3.3 C.8.7.10.1 (Estimated Radiographic Magnification Factor), C.8.11.7 and CID 4015 (mammography).
struct Magnification {
    /// Nil where none that a projection can have is told.
    let factor: Double?
    /// A factor is told that none can have, or another than the distances from the source say; or an image that was magnified on purpose tells
    /// none, or one that is next to nothing.
    let isDoubtful: Bool
    /// Pixel Spacing was measured on an object of known size, wherever that lay.
    private let isMeasured: Bool

    init(_ dataSet: DataSet) {
        factor = dataSet.number(.estimatedRadiographicMagnificationFactor, in: 1...20)
        // Zero is how some writers say that it is unknown.
        let isImpossible = factor == nil && dataSet.double(.estimatedRadiographicMagnificationFactor) ?? 0 != 0
        let isEnlarged = dataSet.items(.viewCodeSequence).flatMap { $0.items(.viewModifierCodeSequence) }
            .contains { ["399163009", "R-102D6"].contains($0.string(.codeValue)) }
        isDoubtful =
            isImpossible || Self.isContradicted(factor, dataSet)
            || isEnlarged && factor ?? 1 < 1 + Tolerance.magnification
        isMeasured = dataSet.string(.pixelSpacingCalibrationType) == "FIDUCIAL"
    }

    /// Whether the detector and the patient lie in other proportions from the source than the factor says, which is their ratio.
    private static func isContradicted(_ factor: Double?, _ dataSet: DataSet) -> Bool {
        guard let factor, let far = dataSet.number(.distanceSourceToDetector, in: distances),
            let near = dataSet.number(.distanceSourceToPatient, in: distances), near <= far
        else { return false }
        return abs(far / near / factor - 1) > Tolerance.location
    }

    /// From the source, mm.
    private static let distances = 10.0...1e4

    /// Whether distances in the patient are not those of the detector divided by the factor, or by one factor in both directions.
    func contradicts(_ stated: PixelSpacing, _ detector: PixelSpacing) -> Bool {
        let shares = (row: stated.row / detector.row, column: stated.column / detector.column)
        if abs(shares.row / shares.column - 1) > Tolerance.magnification { return true }
        guard let factor, !isMeasured else { return false }
        return abs(shares.row * factor - 1) > Tolerance.magnification
    }
}
