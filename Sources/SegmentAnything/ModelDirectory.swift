package import Imaging
package import Storage
package import Tensors

/// A model as it lies on disk: `config.json`, `weights.safetensors` and `SHA256SUMS`.
///
/// What is opened is whole: digests, header and every tensor's name, type and shape have been checked. Weights are mapped, so
/// processes share one copy.
///
/// *Source*: `docs/model.md`, section 11; `docs/formats.md`, "A model, a phantom".
package struct ModelDirectory: Sendable {
    package let path: String
    package let description: ModelDescription
    package let weights: SafeTensors
    /// SHA-256 of `SHA256SUMS`: identifies weights and configuration together.
    package let digest: FileDigest
    /// SHA-256 of `weights.safetensors`.
    package let weightsDigest: FileDigest
    private let check: DigestCheck

    package static let configurationName = "config.json"
    package static let weightsName = "weights.safetensors"
    package static let sumsName = "SHA256SUMS"

    package var configuration: Configuration { description.configuration }

    /// *Throws* `ModelFailure`, `TensorFailure` or `StorageFailure`: what is missing, damaged or does not fit.
    /// *Cost*: one pass over the files for their digests.
    package static func open(_ path: String) throws -> ModelDirectory {
        let model = try opening(path)
        try model.verify()
        return model
    }

    /// The same while the digest of the weights is still being made: who uses them calls `verify` before anything that came of them
    /// counts, as a network does when it has read them all.
    ///
    /// *Throws* as `open`, but for a digest of the weights that differs.
    package static func opening(_ path: String) throws -> ModelDirectory {
        for name in [configurationName, weightsName, sumsName] where !FileStatus.exists(Folder.join(path, name)) {
            throw ModelFailure.noModel(path: path, missing: name)
        }
        let sums = try Self.sums(Folder.join(path, sumsName))
        guard sums.entries[configurationName] != nil, let weightsDigest = sums.entries[weightsName] else {
            throw ModelFailure.digest(
                path: Folder.join(path, sumsName), reason: "it does not list both files of the model")
        }
        for (name, expected) in sums.entries.sorted(by: { $0.key < $1.key }) where name != weightsName {
            guard FileStatus.exists(Folder.join(path, name)) else {
                throw ModelFailure.noModel(path: path, missing: name)
            }
            try compare(try FileDigest(ofFile: Folder.join(path, name)), expected, Folder.join(path, name))
        }
        let file = Folder.join(path, weightsName)
        do {
            let description = try ModelDescription.read(Folder.join(path, configurationName))
            let weights = try SafeTensors(path: file)
            let differences = Self.differences(weights, description)
            guard differences.isEmpty else { throw ModelFailure.tensors(path: file, differences: differences) }
            return ModelDirectory(
                path: path, description: description, weights: weights, digest: sums.digest,
                weightsDigest: weightsDigest, check: DigestCheck(weights))
        } catch {
            // What is damaged is told as that, whatever else it looks like.
            try compare(try FileDigest(ofFile: file), weightsDigest, file)
            throw error
        }
    }

    /// Waits for the digest of the weights.
    /// *Throws* `ModelFailure.digest` when it is not the one in `SHA256SUMS`, or when somebody has written to them since they were opened:
    /// what was read of them may be neither the one nor the other. Storage's failure when they cannot be read.
    package func verify() throws {
        try Self.compare(try check.digest, weightsDigest, weights.path)
        guard try weights.isUnwritten(weightsDigest) else {
            throw ModelFailure.digest(path: weights.path, reason: "it was written to while it was in use")
        }
    }

    private static func compare(_ found: FileDigest, _ expected: FileDigest, _ path: String) throws {
        guard found == expected else {
            throw ModelFailure.digest(path: path, reason: "its SHA-256 is not the one in \(sumsName)")
        }
    }

    /// How objects that touch are told apart with it, unless a pipeline says otherwise.
    package var separation: ObjectSeparation { configuration.separation }

    /// Every tensor of the network as float32; the scales for 8 bits are none.
    /// *Throws* `ModelFailure.digest`; `.notFinite` when one holds an infinity or NaN; `.blank` when one is 0 and cannot be.
    package func tensors() throws -> [String: Tensor] {
        try verify()
        let scales = Set(description.inputScales.map(\.name))
        let tensors = try weights.tensors().filter { !scales.contains($0.key) }
        try Self.confirm(tensors, ParameterShapes.of(configuration), path: weights.path)
        return tensors
    }

    /// *Throws* `ModelFailure.notFinite` and `.blank` for a tensor that is no weight.
    private static func confirm(
        _ tensors: [String: Tensor], _ parameters: [Parameter], path: String
    ) throws(ModelFailure) {
        if let name = tensors.filter({ !$0.value.isFinite }).keys.min() { throw .notFinite(path: path, name: name) }
        let blank = parameters.filter { $0.isNeverZero && tensors[$0.name]?.isZero == true }
        if let name = blank.map(\.name).min() { throw .blank(path: path, name: name) }
    }

    /// *Throws* `ModelFailure.encoderOnly` for a model that cannot segment.
    package func confirmSegments() throws(ModelFailure) {
        if description.isEncoderOnly { throw .encoderOnly(path: path) }
    }

    /// The scales for 8 bits by the names of their weights.
    /// *Throws* `ModelFailure.tensors` when one is not positive.
    func inputScales() throws -> [String: [Float]] {
        var scales: [String: [Float]] = [:]
        for scale in description.inputScales {
            let values = try weights.tensor(scale.name).values
            guard values.allSatisfy({ $0 > 0 && $0 < .infinity }) else {
                throw ModelFailure.tensors(path: weights.path, differences: ["\(scale.name) is not positive"])
            }
            scales[scale.weight] = values
        }
        return scales
    }

    /// The files' digests by name, and the digest of the list itself.
    private static func sums(_ path: String) throws -> (entries: [String: FileDigest], digest: FileDigest) {
        let bytes = try DurableFile.read(path, limit: 1 << 16)
        var entries: [String: FileDigest] = [:]
        for (number, line) in String(decoding: bytes, as: UTF8.self).split(separator: "\n").enumerated() {
            // `sha256sum` prints 64 digits, a space, a space or an asterisk, and the name.
            let name = String(line.dropFirst(66))
            guard let digest = FileDigest(hex: String(line.prefix(64))),
                ["  ", " *"].contains(line.dropFirst(64).prefix(2)),
                !name.isEmpty, !name.contains("/"), entries.updateValue(digest, forKey: name) == nil
            else {
                throw ModelFailure.digest(path: path, reason: "line \(number + 1) is no line of sha256sum")
            }
        }
        return (entries, FileDigest(of: bytes))
    }

    /// Everything in which the stored tensors differ from what the configuration asks for, in the order of the model.
    private static func differences(_ weights: SafeTensors, _ description: ModelDescription) -> [String] {
        let parameters = ParameterShapes.of(description.configuration)
        var found: [String] = []
        for parameter in parameters {
            guard let shape = weights.shape(parameter.name), let type = weights.type(parameter.name) else {
                found.append("\(parameter.name) is missing")
                continue
            }
            if shape != parameter.shape { found.append("\(parameter.name) is \(shape), not \(parameter.shape)") }
            let allowed = [.f32, description.storage(of: parameter)]
            if !allowed.contains(type) {
                found.append("\(parameter.name) holds \(type.rawValue), not \(allowed[1].rawValue)")
            }
        }
        let scales = description.inputScales
        for scale in scales
        where weights.shape(scale.name) != [scale.count] || weights.type(scale.name) != .f32 {
            found.append("\(scale.name) is not there as F32 [\(scale.count)]")
        }
        let known = Set(parameters.map(\.name) + scales.map(\.name))
        return found + weights.names.filter { !known.contains($0) }.map { "\($0) is not part of the model" }
    }
}

