import DICOM
import Imaging
import Storage

/// What is taken of a volume's frames when its masks are known: values inside of the segments, and the slices of the page.
///
/// *Cost*: each frame is decoded once more, and nothing of it is kept but what is packed; as many are in memory as are packed side by side.
struct SecondLook {
    /// One a segment.
    private(set) var objects: [SegmentObjects]
    /// Nil where a picture is no frame of the volume.
    private(set) var slices: PackedSlices?
    /// Grey is shown inverted (MONOCHROME1), as the network saw it.
    private(set) var isInverted = false
    /// Frames that say how well a volume can be packed.
    private static let sampled = 8

    /// - Parameters:
    ///   - outputs: whether objects are counted.
    ///   - budget: bytes of packed slices.
    ///   - frame: called with each frame.
    /// *Throws* a `PIX-…` refusal, `unreadable`, `outOfMemory`; what `frame` throws.
    init(
        _ volume: Volume, _ segmentation: VolumeSegmentation, _ outputs: Outputs, budget: Int,
        frame: (Int, Frame) throws -> Void
    ) throws {
        objects = segmentation.masks.enumerated().map { index, masks in
            SegmentObjects(volume, masks: masks, segmentation.objects?[index], areMeasured: outputs.countsObjects)
        }
        guard segmentation.masks.allSatisfy({ $0.count == volume.frames.count }),
            segmentation.masks.first?.first.map({ $0.rows == volume.rows && $0.columns == volume.columns }) ?? false
        else { return }
        var slices = PackedSlices(
            rows: volume.rows, columns: volume.columns, isColor: volume.samples == 3, budget: budget)
        if slices.mayOverflow(volume.frames.count) {
            let decoding = FrameDecoding()
            let sample = try (0..<Self.sampled).map {
                try decoding.frame(volume.frames[(2 * $0 + 1) * volume.frames.count / (2 * Self.sampled)])
            }
            try slices.prepare(for: volume.frames.count, by: sample)
        }
        // A frame of floats with its padding, and one that waits; what is packed of it takes two bytes a sample.
        let together = SideBySide.count(bytes: volume.rows * volume.columns * volume.samples * 12)
        let frames = DecodedFrames(volume, together: together)
        let readsUnits = segmentation.windowing.readsUnits(of: volume)
        for start in stride(from: 0, to: volume.frames.count, by: together) {
            var group: [Frame] = []
            for index in start..<min(start + together, volume.frames.count) {
                var decoded = try frames.next()
                if readsUnits { decoded.inverted = false }
                for segment in objects.indices {
                    objects[segment].add(decoded, at: index)
                    if !segmentation.probabilities.isEmpty {
                        objects[segment].add(probabilities: segmentation.probabilities[segment][index], at: index)
                    }
                }
                isInverted = decoded.inverted
                try frame(index, decoded)
                group.append(decoded)
            }
            try slices.add(group, from: start)
        }
        self.slices = slices
    }
}
