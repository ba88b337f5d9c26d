/// Frames that share positions are several volumes: time points, echoes, diffusion weightings, passes.
///
/// Every way to take them apart is judged by the volumes that it gives: whole ones before those that lack slices, few before
/// many, evenly spaced ones before uneven ones. Frames that do not collide are split only where that makes even volumes of an
/// uneven one (two passes shifted against each other); exposure or windows never split.
///
/// *Source*: `docs/dicom-support.md`, "Volumes"; rordenlab/dcm2niix#468 shows what splitting too eagerly does.
enum SoftSplit {
    /// Volumes, and what is to be said of them all.
    struct Result {
        var parts: [[SourceFrame]]
        var finding: Finding?
    }

    /// The parts in the order of their first frame; one part when nothing collides and nothing is shifted.
    ///
    /// *Throws*: `ambiguous` when nothing tells frames at one position apart.
    static func parts(_ frames: [SourceFrame]) throws(DICOMFailure) -> Result {
        let order = SliceOrder(frames)
        if order.multiplicity == 1, order.isEven {
            return mixed(frames, order) ?? interleaved(order) ?? Result(parts: [frames])
        }
        let texts = SplitKey.all.map { key in frames.map(key.value) }
        let counts = texts.map { Set($0).count }
        let useful = SplitKey.all.indices.filter { counts[$0] > 1 }
        if order.multiplicity == 1 {
            return shifted(frames, texts, useful) ?? mixed(frames, order) ?? Result(parts: [frames])
        }

        var best: (score: Score, parts: [[SourceFrame]])?
        func judge(_ values: [[String]]) {
            let parts = self.parts(frames, values)
            guard let score = Score(parts, of: order) else { return }
            if let known = best, !(score < known.score) { return }
            best = (score, parts)
        }
        for key in useful { judge([texts[key]]) }
        for (index, first) in useful.enumerated() {
            for second in useful.dropFirst(index + 1) { judge([texts[first], texts[second]]) }
        }
        for key in useful where SplitKey.all[key].isMoment {
            if let ranks = ranks(order, texts[key]) { judge([ranks]) }
        }
        if best?.score.missing != 0, let passes = passes(frames, order) { return passes }
        guard let best else {
            let counted = useful.map { "\(SplitKey.all[$0].name): \(counts[$0]) values" }.joined(separator: ", ")
            let equal = SplitKey.all.indices.filter { counts[$0] == 1 }.map { SplitKey.all[$0].name }
            throw .ambiguous(
                "\(frames.count) frames, up to \(order.multiplicity) at one position, and neither one attribute nor two of them tell those apart (\(counted.isEmpty ? "" : counted + "; ")equal: \(equal.joined(separator: ", "))): which belong together is unknown.",
                cure: "Send one volume a series.")
        }
        guard best.score.missing > 0 else { return Result(parts: best.parts) }
        let sizes = best.parts.map(\.count)
        return Result(
            parts: best.parts,
            finding: Finding(
                "VOL-PARTS", .warning,
                "the series has \(order.positions.count) positions with up to \(order.multiplicity) images each, and its \(sizes.count) parts hold \(sizes.min() ?? 0) to \(sizes.max() ?? 0): parts may lack slices, or belong together."
            ))
    }

    /// Even volumes of one spacing that lie between each other: passes whose positions differ. Stacks behind each other are no such
    /// passes: what lies between them may be lost slices.
    private static func shifted(_ frames: [SourceFrame], _ texts: [[String]], _ useful: [Int]) -> Result? {
        for key in useful where !SplitKey.all[key].isMoment && !SplitKey.all[key].isSetting {
            let parts = parts(frames, [texts[key]])
            let orders = parts.map { SliceOrder($0) }
            guard let spacing = orders.first?.medianGap, spacing > 0,
                orders.allSatisfy({
                    $0.frames.count > 2 && $0.isEven && $0.multiplicity == 1
                        && abs($0.medianGap - spacing) <= Tolerance.position * spacing
                }), overlap(orders)
            else { continue }
            let isWhole = SplitKey.all[key].isStack || coverOneRange(orders)
            return Result(
                parts: parts,
                finding: Finding(
                    "VOL-PARTS", isWhole ? .note : .warning,
                    "\(parts.count) passes told apart by \(SplitKey.all[key].name), evenly spaced each, shifted against each other\(isWhole ? "" : ", and none shows all that the others show: they may lack slices, or belong together"). Each is a volume of its own."
                ))
        }
        return nil
    }

