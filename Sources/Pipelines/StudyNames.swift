import DICOM
import Storage

/// Names of folders and files, made of digests of UIDs: nothing of an input names a file.
///
/// *Source*: architecture.md section 7.
package enum StudyNames {
    /// 12 hexadecimal digits.
    package static func study(_ studyInstanceUID: String) -> String {
        String(FileDigest(of: studyInstanceUID).hex.prefix(12))
    }

    /// 8 hexadecimal digits.
    package static func series(_ seriesInstanceUID: String) -> String {
        String(FileDigest(of: seriesInstanceUID).hex.prefix(8))
    }

    /// The series' name, with `-vNN` where a series gives several volumes.
    static func volume(_ volume: Volume) -> String {
        let series = series(volume.seriesInstanceUID)
        guard volume.partCount > 1 else { return series }
        let number = String(volume.part)
        return series + "-v" + String(repeating: "0", count: max(0, 2 - number.count)) + number
    }
}

/// Digests that tell whether a study has been done before.
///
/// *Source*: service.md, "Digests".
package enum StudyKey {
    /// Over the sorted pairs of SOP Instance UID and content digest.
    ///
    /// - Parameter replaced: digests by SOP Instance UID of images that were made here: those of the files they were made of.
    static func digest(_ instances: [SourceInstance], replaced: [String: String] = [:]) -> String {
        let lines = Set(
            instances.map { "\($0.sopInstanceUID) \(replaced[$0.sopInstanceUID] ?? $0.file.contentDigest)" }
        ).sorted()
        return FileDigest(of: lines.joined(separator: "\n")).hex
    }

    /// K: the study's digest, then the sorted digests of the loaded pipelines.
    static func key(study digest: String, pipelines: [PipelineDirectory]) -> String {
        FileDigest(of: ([digest] + pipelines.map(\.digest).sorted()).joined(separator: "\n")).hex
    }
}
