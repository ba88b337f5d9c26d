import Imaging

/// Slices that lie in line with a volume of their series, in its gaps or at its ends, and cannot be part of it: without them it
/// would look whole, and lack what they show.
enum UnlikeSlices {
    /// Groups of one series that can never be one volume (`HardSplit`).
    ///
    /// *Throws* `unlike` where a few slices complete a volume, naming them and what sets them apart. *Returns* what is to be said of all
    /// parts where volumes adjoin or interleave.
    static func check(_ groups: [[SourceFrame]]) throws(DICOMFailure) -> [Finding] {
        guard groups.count > 1 else { return [] }
        var findings: [Finding] = []
        let bySize = groups.sorted { $0.count > $1.count }
        for (index, volume) in bySize.enumerated() where volume.count > 1 {
            let order = SliceOrder(volume)
            for other in bySize.dropFirst(index + 1) where completes(other, volume, order) {
                let difference = HardSplit.differences(other[0], volume[0]).joined(separator: ", ")
                guard other.count > 2, other.count * 10 > volume.count else {
                    throw .unlike(
                        "\(other.count) of \(volume.count + other.count) images (\(other.instanceNumbers)) lie in line with the others and differ in \(difference): a volume without them would look whole.",
                        cure: "Correct the series at its source, or send the images apart.")
                }
                let isOne = areOne(volume, other)
                findings.append(
                    Finding(
                        "VOL-PARTS", isOne ? .warning : .note,
                        "volumes of \(volume.count) and \(other.count) images \(isOne ? "would be one evenly spaced volume" : "adjoin each other") and differ in \(difference). Each is a volume of its own\(isOne ? ", and what reaches over both is told in parts" : "")."
                    ))
            }
        }
        return findings
    }

    /// Classic images and an enhanced object at the same places: one thing twice, with a result each.
    static func repeated(_ groups: [[SourceFrame]]) -> [Finding] {
        let classic = groups.filter { $0[0].instance.isClassic }
        let enhanced = groups.filter { !$0[0].instance.isClassic }
        return classic.flatMap { images in
            enhanced.filter { isAlike($0, images) }.map { frames in
                Finding(
                    "VOL-PARTS", .warning,
                    "\(images.count) images and \(frames.count) frames of enhanced objects lie at the same places: they may show one thing twice. Each is a volume of its own, and their results must not be added."
                )
            }
        }
    }

    /// One modality and grid, and all places of the smaller group are places of the other.
    private static func isAlike(_ one: [SourceFrame], _ other: [SourceFrame]) -> Bool {
        guard let modality = SOPClass.of(one[0].instance.sopClassUID)?.modality,
            modality == SOPClass.of(other[0].instance.sopClassUID)?.modality,
            Set(HardSplit.differences(one[0], other[0])).isSubset(of: ["SOP Class", "Image Type"])
        else { return false }
        let (few, many) = one.count < other.count ? (one, other) : (other, one)
        let places = many.compactMap { $0.plane?.position }
        return few.allSatisfy { frame in
            guard let own = frame.plane?.position else { return false }
            return places.contains { ($0 - own).length <= Tolerance.place }
        }
    }

    /// Images of the series that say that they plan others.
    ///
    /// *Throws* `unlike` where one of them completes a volume: it is a slice, and its Image Type is wrong.
    static func check(_ planning: [SourceInstance], beside groups: [[SourceFrame]]) throws(DICOMFailure) {
        guard !planning.isEmpty else { return }
        let volumes = groups.filter { $0.count > 1 }.map { (frames: $0, order: SliceOrder($0)) }
        for instance in planning where instance.isSingleSlice {
            guard let frames = try? SourceFrame.frames(of: instance).frames,
                let frame = frames.first, frame.plane != nil,
                let volume = volumes.first(where: { completes([frame], $0.frames, $0.order) })
            else { continue }
            throw .unlike(
                "1 of \(volume.frames.count + 1) images (\([instance].instanceNumbers)) lies in line with the others and says that it only plans them (\(Attribute.imageType.keyword) \(Attribute.imageType.tag)): a volume without it would look whole.",
                cure: "Correct the series at its source, or send the image apart.")
        }
    }

