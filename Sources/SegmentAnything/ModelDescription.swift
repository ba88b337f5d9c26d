import Foundation
package import Tensors

/// All that `config.json` of a model directory says.
package struct ModelDescription: Sendable, Equatable {
    /// The version of the format that this program writes and reads.
    package static let formatVersion = 1

    package var configuration: Configuration
    /// The row of the configuration table that the model was made as: `hsp_sam`, `scratch`, …
    package var configurationName: String
    /// What is subtracted from and what divides each channel of an image in 0…255; SAM's.
    package var pixelMean: [Float] = [123.675, 116.28, 103.53]
    package var pixelStd: [Float] = [58.395, 57.12, 57.375]
    /// One label a segment, in the order of the outputs without the background: the `key` of the segments of a pipeline.
    package var segmentLabels: [String]
    /// How large matrices are stored: `.f32`, `.f16` or `.bf16`.
    package var precision = ElementType.f32
    /// How pictures were shown to it in training; nil where nothing says so (an imported model).
    package var trainedInput: TrainedInput?
    /// How it fares in 8 bits; nil where nobody prepared it for them.
    package var quantisation: Quantisation?
    /// Only the encoder has learned, from images alone: it is there to begin a training with, and finds no segment.
    package var isEncoderOnly = false
    /// Where the model comes from: data, seed, command, digest of the parent, …
    package var provenance: [String: String]

    /// - Parameter segmentLabels: as many as the model has outputs without the background; by default `numberedLabels`.
    package init(
        configuration: Configuration, configurationName: String, segmentLabels: [String]? = nil,
        precision: ElementType = .f32, trainedInput: TrainedInput? = nil, provenance: [String: String] = [:]
    ) {
        self.configuration = configuration
        self.configurationName = configurationName
        self.segmentLabels = segmentLabels ?? Self.numberedLabels(configuration.foregroundOutputs)
        self.precision = precision
        self.trainedInput = trainedInput
        self.provenance = provenance
    }

    /// `segment-1`, `segment-2`, …: the labels of segments that nobody named.
    package static func numberedLabels(_ count: Int) -> [String] { (0..<count).map { "segment-\($0 + 1)" } }

    /// The scales for 8 bits that stand beside the weights: their weights, names and lengths.
    var inputScales: [(weight: String, name: String, count: Int)] {
        guard let quantisation else { return [] }
        let kept = Set(quantisation.bfloat16Layers)
        return Quantisation.layers(configuration).filter { !kept.contains($0.weight) }.map {
            ($0.weight, Quantisation.scaleName($0.weight), $0.inputs)
        }
    }

    /// How the tensor `parameter` is stored: large matrices in `precision`; norms, biases, tokens and tables in float32.
    package func storage(of parameter: Parameter) -> ElementType {
        parameter.isMatrix ? precision : .f32
    }
}

extension Configuration {
    /// Segments that there are mask outputs for: all but the background of softmax, insides and boundaries taken together.
    package var foregroundOutputs: Int { (outputs - (activation == .softmax ? 1 : 0)) / outputsPerSegment }
}

extension ModelDescription: Codable {
    /// Beside these keys stand the configuration's own, at the same level.
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case formatVersion = "format_version"
        case configurationName = "configuration"
        case pixelMean = "pixel_mean"
        case pixelStd = "pixel_std"
        case segmentLabels = "segment_labels"
        case trainedInput = "trained_input"
        case quantisation = "quantization"
        case isEncoderOnly = "encoder_only"
        case precision, provenance
    }

    private struct Version: Decodable {
        let format_version: Int
    }

    package init(from decoder: any Decoder) throws {
        configuration = try Configuration(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        _ = try container.decode(Int.self, forKey: .formatVersion)  // must be there; its value is looked at before
        configurationName = try container.decode(String.self, forKey: .configurationName)
        pixelMean = try container.decode([Float].self, forKey: .pixelMean)
        pixelStd = try container.decode([Float].self, forKey: .pixelStd)
        segmentLabels = try container.decode([String].self, forKey: .segmentLabels)
        let name = try container.decode(String.self, forKey: .precision)
        guard let precision = ElementType(rawValue: name), [.f32, .f16, .bf16].contains(precision) else {
            throw DecodingError.dataCorruptedError(forKey: .precision, in: container, debugDescription: name)
        }
        self.precision = precision
        trainedInput = try container.decodeIfPresent(TrainedInput.self, forKey: .trainedInput)
        quantisation = try container.decodeIfPresent(Quantisation.self, forKey: .quantisation)
        isEncoderOnly = try container.decodeIfPresent(Bool.self, forKey: .isEncoderOnly) ?? false
        provenance = try container.decode([String: String].self, forKey: .provenance)
    }

    package func encode(to encoder: any Encoder) throws {
        try configuration.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.formatVersion, forKey: .formatVersion)
        try container.encode(configurationName, forKey: .configurationName)
        try container.encode(pixelMean, forKey: .pixelMean)
        try container.encode(pixelStd, forKey: .pixelStd)
        try container.encode(segmentLabels, forKey: .segmentLabels)
        try container.encode(precision.rawValue, forKey: .precision)
        try container.encodeIfPresent(trainedInput, forKey: .trainedInput)
        try container.encodeIfPresent(quantisation, forKey: .quantisation)
        if isEncoderOnly { try container.encode(true, forKey: .isEncoderOnly) }
        try container.encode(provenance, forKey: .provenance)
    }

    /// *Throws* `ModelFailure`: no such file, a version that is not ours, a key that is unknown, missing or wrong.
    package static func read(_ path: String) throws -> ModelDescription {
        let own = CodingKeys.allCases.map(\.rawValue)
        let known = own + Configuration.CodingKeys.allCases.map(\.rawValue)
        if let data = FileManager.default.contents(atPath: path),
            let version = try? JSONDecoder().decode(Version.self, from: data).format_version, version != formatVersion
        {
            throw ModelFailure.version(path: path, found: version)
        }
        let description = try JSONFile.decode(ModelDescription.self, at: path, knownKeys: known)
        try description.configuration.validate(path: path)
        let segments = description.configuration.foregroundOutputs
        guard description.segmentLabels.count == segments else {
            let reason = "segment_labels has \(description.segmentLabels.count) labels for \(segments) segments"
            throw ModelFailure.configuration(path: path, reason: reason)
        }
        guard Set(description.segmentLabels).count == segments, !description.segmentLabels.contains("") else {
            throw ModelFailure.configuration(path: path, reason: "segment_labels has an empty label, or one twice")
        }
        if let quantisation = description.quantisation {
            let known = Set(Quantisation.weights(description.configuration))
            guard quantisation.images > 0, quantisation.bfloat16Layers.allSatisfy(known.contains),
                (0...1).contains(quantisation.meanDice), (0...1).contains(quantisation.leastDice),
                (0...1).contains(quantisation.bfloat16MeanDice ?? 0)
            else {
                throw ModelFailure.configuration(path: path, reason: "quantization names what the model cannot have")
            }
        }
        let constants = description.pixelMean + description.pixelStd
        guard description.pixelMean.count == 3, description.pixelStd.count == 3, constants.allSatisfy(\.isFinite),
            description.pixelStd.allSatisfy({ $0 > 0 })
        else {
            throw ModelFailure.configuration(path: path, reason: "pixel_mean and pixel_std are not three numbers each")
        }
        return description
    }

    /// The text of `config.json`: keys in order, so that equal descriptions are equal bytes.
    package func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [0x0A]
    }
}
