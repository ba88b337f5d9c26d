import Imaging
import Numbers

/// What Instance Numbers say of slices that their positions alone do not show.
enum NumberedSlices {
    /// Fewer slices tell by their thickness too that others lay between them.
    private static let telling = 4
    /// Fewer slices may be numbered in any order: four that were acquired by turns look as if two were exchanged.
    private static let ordering = 6

    /// - Parameters:
    ///   - series: all images of their series.
    ///   - study: all images of their study.
    static func findings(
        _ order: SliceOrder, among series: [SourceInstance], of study: [SourceInstance]
    ) -> [Finding] {
        guard order.multiplicity == 1, order.frames.allSatisfy({ $0.instance.pixels.frames == 1 }) else { return [] }
        let numbers = order.frames.compactMap { $0.instance.dataSet.int(.instanceNumber) }
        guard numbers.count == order.frames.count else { return [] }
        return [steps(order, numbers, among: series, of: study), exchange(order, numbers)].compactMap { $0 }
    }

    /// The numbers of slices in their order, where they leave none out: no slice between them was lost on its way.
    static func areConsecutive(_ frames: [SourceFrame]) -> Bool {
        let numbers = frames.compactMap { $0.instance.dataSet.int(.instanceNumber) }
        guard numbers.count == frames.count, let first = numbers.first, let last = numbers.last else { return false }
        let step = first < last ? 1 : -1
        return zip(numbers, numbers.dropFirst()).allSatisfy { $0.0.addingReportingOverflow(step) == ($0.1, false) }
    }

    /// Two slices whose places stand in each other's files: all others lie in the order of their numbers.
    private static func exchange(_ order: SliceOrder, _ numbers: [Int]) -> Finding? {
        guard numbers.count >= ordering, Set(numbers).count == numbers.count else { return nil }
        let ascending = numbers.sorted()
        for expected in [ascending, ascending.reversed()] {
            let unlike = numbers.indices.filter { numbers[$0] != expected[$0] }
            guard unlike.count == 2 else { continue }
            return Finding(
                "VOL-PLACE", .warning,
                "all slices but two lie in the order of their Instance Numbers, and those have each other's place (\(unlike.map { order.frames[$0].instance }.instanceNumbers)): their Image Positions (Patient) may be exchanged. They are taken where these say."
            )
        }
        return nil
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
