import ImageFiles
import Imaging
import SegmentAnything

extension TrainedInput.Windowing {
    /// A picture of a data set as the network sees it.
    ///
    /// *Throws* `TrainingFailure.otherWindowing` for a picture that was not made as the windowing says: a grey one among colour
    /// pictures, one of more than 8 bits among those made with a fixed window.
    func display(_ page: RasterPage, path: String) throws(TrainingFailure) -> DisplayImage {
        switch self {
        case .asIs: return page.displayImage
        case .color:
            guard page.samples == 3 else { throw .otherWindowing(image: path, found: "it is grey", windowing: words) }
            return page.displayImage
        case .fixed:
            guard page.bits == 8 else {
                throw .otherWindowing(image: path, found: "it has \(page.bits) bits a sample", windowing: words)
            }
            return page.displayImage
        case .percentile(let low, let high): return stretched(page, by: .percentile(low: low, high: high))
        case .minmax: return stretched(page, by: .minmax)
        }
    }

    /// Grey by its own values; colour as it is.
    private func stretched(_ page: RasterPage, by mode: Imaging.Windowing.Mode) -> DisplayImage {
        guard page.samples == 1 else { return page.displayImage }
        let frame = Frame(rows: page.rows, columns: page.columns, samples: 1, values: page.values.map { Float($0) })
        return Imaging.Windowing(mode: mode).window(for: frame, VOI()).image(frame)
    }
}
