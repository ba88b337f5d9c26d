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
        if kind == .spatial { try SeriesConsistency.checkTimes(frames) }
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
                    measured.flatMap { tomogramFinding(ordered[0], spacing: $0.spacing) }, depthFinding(ordered[0]),
                    diameterFinding(ordered[0]), aspectFinding(ordered[0]), sidesFinding(ordered), bentFinding(ordered),
                    projectionFinding(ordered),
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
            "The source has positions but no usable Frame of Reference UID: one is derived for this series, and other series cannot be laid over it."
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

    /// Slices that lie farther apart than any are acquired, or so close that a voxel is a flake, have their places in metres or micrometres.
    /// Those that were acquired ten times closer than they are thick were not: somebody wrote their places in cm. Reconstructions overlap by
    /// less; the thickness of a slab, as some write it, is that of all its slices; reformatted images may be of any thickness.
    private func unitFinding(_ frames: [SourceFrame], spacing: Double?) -> Finding? {
        guard let spacing, frames.allSatisfy({ $0.imageType.first == "ORIGINAL" }) else { return nil }
        if let pixel = frames[0].pixelSpacing.map({ max($0.row, $0.column) }),
            spacing > CheckedNumbers.Range.slices.upperBound || spacing * Tolerance.flattest < pixel
        {
            return Finding(
                "VOL-PLACE", .warning,
                "the slices lie \(NumberText.short(spacing)) mm apart and their pixels \(NumberText.short(pixel)) mm: their places may be in another unit than mm, and all volumes then are wrong."
            )
        }
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

    /// Slices of nuclear medicine lie where Spacing Between Slices alone says, and touch each other.
    private func tomogramFinding(_ frame: SourceFrame, spacing: Double?) -> Finding? {
        guard SOPClass.of(frame.instance.sopClassUID) == .nuclearMedicineImageStorage, let spacing, spacing > 0,
            let thickness = frame.sliceThickness,
            max(thickness / spacing, spacing / thickness) > Tolerance.tomogram
        else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "the slices of the tomogram lie \(NumberText.short(spacing)) mm apart by Spacing Between Slices and are \(NumberText.short(thickness)) mm thick: one of them is wrong, and all volumes are where it is the first."
        )
    }

    /// Ultrasound reaches not as deep as a picture whose distances in mm were written as cm.
    private func depthFinding(_ frame: SourceFrame) -> Finding? {
        guard frame.instance.modality == "US", let spacing = frame.pixelSpacing else { return nil }
        let (rows, columns) = (frame.instance.pixels.rows, frame.instance.pixels.columns)
        let areas = frame.calibratedRegions.map { ($0.rows.count, $0.columns.count) }
        let sides = (areas.isEmpty ? [(rows, columns)] : areas).map { area in
            (height: Double(area.0) * spacing.row, width: Double(area.1) * spacing.column)
        }
        guard let far = sides.first(where: { max($0.height, $0.width) > CheckedNumbers.Range.ultrasound.upperBound })
        else { return nil }
        return Finding(
            "VOL-SCALE", .warning,
            "the ultrasound picture shows \(NumberText.short(far.height)) × \(NumberText.short(far.width)) mm, more than ultrasound reaches: the distances of its pixels may be in another unit than they should."
        )
    }

    /// A slice is as wide as it was reconstructed. One that was scaled since, and kept its Pixel Spacing, is not; nor is one that was cut.
    private func diameterFinding(_ frame: SourceFrame) -> Finding? {
        let instance = frame.instance
        guard kind == .spatial, instance.isSingleSlice, instance.imageType.first == "ORIGINAL",
            let spacing = frame.pixelSpacing,
            let diameter = instance.dataSet.number(.reconstructionDiameter, in: CheckedNumbers.Range.distance)
        else { return nil }
        let width = max(Double(instance.pixels.rows) * spacing.row, Double(instance.pixels.columns) * spacing.column)
        guard abs(width - diameter) > Tolerance.diameter * diameter, !isCut(frame, of: diameter) else { return nil }
        return Finding(
            "VOL-SCALE", .warning,
            "the slices are \(NumberText.short(width)) mm wide by their pixels and were reconstructed \(NumberText.short(diameter)) mm wide (\(Attribute.reconstructionDiameter.keyword) \(Attribute.reconstructionDiameter.tag)): they were cut, or scaled without their Pixel Spacing, and then all lengths are wrong."
        )
    }

    /// Whether a slice of CT was cut out of the square that was reconstructed, whose pixels it has kept: one that was scaled would be a square
    /// still. Of square ones, and of MR, whose slices need not be squares, it cannot be told.
    private func isCut(_ frame: SourceFrame, of diameter: Double) -> Bool {
        let pixels = frame.instance.pixels
        guard frame.instance.modality == "CT", pixels.rows != pixels.columns, let spacing = frame.pixelSpacing,
            PixelSpacing(row: spacing.row, column: spacing.row).isAlike(spacing)
        else { return false }
        let matrix = diameter / spacing.row
        return matrix > Double(max(pixels.rows, pixels.columns))
            && abs((matrix / 16).rounded() * 16 - matrix) < Tolerance.matrix
    }

    /// Pixels that are no squares by one attribute, and have other proportions by their spacing. Square ones are what some write for all.
    private func aspectFinding(_ frame: SourceFrame) -> Finding? {
        let stated = frame.instance.dataSet.ints(.pixelAspectRatio)
        guard slide == nil, let spacing = frame.pixelSpacing, stated.count == 2, stated.allSatisfy({ $0 > 0 }),
            stated[0] != stated[1]
        else { return nil }
        let (ratio, used) = (Double(stated[0]) / Double(stated[1]), spacing.row / spacing.column)
        guard abs(ratio - used) > Tolerance.aspect * max(ratio, used) else { return nil }
        return Finding(
            "VOL-SCALE", .warning,
            "pixels are \(NumberText.short(ratio)) times as high as wide by \(Attribute.pixelAspectRatio.keyword) \(Attribute.pixelAspectRatio.tag), and \(NumberText.short(used)) times by their distances: one of them is wrong. The distances are used."
        )
    }

    /// Planes that were bent or flattened: what lies side by side in them does not in the patient. Original images are what the scanner's
    /// own distortion made of straight ones, as MR scanners write of every series that they did not correct.
    ///
    /// *Source*: PS3.3 C.8.16.2.1.2 (Volumetric Properties).
    private func bentFinding(_ frames: [SourceFrame]) -> Finding? {
        let isBent = frames.contains { frame in
            frame.instance.hasFunctionalGroups && frame.imageType.first != "ORIGINAL"
                && frame.frameType(.volumetricProperties) == "DISTORTED"
        }
        guard isBent else { return nil }
        return Finding(
            "VOL-SCALE", .warning,
            "the planes were bent or flattened (\(Attribute.volumetricProperties.keyword) \(Attribute.volumetricProperties.tag) = DISTORTED): lengths, areas and volumes are not those of the patient."
        )
    }

    /// Slabs of which each shows what is brightest or darkest at any of their depths: stacked they are no body.
    private func projectionFinding(_ frames: [SourceFrame]) -> Finding? {
        guard kind == .spatial, frames.count > 1, frames.contains(where: { $0.isProjection || $0.isOfProjections })
        else { return nil }
        return Finding(
            "VOL-SCALE", .warning,
            "the slices are projections through slabs or views of a surface (\(Attribute.imageType.keyword) \(Attribute.imageType.tag), \(Attribute.volumeBasedCalculationTechnique.keyword)): each shows what lies at several depths, and volumes are not those of the patient."
        )
    }

    /// Both say to which side of the patient rows and columns run: left and right, or front and back, are exchanged in one of them.
    private func sidesFinding(_ frames: [SourceFrame]) -> Finding? {
        guard kind == .spatial, let odd = frames.firstIndex(where: isTurned) else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "\(Attribute.patientOrientation.keyword) \(Attribute.patientOrientation.tag) of \(frames.name(odd)) names other sides of the patient than \(Attribute.imageOrientationPatient.keyword) \(Attribute.imageOrientationPatient.tag) does: which of them is right is unknown. The second is used."
        )
    }

    private func isTurned(_ frame: SourceFrame) -> Bool {
        let dataSet = frame.instance.dataSet
        let stated = dataSet.strings(.patientOrientation)
        guard let plane = frame.plane, frame.instance.pixels.frames == 1, stated.count == 2,
            dataSet.string(.anatomicalOrientationType) != "QUADRUPED"
        else { return false }
        return zip(stated, [plane.rowCosine, plane.columnCosine]).contains { letters, direction in
            guard let named = Self.direction(letters) else { return false }
            return named.dot(direction) < Tolerance.letters * named.length
        }
    }

    /// Of a biped's letters; nil for none and for those that are no side.
    ///
    /// *Source*: PS3.3 2024e, C.7.6.1.1.1.
    private static func direction(_ letters: String) -> Vector3? {
        var sum = Vector3(0, 0, 0)
        for letter in letters {
            switch letter {
            case "L": sum.x += 1
            case "R": sum.x -= 1
            case "P": sum.y += 1
            case "A": sum.y -= 1
            case "H": sum.z += 1
            case "F": sum.z -= 1
            default: return nil
            }
        }
        return sum.length > 0 ? sum : nil
    }

    private func checkShape(_ frame: SourceFrame, rows: Int, columns: Int) throws(DICOMFailure) {
        guard PictureShape.suits(rows: rows, columns: columns, aspect: frame.pixelAspect) else {
            throw .shape(
                "\(rows) × \(columns) pixels: too small or too narrow for the network.",
                cure: "Export a larger image.")
        }
    }

    /// Pixels of metres, slides larger than any glass, and pictures of a body that a pinhead covers, are told in another unit or not at all.
    private func checkExtent(_ frame: SourceFrame, rows: Int, columns: Int) throws(DICOMFailure) {
        guard let spacing = frame.pixelSpacing else { return }
        let isBody = ["CT", "MR", "PT", "NM", "CR", "DX", "MG", "XA", "RF", "US"].contains(frame.instance.modality)
        // Large picture files are read as slides are, whatever they show.
        let isGlass = slide != nil && frame.instance.dataSet.uid(.instanceCreatorUID) != InstanceCreator.imports
        let range =
            isGlass ? CheckedNumbers.Range.glass : isBody ? CheckedNumbers.Range.body : CheckedNumbers.Range.extent
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