    /// Slices of another series of the same Series Number and Series Description that would be one evenly spaced volume with these:
    /// one series that got two Series Instance UIDs on its way. Each half looks whole.
    static func torn(_ volume: [SourceFrame], of study: [SourceInstance]) -> Finding? {
        let first = volume[0].instance
        guard first.isSingleSlice, let number = first.dataSet.int(.seriesNumber), first.frameOfReferenceUID != nil
        else { return nil }
        let description = first.dataSet.text(.seriesDescription)?.lowercased()
        let others = study.filter { other in
            other.dataSet.text(.seriesDescription)?.lowercased() == description
                && other.seriesInstanceUID != first.seriesInstanceUID && other.dataSet.int(.seriesNumber) == number
                && other.sopClassUID == first.sopClassUID && other.frameOfReferenceUID == first.frameOfReferenceUID
        }
        for (_, members) in Dictionary(grouping: others, by: \.seriesInstanceUID) {
            let frames = members.compactMap { try? SourceFrame.frames(of: $0).frames.first }
            guard frames.count == members.count, volume.count + frames.count > 3,
                frames.allSatisfy({ $0.plane != nil && HardSplit.differences($0, volume[0]).isEmpty }),
                areOne(volume, frames)
            else { continue }
            return Finding(
                "VOL-PARTS", .warning,
                "\(volume.count) slices of this series and \(frames.count) of another one of the same Series Number and Series Description would be one evenly spaced volume: one series may have got two Series Instance UIDs. Each is a volume of its own, and what reaches over both is told in parts."
            )
        }
        return nil
    }

    /// Whether reformatted images lie beside the slices of a volume or in its gaps, in its direction: there they repeat nothing that an
    /// original shows, as images that were made of the originals do.
    ///
    /// - Parameter originals: all groups of the series that are not reformatted.
    static func continues(_ other: [SourceFrame], _ originals: [[SourceFrame]]) -> Bool {
        guard let normal = other.first?.plane?.normal else { return false }
        let parallel = originals.filter {
            ($0[0].plane?.normal.dot(normal) ?? 0).magnitude > Tolerance.parallel
        }
        guard
            let volume = parallel.first(where: { volume in
                guard volume.count > 1 else { return false }
                return completes(other, volume, SliceOrder(volume))
            })
        else { return false }
        // Images that were made half-way between slices, or half a slice beyond the last, show what these show.
        let reach = SliceOrder(volume).medianGap * Tolerance.reformatted
        let places = parallel.joined().compactMap { $0.plane?.position.dot(normal) }
        return other.allSatisfy { frame in
            guard let place = frame.plane?.position.dot(normal) else { return false }
            return places.allSatisfy { ($0 - place).magnitude > reach }
        }
    }

    /// Every slice of `other` lies before or behind the volume or in a gap of it, no farther than its slices from each other; or
    /// both together are one evenly spaced volume. Slices in another direction lie so where their first pixel does: those of another
    /// acquisition do not. Parallel ones do where their middles or their first pixels do.
    private static func completes(_ other: [SourceFrame], _ volume: [SourceFrame], _ order: SliceOrder) -> Bool {
        let gap = order.medianGap
        guard gap > 0, let normal = order.frames[0].plane?.normal, let start = order.distances.first,
            let end = order.distances.last, let centre = centre(of: order.frames[0])
        else { return false }
        let reach = max(width(of: volume[0]), width(of: other[0]))
        let (first, last) = (start - gap * (Double(other.count) + 0.5), end + gap * (Double(other.count) + 0.5))
        let isBeside = other.allSatisfy { frame in
            guard let plane = frame.plane, let own = self.centre(of: frame) else { return false }
            let distance = plane.position.dot(normal)
            guard distance > first, distance < last else { return false }
            let offset = own - centre
            // A picture turned in its plane about its first pixel lies in line by that alone.
            return plane.normal.dot(normal).magnitude > Tolerance.parallel
                && (offset - normal * offset.dot(normal)).length < reach || order.isInLine(plane.position)
        }
        guard isBeside else { return false }
        let isFree = other.allSatisfy { frame in
            let distance = frame.plane?.position.dot(normal) ?? start
            return order.distances.allSatisfy { ($0 - distance).magnitude > gap / 2 }
        }
        return isFree || areOne(volume, other)
    }

    /// Both together are one evenly spaced volume, whatever sets them apart.
    private static func areOne(_ volume: [SourceFrame], _ other: [SourceFrame]) -> Bool {
        guard let one = volume.first?.plane?.normal, let two = other.first?.plane?.normal,
            one.dot(two).magnitude > Tolerance.parallel
        else { return false }
        let both = SliceOrder(volume + other)
        return both.isEven && both.multiplicity == 1
    }

    /// The longer edge, mm; in pixels where no distance is known.
    private static func width(of frame: SourceFrame) -> Double {
        let (pixels, spacing) = (frame.instance.pixels, frame.pixelSpacing ?? PixelSpacing(row: 1, column: 1))
        return max(Double(pixels.rows) * spacing.row, Double(pixels.columns) * spacing.column)
    }

    private static func centre(of frame: SourceFrame) -> Vector3? {
        guard let plane = frame.plane else { return nil }
        let (pixels, spacing) = (frame.instance.pixels, frame.pixelSpacing ?? PixelSpacing(row: 1, column: 1))
        return plane.position + plane.rowCosine * (Double(pixels.columns - 1) / 2 * spacing.column)
            + plane.columnCosine * (Double(pixels.rows - 1) / 2 * spacing.row)
    }
}
