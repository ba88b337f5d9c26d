/// How well objects are found one by one: average precision and aggregated Jaccard index.
///
/// *Source*: the Data Science Bowl 2018's AP = TP / (TP + FP + FN) (Caicedo et al., Nature Methods 16); Kumar et al., IEEE TMI 36 (2017) for
/// AJI.
package struct InstanceFigures: Sendable, Equatable, Codable {
    /// IoU from which an object counts as found, in hundredths: what is exactly as large counts, and 0.55 times a number is rounded.
    package static let thresholds = Array(stride(from: 50, through: 95, by: 5))

    /// Of each threshold; 1 when there are no objects on either side.
    package let precision: [Double]
    package let aggregatedJaccard: Double
    package let found: Int
    package let wanted: Int

    /// The mean over all thresholds.
    package var meanPrecision: Double { precision.reduce(0, +) / Double(precision.count) }

    /// - Parameters prediction, truth: the object of each pixel, 0 outside; numbers need not be consecutive.
    package init(prediction: [Int32], truth: [Int32]) {
        precondition(
            prediction.count == truth.count, "InstanceFigures: \(prediction.count) pixels against \(truth.count)")
        var (own, its, shared) = ([Int32: Int](), [Int32: Int](), [SIMD2<Int32>: Int]())
        for (p, t) in zip(prediction, truth) {
            if p > 0 { own[p, default: 0] += 1 }
            if t > 0 { its[t, default: 0] += 1 }
            if p > 0, t > 0 { shared[SIMD2(p, t), default: 0] += 1 }
        }
        (found, wanted) = (own.count, its.count)
        let overlaps = shared.map { pair, both in
            (pair: pair, both: both, union: (own[pair.x] ?? 0) + (its[pair.y] ?? 0) - both)
        }
        .sorted { ($0.pair.y, $0.pair.x) < ($1.pair.y, $1.pair.x) }
        let counts = (found: found, wanted: wanted)
        precision = Self.thresholds.map { threshold in
            // Above one half an object overlaps one other at most; at exactly one half the first match of each counts.
            var (matchedOwn, matchedIts) = (Set<Int32>(), Set<Int32>())
            for overlap in overlaps where 100 * overlap.both >= threshold * overlap.union {
                guard !matchedOwn.contains(overlap.pair.x), !matchedIts.contains(overlap.pair.y) else { continue }
                matchedOwn.insert(overlap.pair.x)
                matchedIts.insert(overlap.pair.y)
            }
            let all = counts.found + counts.wanted - matchedOwn.count
            return all == 0 ? 1 : Double(matchedOwn.count) / Double(all)
        }
        // Each object of the truth goes with the one that it shares most of its union with.
        var best: [Int32: (pair: SIMD2<Int32>, both: Int, union: Int)] = [:]
        for overlap in overlaps {
            if let other = best[overlap.pair.y], overlap.both * other.union <= other.both * overlap.union { continue }
            best[overlap.pair.y] = overlap
        }
        let used = Set(best.values.map(\.pair.x))
        var (both, union) = (best.values.reduce(0) { $0 + $1.both }, best.values.reduce(0) { $0 + $1.union })
        for (object, size) in its where best[object] == nil { union += size }
        for (object, size) in own where !used.contains(object) { union += size }
        if union == 0 { (both, union) = (1, 1) }
        aggregatedJaccard = Double(both) / Double(union)
    }
}
