import Storage

extension Volume {
    /// A frame whose pixels cannot be decoded.
    package struct LostFrame: Sendable {
        /// From 1, in the volume's order.
        package let number: Int
        package let frame: SourceFrame
        package let failure: DICOMFailure
    }

    /// The volume without the frames that cannot be decoded: of slices in space a gap is left, which is measured anew.
    ///
    /// *Throws* what `unreadable` files throw; the first frame's failure when none can be decoded. *Cost*: one decode a frame.
    package func decodable() throws(DICOMFailure) -> (volume: Volume, lost: [LostFrame]) {
        let decoding = FrameDecoding()
        var lost: [LostFrame] = []
        for (index, frame) in frames.enumerated() {
            do throws(DICOMFailure) {
                _ = try decoding.frame(frame)
            } catch {
                guard error.code.hasPrefix("PIX-") else { throw error }
                lost.append(LostFrame(number: index + 1, frame: frame, failure: error))
            }
        }
        guard let first = lost.first else { return (self, []) }
        guard lost.count < frames.count else { throw first.failure }
        return (try without(lost), lost)
    }

    private func without(_ lost: [LostFrame]) throws(DICOMFailure) -> Volume {
        let numbers = Set(lost.map(\.number))
        let kept = frames.enumerated().filter { !numbers.contains($0.offset + 1) }.map(\.element)
        let measured = kind == .spatial ? try SliceOrder(kept).spacing() : nil
        // What the gaps said of all slices they say anew; what numbers and other tags said stays.
        let stale = kind == .spatial ? try SliceOrder(frames).spacing().findings : []
        // Another choice is another result.
        var fields = CanonicalEncoding("hspsam decodable 1")
        fields.add("volume", digest)
        fields.add("lost", numbers.sorted().map(String.init))
        let codes = Set(lost.map(\.failure.code)).sorted().joined(separator: ", ")
        let list =
            lost.prefix(12).map { String(number(ofPicture: $0.number - 1)) }.joined(separator: ", ")
            + (lost.count > 12 ? " …" : "")
        return Volume(
            kind: kind, frames: kept, patientAndStudy: patientAndStudy, sliceSpacing: measured?.spacing,
            sliceWeights: measured?.weights ?? [], slide: nil,
            findings: findings.filter { !stale.contains($0) } + (measured?.findings ?? [])
                + [
                    Finding(
                        "PIX-FRAME", .warning,
                        "\(lost.count) of \(frames.count) frames cannot be decoded (\(codes)) and were left out: numbers \(list) of the \(kind == .frames ? "object" : "volume"). Nothing was looked for there."
                    )
                ],
            part: part, partCount: partCount, digest: fields.digest.hex)
    }
}