    /// Scans of one region whose slices fall between each other: evenly spaced together, they look like one volume, and what moved between
    /// the scans would be in it twice. Slices of one scan that were acquired by turns touch each other at most.
    private static func interleaved(_ order: SliceOrder) -> Result? {
        let frames = order.frames
        let thicknesses = frames.compactMap(\.sliceThickness)
        guard thicknesses.count == frames.count, let thinnest = thicknesses.min(),
            thinnest > order.medianGap * (1 + Tolerance.multiple)
        else { return nil }
        for key in SplitKey.all where key.isScan {
            let orders = parts(frames, [frames.map(key.value)]).map { SliceOrder($0) }
            guard orders.count > 1, orders.allSatisfy({ $0.frames.count > 2 && $0.isEven }), coverOneRange(orders)
            else { continue }
            return Result(
                parts: orders.map(\.frames),
                finding: Finding(
                    "VOL-PARTS", .warning,
                    "\(orders.count) passes told apart by \(key.name), whose slices lie between each other and overlap: each is taken as a volume of its own, and together they may be one."
                ))
        }
        return nil
    }

    /// All stacks begin together and end together, by no more than what lies between two of their slices.
    private static func coverOneRange(_ orders: [SliceOrder]) -> Bool {
        let (starts, ends) = (orders.map { $0.distances[0] }, orders.map { $0.distances[$0.distances.count - 1] })
        let bound = (orders.map(\.medianGap).max() ?? 0) * (1 + Tolerance.position)
        return [starts, ends].allSatisfy { ($0.max() ?? 0) - ($0.min() ?? 0) <= bound }
    }

    /// Echoes, times, diffusion weightings, water and fat or kernels of which one image is left at each position, as archives leave it that
    /// take images of one Instance Number for copies: together they look whole, and are no volume.
    private static func mixed(_ frames: [SourceFrame], _ order: SliceOrder) -> Result? {
        let isMR = frames.first?.instance.modality == "MR"
        let keys = SplitKey.all.filter { key in
            guard key.isOfVolume && isMR || order.isEven && takesTurns(key, order) else { return false }
            let values = Set(frames.map(key.value).filter { !$0.isEmpty })
            return values.count * 2 <= frames.count && differ(values, key)
        }
        guard !keys.isEmpty else { return nil }
        let parts = parts(frames, keys.map { frames.map($0.value) })
        guard parts.count * 2 <= frames.count, overlap(parts.map { SliceOrder($0) }) else { return nil }
        return Result(
            parts: parts,
            finding: Finding(
                "VOL-PARTS", .warning,
                "\(frames.count) images, one at each position, that differ in \(keys.map(\.name).joined(separator: ", ")) and lie between each other: \(parts.count) volumes of which each lacks what the others have."
            ))
    }

    /// Whether these are several, and none that was rounded.
    private static func differ(_ values: Set<String>, _ key: SplitKey) -> Bool {
        let numbers = values.compactMap(Double.init)
        guard numbers.count == values.count, let least = numbers.min(), let most = numbers.max() else {
            return values.count > 1
        }
        return most - least > key.tolerance * most
    }

    /// Whether what was set for a whole volume, or for a part of its way, changes to and fro along it.
    private static func takesTurns(_ key: SplitKey, _ order: SliceOrder) -> Bool {
        guard key.isSetting || key.isOfRun || key.isOfVolume else { return false }
        let values = order.frames.map(key.value)
        let changes = zip(values, values.dropFirst()).count { $0 != $1 }
        return changes >= 4 && changes * 4 >= values.count
    }

    /// Whether each stack reaches into another one; all lie along one normal.
    private static func overlap(_ orders: [SliceOrder]) -> Bool {
        let spans = orders.map { $0.distances[0]...$0.distances[$0.distances.count - 1] }
        return spans.indices.allSatisfy { one in
            spans.indices.contains { $0 != one && spans[$0].overlaps(spans[one]) }
        }
    }

    private static func parts(_ frames: [SourceFrame], _ values: [[String]]) -> [[SourceFrame]] {
        var indices: [[String]: Int] = [:]
        var parts: [[SourceFrame]] = []
        for (index, frame) in frames.enumerated() {
            let value = values.map { $0[index] }
            if let part = indices[value] {
                parts[part].append(frame)
            } else {
                indices[value] = parts.count
                parts.append([frame])
            }
        }
        return parts
    }

