import DICOM
import Storage

/// Names of folders and files, made of digests of UIDs: nothing of an input names a file.
///
/// *Source*: `docs/formats.md`, "What a run writes".
package enum StudyNames {
    /// 12 hexadecimal digits.
    package static func study(_ studyInstanceUID: String) -> String {
        String(FileDigest(of: studyInstanceUID).hex.prefix(12))
    }

    /// 8 hexadecimal digits.
    static func series(_ seriesInstanceUID: String) -> String {
        String(FileDigest(of: seriesInstanceUID).hex.prefix(8))
    }

    /// The series' name, with `-vNN` where a series gives several volumes.
    static func volume(_ volume: Volume) -> String {
        let series = series(volume.seriesInstanceUID)
        return volume.partCount > 1 ? "\(series)-v\(number(volume.part, digits: 2))" : series
    }

    /// With zeros in front.
    static func number(_ value: Int, digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
