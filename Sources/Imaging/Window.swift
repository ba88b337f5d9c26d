import Numbers

/// A mapping of modality values to the display's 0…255.
///
/// *Source*: PS3.3 C.11.2.1.2 and C.11.2.1.3.
package enum DisplayWindow: Sendable, Equatable {
    /// `((x − (c − 0.5)) / (w − 1) + 0.5) · 255`; a width of 1 is a threshold at c − 0.5. The width is at least 1.
    case linear(center: Double, width: Double)
    /// `((x − c) / w + 0.5) · 255`; the width is above 0.
    case linearExact(center: Double, width: Double)
    /// `255 / (1 + exp(−4 (x − c) / w))`; the width is above 0.
    case sigmoid(center: Double, width: Double)
    /// Output scaled by 255 / maximum.
    case table(LookUpTable)

    /// By the function's DICOM name (0028,1056); nil for a width that no function accepts. LINEAR narrower than 1 is
    /// computed as LINEAR_EXACT, since its own formula would invert the image there.
    package init?(center: Double, width: Double, function: VOI.Function) {
        guard center.isFinite, width.isFinite, width > 0 else { return nil }
        switch function {
        case .linear where width >= 1: self = .linear(center: center, width: width)
        case .linear, .linearExact: self = .linearExact(center: center, width: width)
        case .sigmoid: self = .sigmoid(center: center, width: width)
        }
    }

    /// From `low`, shown black, to `high`, shown white. Equal ends show everything up to them black.
    package init(from low: Double, to high: Double) {
        self =
            high > low
            ? .linearExact(center: (low + high) / 2, width: high - low) : .linearExact(center: low + 0.5, width: 1)
    }

    /// The picture that a display shows: levels rounded half up, inverted where the frame asks for it (grey), or as
    /// they are (colour). Padding, and what is no number, is black.
    package func image(_ frame: Frame) -> DisplayImage {
        if frame.samples == 3 {
            let pixels = frame.values.map { $0.isFinite ? UInt8(grey: $0) : 0 }
            return DisplayImage(rows: frame.rows, columns: frame.columns, pixels: pixels)
        }
        var greys = greys(frame)
        for index in frame.padding.indices where frame.padding[index] { greys[index] = 0 }
        return DisplayImage(rows: frame.rows, columns: frame.columns, greys: greys)
    }

    /// The levels of a frame's values, and black for what is no number. The window is asked what it is once, not at each pixel, and no loop
    /// branches: so they take several values at a time.
    private func greys(_ frame: Frame) -> [UInt8] {
        var levels = levels(frame.values)
        var greys = [UInt8](repeating: 0, count: levels.count)
        do {
            let values = frame.values.span
            var levels = levels.mutableSpan
            if frame.inverted { for index in levels.indices { levels[index] = 255 - levels[index] } }
            var greys = greys.mutableSpan
            // A finite number less itself is 0, any other is none, which is shown black.
            for index in values.indices { greys[index] = UInt8(grey: levels[index] + (values[index] - values[index])) }
        }
        return greys
    }

    /// The display values of modality values, neither clamped to 0…255 nor rounded, before any inversion.
    private func levels(_ values: [Float]) -> [Float] {
        func each(_ level: (Float) -> Float) -> [Float] {
            var levels = [Float](repeating: 0, count: values.count)
            do {
                let values = values.span
                var levels = levels.mutableSpan
                for index in values.indices { levels[index] = level(values[index]) }
            }
            return levels
        }
        switch self {
        case .linear(let center, width: 1): return each { Double($0) <= center - 0.5 ? 0 : 255 }
        case .linear(let center, let width):
            return each { Float(((Double($0) - (center - 0.5)) / (width - 1) + 0.5) * 255) }
        case .linearExact(let center, let width): return each { Float(((Double($0) - center) / width + 0.5) * 255) }
        case .sigmoid(let center, let width):
            return each { 255 * Self.logistic(4 * (Double($0) - center) / width) }
        case .table(let table): return each { table($0) * 255 / table.maximum }
        }
    }

    /// 1 / (1 + exp(−x)) without the C library, which this module does not import: exp by halving the argument until the
    /// series of e^r converges at once. Error below 1e-12, far under a grey level.
    private static func logistic(_ x: Double) -> Float {
        if x < -40 { return 0 }
        if x > 40 { return 1 }
        let reduced = -x / 1024
        var term = 1.0
        var sum = 1.0
        for order in 1...12 {
            term *= reduced / Double(order)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return Float(1 / (1 + sum))
    }
}

/// What a frame itself says about its display (VOI LUT module, PS3.3 C.11.2).
package struct VOI: Sendable, Equatable {
    /// VOI LUT Function (0028,1056).
    package enum Function: String, Sendable {
        case linear = "LINEAR"
        case linearExact = "LINEAR_EXACT"
        case sigmoid = "SIGMOID"
    }

    /// Window Center (0028,1050) and Window Width (0028,1051), in modality values.
    package struct Window: Sendable, Equatable {
        package var center: Double
        package var width: Double
        /// Window Center & Width Explanation; empty when absent.
        package var explanation: String

        package init(center: Double, width: Double, explanation: String = "") {
            self.center = center
            self.width = width
            self.explanation = explanation
        }

        /// Whether a display can have it.
        package var isUsable: Bool { center.isFinite && width.isFinite && width > 0 }
    }

    /// Each at its place in the file, also those that no display can have.
    package var windows: [Window]
    package var function: Function
    package var table: LookUpTable?

    package init(windows: [Window] = [], function: Function = .linear, table: LookUpTable? = nil) {
        self.windows = windows
        self.function = function
        self.table = table
    }
}
