import Numbers

/// What was measured of one segment, in `run.json` and `report.json`.
package struct SegmentRecord: Sendable, Equatable, Codable {
    /// As described in the pipeline, from 1; also for segments that were not found.
    package var number: Int
    package var label: String
    /// Over all frames.
    package var pixels: Int
    /// Of the frame with the largest area; nil without spacing.
    @Nullable package var areaMM2: Double?
    /// Nil for frames that do not lie in space.
    @Nullable package var volumeML: Double?
    /// Mean probability over the segment's pixels, 0…1; nil when nothing was found.
    @Nullable package var confidence: Double?
    /// The longest distance in one frame, and the extent at right angles to it; nil without spacing.
    @Nullable package var longestDiameterMM: Double?
    @Nullable package var perpendicularMM: Double?
    /// Of the source's values inside, and their unit (`HU`, else empty); nil for colour.
    @Nullable package var mean: Double?
    @Nullable package var standardDeviation: Double?
    @Nullable package var valueUnit: String?
    /// Nil unless the pipeline counts them.
    @Nullable package var objects: Int?
    @Nullable package var objectSizes: ObjectSizes?

    /// `Nuclei (45 objects)`; the label alone where nothing is counted.
    package var countedLabel: String { objects.map { "\(label) (\(NumberText.plural($0, "object")))" } ?? label }

    /// Rounds to three and four decimals, sizes and values below 1 to six digits; what is not finite is unknown.
    package init(
        number: Int, label: String, pixels: Int, areaMM2: Double? = nil, volumeML: Double? = nil,
        confidence: Double? = nil, longestDiameterMM: Double? = nil, perpendicularMM: Double? = nil,
        mean: Double? = nil, standardDeviation: Double? = nil, valueUnit: String? = nil, objects: Int? = nil,
        objectSizes: ObjectSizes? = nil
    ) {
        self.number = number
        self.label = label
        self.pixels = pixels
        self.areaMM2 = areaMM2.finite(decimals: 3, orDigits: 6)
        self.volumeML = volumeML.finite(decimals: 4, orDigits: 6)
        self.confidence = confidence.finite(decimals: 4)
        self.longestDiameterMM = longestDiameterMM.flatMap(Self.length)
        self.perpendicularMM = perpendicularMM.flatMap(Self.length)
        self.mean = mean.flatMap(Self.value)
        self.standardDeviation = standardDeviation.flatMap(Self.value)
        self.valueUnit = valueUnit
        self.objects = objects
        self.objectSizes = objectSizes
    }

    /// A length in mm as records and tables tell it: electron microscopes see nanometres. Nil for what is not finite.
    package static func length(mm: Double) -> Double? { Double?(mm).finite(decimals: 4, orDigits: 6) }

    /// A value of the source likewise: of a map of diffusion all are below 0.01.
    package static func value(_ value: Double) -> Double? { Double?(value).finite(decimals: 3, orDigits: 6) }

    /// The same volume in mm³.
    package var volumeMM3: Double? { volumeML.map { ($0 * 1000).withoutNoise } }

    private enum CodingKeys: String, CodingKey {
        case number, label, pixels, confidence, mean, objects
        case areaMM2 = "area_mm2"
        case volumeML = "volume_ml"
        case longestDiameterMM = "longest_diameter_mm"
        case perpendicularMM = "perpendicular_mm"
        case standardDeviation = "sd"
        case valueUnit = "value_unit"
        case objectSizes = "object_sizes"
    }
}

extension Double? {
    /// Rounded for JSON; nil for what is not finite.
    func finite(decimals: Int) -> Double? { flatMap { $0.isFinite ? $0.rounded(decimals: decimals) : nil } }
}

extension Double? {
    /// The same with at least so many digits.
    fileprivate func finite(decimals: Int, orDigits digits: Int) -> Double? {
        flatMap { $0.isFinite ? $0.rounded(decimals: decimals, orDigits: digits) : nil }
    }
}

extension [String: Double] {
    /// Rounded to milliseconds; what is not finite is left out.
    func seconds() -> [String: Double] { compactMapValues { Double?($0).finite(decimals: 3) } }
}
