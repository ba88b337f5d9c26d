package import Imaging
package import SegmentAnything

/// What the report's pictures need, kept while the frames of a volume pass by: no frame is decoded or segmented twice.
///
/// Frames in which something was found are kept, thinned evenly when they do not fit the budget; always the first one that
/// shows most, and the middle one for a volume in which nothing is found.
package struct KeptFrames {
    package static let budget = 64 << 20

    private let middle: Int
    private let budget: Int
    private var images: [Int: PackedImage] = [:]
    private var bytes = 0
    /// Of the frames in which something was found every `stride`-th is kept.
    private var stride = 1
    private var occupied = 0
    private var order: [Int: Int] = [:]
    private var largest = 0
    private var fullest: Int?
    package private(set) var heatMaps: [HeatMap] = []
    /// The frame that the heat maps are of.
    package private(set) var heatMapFrame = 0

    /// - Parameter frames: how many the volume has.
    package init(of frames: Int, budget: Int = KeptFrames.budget) {
        middle = frames / 2
        self.budget = budget
    }

    /// - Parameter pixels: of all segments in this frame.
    package mutating func add(_ frame: Int, _ image: DisplayImage, pixels: Int, heatMaps maps: [HeatMap]) {
        let isFullest = pixels > largest
        if isFullest || frame == middle && largest == 0 { (heatMaps, heatMapFrame) = (maps, frame) }
        if isFullest { largest = pixels }
        if pixels > 0 {
            order[frame] = occupied
            occupied += 1
        }
        let isDue = pixels > 0 && (occupied - 1) % stride == 0
        guard isFullest || isDue || frame == middle else { return }
        if isFullest {
            let former = fullest
            fullest = frame
            if let former, !isWanted(former) { remove(former) }
        }
        let packed = PackedImage(image)
        images[frame] = packed
        bytes += packed.bytes
        while bytes > budget, images.keys.contains(where: { !isAlwaysKept($0) }) {
            stride *= 2
            for frame in images.keys where !isWanted(frame) { remove(frame) }
        }
    }

    /// Ascending.
    package var frames: [Int] { images.keys.sorted() }

    package func image(_ frame: Int) -> DisplayImage? { images[frame]?.image }

    private func isAlwaysKept(_ frame: Int) -> Bool { frame == fullest || frame == middle }

    private func isWanted(_ frame: Int) -> Bool {
        isAlwaysKept(frame) || (order[frame].map { $0 % stride == 0 } ?? false)
    }

    private mutating func remove(_ frame: Int) { bytes -= images.removeValue(forKey: frame)?.bytes ?? 0 }
}

/// A picture in as few bytes as it needs: a grey one in a third.
private struct PackedImage {
    private let rows: Int
    private let columns: Int
    private let isGrey: Bool
    private let pixels: [UInt8]

    init(_ image: DisplayImage) {
        (rows, columns) = (image.rows, image.columns)
        isGrey = image.isGrey
        pixels = isGrey ? Self.first(of: image.pixels) : image.pixels
    }

    private static func first(of channels: [UInt8]) -> [UInt8] {
        var first = [UInt8](repeating: 0, count: channels.count / 3)
        let channels = channels.span
        var values = first.mutableSpan
        for index in values.indices { values[index] = channels[index * 3] }
        return first
    }

    var bytes: Int { pixels.count }

    var image: DisplayImage {
        isGrey
            ? DisplayImage(rows: rows, columns: columns, greys: pixels)
            : DisplayImage(rows: rows, columns: columns, pixels: pixels)
    }
}
