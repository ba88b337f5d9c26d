/// Instances that arrived more than once.
///
/// *Source*: the design page on DICOM, section 2.1.
enum Duplicates {
    struct Resolved {
        var kept: [SourceInstance] = []
        /// Series whose instances contradict each other: they are left out as a whole.
        var conflicts: Set<String> = []
        /// Copies left away, by series.
        var copies: [String: Int] = [:]
    }

    static func resolve(_ instances: [SourceInstance], _ rule: VolumeBuilder.DuplicateRule) -> Resolved {
        var resolved = Resolved()
        var places: [String: Int] = [:]
        for instance in instances.sorted(by: { $0.path < $1.path }) {
            let series = seriesKey(instance)
            let key = series + "/" + instance.sopInstanceUID
            guard let place = places[key] else {
                places[key] = resolved.kept.count
                resolved.kept.append(instance)
                continue
            }
            let kept = resolved.kept[place]
            resolved.copies[series, default: 0] += 1
            if kept.file.contentDigest == instance.file.contentDigest || isSamePicture(kept, instance) { continue }
            switch rule {
            case .refuse: resolved.conflicts.insert(series)
            case .newest: if created(instance) >= created(kept) { resolved.kept[place] = instance }
            }
        }
        return resolved
    }

    static func seriesKey(_ instance: SourceInstance) -> String {
        instance.studyInstanceUID + "/" + instance.seriesInstanceUID
    }

    /// A copy that was compressed otherwise, or whose other attributes were edited: same pixels at the same place.
    private static func isSamePicture(_ a: SourceInstance, _ b: SourceInstance) -> Bool {
        guard a.pixels.frames == b.pixels.frames, a.pixels.rows == b.pixels.rows, a.pixels.columns == b.pixels.columns
        else {
            return false
        }
        let first = SourceFrame.frames(of: a).frames
        let second = SourceFrame.frames(of: b).frames
        for (one, other) in zip(first, second)
        where one.plane != other.plane || one.pixelSpacing != other.pixelSpacing { return false }
        do {
            let readers = (try PixelReader(a.file, a.pixels), try PixelReader(b.file, b.pixels))
            for number in 1...a.pixels.frames {
                guard try readers.0.frame(number).canonicalBytes == readers.1.frame(number).canonicalBytes else {
                    return false
                }
            }
            return true
        } catch {
            return false
        }
    }

    /// Instance Creation Date and Time, comparable as text; empty when unknown.
    private static func created(_ instance: SourceInstance) -> String {
        (instance.dataSet.string(.instanceCreationDate) ?? "") + (instance.dataSet.string(.instanceCreationTime) ?? "")
    }
}
