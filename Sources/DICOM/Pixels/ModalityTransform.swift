import Imaging

/// Stored values to modality values (HU for CT): rescale, look-up table or nothing.
///
/// *Source*: PS3.3 C.11.1, C.7.6.16.2.9; `docs/dicom-support.md`, "Pixels".
struct ModalityTransform {
    enum Function {
        case identity
        case rescale(slope: Double, intercept: Double)
        case table(LookUpTable)
    }

    private(set) var function = Function.identity
    private(set) var notes: [String] = []

    /// `group` is the frame's Pixel Value Transformation group, or the main data set of a classic object.
    init(_ group: DataSet, modality: String, pixels: PixelDescription, relationship: String?) {
        guard Self.applies(modality: modality, pixels: pixels, relationship: relationship) else { return }
        let table = group.item(.modalityLUTSequence).flatMap { LookUpTable($0, signedInput: pixels.isSigned) }
        let hasRescale = group.has(.rescaleSlope) || group.has(.rescaleIntercept)
        let prefersRescale = ["CT", "PT", "MR"].contains(modality)
        if let table, !(hasRescale && prefersRescale) {
            if hasRescale { notes.append("both a Modality LUT and Rescale Slope; the LUT was used") }
            function = .table(table)
            return
        }
        if table != nil { notes.append("both a Modality LUT and Rescale Slope; the slope was used") }
        guard hasRescale else { return }
        var slope = group.double(.rescaleSlope) ?? 1
        if slope == 0 || group.doubles(.rescaleSlope).first?.isFinite == false {
            notes.append("Rescale Slope is 0 or no number; taken as 1")
            slope = 1
        }
        function = .rescale(slope: slope, intercept: group.double(.rescaleIntercept) ?? 0)
    }

    /// Whether the frame's stored values have a modality transform at all.
    static func applies(to frame: SourceFrame) -> Bool {
        applies(
            modality: frame.instance.modality, pixels: frame.instance.pixels,
            relationship: frame.instance.dataSet.string(.pixelIntensityRelationship))
    }

    /// Not colour, and not projections whose transform is not meant for display (PS3.3 C.8.7.1.1.2).
    private static func applies(modality: String, pixels: PixelDescription, relationship: String?) -> Bool {
        guard pixels.samples == 1, pixels.photometric != .paletteColor else { return false }
        let isProjection = ["XA", "RF", "XRF"].contains(modality)
        return !(isProjection && (relationship == "LOG" || relationship == "DISP"))
    }

    /// - Parameter number: of a stored value.
    @inline(__always)
    func callAsFunction<Stored>(_ stored: [Stored], _ number: (Stored) -> Double) -> [Float] {
        switch function {
        case .identity: Self.mapped(stored) { Float(number($0)) }
        case .rescale(let slope, let intercept): Self.mapped(stored) { Float(number($0) * slope + intercept) }
        case .table(let table): Self.mapped(stored) { table(Float(number($0))) }
        }
    }

    /// `map` of values that take a call each costs four times as much as the loop that several of them share.
    @inline(__always)
    private static func mapped<Stored>(_ stored: [Stored], _ value: (Stored) -> Float) -> [Float] {
        var values = [Float](repeating: 0, count: stored.count)
        do {
            let stored = stored.span
            var values = values.mutableSpan
            for index in stored.indices { values[index] = value(stored[index]) }
        }
        return values
    }
}
