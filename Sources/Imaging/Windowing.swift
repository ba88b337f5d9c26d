/// How a pipeline wants modality values shown to the network: the rule by which a `DisplayWindow` is chosen.
///
/// *Source*: the design page on DICOM, section 1.6: what a rule cannot give falls to the percentiles.
package struct Windowing: Sendable, Equatable {
    package enum Mode: Sendable, Equatable {
        /// The pipeline's own window, LINEAR.
        case fixed(center: Double, width: Double)
        /// The file's VOI LUT when `usesTable`; else its window whose explanation is `name`, else window number `index`
        /// (from 0), else the first.
        case dicom(index: Int = 0, name: String? = nil, usesTable: Bool = false)
        /// Percent of the values that are no padding.
        case percentile(low: Double, high: Double)
        case minmax
    }

    package enum Scope: String, Sendable {
        /// One window for all frames.
        case volume
        /// Each frame its own.
        case frame
    }

    package var mode: Mode
    package var scope: Scope

    /// The percentiles that stand in where a rule gives nothing.
    package static let fallback = (low: 0.5, high: 99.5)

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
            guard let first = vois.first else { return nil }
            if usesTable, let table = first.table { return .table(table) }
            let chosen = vois.compactMap { Self.choice($0, index: index, name: name) }
            guard chosen.count == vois.count else { return nil }
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
        case .fixed, .dicom:
            DisplayWindow(from: values.percentile(Self.fallback.low), to: values.percentile(Self.fallback.high))
        }
    }

    /// The window that the rule picks among a frame's own; nil when there is none that can be used.
    private static func choice(_ voi: VOI, index: Int, name: String?) -> VOI.Window? {
        let usable = voi.windows.filter { $0.center.isFinite && $0.width.isFinite && $0.width > 0 }
        if let name, let named = usable.first(where: { $0.explanation == name }) { return named }
        return usable.indices.contains(index) ? usable[index] : usable.first
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// How often each value occurs in any number of frames, in fixed memory and independent of their order.
///
/// Values are counted by the first 22 bits of their ordered bit pattern: integers up to 16384 exactly, others to 1 part
/// in 8192. *Cost*: 16 MB, one pass a frame.
package struct ValueHistogram {
    private var counts = [UInt32](repeating: 0, count: 1 << 22)
    private var total = 0
    package private(set) var minimum = 0.0
    package private(set) var maximum = 0.0

    package init() {}

    /// Counts the grey values that are finite and no padding; colour is not counted.
    package mutating func add(_ frame: Frame) {
        guard frame.samples == 1 else { return }
        for index in frame.values.indices where frame.padding.isEmpty || !frame.padding[index] {
            let value = frame.values[index]
            guard value.isFinite else { continue }
            let bits = value.bitPattern
            // Negative numbers count downwards, so their bits are inverted; positive ones lie above them.
            let ordered = bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
            let bin = Int(ordered >> 10)
            if counts[bin] < UInt32.max { counts[bin] += 1 }
            minimum = total == 0 ? Double(value) : min(minimum, Double(value))
            maximum = total == 0 ? Double(value) : max(maximum, Double(value))
            total += 1
        }
    }

    /// The smallest value that at least `percent` of all values do not exceed; 0 when nothing was counted.
    package func percentile(_ percent: Double) -> Double {
        guard total > 0 else { return 0 }
        let wanted = max(1, (Double(total) * percent / 100).rounded(.up))
        var seen = 0.0
        for bin in counts.indices where counts[bin] > 0 {
            seen += Double(counts[bin])
            if seen >= wanted {
                let ordered = UInt32(bin) << 10
                let bits = ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered & ~0x3FF
                return min(max(Double(Float(bitPattern: bits)), minimum), maximum)
            }
        }
        return maximum
    }
}