    /// For each frame which one in time it is at its position; nil unless all positions have equally many different moments.
    private static func ranks(_ order: SliceOrder, _ texts: [String]) -> [String]? {
        var ranks = texts
        for position in order.positions {
            guard position.count == order.multiplicity else { return nil }
            let moments = position.map { (index: $0, moment: Double(texts[$0]) ?? .nan) }.sorted {
                $0.moment < $1.moment
            }
            guard moments.allSatisfy({ $0.moment.isFinite }),
                zip(moments, moments.dropFirst()).allSatisfy({ $0.0.moment < $0.1.moment })
            else { return nil }
            for (rank, moment) in moments.enumerated() { ranks[moment.index] = String(rank) }
        }
        return ranks
    }

    /// Volumes that were numbered one whole volume after the other, or position by position with all volumes of one position in a
    /// row: no other order of numbers says which frames belong together. `frames` are in the order of their Instance Numbers.
    ///
    /// GE and Philips write functional series without any other attribute that differs.
    private static func passes(_ frames: [SourceFrame], _ order: SliceOrder) -> Result? {
        let numbers = frames.map { $0.instance.dataSet.int(.instanceNumber) }
        let isNumbered = zip(frames.indices, frames.indices.dropFirst()).allSatisfy { previous, next in
            guard let one = numbers[previous], let other = numbers[next] else { return false }
            return one < other || frames[previous].instance === frames[next].instance
        }
        let positions = order.positions
        let count = order.multiplicity
        // At a single position any order fits: a place that was lost looks so.
        guard isNumbered, positions.count > 1, positions.allSatisfy({ $0.count == count }) else { return nil }
        var positionOf = [Int](repeating: 0, count: frames.count)
        for (position, indices) in positions.enumerated() { for index in indices { positionOf[index] = position } }
        let isVolumeAfterVolume = frames.indices.allSatisfy { positionOf[$0] == positionOf[$0 % positions.count] }
        let isPositionAfterPosition = frames.indices.allSatisfy { positionOf[$0] == positionOf[$0 - $0 % count] }
        guard isVolumeAfterVolume || isPositionAfterPosition else { return nil }
        let volumes = frames.indices.map { isVolumeAfterVolume ? $0 / positions.count : $0 % count }
        let parts = parts(frames, [volumes.map(String.init)])
        // What the numbers put together and a setting tells apart is no volume.
        for key in SplitKey.all where key.isSetting {
            guard parts.allSatisfy({ Set($0.map(key.value)).count == 1 }) else { return nil }
        }
        // Nor is what a moment, an echo or a weighting tells apart, unless it is one of an image.
        for key in SplitKey.all where key.isOfVolume {
            let isMixed = parts.contains { part in
                let values = Set(part.map(key.value).filter { !$0.isEmpty })
                return values.count * 2 <= part.count && differ(values, key)
            }
            if isMixed { return nil }
        }
        return Result(
            parts: parts,
            finding: Finding(
                "VOL-PARTS", .note,
                "\(count) volumes told apart by the order of their Instance Numbers alone: they run through all \(positions.count) positions \(isVolumeAfterVolume ? "once for each volume" : "with all volumes of one position in a row")."
            ))
    }

    /// How good a split is; smaller is better.
    private struct Score: Comparable {
        /// Slices that parts lack of the positions that the series has.
        let missing: Int
        let partCount: Int
        let unevenCount: Int

        /// Nil for a split that leaves frames at one position, or that explains nothing because it tells every frame apart.
        init?(_ parts: [[SourceFrame]], of order: SliceOrder) {
            guard parts.count <= 2 * order.multiplicity else { return nil }
            let orders = parts.map { SliceOrder($0) }
            guard orders.allSatisfy({ $0.multiplicity == 1 }) else { return nil }
            missing = parts.reduce(0) { $0 + order.positions.count - $1.count }
            partCount = parts.count
            unevenCount = orders.count(where: { !$0.isEven })
        }

        static func < (one: Score, other: Score) -> Bool {
            (one.missing, one.partCount, one.unevenCount) < (other.missing, other.partCount, other.unevenCount)
        }
    }
}
