import Imaging

/// One picture in two volumes that nothing but a number tells apart, of one series or of two: images that were sent twice under new UIDs.
enum RepeatedPictures {
    /// How many are decoded to find one that is no blank.
    private static let looked = 8

    /// By the index of their draft, for each that shares pictures with another one.
    ///
    /// *Cost*: by digests that are known; a few frames are decoded where two are equal.
    static func findings(_ drafts: [VolumeDraft]) -> [(Int, Finding)] {
        let spatial = drafts.indices.filter { drafts[$0].kind == .spatial && drafts[$0].slide == nil }
        guard spatial.count > 1 else { return [] }
        var known: [String: (draft: Int, frame: SourceFrame)] = [:]
        var pairs: [(first: Int, second: Int, frame: SourceFrame)] = []
        for draft in spatial {
            var seen: Set<ObjectIdentifier> = []
            for frame in drafts[draft].frames where seen.insert(ObjectIdentifier(frame.instance)).inserted {
                guard let digest = ImageDigest.pixels(of: frame.instance) else { continue }
                guard let one = known[digest] else {
                    known[digest] = (draft, frame)
                    continue
                }
                if one.draft != draft, isOneMoment(one.frame, frame) { pairs.append((one.draft, draft, frame)) }
            }
        }
        guard areShown(pairs.map(\.frame)) else { return [] }
        let finding = Finding(
            "VOL-PARTS", .warning,
            "\(pairs.count == 1 ? "1 image stands" : "\(pairs.count) images stand") in two volumes of the series, value for value: they were sent twice under other UIDs. Their results must not be added."
        )
        return Set(pairs.flatMap { [$0.first, $0.second] }).sorted().map { ($0, finding) }
    }

    /// By the index of each volume all images of which stand in a volume of another series of its study, value for value, at the same places
    /// and shown alike. Each result is right, so that nobody is asked; who adds them up has to know.
    ///
    /// *Cost*: by digests that are known; a few frames are decoded where all are equal.
    static func findings(_ volumes: [Volume]) -> [(Int, Finding)] {
        // Whoever gives a picture file twice has two files; their series are ours.
        let sent = volumes.indices.filter { index in
            let volume = volumes[index]
            return volume.slide == nil && volume.first.dataSet.uid(.instanceCreatorUID) != InstanceCreator.imports
        }
        guard Set(sent.map { volumes[$0].seriesInstanceUID }).count > 1 else { return [] }
        struct Picture: Hashable {
            let study: String
            let digest: String
            let number: Int
        }
        var places: [Picture: [(volume: Int, frame: SourceFrame)]] = [:]
        var pictures: [Int: [Picture]] = [:]
        for index in sent {
            let volume = volumes[index]
            var digests: [ObjectIdentifier: String] = [:]
            for instance in volume.instances { digests[ObjectIdentifier(instance)] = ImageDigest.pixels(of: instance) }
            let own = volume.frames.compactMap { frame in
                digests[ObjectIdentifier(frame.instance)].map {
                    Picture(study: volume.studyInstanceUID, digest: $0, number: frame.number)
                }
            }
            guard own.count == volume.frames.count else { continue }
            pictures[index] = own
            for (picture, frame) in zip(own, volume.frames) { places[picture, default: []].append((index, frame)) }
        }
        return sent.compactMap { index in
            guard let own = pictures[index], let first = own.first else { return nil }
            let volume = volumes[index]
            let isRepeated = places[first, default: []].map(\.volume).contains { other in
                volumes[other].seriesInstanceUID != volume.seriesInstanceUID
                    && zip(own, volume.frames).allSatisfy { picture, frame in
                        places[picture, default: []].contains { $0.volume == other && isOneImage($0.frame, frame) }
                    }
            }
            guard isRepeated, areShown(volume.frames) else { return nil }
            let count = volume.frames.count
            return (
                index,
                Finding(
                    "VOL-PARTS", .note,
                    "\(count == 1 ? "the image stands" : "all \(count) images stand") in another series of the study too, value for value: \(count == 1 ? "it was" : "they were") sent twice under other UIDs. Their results must not be added."
                )
            )
        }
    }

    /// Whether one of these shows something; slices beside the patient are alike in all volumes.
    private static func areShown(_ frames: [SourceFrame]) -> Bool {
        let decoding = FrameDecoding()
        let step = max(1, frames.count / looked)
        return stride(from: step / 2, to: frames.count, by: step).contains { index in
            guard let frame = try? decoding.frame(frames[index]) else { return false }
            return PictureCensus.isAcquired(frame)
        }
    }

    /// Whether two frames of equal pixels are one image: at one place, of one scale, and to be shown alike. Of one acquisition some
    /// departments make two series, each for another window.
    private static func isOneImage(_ one: SourceFrame, _ other: SourceFrame) -> Bool {
        let shown: (SourceFrame) -> [[String]] = { frame in
            let (values, windows) = (frame.valueTransformation, frame.group(.frameVOILUTSequence))
            return [
                values.strings(.rescaleSlope), values.strings(.rescaleIntercept), windows.strings(.windowCenter),
                windows.strings(.windowWidth),
            ]
        }
        guard isOneMoment(one, other), shown(one) == shown(other), HardSplit.hasAlikeSpacing(one, other) else {
            return false
        }
        switch (one.plane, other.plane) {
        case (nil, nil): return true
        case (let own?, let its?):
            return (own.position - its.position).length <= Tolerance.place
                && own.rowCosine.dot(its.rowCosine) > Tolerance.parallel
                && own.columnCosine.dot(its.columnCosine) > Tolerance.parallel
        default: return false
        }
    }

    /// Whether two frames of two objects say one time, echo, weighting …: whoever sends again may number anew.
    private static func isOneMoment(_ one: SourceFrame, _ other: SourceFrame) -> Bool {
        one.instance !== other.instance
            && SplitKey.all.allSatisfy { $0.isScan || $0.value(one) == $0.value(other) }
    }
}
