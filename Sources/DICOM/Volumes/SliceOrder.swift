import Imaging

/// Frames of one orientation in ascending order along their normal, and what the gaps between them say.
///
/// *Source*: the design page on DICOM, section 2.2. Instance Number, file name and Slice Location never decide.
struct SliceOrder {
    /// Ascending.
    let frames: [SourceFrame]
    /// Distance along the normal of the first frame, mm.
    let distances: [Double]
    /// Between neighbours, mm.
    let gaps: [Double]
    /// Of the gaps between different positions; 0 when there are none.
    let medianGap: Double

    private static let smallestGap = 0.01
    private static let relativeTolerance = 0.01

    init(_ unordered: [SourceFrame]) {
        let normal = unordered.first?.plane?.normal ?? Vector3(0, 0, 1)
        let placed = unordered.enumerated().map { place, frame in
            (distance: frame.plane?.position.dot(normal) ?? 0, place: place)
        }.sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }
        frames = placed.map { unordered[$0.place] }
        distances = placed.map(\.distance)
        gaps = zip(distances.dropFirst(), distances).map { $0.0 - $0.1 }
        medianGap = Self.median(gaps.filter { $0 > Self.smallestGap })
    }

    /// Positions closer than this are one.
    private var tolerance: Double { max(Self.smallestGap, Self.relativeTolerance * medianGap) }

    /// Most frames at one position; 1 when none collide.
    var multiplicity: Int {
        var most = 1
        var run = 1
        for gap in gaps {
            run = gap <= tolerance ? run + 1 : 1
            most = max(most, run)
        }
        return most
    }

    /// Measured spacing, what each slice stands for, and findings. All positions differ.
    func spacing() -> (spacing: Double?, weights: [Double], findings: [Finding]) {
        guard frames.count > 1 else {
            let thickness = frames.first?.sliceThickness ?? 0
            return (nil, thickness > 0 ? [thickness] : [], [])
        }
        var findings: [Finding] = []
        let irregular = gaps.indices.filter { abs(gaps[$0] - medianGap) > tolerance }
        let spacing: Double
        let weights: [Double]
        if irregular.isEmpty {
            spacing = (distances[distances.count - 1] - distances[0]) / Double(frames.count - 1)
            weights = [Double](repeating: spacing, count: frames.count)
        } else if irregular.allSatisfy({ isMultiple(gaps[$0]) }) {
            spacing = medianGap
            weights = [Double](repeating: spacing, count: frames.count)
            let places = irregular.prefix(10).map {
                "\(Int((gaps[$0] / medianGap).rounded()) - 1) between slices \($0 + 1) and \($0 + 2)"
            }.joined(separator: ", ")
            findings.append(
                Finding(
                    "VOL-GAP", .warning,
                    "missing slices: \(places)\(irregular.count > 10 ? " and more" : ""). They count with nothing in the volume."
                ))
        } else {
            spacing = medianGap
            weights = frames.indices.map { index in
                let before = index > 0 ? gaps[index - 1] : gaps[index]
                let after = index < gaps.count ? gaps[index] : gaps[index - 1]
                return (before + after) / 2
            }
            findings.append(
                Finding(
                    "VOL-UNEVEN", .warning,
                    "uneven slices: gaps of \(Self.shown(gaps.min() ?? 0)) to \(Self.shown(gaps.max() ?? 0)) mm. Some readers will misplace the result."
                ))
        }
        if let tilt = tilt() { findings.append(tilt) }
        if let stated = frames[0].group(.pixelMeasuresSequence).double(.spacingBetweenSlices),
            stated < 0 || abs(stated - spacing) > max(Self.smallestGap, 0.01 * spacing)
        {
            findings.append(
                Finding(
                    "VOL-SPACING-TAG", .note,
                    "Spacing Between Slices = \(Self.shown(stated)) mm, measured \(Self.shown(spacing)) mm. The measured value is used."
                ))
        }
        return (spacing, weights, findings)
    }

    private func isMultiple(_ gap: Double) -> Bool {
        let times = (gap / medianGap).rounded()
        return times >= 2 && abs(gap - times * medianGap) <= 0.05 * medianGap
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
        guard worst > 0.002 else { return nil }
        return Finding(
            "VOL-TILT", .warning,
            "slices are displaced in their plane by \(Self.shown(worst)) mm for each mm between them (gantry tilt). Nothing is resampled; some readers will misplace the result."
        )
    }

    /// Three decimals, without trailing zeros.
    private static func shown(_ value: Double) -> String {
        guard abs(value) < 1e9 else { return "more than 1e9" }
        return "\((value * 1000).rounded() / 1000)"
    }

    private static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
