import DICOM
import DICOMObjects
import Imaging
import SegmentAnything

/// Pictures of one result: frames with their segments drawn on, and heat maps of the frame that shows most.
enum ResultPictures {
    /// Frames shown at most.
    static let limit = 6
    /// Heat maps shown at most.
    static let mapLimit = 24
    /// Their longest side in the page's pixels.
    static let mapSide = 200

    /// The frames worth showing, ascending: occupied ones evenly thinned, the fullest always among them; the middle one when
    /// nothing was found.
    static func frames(_ masks: [[Mask]]) -> (shown: [Int], fullest: Int) {
        let count = masks.first?.count ?? 0
        let sizes = (0..<count).map { frame in masks.reduce(0) { $0 + $1[frame].count } }
        let occupied = sizes.indices.filter { sizes[$0] > 0 }
        guard let fullest = occupied.max(by: { sizes[$0] < sizes[$1] }) else { return ([count / 2], count / 2) }
        guard occupied.count > limit else { return (occupied, fullest) }
        var shown = Set((0..<limit).map { occupied[$0 * (occupied.count - 1) / (limit - 1)] })
        if !shown.contains(fullest), let nearest = shown.min(by: { abs($0 - fullest) < abs($1 - fullest) }) {
            shown.remove(nearest)
            shown.insert(fullest)
        }
        return (shown.sorted(), fullest)
    }

    static func pairs(_ shown: [Int], _ volume: Volume, _ pipeline: Pipeline, _ segmentation: VolumeSegmentation) throws
        -> [StudyReport.PicturePair]
    {
        try shown.map { frame in
            let image = try segmentation.display.image(frame)
            let lighter = Picture.brightened(image)
            let plain = Picture(lighter ?? image, aspect: volume.pixelAspect)
            var drawn = plain
            for (segment, masks) in zip(pipeline.segments, segmentation.masks) {
                drawn.draw(masks[frame], color: segment.color)
            }
            return StudyReport.PicturePair(
                caption: (volume.frames.count == 1 ? "Image" : "Frame \(frame + 1) of \(volume.frames.count)")
                    + (lighter == nil ? "" : ", brightened"), source: try plain.dataURI(),
                overlay: segmentation.masks.allSatisfy { $0[frame].isEmpty } ? nil : try drawn.dataURI())
        }
    }

    /// The fullest frame with its segments, small.
    static func thumbnail(_ frame: Int, _ volume: Volume, _ pipeline: Pipeline, _ segmentation: VolumeSegmentation)
        throws -> String
    {
        let image = try segmentation.display.image(frame)
        var picture = Picture(
            Picture.brightened(image) ?? image, aspect: volume.pixelAspect, side: Picture.thumbnailSide)
        for (segment, masks) in zip(pipeline.segments, segmentation.masks) {
            picture.draw(masks[frame], color: segment.color)
        }
        return try picture.dataURI()
    }

    /// Maps laid over the picture they are of, small. - Parameter inputSize: of the network.
    static func maps(_ maps: [HeatMap], _ volume: Volume, aspect: Double, inputSize: Int) throws -> [StudyReport
        .HeatPicture]
    {
        let height = Double(volume.rows) * aspect, width = Double(volume.columns)
        let scale = Double(mapSide) / max(height, width)
        let rows = max(1, Int((height * scale).rounded())), columns = max(1, Int((width * scale).rounded()))
        // The picture lies in the network's square as its small copy of the same proportions does.
        let placement = Placement(rows: rows, columns: columns, inputSize: inputSize)
        return try maps.prefix(mapLimit).map { map in
            let picture = HeatMapPicture.image(map.overImage(placement), rows: rows, columns: columns)
            let name = map.kind == .question ? "Q" : "A"
            return StudyReport.HeatPicture(
                title: "\(name), level \(map.level), prompt \(map.prompt)", uri: try Picture.dataURI(picture))
        }
    }
}
