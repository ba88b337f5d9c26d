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
        return Volume(
            kind: kind, frames: indices.map { frames[$0] }, patientAndStudy: patientAndStudy, sliceSpacing: nil,
            sliceWeights: [], slide: nil,
            findings: findings
                + [Finding("SEL-FRAMES", .note, "the pipeline takes \(indices.count) of \(frames.count) frames.")],
            part: part, partCount: partCount, digest: fields.digest.hex)
    }
}
