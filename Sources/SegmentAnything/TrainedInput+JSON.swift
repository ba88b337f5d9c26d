/// `{"windowing": {"mode": "fixed", "center": 100, "width": 600}, "aspect": "varied"}`
extension TrainedInput: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case windowing, aspect, scale }

    /// *Throws* `DecodingError` also for keys and numbers that do not belong to the mode.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        windowing = try container.decode(Windowing.self, forKey: .windowing)
        aspect = try container.decode(Aspect.self, forKey: .aspect)
        scale = try container.decodeIfPresent(TrainedScale.self, forKey: .scale)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(windowing, forKey: .windowing)
        try container.encode(aspect, forKey: .aspect)
        try container.encodeIfPresent(scale, forKey: .scale)
    }
}

extension TrainedInput.Aspect: Codable {}

extension TrainedInput.Windowing: Codable {
    /// The names that `train.yaml` and `config.json` use.
    package enum Mode: String, Codable, Sendable, CaseIterable {
        case asIs = "as_is"
        case color, fixed, percentile, minmax
    }

    private enum CodingKeys: String, CodingKey { case mode, center, width, low, high }

    package var mode: Mode {
        switch self {
        case .asIs: .asIs
        case .color: .color
        case .fixed: .fixed
        case .percentile: .percentile
        case .minmax: .minmax
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let keys: [CodingKeys]
        switch try container.decode(Mode.self, forKey: .mode) {
        case .asIs: (self, keys) = (.asIs, [])
        case .color: (self, keys) = (.color, [])
        case .minmax: (self, keys) = (.minmax, [])
        case .fixed:
            let (center, width) = (
                try container.decode(Double.self, forKey: .center), try container.decode(Double.self, forKey: .width)
            )
            guard center.isFinite, width.isFinite, width > 0 else {
                throw DecodingError.dataCorruptedError(forKey: .width, in: container, debugDescription: "not above 0")
            }
            (self, keys) = (.fixed(center: center, width: width), [.center, .width])
        case .percentile:
            let (low, high) = (
                try container.decode(Double.self, forKey: .low), try container.decode(Double.self, forKey: .high)
            )
            guard low >= 0, low < high, high <= 100 else {
                throw DecodingError.dataCorruptedError(forKey: .low, in: container, debugDescription: "not 0 to 100")
            }
            (self, keys) = (.percentile(low: low, high: high), [.low, .high])
        }
        try decoder.refuseKeys(except: ([.mode] + keys).map(\.rawValue))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(mode, forKey: .mode)
        switch self {
        case .asIs, .color, .minmax: break
        case .fixed(let center, let width):
            try container.encode(center, forKey: .center)
            try container.encode(width, forKey: .width)
        case .percentile(let low, let high):
            try container.encode(low, forKey: .low)
            try container.encode(high, forKey: .high)
        }
    }
}

extension TrainedScale: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case pixels
        case pixelMM = "pixel_mm"
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        pixels = try container.decode(Int.self, forKey: .pixels)
        pixelMM = try container.decodeIfPresent(Double.self, forKey: .pixelMM)
        guard pixels > 0, pixelMM.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw DecodingError.dataCorruptedError(forKey: .pixels, in: container, debugDescription: "not above 0")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pixels, forKey: .pixels)
        try container.encodeIfPresent(pixelMM, forKey: .pixelMM)
    }
}

extension Decoder {
    /// *Throws* `DecodingError.dataCorrupted` at the first key of this object that is not among `known`.
    fileprivate func refuseKeys(except known: [String]) throws {
        let container = try container(keyedBy: AnyKey.self)
        guard let unknown = container.allKeys.map(\.stringValue).filter({ !known.contains($0) }).min() else { return }
        throw DecodingError.dataCorruptedError(
            forKey: AnyKey(stringValue: unknown), in: container, debugDescription: JSONFile.unknownKey)
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
