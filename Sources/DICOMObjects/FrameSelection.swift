package import Imaging

/// Which frames a segmentation holds, and in what order.
package struct FrameSelection: Sendable, Equatable {
    /// What becomes of source frames in which a segment is empty.
    package enum EmptyFrames: String, Sendable, CaseIterable {
        /// Those between a segment's first and last occupied frame are written, and at least two if the volume has two.
        case span
        /// Occupied ones only.
        case omit
        /// All are written.
        case keep
    }

    /// One frame of the object.
    package struct Frame: Sendable, Equatable {
        /// Segment Number, from 1 without gaps; 0 for a frame of all segments (LABELMAP).
        package let segment: Int
        /// Index of the source frame in the volume.
        package let source: Int
    }

    /// Index of the description of segment 1, 2, …
    package let segments: [Int]
    /// By segment, then by source frame.
    package private(set) var frames: [Frame]

    init(segments: [Int], frames: [Frame]) {
        self.segments = segments
        self.frames = frames
    }

    /// *Shape*: `masks[segment][frame of the volume]`.
    package init(_ masks: [[Mask]], emptyFrames: EmptyFrames) {
        var options = Segmentation.Options()
        options.emptyFrames = emptyFrames
        options.avoidsPadding = false
        self.init(occupied: masks.map { $0.map { !$0.isEmpty } }, framePixels: 8, options)
    }

    /// No frames when nothing was found and the options want no object of it.
    ///
    /// *Shape*: `occupied[segment][frame of the volume]`.
    init(occupied: [[Bool]], framePixels: Int, _ options: Segmentation.Options) {
        let isNothing = !occupied.joined().contains(true)
        if isNothing, !options.writesNothing {
            self.init(segments: [], frames: [])
            return
        }
        let found = occupied.indices.filter {
            isNothing || options.keepsEmptySegments || occupied[$0].contains(true)
        }
        var frames: [Frame] = []
        if options.type == .labelmap {
            let anywhere = (occupied.first ?? []).indices.map { frame in occupied.contains { $0[frame] } }
            frames = Self.chosen(anywhere, isNothing, options.emptyFrames).map { Frame(segment: 0, source: $0) }
        } else {
            for (number, index) in found.enumerated() {
                frames += Self.chosen(occupied[index], isNothing, options.emptyFrames)
                    .map { Frame(segment: number + 1, source: $0) }
            }
        }
        self.init(segments: found, frames: frames)
        if options.avoidsPadding, options.type == .binary {
            addFrames(framePixels: framePixels, of: occupied.first?.count ?? 0)
        }
    }

    /// The frames of one segment. Of an object that says "nothing" it gets what a segment on the first frame alone would get.
    private static func chosen(_ occupied: [Bool], _ isNothing: Bool, _ emptyFrames: EmptyFrames) -> [Int] {
        let found = isNothing ? [0] : occupied.indices.filter { occupied[$0] }
        guard let first = found.first, let last = found.last else { return [] }
        return switch emptyFrames {
        case .omit: found
        case .keep: Array(occupied.indices)
        case .span where first == last && occupied.count > 1:
            // Old viewers fail on an object of one frame: its neighbour comes along.
            last + 1 < occupied.count ? [first, first + 1] : [first - 1, first]
        case .span: Array(first...last)
        }
    }

    /// Adds as few empty frames as give an even number of packed bytes, behind or before the frames of the last segments; none where the
    /// source has too few.
    private mutating func addFrames(framePixels: Int, of count: Int) {
        func isEven(_ frames: Int) -> Bool { (framePixels * frames + 7) / 8 % 2 == 0 }
        guard let extra = (0..<16).first(where: { isEven(frames.count + $0) }), extra > 0 else { return }
        var bySegment: [Int: Set<Int>] = [:]
        for frame in frames { bySegment[frame.segment, default: []].insert(frame.source) }
        var free: [Frame] = []
        for segment in bySegment.keys.sorted(by: >) where free.count < extra {
            let used = bySegment[segment] ?? []
            let last = used.max() ?? 0
            let unused = (0..<count).filter { !used.contains($0) }
            // The nearest behind, then the nearest before.
            free += (unused.filter { $0 > last } + unused.filter { $0 < last }.reversed())
                .map { Frame(segment: segment, source: $0) }
        }
        guard free.count >= extra else { return }
        frames = (frames + free.prefix(extra)).sorted { ($0.segment, $0.source) < ($1.segment, $1.source) }
    }

    /// Rank from 1 of each used source frame among the used ones: a Dimension Index Value has no gaps (C.7.6.17.1).
    var ranks: [Int: Int] {
        let used = Set(frames.map(\.source)).sorted()
        return Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0 + 1) })
    }
}
