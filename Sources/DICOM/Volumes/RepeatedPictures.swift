import Imaging

/// One picture in two volumes of a series that nothing but a number tells apart: images that were sent twice under new UIDs.
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
        // Slices beside the patient are alike in all volumes.
        let decoding = FrameDecoding()
        let step = max(1, pairs.count / looked)
        let isShown = stride(from: step / 2, to: pairs.count, by: step).contains { index in
            guard let frame = try? decoding.frame(pairs[index].frame) else { return false }
            return PictureCensus.isAcquired(frame)
        }
        guard isShown else { return [] }
        let finding = Finding(
            "VOL-PARTS", .warning,
            "\(pairs.count == 1 ? "1 image stands" : "\(pairs.count) images stand") in two volumes of the series, value for value: they were sent twice under other UIDs. Their results must not be added."
        )
        return Set(pairs.flatMap { [$0.first, $0.second] }).sorted().map { ($0, finding) }
    }

    /// Whether two frames of two objects say one time, echo, weighting …: whoever sends again may number anew.
    private static func isOneMoment(_ one: SourceFrame, _ other: SourceFrame) -> Bool {
        one.instance !== other.instance
            && SplitKey.all.allSatisfy { $0.isScan || $0.value(one) == $0.value(other) }
    }
}
