/// Instances that arrived more than once.
///
/// A SOP Instance UID names one image in the whole world, so it is looked for across
/// series. What is kept and what is refused depends on contents, never on paths or the order of reading.
enum Duplicates {
    struct Resolved {
        /// An image is here once, also where an object was converted of it.
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
        leaveConverted(&resolved)
        return resolved
    }

    /// Objects that were converted of images which are all here, as an archive makes them, show nothing else: the images are taken.
    ///
    /// *Source*: PS3.3 2024e, C.7.6.16.2.19 (Conversion Source Attributes).
    private static func leaveConverted(_ resolved: inout Resolved) {
        let classic = Set(resolved.kept.filter(\.isClassic).map(\.sopInstanceUID))
        let converted = resolved.kept.filter { instance in
            guard let sources = sources(of: instance) else { return false }
            return sources.isSubset(of: classic)
        }
        for instance in converted {
            resolved.kept.removeAll { $0 === instance }
            resolved.copies[seriesKey(instance), default: []].append(instance)
        }
    }

    /// The images of which a converted object was made; nil of all others, and where a frame does not name its own.
    private static func sources(of instance: SourceInstance) -> Set<String>? {
        guard SOPClass.of(instance.sopClassUID)?.isConverted == true else { return nil }
        let groups = instance.dataSet.items(.perFrameFunctionalGroupsSequence)
        let sources = groups.compactMap { group in
            group.item(.conversionSourceAttributesSequence)?.uid(.referencedSOPInstanceUID)
        }
        return sources.count == instance.pixels.frames && groups.count == sources.count ? Set(sources) : nil
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
