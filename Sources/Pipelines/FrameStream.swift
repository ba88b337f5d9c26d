package import DICOM
package import Imaging

/// The pictures of a volume as the network sees them, in order: each frame, or a slide's total pixel matrix in bands from top to bottom.
/// A thread of its own reads and decodes the next ones while the last is worked on; what it gives does not depend on who is faster.
///
/// *Cost*: one decode a frame. Where a window needs the values of all frames first, those that fit `budget` bytes are kept
/// from that pass, the others are decoded again.
package final class FrameStream {
    /// Bytes of decoded frames that are kept from the pass that finds the window.
    package static let budget = 128 << 20
    /// Pictures that wait for the network at least.
    private static let ahead = 2

    private enum Message: Sendable {
        /// Common to all frames; nil when each has its own.
        case window(DisplayWindow?)
        case rows(DisplayImage)
        /// Behind the last frame: what was odd about decoding.
        case end(findings: [Finding])
        case failure(DICOMFailure)
    }

    private let queue: BoundedQueue<Message>

    /// - Parameters:
    ///   - windowing: as it is settled for the volume.
    ///   - together: pictures that are worked on side by side; as many more wait.
    package init(_ volume: Volume, _ windowing: Windowing, budget: Int = FrameStream.budget, together: Int = 1) {
        queue = BoundedQueue(capacity: max(Self.ahead, together)) { put in
            do throws(DICOMFailure) {
                try Self.produce(volume, windowing, budget, put: put)
            } catch {
                _ = put(.failure(error))
            }
        }
    }

    deinit { queue.close() }

    /// The window that all frames are shown with, nil when each has its own; asked for once, before the first frame.
    package func window() throws(DICOMFailure) -> DisplayWindow? {
        guard case .window(let window) = try take() else { preconditionFailure("FrameStream: the window comes first") }
        return window
    }

    /// The next frame; of a slide the next rows of its matrix.
    package func next() throws(DICOMFailure) -> DisplayImage {
        guard case .rows(let image) = try take() else { preconditionFailure("FrameStream: no more frames") }
        return image
    }

    /// Behind the last frame: what was odd about decoding.
    package func findings() throws(DICOMFailure) -> [Finding] {
        guard case .end(let findings) = try take() else { preconditionFailure("FrameStream: there are more frames") }
        return findings
    }

    private func take() throws(DICOMFailure) -> Message {
        let message = queue.take()
        if case .failure(let failure) = message { throw failure }
        return message
    }

    /// On the stream's own thread; `put` gives false when nobody wants more.
    private static func produce(
        _ volume: Volume, _ windowing: Windowing, _ budget: Int, put: (Message) -> Bool
    ) throws(DICOMFailure) {
        if let slide = volume.slide {
            return try produce(slide, of: volume, windowing, put: put)
        }
        let decoding = FrameDecoding()
        var kept: [Frame] = []
        var window: DisplayWindow?
        if volume.samples == 3 {
            window = DisplayWindow(from: 0, to: 255)
        } else if windowing.scope == .volume {
            var bytes = 0
            window = try windowing.window(for: volume.frames.map(\.voi)) { index throws(DICOMFailure) in
                let frame = try decoding.frame(volume.frames[index])
                bytes += frame.values.count * MemoryLayout<Float>.size + frame.padding.count
                if bytes <= budget { kept.append(frame) }
                return frame
            }
        }
        guard put(.window(window)) else { return }
        let readsUnits = windowing.readsUnits(of: volume)
        var shown: UInt8?
        var isBlank = volume.samples == 1
        var census = PictureCensus(volume)
        for (index, source) in volume.frames.enumerated() {
            var frame: Frame
            if index < kept.count {
                frame = kept[index]
                // Not needed any more.
                kept[index] = Frame(rows: 0, columns: 0, samples: 1, values: [])
            } else {
                frame = try decoding.frame(source)
            }
            census.add(index, frame)
            if readsUnits { frame.inverted = false }
            let image = (window ?? windowing.window(for: frame, source.voi)).image(frame)
            if isBlank {
                let first = shown ?? image.pixels.first
                isBlank = image.pixels.allSatisfy { $0 == first }
                shown = first
            }
            guard put(.rows(image)) else { return }
        }
        try decoding.confirmPadding()
        guard !isBlank else {
            throw .values(
                "all pixels of all frames are shown to the network as one grey: their values lie outside of the pipeline's window, are all padding, or are all equal.",
                cure:
                    "Look at the series: correct Rescale Slope, Intercept or Pixel Padding Value at its source, or leave it out."
            )
        }
        _ = put(.end(findings: decoding.findings + census.findings))
    }

    /// A slide is one picture, so both scopes of a window are its whole. Where the values decide, all tiles are decoded twice: a slide's
    /// values are too many to keep.
    private static func produce(
        _ slide: SlideMatrix, of volume: Volume, _ windowing: Windowing, put: (Message) -> Bool
    ) throws(DICOMFailure) {
        let decoding = FrameDecoding()
        let window: DisplayWindow
        if volume.samples == 3 {
            window = DisplayWindow(from: 0, to: 255)
        } else {
            let voi = volume.frames[0].voi
            let vois = [VOI](repeating: voi, count: volume.frames.count)
            window = try windowing.window(for: vois) { index throws(DICOMFailure) in
                try decoding.frame(volume.frames[index])
            }
        }
        guard put(.window(window)) else { return }
        var bands = SlideBands(volume, slide) { frame, _ in window.image(frame) }
        while let rows = try bands.next(decoding) { guard put(.rows(rows)) else { return } }
        try decoding.confirmPadding()
        _ = put(.end(findings: decoding.findings))
    }
}

extension Windowing {
    /// Frames of the volume are shown by their Hounsfield units. MONOCHROME1 turns round what is shown, never what Hounsfield units are
    /// (PS3.3 C.7.6.3.1.2): the network, the report and captures see such frames as they are.
    func readsUnits(of volume: Volume) -> Bool {
        if case .fixed = mode { volume.modality == "CT" } else { false }
    }
}
