import Foundation

extension Configuration: Codable {
    /// The reference implementation's field names.
    package enum CodingKeys: String, CodingKey, CaseIterable {
        case inputSize = "input_size"
        case patch
        case embedDim = "embed_dim"
        case depth, heads, window
        case globalBlocks = "global_blocks"
        case decoderDim = "decoder_dim"
        case decoderHeads = "decoder_heads"
        case segments, activation
        case maskOutputs = "mask_outputs"
        case prompts
        case loraRank = "lora_rank"
        case hierarchy, skip
        case freezeEncoder = "freeze_encoder"
        case deepSupervision = "deep_supervision"
        case iouHead = "iou_head"
        case alpha
        case lossAt = "loss_at"
        case stem, instances, padding
    }

    /// A missing key has the default of `init()`, as in the reference implementation.
    package init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, into value: inout Value) throws {
            if let found = try container.decodeIfPresent(Value.self, forKey: key) { value = found }
        }
        try read(.inputSize, into: &inputSize)
        try read(.patch, into: &patch)
        try read(.embedDim, into: &embedDim)
        try read(.depth, into: &depth)
        try read(.heads, into: &heads)
        try read(.window, into: &window)
        try read(.globalBlocks, into: &globalBlocks)
        try read(.decoderDim, into: &decoderDim)
        try read(.decoderHeads, into: &decoderHeads)
        try read(.segments, into: &segments)
        try read(.activation, into: &activation)
        try read(.maskOutputs, into: &maskOutputs)
        try read(.prompts, into: &prompts)
        try read(.loraRank, into: &loraRank)
        try read(.hierarchy, into: &hierarchy)
        try read(.skip, into: &skip)
        try read(.freezeEncoder, into: &freezeEncoder)
        try read(.deepSupervision, into: &deepSupervision)
        try read(.iouHead, into: &iouHead)
        try read(.alpha, into: &alpha)
        try read(.lossAt, into: &lossAt)
        try read(.stem, into: &stem)
        try read(.instances, into: &instances)
        try read(.padding, into: &padding)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(inputSize, forKey: .inputSize)
        try container.encode(patch, forKey: .patch)
        try container.encode(embedDim, forKey: .embedDim)
        try container.encode(depth, forKey: .depth)
        try container.encode(heads, forKey: .heads)
        try container.encode(window, forKey: .window)
        try container.encode(globalBlocks, forKey: .globalBlocks)
        try container.encode(decoderDim, forKey: .decoderDim)
        try container.encode(decoderHeads, forKey: .decoderHeads)
        try container.encode(segments, forKey: .segments)
        try container.encode(activation, forKey: .activation)
        try container.encode(maskOutputs, forKey: .maskOutputs)
        try container.encode(prompts, forKey: .prompts)
        try container.encode(loraRank, forKey: .loraRank)
        try container.encode(hierarchy, forKey: .hierarchy)
        try container.encode(skip, forKey: .skip)
        try container.encode(freezeEncoder, forKey: .freezeEncoder)
        try container.encode(deepSupervision, forKey: .deepSupervision)
        try container.encode(iouHead, forKey: .iouHead)
        try container.encode(alpha, forKey: .alpha)
        try container.encode(lossAt, forKey: .lossAt)
        try container.encode(stem, forKey: .stem)
        // Models without it are written as they always were.
        if instances != .none { try container.encode(instances, forKey: .instances) }
        // Programs that cannot drop it refuse the key that they do not know; those of other models may stay.
        if padding != .keep { try container.encode(padding, forKey: .padding) }
    }

    /// A configuration alone, as it stands beside recorded references and is given to `model import --config`: an object of the
    /// reference implementation's fields, missing ones as in `base`.
    /// *Throws* `ModelFailure.noModel` when there is no such file, `.configuration` when it is not valid.
    package static func read(_ path: String) throws -> Configuration {
        let configuration = try JSONFile.decode(
            Configuration.self, at: path, knownKeys: CodingKeys.allCases.map(\.rawValue))
        try configuration.validate(path: path)
        return configuration
    }

    /// Whether the file that `read` takes says `key` itself.
    /// *Throws* as `read` of a file that is none.
    package static func says(_ key: CodingKeys, in path: String) throws -> Bool {
        try JSONFile.keys(at: path).contains(key.rawValue)
    }
}

extension Configuration.Activation: Codable {}
extension Configuration.Stem: Codable {}
extension Configuration.Instances: Codable {}
extension Configuration.Padding: Codable {}
extension Configuration.LossResolution: Codable {}

/// Reading JSON with errors that name file and key.
enum JSONFile {
    /// *Throws* `ModelFailure`.
    static func decode<Value: Decodable>(_: Value.Type, at path: String, knownKeys: [String]) throws -> Value {
        if let unknown = try keys(at: path).filter({ !knownKeys.contains($0) }).sorted().first {
            throw ModelFailure.configuration(path: path, reason: "the key \"\(unknown)\" is unknown")
        }
        return try value(at: path)
    }

    /// The keys of the object in a file.
    /// *Throws* `ModelFailure`.
    static func keys(at path: String) throws -> Set<String> {
        let object: [String: Anything] = try value(at: path)
        return Set(object.keys)
    }

    private static func value<Value: Decodable>(at path: String) throws -> Value {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelFailure.noModel(path: path, missing: "readable file of that name")
        }
        if let key = RepeatedKey.first(in: Array(data)) {
            throw ModelFailure.configuration(path: path, reason: "the key \"\(key)\" stands twice")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch let error as DecodingError {
            throw ModelFailure.configuration(path: path, reason: reason(error))
        }
    }

    /// Accepts any value, to list the keys.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }

    /// What `TrainedInput` says of a key that it does not know.
    static let unknownKey = "unknown key"

    private static func reason(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let keys = context.codingPath.map(\.stringValue) + [key.stringValue]
            return "the key \"\(keys.joined(separator: "."))\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return path(context).isEmpty ? "it is no JSON object" : "\"\(path(context))\" is no \(name(type))"
        case .dataCorrupted(let context):
            if context.debugDescription == JSONFile.unknownKey { return "the key \"\(path(context))\" is unknown" }
            return path(context).isEmpty ? "it is not valid JSON" : "\"\(path(context))\" has a value that is not known"
        @unknown default: return "it is not valid JSON"
        }
    }

    private static func name(_ type: any Any.Type) -> String {
        switch type {
        case is Int.Type: "whole number"
        case is Float.Type, is Double.Type: "number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        default: "list or object of the right kind"
        }
    }
}
