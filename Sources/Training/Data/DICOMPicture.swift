import DICOM
import ImageFiles
import Imaging
import Storage

/// One frame of a DICOM image.
package struct DICOMPicture: Sendable, Equatable {
    let path: String
    /// From 1.
    let frame: Int
    /// Of the instance.
    let content: FileDigest

    /// The frame's values, what the file says about showing them, and the frame in its instance.
    ///
    /// *Throws* `DICOMFailure`.
    func read() throws(DICOMFailure) -> (frame: Frame, voi: VOI, source: SourceFrame) {
        let instance = try SourceInstance(DICOMFile(path: path))
        let source = try SourceFrame.frames(of: instance).frames[frame - 1]
        return (try FrameDecoding().frame(source), source.voi, source)
    }
}

/// A picture of any source, not yet as the network sees it.
enum SourcePicture {
    case raster(RasterPage)
    case dicom(Frame, VOI, SourceFrame)

    var rows: Int {
        switch self {
        case .raster(let page): page.rows
        case .dicom(let frame, _, _): frame.rows
        }
    }

    var columns: Int {
        switch self {
        case .raster(let page): page.columns
        case .dicom(let frame, _, _): frame.columns
        }
    }

    /// Nil when the file does not say.
    var spacing: PixelSpacing? {
        switch self {
        case .raster(let page): page.spacing
        case .dicom(_, _, let source): source.pixelSpacing
        }
    }

    /// Height of a pixel over its width; 1 where the file does not say.
    var pixelAspect: Double {
        switch self {
        case .raster(let page):
            guard let size = page.spacing ?? page.pixelAspect, size.row > 0, size.column > 0 else { return 1 }
            return size.row / size.column
        case .dicom(_, _, let source): return source.pixelAspect
        }
    }

    /// How its file stores it, as TIFF counts orientations; 1: upright.
    var orientation: Int {
        if case .raster(let page) = self { page.orientation } else { 1 }
    }
}
