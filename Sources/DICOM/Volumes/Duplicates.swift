/// Instances that arrived more than once.
///
/// *Source*: the design page on DICOM, section 2.1. A SOP Instance UID names one image in the whole world, so it is looked for across
/// series. What is kept and what is refused depends on contents, never on paths or the order of reading.
enum Duplicates {
    struct Resolved {
        var kept: [SourceInstance] = []
        /// Series with instances that contradict each other: they are left out as a whole.
        var conflicts: [String: DICOMFailure] = [:]
        /// Copies left away, by series.
        var copies: [String: [SourceInstance]] = [:]
    }

    static func resolve(_ instances: [SourceInstance]) -> Resolved {
        var resolved = Resolved()
        var groups: [String: [SourceInstance]] = [:]
        for instance in instances { groups[instance.sopInstanceUID, default: []].append(instance) }
        for uid in groups.keys.sorted() {
            // Of equal images the one that says that it lost something is kept, then the one with the smallest digest.
            let members = (groups[uid] ?? []).map { (instance: $0, isLossy: $0.statesLoss) }.sorted {
                ($0.isLossy ? 0 : 1, $0.instance.file.contentDigest) < (
                    $1.isLossy ? 0 : 1, $1.instance.file.contentDigest
                )
            }.map(\.instance)
            guard let first = members.first else { continue }
            resolved.kept.append(first)
            let conflict = members.dropFirst().lazy.compactMap { other in
                InstanceComparison.difference(first, other).map(failure)
            }.first
            for other in members.dropFirst() {
                if conflict != nil {
                    resolved.kept.append(other)
                } else {
                    resolved.copies[seriesKey(other), default: []].append(other)
                }
            }
            guard let conflict else { continue }
            for member in members where resolved.conflicts[seriesKey(member)] == nil {
                resolved.conflicts[seriesKey(member)] = conflict
            }
        }
        return resolved
    }

    static func seriesKey(_ instance: SourceInstance) -> String {
        instance.studyInstanceUID + "/" + instance.seriesInstanceUID
    }

    private static func failure(_ difference: InstanceComparison.Difference) -> DICOMFailure {
        switch difference {
        case .attribute(let attribute) where StudyConsistency.identifying.contains(attribute):
            .identity(
                "two files with one SOP Instance UID differ in \(attribute.keyword) \(attribute.tag): whose image it is is uncertain.",
                cure: "Send only the right one.")
        case .attribute(let attribute):
            .duplicateConflict(
                "two files with one SOP Instance UID differ in \(attribute.keyword) \(attribute.tag): which is right is unknown.",
                cure: "Send only one of them.")
        case .pixels:
            .duplicateConflict(
                "two files with one SOP Instance UID have different pixels: which is right is unknown.",
                cure: "Send only one of them.")
        }
    }
}
