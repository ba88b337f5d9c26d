import Imaging
import Numbers

/// Evenly spaced slices whose Instance Numbers leave out as many between each two of them: every second or third may be all that came.
///
/// Positions alone do not show that, and slices that overlapped touch each other where every second one is left.
enum NumberedSlices {
    /// Fewer slices tell by their thickness too that others lay between them.
    private static let telling = 4

    /// - Parameter series: all images of their series; one that has a number between explains it.
    static func finding(_ order: SliceOrder, among series: [SourceInstance]) -> Finding? {
        let frames = order.frames
        guard frames.count > 1, order.isEven, order.multiplicity == 1, !order.lacksSlices,
            frames.allSatisfy({ $0.instance.pixels.frames == 1 })
        else { return nil }
        let numbers = frames.compactMap { $0.instance.dataSet.int(.instanceNumber) }
        guard numbers.count == frames.count else { return nil }
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
        return Finding(
            "VOL-GAP", .warning,
            "\(NumberText.plural(frames.count, "slice")), evenly spaced, whose Instance Numbers go in steps of \(every): slices may be missing between all of them. Those that are there count with the distance to their neighbours."
        )
    }
}
