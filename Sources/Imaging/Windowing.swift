/// How a pipeline wants modality values shown to the network: the rule by which a `DisplayWindow` is chosen.
///
/// *Source*: `docs/dicom-support.md`, "Pixels": what the first window cannot give falls to the percentiles; what was asked for by
/// name, by number or as a table is there, or nothing is shown.
package struct Windowing: Sendable, Equatable {
    /// Where the window comes from.
    package enum Mode: Sendable, Equatable {
        /// The pipeline's own window, LINEAR.
        case fixed(center: Double, width: Double)
        /// The file's VOI LUT when `usesTable`; else its window whose explanation is `name`; else window number `index` (from 0).
        case dicom(index: Int = 0, name: String? = nil, usesTable: Bool = false)
        /// Percent of the values that are no padding.
        case percentile(low: Double, high: Double)
        /// From the smallest to the largest value that is no padding.
        case minmax
    }

    /// For how many frames one window serves.
    package enum Scope: String, Sendable {
        /// One window for all frames.
        case volume
        /// Each frame its own.
        case frame
    }

    package var mode: Mode
    package var scope: Scope

    /// The window that shows a range of values and no others, as a display shows samples for which there is no window.
    package static func whole(_ range: ClosedRange<Double>) -> Mode {
        .fixed(
            center: (range.lowerBound + range.upperBound + 1) / 2, width: range.upperBound - range.lowerBound + 1)
    }

    /// The percentiles that stand in where a rule gives nothing.
    package static let fallback = (low: 0.5, high: 99.5)
    package static let standIn = Mode.percentile(low: fallback.low, high: fallback.high)

    package init(mode: Mode, scope: Scope = .volume) {
        self.mode = mode
        self.scope = scope
    }

    /// The window of one frame.
    package func window(for frame: Frame, _ voi: VOI) -> DisplayWindow {
        if let stated = stated([voi]) { return stated }
        var values = ValueHistogram()
        values.add(frame)
        return window(of: values)
    }

    /// The window of a volume: the median of what its frames state, otherwise by all its values.
    ///
    /// *Cost*: `frame` is called for every index only when the files' own attributes do not decide.
    package func window<Failure: Error>(
        for vois: [VOI], frame: (Int) throws(Failure) -> Frame
    ) throws(Failure) -> DisplayWindow {
        if let stated = stated(vois) { return stated }
        var values = ValueHistogram()
        for index in vois.indices { values.add(try frame(index)) }
        return window(of: values)
    }

    /// The window that needs no pixels; nil when the values decide.
    package func stated(_ vois: [VOI]) -> DisplayWindow? {
        switch mode {
        case .fixed(let center, let width): return DisplayWindow(center: center, width: width, function: .linear)
        case .dicom(let index, let name, let usesTable):
            guard let first = vois.first, lack(in: vois) == nil else { return nil }
            if usesTable { return first.table.map(DisplayWindow.table) }
            let chosen = vois.compactMap { Self.window(of: $0, index: index, name: name) }
            return DisplayWindow(
                center: Self.median(chosen.map(\.center)), width: Self.median(chosen.map(\.width)),
                function: first.function)
        case .percentile, .minmax: return nil
        }
    }

    private func window(of values: ValueHistogram) -> DisplayWindow {
        switch mode {
        case .minmax: DisplayWindow(from: values.minimum, to: values.maximum)
        case .percentile(let low, let high): DisplayWindow(from: values.percentile(low), to: values.percentile(high))
        case .fixed, .dicom: Windowing(mode: Self.standIn, scope: scope).window(of: values)
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
