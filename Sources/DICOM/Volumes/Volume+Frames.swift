import Storage

extension Volume {
    /// The same with some of its frames alone; only of frames that do not lie in space, where none stands for its neighbours.
    ///
    /// - Parameter indices: ascending, at least one, from 0.
    package func choosing(_ indices: [Int]) -> Volume {
        precondition(kind == .frames && !indices.isEmpty, "Volume: a choice of slices")
        guard indices.count < frames.count else { return self }
        // Another choice is another result.
        var fields = CanonicalEncoding("hspsam frames 1")
        fields.add("volume", digest)
        fields.add("frames", indices.map(String.init))
        return with(
            frames: indices.map { frames[$0] }, digest: fields.digest.hex,
            Finding("SEL-FRAMES", .note, "the pipeline takes \(indices.count) of \(frames.count) frames."))
    }

    /// The same with the warning that frames which were asked for are not there; the same where none is asked for in vain.
    ///
    /// - Parameters:
    ///   - numbers: ascending, from 1.
    ///   - count: how many frames there are.
    package func lacking(_ numbers: [Int], of count: Int) -> Volume {
        guard !numbers.isEmpty else { return self }
        let shown = numbers.prefix(8).map(String.init).joined(separator: ", ") + (numbers.count > 8 ? " …" : "")
        return with(
            frames: frames, digest: digest,
            Finding(
                "SEL-FRAMES", .warning,
                "the pipeline asks for \(numbers.count == 1 ? "frame" : "frames") \(shown), and there \(count == 1 ? "is 1" : "are \(count)"): nothing was looked for there."
            ))
    }

    /// The same with something that was noticed about it.
    func adding(_ finding: Finding) -> Volume { with(frames: frames, digest: digest, finding) }

    private func with(frames: [SourceFrame], digest: String, _ finding: Finding) -> Volume {
        Volume(
            kind: kind, frames: frames, patientAndStudy: patientAndStudy, sliceSpacing: sliceSpacing,
            sliceWeights: sliceWeights, slide: slide, findings: findings + [finding], part: part, partCount: partCount,
            digest: digest)
    }
}
