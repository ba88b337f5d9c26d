import Foundation
import ImageFiles
import Imaging
import Numbers
import Pages

/// An image with the outlines of truth and prediction, small enough for a page of many.
package struct Overlay: Sendable {
    static let side = 288
    static let truthColor: [UInt8] = [0, 220, 90]
    static let predictionColor: [UInt8] = [255, 60, 200]
    /// Both agree.
    static let commonColor: [UInt8] = [255, 255, 255]

    let name: String
    /// Empty for a picture without figures.
    let caption: String
    let image: DisplayImage

    /// Beside float32 its masks stand in the place of the truth.
    package init(_ file: Evaluation.File, _ shown: Evaluation.Shown) {
        name = file.name
        let figures = "Dice \(NumberText.fixed(file.metrics.dice, 3))"
        caption = file.agreement.map { "\(figures), \(NumberText.fixed($0.dice, 4)) of float32" } ?? figures
        image = Self.drawn(shown.image, truth: shown.reference ?? shown.truth, prediction: shown.prediction)
    }

    /// A sample with the outlines of its segments and, where it tells them apart, of its objects, each in its segment's colour.
    init(name: String, caption: String, _ sample: LabelledSet.Sample) {
        self.name = name
        self.caption = caption
        var image = Self.small(sample.image)
        let (rows, columns) = (image.rows, image.columns)
        /// Class and object of a pixel; background beyond the picture.
        func mark(_ row: Int, _ column: Int) -> (class: UInt8, object: Int32) {
            guard (0..<rows).contains(row), (0..<columns).contains(column) else { return (0, 0) }
            let at =
                row * sample.image.rows / rows * sample.image.columns + column * sample.image.columns / columns
            return (sample.classes[at], sample.objects.isEmpty ? 0 : sample.objects[at])
        }
        for row in 0..<rows {
            for column in 0..<columns {
                let own = mark(row, column)
                guard own.class > 0 else { continue }
                let neighbours = [
                    mark(row - 1, column), mark(row + 1, column), mark(row, column - 1), mark(row, column + 1),
                ]
                guard neighbours.contains(where: { $0 != own }) else { continue }
                let color = Self.color(segment: Int(own.class))
                for channel in 0..<3 { image.pixels[3 * (row * columns + column) + channel] = color[channel] }
            }
        }
        self.image = image
    }

    /// Of a segment, from 1; the first has that of the truth, and behind the last they begin anew.
    static func color(segment: Int) -> [UInt8] {
        let colors: [[UInt8]] = [
            truthColor, [255, 60, 200], [255, 200, 0], [0, 180, 255], [255, 110, 40], [170, 120, 255], [200, 255, 60],
            [255, 150, 170],
        ]
        return colors[(segment - 1) % colors.count]
    }

    /// The image at the size of a page of many.
    private static func small(_ source: DisplayImage) -> DisplayImage {
        let scale = Double(side) / Double(max(source.rows, source.columns))
        let rows = Int(rounding: Double(source.rows) * scale, clampedTo: 1...side)
        let columns = Int(rounding: Double(source.columns) * scale, clampedTo: 1...side)
        return source.resized(rows: rows, columns: columns)
    }

    private static func drawn(_ source: DisplayImage, truth: [Mask], prediction: [Mask]) -> DisplayImage {
        var image = small(source)
        let (rows, columns) = (image.rows, image.columns)
        let edges = { (masks: [Mask]) in masks.map { shrunk($0, rows, columns).boundary } }
        let (wanted, found) = (edges(truth), edges(prediction))
        for pixel in 0..<rows * columns {
            let isWanted = wanted.contains { $0[pixel] }
            let isFound = found.contains { $0[pixel] }
            guard isWanted || isFound else { continue }
            let color = isWanted && isFound ? commonColor : isWanted ? truthColor : predictionColor
            for channel in 0..<3 { image.pixels[3 * pixel + channel] = color[channel] }
        }
        return image
    }

    private static func shrunk(_ mask: Mask, _ rows: Int, _ columns: Int) -> Mask {
        var result = Mask(rows: rows, columns: columns)
        for row in 0..<rows {
            for column in 0..<columns
            where mask[row * mask.rows / rows, column * mask.columns / columns] {
                result[row, column] = true
            }
        }
        return result
    }

    /// The picture with its caption.
    func figure() throws -> HTML {
        let page = RasterPage(
            rows: image.rows, columns: image.columns, samples: 3, bits: 8, values: image.pixels.map(UInt16.init))
        let data = "data:image/png;base64," + Data(try ImageFile.png(page)).base64EncodedString()
        return """
            <figure><img alt="\(name)" width="\(image.columns)" height="\(image.rows)" src="\(data)">\
            <figcaption>\(name)<br>\(caption)</figcaption></figure>
            """
    }
}

extension Overlay: Codable {
    private enum CodingKeys: String, CodingKey { case name, caption, rows, columns, pixels }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        caption = try values.decode(String.self, forKey: .caption)
        let (rows, columns) = (
            try values.decode(Int.self, forKey: .rows), try values.decode(Int.self, forKey: .columns)
        )
        // As bytes: an array of numbers is an object a number.
        let pixels = Array(try values.decode(Data.self, forKey: .pixels))
        guard rows >= 0, columns >= 0, pixels.count == rows * columns * 3 else {
            throw DecodingError.dataCorruptedError(
                forKey: .pixels, in: values, debugDescription: "\(pixels.count) bytes")
        }
        image = DisplayImage(rows: rows, columns: columns, pixels: pixels)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(caption, forKey: .caption)
        try values.encode(image.rows, forKey: .rows)
        try values.encode(image.columns, forKey: .columns)
        try values.encode(Data(image.pixels), forKey: .pixels)
    }
}
