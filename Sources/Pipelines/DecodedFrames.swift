import DICOM
import Imaging

/// The decoded frames of a volume in order. A thread of its own decodes the next ones while the last is worked on; what it gives does not
/// depend on who is faster.
///
/// *Cost*: one decode a frame; two frames, or as many as are worked on side by side, wait.
final class DecodedFrames {
    private let queue: BoundedQueue<Result<Frame, DICOMFailure>>

    init(_ volume: Volume, together: Int) {
        queue = BoundedQueue(capacity: max(2, together)) { put in
            let decoding = FrameDecoding()
            for source in volume.frames {
                let frame = Result { () throws(DICOMFailure) in try decoding.frame(source) }
                guard put(frame), case .success = frame else { return }
            }
        }
    }

    deinit { queue.close() }

    /// *Throws* a `PIX-…` refusal, or `unreadable`.
    func next() throws(DICOMFailure) -> Frame { try queue.take().get() }
}
