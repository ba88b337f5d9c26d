import DICOMObjects
import Imaging
import Numbers

/// A frame with its segments burnt in, and below it a strip with their names, a scale bar and what it is not for.
struct CapturePicture {
    /// Narrower pictures are enlarged so that the strip can be read, larger ones made smaller.
    private static let smallest = 320
    private static let largest = 2048

    let image: DisplayImage
    /// Of the picture's pixels; nil when unknown.
    let spacing: PixelSpacing?

    /// - Parameters:
    ///   - masks: one a segment, of this frame or of the picture that it is a smaller copy of.
    ///   - objects: of each mask; nil where each is one.
    init(
        _ frame: DisplayImage, masks: [Mask], objects: [MaskObjects]?, segments: [SegmentDescription],
        spacing: PixelSpacing?, title: String
    ) {
        let up = max(1, (Self.smallest + frame.columns - 1) / max(1, frame.columns))
        let down = max(1, (max(frame.rows, frame.columns) + Self.largest - 1) / Self.largest)
        let (rows, columns) = (max(1, frame.rows * up / down), max(1, frame.columns * up / down))
        let scale = Double(down) / Double(up)
        self.spacing = spacing.map { PixelSpacing(row: $0.row * scale, column: $0.column * scale) }
        let letters = max(1, columns / 640)
        let lines = Self.lines(title, segments, masks, columns: columns / (BitmapFont.width * letters))
        let line = (BitmapFont.height + 2) * letters
        let bar = self.spacing.flatMap { ScaleBar($0.column, columns: columns / 3) }
        var canvas = Canvas(rows: rows + line * (lines.count + (bar == nil ? 0 : 1)) + 2 * letters, columns: columns)
        canvas.place(frame, rows: rows, columns: columns, up: up, down: down)
        for (index, mask) in masks.enumerated() where !mask.isEmpty {
            let drawn = DrawnObjects(
                mask, objects?[index], rows: rows, columns: columns,
                row: { min(frame.rows - 1, $0 * down / up) * mask.rows / frame.rows },
                column: { min(frame.columns - 1, $0 * down / up) * mask.columns / frame.columns })
            for row in 0..<rows {
                for column in 0..<columns where drawn.numbers[row * columns + column] > 0 {
                    let around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
                    let isEdge =
                        around.contains { drawn.number($0, $1) ?? 0 == 0 } || drawn.isBeforeAnother(row, column)
                    canvas.blend(row, column, segments[index].color, isEdge ? 1 : 0.3)
                }
            }
        }
        var top = rows + letters
        for words in lines {
            var left = letters
            for part in words {
                canvas.write(part.text, row: top, column: left, part.color, scale: letters)
                left += (part.text.utf8.count + 1) * BitmapFont.width * letters
            }
            top += line
        }
        if let bar {
            for row in top + 4 * letters..<top + 7 * letters {
                for column in letters..<min(columns, letters + bar.pixels) { canvas.set(row, column, [255, 255, 255]) }
            }
            canvas.write(
                bar.text, row: top, column: bar.pixels + 3 * letters, [255, 255, 255], scale: letters)
        }
        image = canvas.image
    }

    private typealias Part = (text: String, color: [UInt8])

    /// The strip's text, broken where the picture ends.
    private static func lines(
        _ title: String, _ segments: [SegmentDescription], _ masks: [Mask], columns: Int
    ) -> [[Part]] {
        var lines: [[Part]] = [[]]
        var room = columns
        func add(_ text: String, _ color: [UInt8]) {
            let letters = String(text.unicodeScalars.map { $0.isASCII && $0.value >= 32 ? Character($0) : "?" })
            let text = String(letters.prefix(max(1, columns - 1)))
            if text.utf8.count > room, !lines[lines.count - 1].isEmpty {
                lines.append([])
                room = columns
            }
            lines[lines.count - 1].append((text, color))
            room -= text.utf8.count + 1
        }
        add("NOT FOR DIAGNOSIS", [255, 200, 80])
        add(title, [200, 200, 200])
        for (segment, mask) in zip(segments, masks) where !mask.isEmpty { add(segment.label, segment.color) }
        return lines
    }
}

/// A length that people read easily, drawn to scale.
private struct ScaleBar {
    let pixels: Int
    let text: String

    /// The longest of 1, 2, 5, 10, … mm within `columns`; nil where none is.
    init?(_ spacing: Double, columns: Int) {
        guard spacing.isFinite, spacing > 0 else { return nil }
        let limit = spacing * Double(columns)
        var length = 0.0
        var power = 1e-4
        while power <= limit, power < 1e6 {
            for step in [1.0, 2, 5] where power * step <= limit { length = power * step }
            power *= 10
        }
        guard length > 0 else { return nil }
        pixels = Int(rounding: length / spacing, clampedTo: 1...max(1, columns))
        text = length < 0.1 ? "\(NumberText.fixed(length * 1000, 1)) um" : "\(NumberText.fixed(length, 1)) mm"
    }
}

/// Pixels that are drawn on.
private struct Canvas {
    private(set) var image: DisplayImage

    init(rows: Int, columns: Int) {
        image = DisplayImage(rows: rows, columns: columns, pixels: [UInt8](repeating: 0, count: rows * columns * 3))
    }

    /// Every pixel of a frame `up` times, or every n-th of it.
    mutating func place(_ frame: DisplayImage, rows: Int, columns: Int, up: Int, down: Int) {
        for row in 0..<rows {
            let line = min(frame.rows - 1, row * down / up) * frame.columns
            for column in 0..<columns {
                let from = (line + min(frame.columns - 1, column * down / up)) * 3
                let to = (row * columns + column) * 3
                for channel in 0..<3 { image.pixels[to + channel] = frame.pixels[from + channel] }
            }
        }
    }

    mutating func set(_ row: Int, _ column: Int, _ color: [UInt8]) { blend(row, column, color, 1) }

    mutating func blend(_ row: Int, _ column: Int, _ color: [UInt8], _ share: Float) {
        guard row >= 0, column >= 0, row < image.rows, column < image.columns else { return }
        image.blend(row, column, color, share)
    }

    mutating func write(_ text: String, row: Int, column: Int, _ color: [UInt8], scale: Int) {
        for (index, letter) in text.utf8.enumerated() {
            for y in 0..<BitmapFont.height * scale {
                for x in 0..<BitmapFont.width * scale
                where BitmapFont.isSet(letter, row: y / scale, column: x / scale) {
                    set(row + y, column + index * BitmapFont.width * scale + x, color)
                }
            }
        }
    }
}
