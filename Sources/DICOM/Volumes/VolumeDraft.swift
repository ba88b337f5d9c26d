import Imaging
import Numbers
import Storage

/// Frames that belong together, before they are measured.
struct VolumeDraft {
    var kind: Volume.Kind
    var frames: [SourceFrame]
    /// Of a slide's level, whose tiles the frames are.
    var slide: SlideMatrix?
    var findings: [Finding]

    /// *Throws*: `identity` for frames of series that contradict each other; `shape` for an image too narrow to segment; `position` for
    /// slices too far apart; `values`, `photometric` for frames whose values do not mean the same.
    func volume(
        _ study: StudyConsistency, findings common: [Finding], part: Int, partCount: Int
    ) throws(DICOMFailure) -> Volume {
        try SeriesConsistency.check(frames.instances)
        let order = kind == .spatial ? SliceOrder(frames) : nil
        let ordered = order?.frames ?? frames
        let measured = try order?.spacing()
        // The tiles of a slide share what their values mean.
        try GreyConsistency.check(slide == nil ? ordered : [ordered[0]])
        let size =
            slide.map { ($0.rows, $0.columns) } ?? (ordered[0].instance.pixels.rows, ordered[0].instance.pixels.columns)
        try checkShape(ordered[0], rows: size.0, columns: size.1)
        try checkExtent(ordered[0], rows: size.0, columns: size.1)
        try RescaleContinuity.check(ordered)
        return Volume(
            kind: kind, frames: ordered, patientAndStudy: study.completed(ordered[0].instance.dataSet),
            sliceSpacing: measured?.spacing, sliceWeights: measured?.weights ?? [], slide: slide,
            findings: common + findings + (measured?.findings ?? [])
                + [
                    windowFinding(ordered),
                    (slide == nil ? ordered : [ordered[0]]).lazy.compactMap(GreyConsistency.unknownValues).first,
                    ordered[0].spacingOrigin.finding, placeFinding(ordered), distanceFinding(ordered),
                    measured.flatMap { unitFinding(ordered, spacing: $0.spacing) },
                ].compactMap { $0 },
            part: part, partCount: partCount, digest: digest(ordered))
    }

    /// Windows of the file that no display can have are not used.
    private func windowFinding(_ frames: [SourceFrame]) -> Finding? {
        let count = frames.count(where: \.hasImpossibleWindow)
        guard count > 0 else { return nil }
        return Finding(
            "VOL-WINDOW", .note,
            "Window Center or Width is no usable number in \(count) frames. These windows are not used.")
    }

    /// A place without a Frame of Reference holds within the series only.
    private func placeFinding(_ frames: [SourceFrame]) -> Finding? {
        guard kind == .spatial, frames[0].instance.frameOfReferenceUID == nil else { return nil }
        return Finding(
            "VOL-REFERENCE", .note,
            "The source has positions but no Frame of Reference UID: one is derived for this series, and other series cannot be laid over it."
        )
    }

    /// Slices of a body without the distance of their pixels lie somewhere, and nothing of them can be measured.
    private func distanceFinding(_ frames: [SourceFrame]) -> Finding? {
        guard kind == .spatial, slide == nil, frames[0].pixelSpacing == nil else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "the images say where they lie and not how large their pixels are (Pixel Spacing): no length, area or volume is told."
        )
    }

    /// Slices that were acquired ten times closer than they are thick were not: somebody wrote their places in cm. Reconstructions overlap by
    /// less; the thickness of a slab, as some write it, is that of all its slices; reformatted images may be of any thickness.
    private func unitFinding(_ frames: [SourceFrame], spacing: Double?) -> Finding? {
        guard let spacing, frames.allSatisfy({ $0.imageType.first == "ORIGINAL" }) else { return nil }
        let thicknesses = frames.compactMap(\.sliceThickness)
        let extent = spacing * Double(frames.count)
        guard thicknesses.count == frames.count,
            thicknesses.allSatisfy({
                abs($0 - 10 * spacing) <= Tolerance.multiple * 10 * spacing && $0 < extent * (1 - Tolerance.multiple)
            })
        else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "the slices lie \(NumberText.short(spacing)) mm apart and are \(NumberText.short(thicknesses[0])) mm thick, ten times as much: their places may be in cm, and all volumes a tenth of what they are."
        )
    }

    private func checkShape(_ frame: SourceFrame, rows: Int, columns: Int) throws(DICOMFailure) {
        guard PictureShape.suits(rows: rows, columns: columns, aspect: frame.pixelAspect) else {
            throw .shape(
                "\(rows) × \(columns) pixels: too small or too narrow for the network.",
                cure: "Export a larger image.")
        }
    }

    /// Pixels of metres, and pictures of a body that a pinhead covers, are told in another unit or not at all.
    private func checkExtent(_ frame: SourceFrame, rows: Int, columns: Int) throws(DICOMFailure) {
        guard let spacing = frame.pixelSpacing else { return }
        let isBody = ["CT", "MR", "PT", "NM", "CR", "DX", "MG", "XA", "RF", "US"].contains(frame.instance.modality)
        let range = isBody ? CheckedNumbers.Range.body : CheckedNumbers.Range.extent
        let (height, width) = (Double(rows) * spacing.row, Double(columns) * spacing.column)
        guard range.contains(height), range.contains(width) else {
            throw .position(
                "the picture covers \(NumberText.short(height)) × \(NumberText.short(width)) mm: the distance of its pixels must be wrong.",
                cure: "Correct the series at its source.")
        }
    }

    /// Over the content digests in order, with frame numbers where a part leaves some of an instance's frames out.
    private func digest(_ frames: [SourceFrame]) -> String {
        let byInstance = Dictionary(grouping: frames) { ObjectIdentifier($0.instance) }
        let lines = frames.instances.map { instance in
            let used = byInstance[ObjectIdentifier(instance)] ?? []
            let isWhole = used.count == instance.pixels.frames
            return instance.file.contentDigest
                + (isWhole ? "" : ":" + used.map { String($0.number) }.joined(separator: ","))
        }
        return FileDigest(of: lines.joined(separator: "\n")).hex
    }
}
