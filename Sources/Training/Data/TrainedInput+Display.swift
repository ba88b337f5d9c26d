import DICOM
import ImageFiles
import Imaging
import SegmentAnything

extension TrainedInput.Windowing {
    /// The same for a picture of any source: DICOM's values go through the window that the pipeline of such a model has, the displayed
    /// one of their own where the model knows pictures as they are.
    func display(_ picture: SourcePicture, path: String) throws(TrainingFailure) -> DisplayImage {
        switch picture {
        case .raster(let page): return try display(page, path: path)
        case .dicom(let frame, let voi, let source):
            guard frame.samples == 1 else { return DisplayWindow(from: 0, to: 255).image(frame) }
            let mode: Imaging.Windowing.Mode
            switch self {
            case .color: throw .otherWindowing(image: path, found: "it is grey", windowing: words)
            case .asIs:
                // As the pipeline of such a model does.
                let own = Imaging.Windowing.Mode.dicom()
                let hasWindow = Imaging.Windowing(mode: own, scope: .frame).stated([voi]) != nil
                mode = hasWindow ? own : source.wholeRange.map(Imaging.Windowing.whole) ?? own
            case .fixed(let center, let width): mode = .fixed(center: center, width: width)
            case .percentile(let low, let high): mode = .percentile(low: low, high: high)
            case .minmax: mode = .minmax
            }
            return Imaging.Windowing(mode: mode, scope: .frame).window(for: frame, voi).image(frame)
        }
    }

    /// A picture of a data set as the network sees it. A picture whose red, green and blue are one everywhere is a grey one.
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

    /// Grey by the values that its samples mean, as a run reads them: what is none is neither counted nor shown. Colour as it is.
    private func stretched(_ page: RasterPage, by mode: Imaging.Windowing.Mode) -> DisplayImage {
        guard let values = page.greyValues else { return page.displayImage }
        let mapping = page.samples == 1 ? page.mapping : nil
        let (slope, intercept) = (mapping?.slope ?? 1, mapping?.intercept ?? 0)
        let frame = Frame(
            rows: page.rows, columns: page.columns, samples: 1,
            values: values.map { Float(Double($0) * slope + intercept) },
            padding: mapping?.hasPadding == true ? values.map { $0 == 0 } : [])
        return Imaging.Windowing(mode: mode).window(for: frame, VOI()).image(frame)
    }
}

extension RasterPage {
    /// Its values when it is grey, though it may be stored as equal red, green and blue; nil for a picture in colour.
    fileprivate var greyValues: [UInt16]? {
        if samples == 1 { return values }
        let pixels = Array(stride(from: 0, to: values.count, by: 3))
        let isGrey = pixels.allSatisfy { (pixel: Int) -> Bool in
            values[pixel] == values[pixel + 1] && values[pixel] == values[pixel + 2]
        }
        return isGrey ? pixels.map { values[$0] } : nil
    }
}
