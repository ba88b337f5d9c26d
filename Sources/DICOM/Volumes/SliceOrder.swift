import Imaging
import Numbers

/// Frames of one orientation in ascending order along their normal, and what the gaps between them say.
///
/// *Source*: `docs/dicom-support.md`, "Volumes". Instance Number, file name and Slice Location never decide.
struct SliceOrder {
    /// Ascending.
    let frames: [SourceFrame]
    /// Distance along the normal of the first frame, mm.
    let distances: [Double]
    /// Between neighbours, mm.
    let gaps: [Double]
    /// Of the gaps between different positions; 0 when there are none.
    let medianGap: Double
    /// The frames at each position, ascending, as indices of the input.
    let positions: [[Int]]
    /// Most frames at one position; 1 when none collide.
    let multiplicity: Int

    /// Positions closer than this are one, mm.
    private let tolerance: Double

    init(_ unordered: [SourceFrame]) {
        let normal = unordered.first?.plane?.normal ?? Vector3(0, 0, 1)
        let sorted = unordered.enumerated().map { index, frame in
            (distance: frame.plane?.position.dot(normal) ?? 0, index: index)
        }.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }
        frames = sorted.map { unordered[$0.index] }
        distances = sorted.map(\.distance)
        let gaps = zip(distances.dropFirst(), distances).map { $0.0 - $0.1 }
        let smallest = Tolerance.smallestGap(largest: gaps.max() ?? 0)
        self.gaps = gaps
        medianGap = Self.median(gaps.filter { $0 > smallest })
        tolerance = max(smallest, Tolerance.position * medianGap)
        var positions: [[Int]] = sorted.first.map { [[$0.index]] } ?? []
        for (gap, next) in zip(gaps, sorted.dropFirst()) {
            if gap <= tolerance {
                positions[positions.count - 1].append(next.index)
            } else {
                positions.append([next.index])
            }
        }
        self.positions = positions
        multiplicity = positions.map(\.count).max() ?? 1
    }

    /// Whether a slice that begins there continues the slices' line, or fills a gap in it.
    func isInLine(_ position: Vector3) -> Bool {
        guard let first = frames.first?.plane?.position, let last = frames.last?.plane?.position, medianGap > 0,
            distances[distances.count - 1] > distances[0]
        else { return false }
        let step = (last - first) * (medianGap / (distances[distances.count - 1] - distances[0]))
        let offset = position - first
        let steps = offset.dot(step) / step.dot(step)
        return (offset - step * steps.rounded()).length <= Tolerance.line * medianGap
    }

    /// All gaps are alike.
    var isEven: Bool { gaps.allSatisfy { abs($0 - medianGap) <= tolerance } }

    /// Measured spacing, what each slice stands for, and findings. All positions differ.
    ///
    /// *Throws* `position` when first and last slice lie farther apart than any patient reaches, or when a slice lies beside the line that
    /// the others lie on.
    func spacing() throws(DICOMFailure) -> (spacing: Double?, weights: [Double], findings: [Finding]) {
        guard frames.count > 1 else {
            let thickness = frames.first?.sliceThickness ?? 0
            return (nil, thickness > 0 ? [thickness] : [], [])
        }
        let extent = distances[distances.count - 1] - distances[0]
        guard CheckedNumbers.Range.extent.contains(extent) else {
            throw .position(
                "the series reaches over \(NumberText.short(extent)) mm: a position of a slice must be wrong.",
                cure: "Correct the series at its source.")
        }
        var findings = [try lineFinding()].compactMap { $0 }
        let unit = unit()
        // Of even slices the distance that they have, whatever lies between them: results say where theirs lie.
        let spacing = isEven ? extent / Double(frames.count - 1) : unit ?? medianGap
        let weights: [Double]
        if let unit {
            weights = [Double](repeating: unit, count: frames.count)
            let holes = gaps.indices.filter { (gaps[$0] / unit).rounded() >= 2 }
            let missing = holes.prefix(10).map {
                "\(NumberText.short((gaps[$0] / unit).rounded() - 1)) between slices \($0 + 1) and \($0 + 2)"
            }.joined(separator: ", ")
            findings.append(
                Finding(
                    "VOL-GAP", .warning,
                    "missing slices: \(missing)\(holes.count > 10 ? " and more" : ""). They count with nothing in the volume."
                ))
        } else if isEven {
            weights = [Double](repeating: spacing, count: frames.count)
        } else {
            // No slice stands for what lies between two stacks that are far apart.
            let holes = gaps.indices.filter { gaps[$0] > Tolerance.hole * medianGap && !isFilled($0) }
            let reach = gaps.indices.map { holes.contains($0) ? medianGap : gaps[$0] }
            weights = frames.indices.map { index in
                let before = index > 0 ? reach[index - 1] : reach[index]
                let after = index < reach.count ? reach[index] : reach[index - 1]
                return (before + after) / 2
            }
            if let first = holes.first {
                findings.append(
                    Finding(
                        "VOL-GAP", .warning,
                        "slices \(first + 1) and \(first + 2) lie \(NumberText.short(gaps[first])) mm apart\(holes.count > 1 ? ", and \(holes.count - 1) more pairs likewise" : ""), the others \(NumberText.short(medianGap)) mm: slices may be missing between them. What lies there counts with nothing in the volume."
                    ))
            }
            findings.append(
                Finding(
                    "VOL-UNEVEN", .warning,
                    "uneven slices: gaps of \(NumberText.short(gaps.min() ?? 0)) to \(NumberText.short(gaps.max() ?? 0)) mm. Some readers will misplace the result."
                ))
            if let odd = offGrid() { findings.append(odd) }
        }
        if let tilt = tilt() { findings.append(tilt) }
        if let told = locationFinding(spacing) { findings.append(told) }
        if let stated = frames[0].group(.pixelMeasuresSequence).double(.spacingBetweenSlices), stated != unit,
            stated < 0 || abs(stated - spacing) > max(tolerance, Tolerance.position * spacing)
        {
            // Slices that touch each other as they are may overlap where all of them are there. Numbers without a gap say that none is lost:
            // the tag is a rest of what these were made of.
            let doubt =
                fraction() == nil || NumberedSlices.areConsecutive(frames)
                ? "" : ", a multiple of it: slices may be missing between them, or the tag is that of other slices"
            findings.append(
                Finding(
                    "VOL-SPACING-TAG", doubt.isEmpty ? .note : .warning,
                    "Spacing Between Slices = \(NumberText.short(stated)) mm, measured \(NumberText.short(spacing)) mm\(doubt). The measured value is used."
                ))
        }
        return (spacing, weights, findings)
    }

    /// Slices that lie evenly by Slice Location, as far apart as Spacing Between Slices or their thickness says, and at other distances by
    /// their positions: one of both was changed alone. Slice Location by itself is believed by nobody.
    private func locationFinding(_ spacing: Double) -> Finding? {
        let places = frames.compactMap { frame in
            frame.instance.pixels.frames == 1 && frame.imageType.first == "ORIGINAL"
                ? frame.instance.dataSet.double(.sliceLocation) : nil
        }
        guard isEven, frames.count > 3, places.count == frames.count else { return nil }
        let steps = zip(places.dropFirst(), places).map { $0.0 - $0.1 }
        let step = Self.median(steps)
        guard step != 0, steps.allSatisfy({ abs($0 - step) <= Tolerance.multiple * step.magnitude }),
            abs(step.magnitude - spacing) > Tolerance.location * max(step.magnitude, spacing)
        else { return nil }
        let isBorneUp = frames.allSatisfy { frame in
            let stated = frame.group(.pixelMeasuresSequence).double(.spacingBetweenSlices) ?? frame.sliceThickness
            return stated.map { abs($0.magnitude - step.magnitude) <= Tolerance.multiple * step.magnitude } ?? false
        }
        guard isBorneUp else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "the slices lie \(NumberText.short(spacing)) mm apart by Image Position (Patient), and \(NumberText.short(step.magnitude)) mm by \(Attribute.sliceLocation.keyword) \(Attribute.sliceLocation.tag) and Spacing Between Slices or their thickness: their places may be wrong, and all volumes then are. The first is used."
        )
    }

    /// Some slices are missing for certain.
    var lacksSlices: Bool { unit() != nil }

    /// The distance of neighbouring slices where some of them are missing: all gaps are whole multiples of it. Nil where none is.
    private func unit() -> Double? {
        if let fraction = fraction(), fraction.isCertain { return fraction.unit }
        guard !isEven, !isContiguous else { return nil }
        if gaps.allSatisfy({ abs($0 - medianGap) <= tolerance || multiple($0, of: medianGap) >= 2 }) {
            return medianGap
        }
        // Where more gaps are holes than not, the median is a hole.
        let smallest = gaps.min() ?? 0
        let alike = gaps.filter { $0 <= smallest * (1 + Tolerance.multiple) }
        let mean = alike.reduce(0, +) / Double(alike.count)
        let multiples = gaps.map { multiple($0, of: mean) }
        return mean * Tolerance.mostMissing > medianGap && !multiples.contains(0) && multiples.contains { $0 >= 2 }
            ? mean : nil
    }

    /// Spacing Between Slices, where the slices lie whole multiples of it apart, and whether slices are missing for certain.
    ///
    /// Some vendors write what lies between the faces of two slices there: with the thickness that is the distance of their centres, and
    /// this is nil. Slices that touch each other lack none for certain: they may have overlapped, or the tag is a rest of thinner ones that
    /// they were made of.
    private func fraction() -> (unit: Double, isCertain: Bool)? {
        let stated = frames.map { $0.group(.pixelMeasuresSequence).double(.spacingBetweenSlices) }
        guard let unit = stated[0], unit > tolerance, stated.allSatisfy({ $0 == unit }),
            abs(unit - medianGap) > max(tolerance, Tolerance.position * medianGap)
        else { return nil }
        let multiples = gaps.map { multiple($0, of: unit) }
        guard !multiples.contains(0), multiples.contains(where: { $0 >= 2 }), !isContiguous else { return nil }
        // A gap of one unit shows that it is the distance.
        if multiples.contains(1) { return (unit, true) }
        let smallest = gaps.min() ?? 0
        let others = frames.compactMap(\.sliceThickness).filter { abs($0 - unit) > Tolerance.multiple * unit }
        if others.contains(where: { abs($0 + unit - smallest) <= Tolerance.multiple * unit }) { return nil }
        return (unit, others.allSatisfy { $0 < smallest - Tolerance.multiple * unit })
    }

    /// How many times a gap holds the unit; 0 where it is no whole multiple of it.
    private func multiple(_ gap: Double, of unit: Double) -> Double {
        let times = (gap / unit).rounded()
        return abs(gap - times * unit) <= Tolerance.multiple * unit ? times : 0
    }

    /// Slices of different thickness that reach each other, as a head is scanned in thin slices below and in thick ones above: their gaps
    /// differ, and nothing is missing. Slices of one thickness that reach each other may have overlapped.
    private var isContiguous: Bool {
        let thicknesses = frames.compactMap(\.sliceThickness)
        guard thicknesses.count == frames.count, let least = thicknesses.min(), let most = thicknesses.max(),
            most - least > Tolerance.multiple * least
        else { return false }
        return gaps.indices.allSatisfy(isFilled)
    }

    /// Whether one of the slices on both sides of a gap is so thick that it reaches the other.
    private func isFilled(_ gap: Int) -> Bool {
        let thickness = max(frames[gap].sliceThickness ?? 0, frames[gap + 1].sliceThickness ?? 0)
        return gaps[gap] <= thickness * (1 + Tolerance.multiple)
    }

    /// A few slices beside the line of all others are at a wrong place, whatever the line's direction is. Many are stacks that are moved
    /// against each other, which may be what was acquired; positions that wander are.
    ///
    /// *Throws* `position` for a few.
    private func lineFinding() throws(DICOMFailure) -> Finding? {
        let places = frames.compactMap { $0.plane?.position }
        guard places.count == frames.count, frames.count > 4, let normal = frames[0].plane?.normal else { return nil }
        let offsets = places.map { place in
            let away = place - places[0]
            return away - normal * away.dot(normal)
        }
        let drift = Self.median(
            zip(zip(offsets, offsets.dropFirst()), gaps).compactMap { pair, gap in
                gap > tolerance ? (pair.1 - pair.0) * (1 / gap) : nil
            })
        let residuals = zip(offsets, distances).map { $0 - drift * ($1 - distances[0]) }
        let middle = Self.median(residuals)
        let pixel = frames[0].pixelSpacing.map { max($0.row, $0.column) } ?? 0
        let bound = max(
            Tolerance.beside.mm, Tolerance.beside.pixels * pixel, Tolerance.beside.gaps * medianGap)
        let beside = residuals.indices.filter { (residuals[$0] - middle).length > bound }
        guard let first = beside.first else { return nil }
        guard beside.count == 1 || beside.count * 10 <= frames.count else {
            let jumps = zip(residuals, residuals.dropFirst()).map { ($1 - $0).length }
            guard let widest = jumps.max(), widest > 2 * bound, let index = jumps.firstIndex(of: widest) else {
                return nil
            }
            return Finding(
                "VOL-PLACE", .warning,
                "slices \(index + 1) and \(index + 2) of \(frames.count) lie \(NumberText.short(widest)) mm beside each other, as no tilted gantry moves them: stacks that do not lie behind each other, or wrong Image Positions (Patient). What reaches over both is told as if they did."
            )
        }
        throw .position(
            "\(frames.name(first)) lies \(NumberText.short((residuals[first] - middle).length)) mm beside the line of the others: its Image Position (Patient) must be wrong.",
            cure: "Correct the series at its source.")
    }

    /// A few slices off the even steps of all others are at a wrong place along their line, or were acquired by themselves. Thicker slices
    /// lie farther apart, and stacks that begin anew shift all behind them.
    private func offGrid() -> Finding? {
        guard frames.count > 4, !isContiguous else { return nil }
        let residuals = distances.indices.map { distances[$0] - Double($0) * medianGap }
        let middle = Self.median(residuals)
        let odd = residuals.indices.filter { abs(residuals[$0] - middle) > tolerance }
        guard let first = odd.first, odd.count == 1 || odd.count * 10 <= frames.count,
            odd.allSatisfy({ abs(residuals[$0] - middle) > Tolerance.line * medianGap })
        else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "\(frames.name(first))\(odd.count > 1 ? " and \(odd.count - 1) more lie" : " lies") \(NumberText.short(abs(residuals[first] - middle))) mm off the even steps of the others: Image Position (Patient) may be wrong. It is taken where this says."
        )
    }

    /// Of each component.
    private static func median(_ vectors: [Vector3]) -> Vector3 {
        Vector3(median(vectors.map(\.x)), median(vectors.map(\.y)), median(vectors.map(\.z)))
    }

    /// In-plane drift from slice to slice. The Gantry/Detector Tilt attribute is not believed.
    private func tilt() -> Finding? {
        guard let normal = frames[0].plane?.normal else { return nil }
        var worst = 0.0
        for (previous, next) in zip(frames, frames.dropFirst()) {
            guard let from = previous.plane?.position, let to = next.plane?.position else { continue }
            let step = to - from
            let along = step.dot(normal)
            worst = max(worst, (step - normal * along).length / abs(along))
        }
        guard worst > Tolerance.shear else { return nil }
        return Finding(
            "VOL-TILT", .warning,
            "slices are displaced in their plane by \(NumberText.short(worst)) mm for each mm between them (gantry tilt). Nothing is resampled; some readers will misplace the result."
        )
    }

    private static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
