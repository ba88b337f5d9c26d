import Imaging
import Numbers

/// What Instance Numbers say of slices that their positions alone do not show.
enum NumberedSlices {
    /// Fewer slices tell by their thickness too that others lay between them.
    private static let telling = 4
    /// Fewer slices may be numbered in any order: four that were acquired by turns look as if two were exchanged.
    private static let ordering = 6
    /// Of so many slices one may lie out of their order; more were acquired in another one.
    private static let displacing = 4
    /// How many neighbours are compared of many.
    private static let compared = 24

    /// - Parameters:
    ///   - series: all images of their series.
    ///   - study: all images of their study.
    static func findings(
        _ order: SliceOrder, among series: [SourceInstance], of study: [SourceInstance]
    ) -> [Finding] {
        guard order.multiplicity == 1 else { return [] }
        let isSingle = order.frames.allSatisfy { $0.instance.pixels.frames == 1 }
        let numbers = order.frames.compactMap { frame in
            isSingle ? frame.instance.dataSet.int(.instanceNumber) : frame.inStackPosition
        }
        guard numbers.count == order.frames.count else { return [] }
        let name = isSingle ? "Instance Numbers" : "In-Stack Position Numbers"
        let place = exchange(order, numbers, name) ?? displacement(order, numbers, name)
        return [isSingle ? steps(order, numbers, among: series, of: study) : nil, place].compactMap { $0 }
    }

    /// The numbers of slices in their order, where they leave none out: no slice between them was lost on its way.
    static func areConsecutive(_ frames: [SourceFrame]) -> Bool {
        let numbers = frames.compactMap { $0.instance.dataSet.int(.instanceNumber) }
        guard numbers.count == frames.count, let first = numbers.first, let last = numbers.last else { return false }
        let step = first < last ? 1 : -1
        return zip(numbers, numbers.dropFirst()).allSatisfy { $0.0.addingReportingOverflow(step) == ($0.1, false) }
    }

    /// Two slices whose places stand in each other's files: all others lie in the order of their numbers.
    private static func exchange(_ order: SliceOrder, _ numbers: [Int], _ name: String) -> Finding? {
        guard numbers.count >= ordering, Set(numbers).count == numbers.count else { return nil }
        let ascending = numbers.sorted()
        for expected in [ascending, ascending.reversed()] {
            let unlike = numbers.indices.filter { numbers[$0] != expected[$0] }
            guard unlike.count == 2 else { continue }
            return Finding(
                "VOL-PLACE", .warning,
                "all slices but two lie in the order of their \(name), and those have each other's place (\(unlike.map { order.frames[$0] }.instanceNumbers)): their Image Positions (Patient) may be exchanged. They are taken where these say."
            )
        }
        return nil
    }

    /// A few slices that lie out of the order of their numbers, as those do that were acquired again, or all in an order of chance, and whose
    /// pictures follow each other better by these: each place stands in another one's file.
    ///
    /// *Cost*: a few decodes where numbers and places give two orders.
    private static func displacement(_ order: SliceOrder, _ numbers: [Int], _ name: String) -> Finding? {
        guard numbers.count >= ordering, Set(numbers).count == numbers.count else { return nil }
        // Whether numbers rise or fall along the normal, most of them do.
        let kept = [numbers, numbers.map { ~$0 }].map(LongestRun.indices).max { $0.count < $1.count } ?? []
        let displaced = Set(numbers.indices).subtracting(kept).sorted()
        let byNumber = numbers.indices.sorted { numbers[$0] < numbers[$1] }
        // Slices acquired by turns, of which one pass may be brighter, run along the normal a few times.
        guard !displaced.isEmpty, displaced.count * displacing <= numbers.count || turns(byNumber) * 2 > numbers.count
        else { return nil }
        let placed = neighbours(Array(numbers.indices)), numbered = neighbours(byNumber)
        guard let stated = difference(placed.subtracting(numbered), order.frames),
            let alike = difference(numbered.subtracting(placed), order.frames),
            alike * (1 + Tolerance.continuity) < stated
        else { return nil }
        return Finding(
            "VOL-PLACE", .warning,
            "\(NumberText.plural(displaced.count, "slice")) of \(numbers.count) (\(displaced.map { order.frames[$0] }.instanceNumbers)) \(displaced.count == 1 ? "does" : "do") not lie in the order of their \(name), and the pictures follow each other better by these: Image Positions (Patient) may stand in the wrong images. They are taken where these say."
        )
    }

