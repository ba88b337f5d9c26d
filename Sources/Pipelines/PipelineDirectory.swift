package import DICOMObjects
import Failures
package import Imaging
package import SegmentAnything
import Settings
import Storage

/// A pipeline as it lies on disk: `pipeline.yaml` and `model/`, both checked.
package struct PipelineDirectory: Sendable {
    package let path: String
    package let pipeline: Pipeline
    package let model: ModelDirectory
    /// The arithmetic of the network on this CPU; never `auto`.
    package let precision: PrecisionChoice
    /// SHA-256 of everything that can change a result, the model included; 64 hexadecimal digits.
    package let digest: String
    /// SHA-256 of the rules by which it chooses volumes.
    package let selectionDigest: String

    package var name: String { pipeline.name }
    /// How objects that touch are told apart: as the pipeline says, else as the model can.
    package var separation: ObjectSeparation { pipeline.outputs.separation ?? model.separation }

    package static let settingsName = "pipeline.yaml"
    private static let modelName = "model"

    /// Reads and checks one pipeline, every file of its model included.
    ///
    /// - Parameter precision: instead of the pipeline's own.
    /// *Throws* `SettingsFailure` (with the line), `PipelineFailure`, what `ModelDirectory.open` throws, `ModelFailure.encoderOnly`,
    /// `.notQuantised`.
    package static func open(_ path: String, precision: PrecisionChoice? = nil) throws -> PipelineDirectory {
        let directory = try opening(path, precision: precision)
        try directory.model.verify()
        return directory
    }

    /// The settings alone, for a model that is not the pipeline's own.
    ///
    /// *Throws* `SettingsFailure` (with the line), `PipelineFailure`.
    package static func settings(_ path: String) throws -> Pipeline {
        let file = Folder.join(path, settingsName)
        guard FileStatus.exists(file) else { throw PipelineFailure.noSettings(path: path) }
        let bytes = try reading { () throws(StorageFailure) in try DurableFile.read(file, limit: 1 << 20) }
        let pipeline = try Section.read(bytes, file: file) { try Pipeline($0) }
        let folder = Folder.split(path).name
        guard pipeline.name == folder else { throw PipelineFailure.name(path: path, name: pipeline.name) }
        return pipeline
    }

    /// The same as `open` while the digest of the model's weights is still being made (`ModelDirectory.opening`).
    private static func opening(_ path: String, precision: PrecisionChoice?) throws -> PipelineDirectory {
        let file = Folder.join(path, settingsName)
        let pipeline = try settings(path)
        let model: ModelDirectory
        do { model = try ModelDirectory.opening(Folder.join(path, modelName)) } catch let failure as StorageFailure {
            // For want of memory it may work later; what may not be read is to be set right first.
            if case .outOfMemory = failure { throw failure }
            throw PipelineFailure.unreadable(code: failure.code, failure.message)
        }
        try model.confirmSegments()
        try pipeline.confirm(model, file: file)
        let precision = try (precision ?? pipeline.precision).resolved(for: model)
        return PipelineDirectory(
            path: path, pipeline: pipeline, model: model, precision: precision,
            digest: pipeline.digest(model: model.digest.hex, precision: precision).hex,
            selectionDigest: pipeline.selectionDigest.hex)
    }

    /// All pipelines of a folder by name, or the one called `only`.
    ///
    /// *Throws* what is wrong with the first that is not right: a run begins with sound pipelines or not at all.
    package static func openAll(
        in folder: String, only: String? = nil, precision: PrecisionChoice? = nil
    ) throws -> [PipelineDirectory] {
        let pipelines = try openingAll(in: folder, only: only, precision: precision)
        for pipeline in pipelines { try pipeline.model.verify() }
        return pipelines
    }

    /// The same while the digests of the models' weights are still being made: `verify` them before any result counts.
    static func openingAll(
        in folder: String, only: String? = nil, precision: PrecisionChoice? = nil
    ) throws -> [PipelineDirectory] {
        let names = try names(in: folder)
        if let only {
            guard names.contains(only) else { throw PipelineFailure.unknown(name: only, known: names) }
            return [try opening(Folder.join(folder, only), precision: precision)]
        }
        return try names.map { try opening(Folder.join(folder, $0), precision: precision) }
    }

    /// The settings alone of all pipelines of a folder.
    ///
    /// *Throws* as `settings`; where there is none, too.
    package static func allSettings(in folder: String) throws -> [Pipeline] {
        try names(in: folder).map { try settings(Folder.join(folder, $0)) }
    }

    private static func names(in folder: String) throws(PipelineFailure) -> [String] {
        let names = try reading { () throws(StorageFailure) in try Folder.list(folder) }.filter {
            !$0.name.hasPrefix(".") && mayBePipeline($0, in: folder) && !isRecipe(Folder.join(folder, $0.name))
        }
        .map(\.name)
        guard !names.isEmpty else { throw .empty(path: folder) }
        return names
    }

    /// A folder, or a link to one: whoever put it there wants it used. A link that leads nowhere is looked into as well, and refused there.
    private static func mayBePipeline(_ entry: Folder.Entry, in folder: String) -> Bool {
        switch entry.status.kind {
        case .directory: return true
        case .symlink:
            let end = try? FileStatus(of: Folder.join(folder, entry.name), followingLinks: true)
            return end.map { $0.kind == .directory } ?? true
        case .regular, .other: return false
        }
    }

    /// Whether a folder only says how a model could be trained: a recipe without a model, which no run uses.
    private static func isRecipe(_ path: String) -> Bool {
        FileStatus.exists(Folder.join(path, "train.yaml"))
            && !FileStatus.exists(Folder.join(path, settingsName)) && !FileStatus.exists(Folder.join(path, modelName))
    }

    /// What cannot be read before a run has begun keeps it from beginning.
    private static func reading<Result>(
        _ body: () throws(StorageFailure) -> Result
    ) throws(PipelineFailure) -> Result {
        do throws(StorageFailure) { return try body() } catch {
            throw .unreadable(code: error.code, error.message)
        }
    }

    /// Where pipelines are looked for: the folder named on the command line, else where `make install` puts them
    /// (`../share/hspsam/pipelines` from the program's folder), else `pipelines` in the working folder.
    package static func folder(named: String?, program: String) throws -> String {
        func isFolder(_ path: String) -> Bool { (try? FileStatus(of: path, followingLinks: true))?.kind == .directory }
        if let named {
            // A slash at the end would leave the pipelines' own folder without a name.
            let path = named.count > 1 && named.hasSuffix("/") ? String(named.dropLast()) : named
            guard isFolder(path) else { throw PipelineFailure.noFolder(looked: [named]) }
            return path
        }
        let places = [Folder.join(Folder.split(program).folder, "../share/hspsam/pipelines"), "pipelines"]
        guard let found = places.first(where: isFolder) else { throw PipelineFailure.noFolder(looked: places) }
        return found
    }

    /// Who makes this pipeline's results.
    package func producer(version: String) -> Producer {
        Producer(
            manufacturer: pipeline.outputs.manufacturer, version: version, modelName: pipeline.name,
            modelVersion: pipeline.version, modelDigest: model.digest.hex, pipelineName: pipeline.name,
            pipelineVersion: pipeline.version, pipelineDigest: digest,
            arithmetic: precision == .fp32 ? nil : precision.rawValue, augmentation: pipeline.tta)
    }
}

extension Pipeline {
    /// What results say of `augmentation`; nil: nothing.
    var tta: String? { augmentation == .none ? nil : augmentation.rawValue }

    /// That `model` was made for a pipeline such as this one, which stands in `file`.
    ///
    /// *Throws* `PipelineFailure.segments`, `.contradiction`, `.boundary`, `.shared`.
    package func confirm(_ model: ModelDirectory, file: String) throws(PipelineFailure) {
        let outputs = model.configuration.foregroundOutputs
        guard outputs == segments.count else {
            throw .segments(path: file, described: segments.count, model: outputs)
        }
        let contradictions = model.description.contradictions(
            windowing: windowing, aspect: aspect.rawValue, tile: scale.tile, segmentKeys: segments.map(\.key))
        if let first = contradictions.first { throw .contradiction(path: file, first) }
        guard self.outputs.separation != .boundary || model.separation == .boundary else {
            throw .boundary(path: file)
        }
        guard !self.outputs.instances || outputs == 1 || model.configuration.activation == .softmax else {
            throw .shared(path: file)
        }
    }
}
