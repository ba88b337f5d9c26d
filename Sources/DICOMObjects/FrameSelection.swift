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
        /// Segment Number, from 1 without gaps.
        package let segment: Int
        /// Index of the source frame in the volume.
        package let source: Int
    }

    /// Index of the description of segment 1, 2, …: the segments that were found.
    package let segments: [Int]
    /// By segment, then by source frame.
    package let frames: [Frame]

    init(segments: [Int], frames: [Frame]) {
        self.segments = segments
        self.frames = frames
    }

    /// *Shape*: `masks[segment][frame of the volume]`.
    package init(_ masks: [[Mask]], emptyFrames: EmptyFrames) {
        var segments: [Int] = []
        var frames: [Frame] = []
        for (index, ofSegment) in masks.enumerated() {
            let occupied = ofSegment.indices.filter { !ofSegment[$0].isEmpty }
            guard let first = occupied.first, let last = occupied.last else { continue }
            segments.append(index)
            let chosen: [Int] =
                switch emptyFrames {
                case .omit: occupied
                case .keep: Array(ofSegment.indices)
                case .span where first == last && ofSegment.count > 1:
                    // Old viewers fail on an object of one frame: its neighbour comes along.
                    last + 1 < ofSegment.count ? [first, first + 1] : [first - 1, first]
                case .span: Array(first...last)
                }
            frames += chosen.map { Frame(segment: segments.count, source: $0) }
        }
        self.init(segments: segments, frames: frames)
    }

    /// Rank from 1 of each used source frame among the used ones: a Dimension Index Value has no gaps (C.7.6.17.1).
    var ranks: [Int: Int] {
        let used = Set(frames.map(\.source)).sorted()
        return Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0 + 1) })
    }
}
