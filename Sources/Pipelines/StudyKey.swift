import DICOM
import DICOMObjects
import Records
import Storage

/// K: what tells whether the result of a study exists already.
///
/// Over the instances that took part, what was made of them, the pipelines with their selection, and the writer's revision: a
/// partial result and the complete one have different keys. *Source*: `docs/architecture.md`, "Identities".
package struct StudyKey: Sendable {
    /// An instance that took part.
    package struct Instance: Hashable, Sendable {
        package var sopInstanceUID: String
        /// Of the bytes that count.
        package var digest: String
        /// Of what can reach a result, where that is known; no part of K.
        package var image: String?

        package init(sopInstanceUID: String, digest: String, image: String? = nil) {
            self.sopInstanceUID = sopInstanceUID
            self.digest = digest
            self.image = image
        }
    }

    package let hex: String
    /// Digests of the instances, sorted, each once.
    package let instances: [String]
    /// Which SOP Instance UID has which content, as `StudyRecord.contents` says it.
    package let contents: [String]

    /// The pipelines' part of every K of a run.
    static func digest(of pipelines: [PipelineDirectory]) -> String {
        var fields = CanonicalEncoding("hspsam pipelines 1")
        fields.list("pipelines", pipelines.sorted { $0.digest < $1.digest }) { fields, pipeline in
            fields.add("digest", pipeline.digest)
            fields.add("selection", pipeline.selectionDigest)
        }
        fields.add("writer", DataSetEncoder.writerRevision)
        return fields.digest.hex
    }

    /// Of pipelines on volumes of one study; nil when there is none.
    init?(_ tasks: [VolumeTask], _ sources: StudySources, pipelines: String) {
        guard !tasks.isEmpty else { return nil }
        let instances = Set(
            tasks.flatMap { sources.of($0.volume) }.map {
                Instance(sopInstanceUID: $0.instance.sopInstanceUID, digest: $0.digest, image: $0.imageDigest)
            })
        self.init(
            instances: instances, results: tasks.map { (volume: $0.volume.digest, pipeline: $0.pipeline.digest) },
            pipelines: pipelines)
    }

    package init(instances: Set<Instance>, results: [(volume: String, pipeline: String)], pipelines: String) {
        let sorted = instances.sorted { ($0.sopInstanceUID, $0.digest) < ($1.sopInstanceUID, $1.digest) }
        var fields = CanonicalEncoding("hspsam study 1")
        fields.list("instances", sorted) { fields, instance in
            fields.add("uid", instance.sopInstanceUID)
            fields.add("digest", instance.digest)
        }
        // Two volumes may share an instance, and two pipelines a volume: which of them took part is a part of K as well.
        fields.list("results", results.sorted { ($0.volume, $0.pipeline) < ($1.volume, $1.pipeline) }) {
            fields, result in
            fields.add("volume", result.volume)
            fields.add("pipeline", result.pipeline)
        }
        fields.add("pipelines", pipelines)
        hex = fields.digest.hex
        self.instances = Set(sorted.map(\.digest)).sorted()
        contents = sorted.map {
            StudyRecord.Content(uid: FileDigest(of: $0.sopInstanceUID).hex, digest: $0.digest, image: $0.image).line
        }.sorted()
    }

    /// Keys that are written one a line, in lower case; lines of blanks are passed over.
    ///
    /// *Throws* `InputFailure.knownKeys` with the first line that is none, `StorageFailure`.
    static func read(_ path: String) throws -> Set<String> {
        let bytes = try DurableFile.read(path, limit: 1 << 30)
        var keys: Set<String> = []
        for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            // Byte by byte: the service gives the keys of years.
            let digits = line.filter { $0 > 0x20 }
            if digits.isEmpty { continue }
            guard digits.count == 64, digits.allSatisfy(Self.isLowerHexadecimal) else {
                throw InputFailure.knownKeys(path: path, line: number + 1)
            }
            keys.insert(String(decoding: digits, as: UTF8.self))
        }
        return keys
    }

    private static func isLowerHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
