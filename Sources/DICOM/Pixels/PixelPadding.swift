/// Stored values that are no part of the picture: Pixel Padding Value and what lies between it and its Range Limit, both included.
///
/// *Source*: PS3.3 C.7.5.1.1.2.
struct PixelPadding {
    let range: ClosedRange<Double>

    /// Nil where the data set has none.
    init?(_ dataSet: DataSet, _ pixels: PixelDescription) {
        let ends: (Double?, Double?)
        switch pixels.storage {
        case .integers:
            func value(_ attribute: Attribute) -> Double? {
                // Written as US or SS without regard to the pixels, so the 16 bits are read again by Pixel
                // Representation.
                dataSet.ints16(attribute, signed: pixels.isSigned).first.map(Double.init)
            }
            ends = (value(.pixelPaddingValue), value(.pixelPaddingRangeLimit))
        case .floats: ends = (dataSet.double(.floatPixelPaddingValue), dataSet.double(.floatPixelPaddingRangeLimit))
        case .doubles:
            ends = (dataSet.double(.doubleFloatPixelPaddingValue), dataSet.double(.doubleFloatPixelPaddingRangeLimit))
        }
        guard let first = ends.0 else { return nil }
        let last = ends.1 ?? first
        range = min(first, last)...max(first, last)
    }

    var isOneValue: Bool { range.lowerBound == range.upperBound }
}

/// What a range of padding takes away from the frames of a volume, counted while they are decoded.
///
/// Padding is darker than the picture (PS3.3 C.7.5.1.1.2): a range with much of the picture on its dark side, or one of a CT that reaches
/// up to tissue, is no padding. One value alone may be any, for masked-out pixels are 0 in images of both signs; but one of tissue (in a CT),
/// or below which a quarter of the picture lies (elsewhere), and which is about as frequent as the values beside it, is the picture's own.
struct PaddingCensus {
    /// Hounsfield units that no padding reaches: half way from air to water.
    private static let tissue: Float = -500
    /// How many times as frequent as its neighbours a value of the picture's own may be.
    private static let usual = 2
    /// How many values on each side are its neighbours.
    private static let reach = 4
    /// Fewer pixels say nothing.
    private static let fewest = 64
    private var pixels = 0
    private var padded = 0
    private var isOneValue = true
    private var isCT = false
    /// Pixels of a value that is a neighbour of the padding's, below and above.
    private var beside = (below: 0, above: 0)
    private var darker = 0
    private var reachesTissue = false

    /// - Parameter values: stored numbers of a frame.
    mutating func add(
        _ padding: PixelPadding, _ values: [Double], isInverted: Bool, _ transform: ModalityTransform,
        _ frame: SourceFrame
    ) {
        let range = padding.range
        if !padding.isOneValue { isOneValue = false }
        let reach = Double(Self.reach)
        let near = range.lowerBound - reach...range.upperBound + reach
        pixels += values.count
        var found = 0
        for value in values {
            if range.contains(value) {
                found += 1
                continue
            }
            if isInverted ? value > range.upperBound : value < range.lowerBound { darker += 1 }
            if near.contains(value) {
                if value < range.lowerBound { beside.below += 1 } else { beside.above += 1 }
            }
        }
        padded += found
        isCT = frame.instance.modality == "CT"
        guard found > 0, isCT, case .rescale = transform.function else { return }
        let ends = transform([range.lowerBound, range.upperBound]) { $0 }
        if ends.contains(where: { $0 > Self.tissue }) { reachesTissue = true }
    }

    func confirm() throws(DICOMFailure) {
        if isOneValue {
            let usual = min(beside.below, beside.above) / Self.reach
            guard isCT ? reachesTissue : darker * 4 >= pixels, padded >= Self.fewest, padded <= Self.usual * usual
            else { return }
            throw .values(
                "\(Attribute.pixelPaddingValue.keyword) \(Attribute.pixelPaddingValue.tag) is a value of the picture's own: \(padded) pixels have it, and about as many each of the values beside it: that is no padding.",
                cure: "Correct the series at its source.")
        }
        let isInside = padded * 100 >= pixels && darker * 100 >= pixels && pixels > 0
        guard isInside || reachesTissue else { return }
        throw .values(
            "\(Attribute.pixelPaddingValue.keyword) \(Attribute.pixelPaddingValue.tag) and \(Attribute.pixelPaddingRangeLimit.keyword) \(Attribute.pixelPaddingRangeLimit.tag) take \(padded * 100 / pixels) % of the pixels away, and "
                + (reachesTissue
                    ? "they reach up to Hounsfield units of tissue" : "much of the picture is darker than they are")
                + ": that is no padding.",
            cure: "Correct the series at its source.")
    }
}
