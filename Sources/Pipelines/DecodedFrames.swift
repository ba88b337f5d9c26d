import DICOM
import Foundation
import Imaging

/// The decoded frames of a volume in order. A thread of its own decodes the next ones while the last is worked on; what it gives does not
/// depend on who is faster.
///
/// *Cost*: one decode a frame; three frames are held.
final class DecodedFrames {
    private let queue = BoundedQueue<Result<Frame, DICOMFailure>>(capacity: 2)

    init(_ volume: Volume) {
        let queue = queue
        let thread = Thread {
            let decoding = FrameDecoding()
            for source in volume.frames {
                let frame = Result { () throws(DICOMFailure) in try decoding.frame(source) }
                guard queue.put(frame), case .success = frame else { return }
            }
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { queue.close() }

    /// *Throws* a `PIX-…` refusal, or `unreadable`.
    func next() throws(DICOMFailure) -> Frame { try queue.take().get() }
}
