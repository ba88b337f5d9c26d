import DICOM
import DICOMObjects
import Imaging
import Numbers
import SegmentAnything
import Tensors

/// Pictures of one result: frames with their segments drawn on, and heat maps of the frame that shows most.
struct ResultPictures {
    /// A frame beside itself with the segments drawn on.
    struct Pair {
        var caption: String
        /// Data URIs.
        var source: String
        /// Nil when no segment lies in the frame.
        var overlay: String?
    }

    struct HeatPicture {
        var title: String
        /// Data URI.
        var uri: String
    }

    /// Frames shown at most.
    static let limit = 6
    /// Heat maps shown at most, and their longest side in the page's pixels.
    static let mapLimit = 24
    static let mapSide = 200

    private(set) var pairs: [Pair] = []
    /// The fullest frame with its segments, small; a data URI.
    private(set) var thumbnail = ""
    private(set) var heatMaps: [HeatPicture] = []
    /// The frame that they are of, from 1.
    private(set) var heatMapFrame: Int

    /// - Parameter inputSize: of the network.
    init(_ volume: Volume, _ pipeline: Pipeline, _ segmentation: VolumeSegmentation, inputSize: Int) throws {
        let kept = segmentation.kept
        let count = volume.numberedPictures
        let (shown, fullest) = Self.frames(segmentation.masks, among: kept.frames)
        heatMapFrame = volume.number(ofPicture: kept.heatMapFrame)
        let made = try ThreadPool.map(shown.count) { index -> (pair: Pair, thumbnail: String?)? in
            let frame = shown[index]
            guard let image = kept.image(frame) else { return nil }
            let lighter = Picture.brightened(image)
            let plain = Picture(lighter ?? image, aspect: volume.pixelAspect)
            var drawn = plain
            drawn.draw(segmentation, frame, pipeline)
            let isEmpty = segmentation.masks.allSatisfy { $0[frame].isEmpty }
            let pair = Pair(
                caption: (count == 1 ? "Image" : "Frame \(volume.number(ofPicture: frame)) of \(count)")
                    + (lighter == nil ? "" : ", brightened"), source: try plain.dataURI(),
                overlay: isEmpty ? nil : try drawn.dataURI())
            guard frame == fullest else { return (pair, nil) }
            var small = Picture(lighter ?? image, aspect: volume.pixelAspect, side: Picture.thumbnailSide)
            small.draw(segmentation, frame, pipeline)
            return (pair, try small.dataURI())
        }
        for case let picture? in made {
            pairs.append(picture.pair)
            thumbnail = picture.thumbnail ?? thumbnail
        }
        let spacing = pipeline.spacing(aspect: volume.pixelAspect)
        heatMaps = try Self.maps(
            kept.heatMaps, volume, aspect: spacing.map { $0.row / $0.column } ?? 1, inputSize: inputSize,
            tileSide: segmentation.tileSide)
    }

    /// The frames worth showing, ascending: occupied ones evenly thinned, the fullest always among them; the middle one when
    /// nothing was found. Only kept frames can be shown.
    static func frames(_ masks: [[Mask]], among kept: [Int]) -> (shown: [Int], fullest: Int) {
        let count = masks.first?.count ?? 0
        let sizes = Dictionary(
            uniqueKeysWithValues: kept.map { frame in (frame, masks.reduce(0) { $0 + $1[frame].count }) })
        let occupied = kept.filter { sizes[$0, default: 0] > 0 }
        guard let fullest = occupied.max(by: { sizes[$0, default: 0] < sizes[$1, default: 0] }) else {
            return ([count / 2], count / 2)
        }
        guard occupied.count > limit else { return (occupied, fullest) }
        var shown = Set((0..<limit).map { occupied[$0 * (occupied.count - 1) / (limit - 1)] })
        if !shown.contains(fullest),
            let nearest = shown.min(by: {
                ($0.distance(to: fullest).magnitude, $0) < ($1.distance(to: fullest).magnitude, $1)
            })
        {
            shown.remove(nearest)
            shown.insert(fullest)
        }
        return (shown.sorted(), fullest)
    }

    /// Maps laid over the picture that they are of, small.
    private static func maps(
        _ maps: [HeatMap], _ volume: Volume, aspect: Double, inputSize: Int, tileSide: Int?
    ) throws -> [HeatPicture] {
        let (rows, columns) = Picture.size(
            height: Double(volume.pictures.rows) * aspect, width: Double(volume.pictures.columns), side: mapSide)
        // The picture lies in the network's square as its small copy of the same proportions does.
        let placement = Placement(
            rows: rows, columns: columns, inputSize: inputSize,
            extent: tileSide.map { Double($0 * columns) / Double(volume.pictures.columns) })
        return try ThreadPool.map(min(maps.count, mapLimit)) { index in
            let map = maps[index]
            let picture = HeatMapPicture.image(map.overImage(placement), rows: rows, columns: columns)
            let name = map.kind == .question ? "Q" : "A"
            return HeatPicture(
                title: "\(name), level \(map.level), prompt \(map.prompt)", uri: try Picture.dataURI(picture))
        }
    }
}

extension Picture {
    /// Every segment in one frame.
    fileprivate mutating func draw(_ segmentation: VolumeSegmentation, _ frame: Int, _ pipeline: Pipeline) {
        for (index, segment) in pipeline.segments.enumerated() {
            draw(segmentation.masks[index][frame], segmentation.objects?[index][frame], color: segment.color)
        }
    }
}
