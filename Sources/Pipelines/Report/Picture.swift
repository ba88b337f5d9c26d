import Foundation
import ImageFiles
import Imaging
import Numbers

/// A picture for a page: shrunk or enlarged to a size that screens show well, drawn on, as a PNG.
struct Picture {
    /// Longest side in the page's pixels: in reports, and on the run's page with its many studies.
    static let side = 640
    static let thumbnailSide = 240

    private(set) var image: DisplayImage
    /// Page pixels a source pixel, vertically and horizontally.
    private let rows: Int
    private let columns: Int

    /// - Parameter aspect: height of a pixel over its width; the page shows true proportions.
    init(_ source: DisplayImage, aspect: Double, side: Int = Picture.side) {
        (rows, columns) = Self.size(height: Double(source.rows) * aspect, width: Double(source.columns), side: side)
        image = source.resized(rows: rows, columns: columns)
    }

    /// Rows and columns of a picture whose longest side is `side`.
    static func size(height: Double, width: Double, side: Int) -> (rows: Int, columns: Int) {
        let scale = Double(side) / max(height, width)
        return (
            Int(rounding: height * scale, clampedTo: 1...max(1, side)),
            Int(rounding: width * scale, clampedTo: 1...max(1, side))
        )
    }

    /// A dark picture made lighter for people's eyes, as fluorescence needs: nearly its largest value becomes white. Nil when it
    /// is light enough as it is. The network always sees the picture as it is.
    static func brightened(_ image: DisplayImage) -> DisplayImage? {
        var counts = [Int](repeating: 0, count: 256)
        for value in image.pixels { counts[Int(value)] += 1 }
        var above = image.pixels.count / 200
        guard
            let top = counts.indices.last(where: {
                above -= counts[$0]; return above < 0
            }), top > 0, top < 150
        else { return nil }
        let table = (0..<256).map { UInt8(min(255, $0 * 255 / top)) }
        return DisplayImage(rows: image.rows, columns: image.columns, pixels: image.pixels.map { table[Int($0)] })
    }

    /// Lays a segment over the picture: a light fill and a clear outline of each object.
    ///
    /// - Parameter objects: of the mask; nil where it is one.
    mutating func draw(_ mask: Mask, _ objects: MaskObjects?, color: [UInt8]) {
        guard !mask.isEmpty else { return }
        let (rows, columns) = (rows, columns)
        let drawn = DrawnObjects(
            mask, objects, rows: rows, columns: columns, row: { min(mask.rows - 1, $0 * mask.rows / rows) },
            column: { min(mask.columns - 1, $0 * mask.columns / columns) })
        for y in 0..<rows {
            for x in 0..<columns where drawn.numbers[y * columns + x] > 0 {
                let isEdge = [1, 2].contains { step in
                    [(y - step, x), (y + step, x), (y, x - step), (y, x + step)].contains { drawn.number($0, $1) == 0 }
                }
                image.blend(y, x, color, isEdge || drawn.isBeforeAnother(y, x) ? 0.95 : 0.18)
            }
        }
    }

    /// `data:image/png;base64,…`
    func dataURI() throws -> String { try Self.dataURI(image) }

    static func dataURI(_ image: DisplayImage) throws -> String {
        let pixels = image.pixels
        let isGrey = image.isGrey
        // A grey picture as grey: a third of the page.
        let step = isGrey ? 3 : 1
        let values: [UInt16] = stride(from: 0, to: pixels.count, by: step).map { UInt16(pixels[$0]) }
        let page = RasterPage(
            rows: image.rows, columns: image.columns, samples: isGrey ? 1 : 3, bits: 8, values: values)
        return "data:image/png;base64," + Data(try ImageFile.png(page)).base64EncodedString()
    }
}

extension DisplayImage {
    /// Mixes a colour into a pixel: a share of 1 replaces it.
    mutating func blend(_ row: Int, _ column: Int, _ color: [UInt8], _ share: Float) {
        let at = (row * columns + column) * 3
        for channel in 0..<3 {
            let old = Float(pixels[at + channel])
            let new: Float = old + (Float(color[channel]) - old) * share
            pixels[at + channel] = UInt8(grey: new)
        }
    }
}
