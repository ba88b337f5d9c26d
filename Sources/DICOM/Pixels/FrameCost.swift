import CDICOM
import Numbers

/// What one frame takes while it is decoded, told from its header before a decoder sees a byte of it.
///
/// Floating-point, so that no header can overflow it. *Source*: `docs/dicom-support.md`, "Files". The
/// nanoseconds a sample are those of noise at the best quality and a third to a half more; measured in processor time at 2048 × 2048:
/// JPEG 20 (in ten scans 61), lossless 17, JPEG-LS 65, JPEG 2000 of 8, 12 and 16 bits 180, 237 and 288.
package struct FrameCost {
    /// The compressed stream, what the decoder holds of its own, and the samples in every form they have at once.
    var bytes = 0.0
    /// Of processor time.
    var seconds = 0.0

    /// Samples as they leave the decoder (`decoded` bytes each), as stored values and as the frame's values.
    init(_ pixels: PixelDescription, stream: Int, decoded: Int, nanoseconds: Double) {
        let samples = Double(pixels.pixelCount) * Double(pixels.samples)
        // Stored values of 4 bytes (doubles: 8), then 4 of the frame; a palette makes three of each value.
        let ours = pixels.photometric == .paletteColor ? 16 : pixels.storage == .doubles ? 12 : 8
        bytes = Double(stream) + samples * Double(decoded + ours)
        seconds = samples * nanoseconds * 1e-9
    }

    /// *Throws*: `limit`, naming what is needed and what is allowed.
    func check(_ limits: DICOMLimits) throws(DICOMFailure) {
        guard bytes <= Double(limits.frameBytes) else {
            throw .limit(
                "one frame needs about \(Self.gibibytes(bytes)) of memory to be decoded, the limit is \(Self.gibibytes(Double(limits.frameBytes))).",
                cure: "Export the image with fewer pixels a frame.")
        }
        guard seconds <= limits.frameSeconds else {
            throw .limit(
                "one frame may take \(NumberText.short(seconds)) s of processor time to be decoded, the limit is \(NumberText.short(limits.frameSeconds)) s.",
                cure: "Export the image with fewer pixels a frame, or uncompressed.")
        }
    }

    /// Runs the decoding of one frame. What could not be told from the header is measured: decoders cannot be stopped, but the volume of
    /// a frame that took too long is refused before its next.
    package static func timed<Result>(
        _ limits: DICOMLimits, _ body: () throws(DICOMFailure) -> Result
    ) throws(DICOMFailure) -> Result {
        let start = cd_thread_seconds()
        let result = try body()
        let seconds = cd_thread_seconds() - start
        guard seconds <= limits.frameSeconds else {
            throw .limit(
                "one frame took \(NumberText.short(seconds)) s of processor time to be decoded, the limit is \(NumberText.short(limits.frameSeconds)) s.",
                cure: "Export the image with fewer pixels a frame, or uncompressed.")
        }
        return result
    }

    private static func gibibytes(_ bytes: Double) -> String { "\(NumberText.short(bytes / 0x1p30)) GiB" }
}