extension ModelDirectory {
    /// Writes a model; `SHA256SUMS` comes last, so that a directory that was not finished is refused.
    ///
    /// - Parameter tensors: exactly those of `ParameterShapes.of(description.configuration)`, and the scales for 8 bits if it has any.
    /// *Throws* `ModelFailure` when description and tensors do not fit, `StorageFailure` when it cannot be written.
    package static func write(_ description: ModelDescription, tensors: [String: Tensor], to path: String) throws {
        try description.configuration.validate(path: path)
        let parameters = ParameterShapes.of(description.configuration)
        let wanted = parameters.map { ($0.name, $0.shape) } + description.inputScales.map { ($0.name, [$0.count]) }
        let wrong = wanted.filter { tensors[$0.0]?.shape != $0.1 }.map { name, shape in
            "\(name) is \(tensors[name].map { "\($0.shape)" } ?? "missing"), not \(shape)"
        }
        let extra = Set(tensors.keys).subtracting(wanted.map(\.0)).sorted().map {
            "\($0) is not part of the model"
        }
        guard wrong.isEmpty, extra.isEmpty else { throw ModelFailure.tensors(path: path, differences: wrong + extra) }
        try confirm(tensors, parameters, path: path)
        // A matrix with an element that 16 bits cannot hold stays float32, as every reader takes it.
        let types = Dictionary(
            parameters.map { parameter in
                let type = description.storage(of: parameter)
                return (parameter.name, tensors[parameter.name]?.isFinite(storedAs: type) == true ? type : .f32)
            }
        ) { first, _ in first }
        try Folder.make(path)
        try DurableFile.write(try description.json(), to: Folder.join(path, configurationName))
        try SafeTensors.write(tensors, to: Folder.join(path, weightsName)) { name, _ in types[name] ?? .f32 }
        var sums = ""
        for name in [configurationName, weightsName] {
            sums += "\(try FileDigest(ofFile: Folder.join(path, name)).hex)  \(name)\n"
        }
        try DurableFile.write(sums, to: Folder.join(path, sumsName))
    }

    /// The same as a new folder: when it fails, nothing of it is left that would stand in the way of the next try.
    ///
    /// - Parameter beside: further files by their names, which tell where the model comes from.
    package static func create(
        _ description: ModelDescription, tensors: [String: Tensor], beside: [String: [UInt8]] = [:], at path: String
    ) throws {
        try WholeFolder.make(path) { folder in
            for (name, bytes) in beside { try DurableFile.write(bytes, to: Folder.join(folder, name)) }
            try write(description, tensors: tensors, to: folder)
        }
    }
}
