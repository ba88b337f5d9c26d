import Imaging

/// Instances to volumes: identity checked, duplicates settled, series taken apart, frames put in order, gaps and tilt found.
///
/// *Source*: `docs/dicom-support.md`, "Volumes".
package enum VolumeBuilder {
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

    /// The volumes of all instances of one or more studies. Nothing depends on paths or on the order of instances.
    ///
    /// *Cost*: attributes only; pixels are decoded only to compare instances that share a UID or their pixels, slices of a CT between which the
    /// rescale changes, and a few that lie out of the order of their numbers.
    package static func volumes(of all: [SourceInstance]) -> Result {
        var result = Result()
        let instances = all.filter { $0.planning == nil }
        let planning = Dictionary(grouping: all.filter { $0.planning != nil }, by: Duplicates.seriesKey)
        let studies = Dictionary(grouping: instances, by: \.studyInstanceUID)
        var consistency: [String: StudyConsistency] = [:]
        for (uid, members) in studies {
            do throws(DICOMFailure) {
                consistency[uid] = try StudyConsistency(members)
            } catch {
                result.leftOut += members.map { LeftOut(instance: $0, failure: error) }
            }
        }
        let resolved = Duplicates.resolve(instances.filter { consistency[$0.studyInstanceUID] != nil })
        let series = Dictionary(grouping: resolved.kept, by: Duplicates.seriesKey)
        let studyImages = Dictionary(grouping: resolved.kept, by: \.studyInstanceUID)
        for key in series.keys.sorted() {
            guard let members = series[key], let study = members.first.flatMap({ consistency[$0.studyInstanceUID] })
            else {
                continue
            }
            let copies = resolved.copies[key, default: []]
            if let failure = resolved.conflicts[key] {
                result.leftOut += (members + copies).map { LeftOut(instance: $0, failure: failure) }
                continue
            }
            let note =
                copies.isEmpty
                ? [] : [Finding("DUP-COPY", .note, "\(copies.count) copies of instances were left away.")]
            let built = Self.series(
                members, study, planning[key, default: []],
                of: studyImages[members[0].studyInstanceUID, default: []], findings: study.findings + note)
            result.volumes += built.volumes
            result.leftOut += built.leftOut
        }
        for (index, finding) in RepeatedPictures.findings(result.volumes) {
            result.volumes[index] = result.volumes[index].adding(finding)
        }
        result.leftOut += all.compactMap { instance in
            instance.planning.map { LeftOut(instance: instance, failure: $0) }
        }
        return result
    }

    /// The volumes of one series.
    ///
    /// - Parameters:
    ///   - planning: its localizers and projections.
    ///   - images: all of its study.
    private static func series(
        _ all: [SourceInstance], _ study: StudyConsistency, _ planning: [SourceInstance], of images: [SourceInstance],
        findings: [Finding]
    ) -> Result {
        var drafts: [VolumeDraft] = []
        var leftOut: [LeftOut] = []
        let slides = SlideBuilder.levels(of: all.filter(\.isSlide))
        drafts += slides.levels.map {
            VolumeDraft(kind: .frames, frames: $0.frames, slide: $0.matrix, findings: $0.findings)
        }
        for failed in slides.failed {
            leftOut += failed.instances.map { LeftOut(instance: $0, failure: failed.failure) }
        }
        let members = all.filter { !$0.isSlide }
        let placed: [SourceFrame]
        let groups: [[SourceFrame]]
        let common: [Finding]
        /// Of the groups the reformatted ones that only repeat what originals show.
        let repeating: Set<Int>
        do throws(DICOMFailure) {
            try SeriesConsistency.checkModality(all)
            try SeriesConsistency.checkSides(members)
            let openEnd = try Concatenation.check(members)
            placed = try self.placed(members, others: &drafts)
            groups = HardSplit.groups(placed)
            try UnlikeSlices.check(planning, beside: groups)
            let slices = groups.filter { !isReformatted($0[0]) }
            let reformatted = groups.indices.filter { isReformatted(groups[$0][0]) }
            let continuing = reformatted.filter { UnlikeSlices.continues(groups[$0], slices) }
            repeating = Set(reformatted).subtracting(continuing)
            let unlike = try UnlikeSlices.check(
                groups.indices.filter { !isReformatted(groups[$0][0]) || continuing.contains($0) }.map { groups[$0] })
            common =
                [openEnd, aloneFinding(drafts, groups), CountedImages.extracted(all)].compactMap { $0 } + unlike
                + UnlikeSlices.repeated(groups)
        } catch {
            return Result(leftOut: all.map { LeftOut(instance: $0, failure: error) })
        }
        for (index, group) in groups.enumerated() {
            if repeating.contains(index), placed.contains(where: { isOriginal($0, like: group[0]) }) {
                let failure = DICOMFailure.localizer(
                    "a reformatted image (Image Type) of originals in the same series: the originals are used.")
                leftOut += group.instances.map { LeftOut(instance: $0, failure: failure) }
                continue
            }
            do throws(DICOMFailure) {
                let split = try SoftSplit.parts(group)
                drafts += split.parts.map { part in
                    let told =
                        NumberedSlices.findings(SliceOrder(part), among: all + planning, of: images)
                        + [
                            CountedImages.finding(part, among: all + planning, of: images),
                            UnlikeSlices.torn(part, of: images),
                        ].compactMap { $0 }
                    return VolumeDraft(
                        kind: .spatial, frames: part, findings: [split.finding].compactMap { $0 } + told)
                }
            } catch {
                leftOut += group.instances.map { LeftOut(instance: $0, failure: error) }
            }
        }

        for index in drafts.indices { drafts[index].findings += common }
        for (index, finding) in RepeatedPictures.findings(drafts) { drafts[index].findings.append(finding) }
        var volumes: [Volume] = []
        for (index, draft) in drafts.enumerated() {
            do throws(DICOMFailure) {
                volumes.append(
                    try draft.volume(study, findings: findings, part: index + 1, partCount: drafts.count))
            } catch {
                leftOut += draft.frames.instances.map { LeftOut(instance: $0, failure: error) }
            }
        }
        // An enhanced instance may have frames in a volume and frames that are refused; each is named once.
        var seen = Set(volumes.flatMap(\.frames).map { ObjectIdentifier($0.instance) })
        return Result(volumes: volumes, leftOut: leftOut.filter { seen.insert(ObjectIdentifier($0.instance)).inserted })
    }

    /// The frames that have a plane; instances without become volumes of their own.
    ///
    /// *Throws* `position` for numbers that are impossible, and for an unusable plane among usable ones: a volume without that slice
    /// would look whole.
    private static func placed(
        _ members: [SourceInstance], others: inout [VolumeDraft]
    ) throws(DICOMFailure) -> [SourceFrame] {
        var placed: [SourceFrame] = []
        var odd: [SourceInstance] = []
        // Frames meet in an order that does not depend on file names, so that parts are numbered alike everywhere.
        for instance in members.sorted(by: precedes) {
            let (frames, oddity) = try SourceFrame.frames(of: instance)
            try GroupConsistency.check(frames, of: instance)
            try checkPlaces(frames, of: instance)
            if frames.allSatisfy({ $0.plane != nil }) {
                placed += frames
            } else {
                if instance.isSingleSlice || instance.mustPlaceFrames || oddity != nil { odd.append(instance) }
                let lost = instance.holdsSlices && frames.count > 1 ? lostPlaces(frames.count) : nil
                let notes = (oddity ?? lost).map { [Finding("VOL-PLACE", .warning, $0 + ".")] } ?? []
                others.append(VolumeDraft(kind: .frames, frames: frames, findings: notes))
            }
        }
        if !odd.isEmpty, !placed.isEmpty {
            throw .position(
                "Image Position or Orientation (Patient) is missing or unusable in \(odd.count) of \(members.count) images of the series (\(odd.instanceNumbers)): a volume without them would look whole.",
                cure: "Correct the series at its source.")
        }
        return placed
    }

    /// In words, of an object whose frames are slices.
    private static func lostPlaces(_ count: Int) -> String {
        "\(count) slices in one object do not say where each of them lies (position, orientation, in nuclear medicine Spacing Between Slices and one frame a slice): each is taken by itself, and no volume in ml is told"
    }

    /// Why slices of one series do not make a volume; nil where they are no slices, or do.
    private static func aloneFinding(_ unplaced: [VolumeDraft], _ groups: [[SourceFrame]]) -> Finding? {
        let slices = unplaced.count { $0.frames.count == 1 && $0.frames[0].instance.holdsSlices }
        if slices > 1 {
            return Finding(
                "VOL-PLACE", .warning,
                "\(slices) images of the series have no Image Position or Orientation (Patient): each is taken by itself, and no volume in ml is told."
            )
        }
        let references = Set(groups.compactMap { $0[0].instance.frameOfReferenceUID })
        guard groups.count > 2, groups.allSatisfy({ $0.count == 1 }) else { return nil }
        guard references.count == groups.count else { return turnedFinding(groups.map { $0[0] }) }
        return Finding(
            "VOL-PLACE", .warning,
            "each of the \(groups.count) images of the series has a Frame of Reference of its own, so none lies beside another: each is taken by itself, and no volume in ml is told."
        )
    }

    /// Of slices side by side none of which is alike another: directions or sizes that wander from one to the next.
    private static func turnedFinding(_ frames: [SourceFrame]) -> Finding? {
        let order = SliceOrder(frames)
        let normals = order.frames.compactMap { $0.plane?.normal }
        guard order.multiplicity == 1, normals.count == frames.count,
            zip(normals, normals.dropFirst()).allSatisfy({ $0.dot($1) > Tolerance.parallel }),
            order.gaps.allSatisfy({ $0 <= Tolerance.hole * order.medianGap })
        else { return nil }
        let difference = HardSplit.differences(order.frames[0], order.frames[1]).joined(separator: ", ")
        return Finding(
            "VOL-PLACE", .warning,
            "the \(frames.count) images of the series lie side by side and differ from each other in \(difference): each is taken by itself, and no volume in ml is told."
        )
    }

    /// *Throws* `position` when an object has more or fewer frames than items of Per-frame Functional Groups, when some of its frames
    /// have a place and others have none, or when an object whose frames are slices says of none where it lies.
    private static func checkPlaces(_ frames: [SourceFrame], of instance: SourceInstance) throws(DICOMFailure) {
        let groups = instance.dataSet.items(.perFrameFunctionalGroupsSequence)
        // Empty ones tell of no frame where the class has none.
        let perFrame = instance.isClassic && groups.allSatisfy(\.isEmpty) ? 0 : groups.count
        guard perFrame == 0 || perFrame == frames.count else {
            throw .position(
                "\(frames.count == 1 ? "1 frame" : "\(frames.count) frames") and \(perFrame == 1 ? "1 item" : "\(perFrame) items") of Per-frame Functional Groups: which frame lies where is unknown, and whether frames are missing.",
                cure: "Export the object again.")
        }
        guard frames.count > 1 else { return }
        let lost = frames.count(where: { $0.plane == nil })
        guard lost == 0 || lost == frames.count else {
            throw .position(
                "\(lost) of \(frames.count) frames have no Image Position or Orientation (Patient): a volume without them would look whole.",
                cure: "Export the object again.")
        }
        guard lost == 0 || !instance.isSingleSlice else {
            throw .position(
                "\(frames.count) frames in one object of a class that holds one slice: where each of them lies is unknown.",
                cure: "Export it as one file a slice, or as an enhanced object.")
        }
        guard lost == 0 || !instance.mustPlaceFrames else {
            throw .position(
                "\(frames.count) frames in one object of a class that says of each slice where it lies, and none says it in its functional groups (Plane Position and Plane Orientation (Patient)).",
                cure: "Export the object again, with the place of each frame.")
        }
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
        frame.isProjection || frame.imageType.contains("MPR")
    }

    private static func isOriginal(_ frame: SourceFrame, like other: SourceFrame) -> Bool {
        guard frame.imageType.first == "ORIGINAL", !isReformatted(frame), let one = frame.plane, let two = other.plane
        else { return false }
        return abs(one.normal.dot(two.normal)) > 0.999
    }
}
