import Imaging
import Storage

/// Instances to volumes: duplicates settled, series taken apart, frames put in order, gaps and tilt found.
///
/// *Source*: the design page on DICOM, section 2.
package enum VolumeBuilder {
    /// What to do with one SOP Instance UID that has two contents.
    package enum DuplicateRule: Sendable { case refuse, newest }

    /// Frames that are in no volume, and why.
    package struct LeftOut: Sendable {
        package let instance: SourceInstance
        package let failure: DICOMFailure
    }

    package struct Result: Sendable {
        /// By study, series and part.
        package var volumes: [Volume] = []
        /// Each instance at most once, and only when none of its frames is in a volume.
        package var leftOut: [LeftOut] = []
    }

    /// *Cost*: attributes only; pixels are decoded only to compare instances that share a UID.
    package static func volumes(of instances: [SourceInstance], duplicates: DuplicateRule = .refuse) -> Result {
        let resolved = Duplicates.resolve(instances, duplicates)
        var result = Result()
        var order: [String] = []
        var series: [String: [SourceInstance]] = [:]
        for instance in resolved.kept {
            let key = Duplicates.seriesKey(instance)
            if series[key] == nil { order.append(key) }
            series[key, default: []].append(instance)
        }
        for key in order.sorted() {
            let members = series[key] ?? []
            if resolved.conflicts.contains(key) {
                let failure = DICOMFailure.duplicateConflict(
                    "one SOP Instance UID with different contents in a series of \(members.count): which is right is unknown.",
                    cure: "Send only one of them.")
                result.leftOut += members.map { LeftOut(instance: $0, failure: failure) }
                continue
            }
            let copies = resolved.copies[key, default: 0]
            let note = copies > 0 ? [Finding("DUP-COPY", .note, "\(copies) copies of instances were left away.")] : []
            let built = Self.series(members, findings: note)
            result.volumes += built.volumes
            result.leftOut += built.leftOut
        }
        return result
    }

    /// The volumes of one series.
    private static func series(_ members: [SourceInstance], findings: [Finding]) -> Result {
        var drafts: [Draft] = []
        var leftOut: [LeftOut] = []
        var placed: [SourceFrame] = []
        // Frames meet in an order that does not depend on file names, so that parts are numbered alike everywhere.
        for instance in members.sorted(by: precedes) {
            let (frames, oddity) = SourceFrame.frames(of: instance)
            if frames.allSatisfy({ $0.plane != nil }) {
                placed += frames
            } else {
                let notes = oddity.map { [Finding("VOL-PLACE", .warning, $0 + ".")] } ?? []
                drafts.append(Draft(kind: .frames, frames: frames, findings: notes))
            }
        }
        for group in HardSplit.groups(placed) {
            if isReformatted(group[0]), placed.contains(where: { isOriginal($0, like: group[0]) }) {
                let failure = DICOMFailure.localizer(
                    "a reformatted image (Image Type) of originals in the same series: the originals are used.")
                leftOut += instances(of: group).map { LeftOut(instance: $0, failure: failure) }
                continue
            }
            do throws(DICOMFailure) {
                for part in try SoftSplit.parts(group) {
                    drafts.append(Draft(kind: .spatial, frames: part, findings: []))
                }
            } catch {
                leftOut += instances(of: group).map { LeftOut(instance: $0, failure: error) }
            }
        }

        var volumes: [Volume] = []
        for (index, draft) in drafts.enumerated() {
            do throws(DICOMFailure) {
                volumes.append(try draft.volume(findings: findings, part: index + 1, partCount: drafts.count))
            } catch {
                leftOut += instances(of: draft.frames).map { LeftOut(instance: $0, failure: error) }
            }
        }
        // An enhanced instance may have frames in a volume and frames that are refused; and each is told once.
        var told = Set(volumes.flatMap(\.frames).map { ObjectIdentifier($0.instance) })
        return Result(volumes: volumes, leftOut: leftOut.filter { told.insert(ObjectIdentifier($0.instance)).inserted })
    }

    /// Concatenation, then Instance Number, then UID.
    private static func precedes(_ a: SourceInstance, _ b: SourceInstance) -> Bool {
        func key(_ instance: SourceInstance) -> (String, Int, Int, String) {
            (
                instance.dataSet.uid(.concatenationUID) ?? "", instance.dataSet.int(.inConcatenationNumber) ?? 0,
                instance.dataSet.int(.instanceNumber) ?? 0, instance.sopInstanceUID
            )
        }
        return key(a) < key(b)
    }

    private static func isReformatted(_ frame: SourceFrame) -> Bool {
        frame.imageType.contains { $0 == "MIP" || $0 == "MPR" }
    }

    private static func isOriginal(_ frame: SourceFrame, like other: SourceFrame) -> Bool {
        guard frame.imageType.first == "ORIGINAL", !isReformatted(frame), let one = frame.plane, let two = other.plane
        else { return false }
        return abs(one.normal.dot(two.normal)) > 0.999
    }

    private static func instances(of frames: [SourceFrame]) -> [SourceInstance] {
        var seen = Set<ObjectIdentifier>()
        return frames.map(\.instance).filter { seen.insert(ObjectIdentifier($0)).inserted }
    }
}