    /// How often a way through the slices turns back.
    private static func turns(_ way: [Int]) -> Int {
        let steps = zip(way, way.dropFirst()).map { $0 < $1 }
        return zip(steps, steps.dropFirst()).count { $0 != $1 }
    }

    private struct Pair: Hashable {
        let first: Int
        let second: Int
    }

    private static func neighbours(_ order: [Int]) -> Set<Pair> {
        Set(zip(order, order.dropFirst()).map { Pair(first: min($0, $1), second: max($0, $1)) })
    }

    /// Mean difference of pictures; nil where none can be compared.
    private static func difference(_ pairs: Set<Pair>, _ frames: [SourceFrame]) -> Double? {
        let decoding = FrameDecoding()
        let ordered = pairs.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
        let differences = ordered.prefix(compared).compactMap { pair -> Double? in
            guard let one = try? decoding.frame(frames[pair.first]),
                let other = try? decoding.frame(frames[pair.second]), one.samples == 1, other.samples == 1
            else { return nil }
            return CoarsePicture(one).difference(from: CoarsePicture(other))
        }
        return differences.isEmpty ? nil : differences.reduce(0, +) / Double(differences.count)
    }

    /// Evenly spaced slices whose Instance Numbers leave out as many between each two of them: every second or third may be all that came.
    /// Slices that overlapped touch each other where every second one is left.
    ///
    /// An image of the series that has a number between explains it; so do other series that have all of them at the same places, as
    /// echoes have that were numbered by turns and put in a series each.
    private static func steps(
        _ order: SliceOrder, _ numbers: [Int], among series: [SourceInstance], of study: [SourceInstance]
    ) -> Finding? {
        let frames = order.frames
        guard frames.count > 1, order.isEven, !order.lacksSlices else { return nil }
        let (step, isOverflow) = numbers[1].subtractingReportingOverflow(numbers[0])
        let every = step.magnitude
        guard !isOverflow, every > 1, let first = numbers.min(), let last = numbers.max(),
            zip(numbers, numbers.dropFirst()).allSatisfy({ $0.0.addingReportingOverflow(step) == ($0.1, false) })
        else { return nil }
        let thickness = frames[0].sliceThickness ?? 0
        let isTold = abs(thickness * Double(every) - order.medianGap) <= Tolerance.multiple * order.medianGap
        guard frames.count >= telling || isTold else { return nil }
        let own = Set(numbers)
        guard
            !series.contains(where: { instance in
                guard let number = instance.dataSet.int(.instanceNumber) else { return false }
                return number > first && number < last && !own.contains(number)
            })
        else { return nil }
        let places = Set(frames.map { $0.instance.dataSet.strings(.imagePositionPatient) })
        let others = study.filter {
            $0.seriesInstanceUID != frames[0].instance.seriesInstanceUID
                && places.contains($0.dataSet.strings(.imagePositionPatient))
        }
        var known = own
        for series in Dictionary(grouping: others, by: \.seriesInstanceUID).values {
            let theirs = series.compactMap { $0.dataSet.int(.instanceNumber) }.filter { $0 > first && $0 < last }
            if own.isDisjoint(with: theirs) { known.formUnion(theirs) }
        }
        if Double(known.count) == Double(last) - Double(first) + 1 { return nil }
        return Finding(
            "VOL-GAP", .warning,
            "\(NumberText.plural(frames.count, "slice")), evenly spaced, whose Instance Numbers go in steps of \(every): slices may be missing between all of them. Those that are there count with the distance to their neighbours."
        )
    }
}

extension SourceFrame {
    /// The ordinal of a frame in its stack; nil where an enhanced object does not say it.
    fileprivate var inStackPosition: Int? { group(.frameContentSequence).int(.inStackPositionNumber) }
}

/// The longest part of numbers that rises.
private enum LongestRun {
    /// Its indices, ascending.
    static func indices(_ numbers: [Int]) -> [Int] {
        /// Of each length the index at which such a run ends lowest.
        var ends: [Int] = []
        var previous = [Int?](repeating: nil, count: numbers.count)
        for index in numbers.indices {
            let length = ends.partitioningIndex { numbers[$0] >= numbers[index] }
            previous[index] = length > 0 ? ends[length - 1] : nil
            if length == ends.count { ends.append(index) } else { ends[length] = index }
        }
        var run: [Int] = []
        var next = ends.last
        while let index = next {
            run.append(index)
            next = previous[index]
        }
        return run.reversed()
    }
}

extension [Int] {
    /// The first index at which a condition holds that holds for all behind it; the end where it holds nowhere.
    fileprivate func partitioningIndex(where holds: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