/// Frames that belong together, before they are measured.
private struct Draft {
    var kind: Volume.Kind
    var frames: [SourceFrame]
    var findings: [Finding]

    /// *Throws*: `identity` when patient or study differ between instances; `shape` for an image too narrow to segment.
    func volume(findings common: [Finding], part: Int, partCount: Int) throws(DICOMFailure) -> Volume {
        let order = kind == .spatial ? SliceOrder(frames) : nil
        let ordered = order?.frames ?? frames
        let measured = order?.spacing()
        try checkIdentity(ordered)
        let aspect = ordered[0].pixelAspect
        try checkShape(ordered[0].instance.pixels, aspect: aspect)
        return Volume(
            kind: kind, frames: ordered, pixelSpacing: ordered[0].pixelSpacing, pixelAspect: aspect,
            sliceSpacing: measured?.spacing, sliceWeights: measured?.weights ?? [],
            findings: common + findings + (measured?.findings ?? []), part: part, partCount: partCount,
            digest: digest(ordered))
    }

    /// Attributes that every object of one patient and study has alike (PS3.3 C.7.1.1, C.7.2.1).
    private static let identity: [Attribute] = [
        .patientID, .patientName, .patientBirthDate, .patientSex, .studyDate, .studyID, .accessionNumber,
    ]

    private func checkIdentity(_ frames: [SourceFrame]) throws(DICOMFailure) {
        let first = frames[0].instance
        let expected = Self.identity.map { first.dataSet.text($0) ?? "" }
        var previous = first
        for frame in frames where frame.instance !== previous {
            previous = frame.instance
            for (attribute, value) in zip(Self.identity, expected)
            where (previous.dataSet.text(attribute) ?? "") != value {
                throw .identity(
                    "instances of one series differ in \(attribute.keyword) \(attribute.tag): whose images they are is uncertain.",
                    cure: "Correct the series at its source.")
            }
        }
    }

    private func checkShape(_ pixels: PixelDescription, aspect: Double) throws(DICOMFailure) {
        let height = Double(pixels.rows)
        let width = Double(pixels.columns)
        func ratio(_ a: Double, _ b: Double) -> Double { max(a / b, b / a) }
        guard min(pixels.rows, pixels.columns) >= 8, ratio(height, width) <= 32, ratio(height * aspect, width) <= 32
        else {
            throw .shape(
                "\(pixels.rows) × \(pixels.columns) pixels: too small or too narrow for the network.",
                cure: "Export a larger image.")
        }
    }

    /// Over the content digests in order, with frame numbers where a part leaves some of an instance's frames out.
    private func digest(_ frames: [SourceFrame]) -> String {
        var numbers: [ObjectIdentifier: [Int]] = [:]
        var order: [SourceInstance] = []
        for frame in frames {
            if numbers[ObjectIdentifier(frame.instance)] == nil { order.append(frame.instance) }
            numbers[ObjectIdentifier(frame.instance), default: []].append(frame.number)
        }
        let lines = order.map { instance in
            let used = numbers[ObjectIdentifier(instance)] ?? []
            let isWhole = used.count == instance.pixels.frames
            return instance.file.contentDigest + (isWhole ? "" : ":" + used.map(String.init).joined(separator: ","))
        }
        return FileDigest(of: lines.joined(separator: "\n")).hex
    }
}
