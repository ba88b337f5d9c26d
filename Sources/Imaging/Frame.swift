/// One decoded frame: modality values (grey) or display RGB (colour).
///
/// *Shape*: `values` is `[rows, columns, samples]`, row-major. *Units*: grey after the modality transform (HU for CT);
/// colour 0…255.
package struct Frame: Sendable {
    package let rows: Int
    package let columns: Int
    /// 1 (grey, modality values) or 3 (display RGB).
    package let samples: Int
    package var values: [Float]
    /// True where a pixel is padding and leaves all statistics; empty when there is none. `[rows · columns]`.
    package var padding: [Bool]
    /// Grey is shown inverted (MONOCHROME1, Presentation LUT Shape INVERSE).
    package var inverted: Bool

    package init(rows: Int, columns: Int, samples: Int, values: [Float], padding: [Bool] = [], inverted: Bool = false) {
        precondition(
            values.count == rows * columns * samples, "Frame: \(values.count) values for \(rows)×\(columns)×\(samples)")
        precondition(padding.isEmpty || padding.count == rows * columns, "Frame: padding has the wrong count")
        self.rows = rows
        self.columns = columns
        self.samples = samples
        self.values = values
        self.padding = padding
        self.inverted = inverted
    }
}

/// A picture as a display shows it and as the network sees it: 8-bit RGB.
///
/// *Shape*: `pixels` is `[rows, columns, 3]`, row-major.
package struct DisplayImage: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    package var pixels: [UInt8]

    package init(rows: Int, columns: Int, pixels: [UInt8]) {
        precondition(pixels.count == rows * columns * 3, "DisplayImage: \(pixels.count) bytes for \(rows)×\(columns)×3")
        self.rows = rows
        self.columns = columns
        self.pixels = pixels
    }

    /// - Parameter greys: one a pixel, for all three channels.
    package init(rows: Int, columns: Int, greys: [UInt8]) {
        var pixels = [UInt8](repeating: 0, count: greys.count * 3)
        do {
            let greys = greys.span
            var pixels = pixels.mutableSpan
            for index in greys.indices {
                let grey = greys[index]
                pixels[index * 3] = grey
                pixels[index * 3 + 1] = grey
                pixels[index * 3 + 2] = grey
            }
        }
        self.init(rows: rows, columns: columns, pixels: pixels)
    }

    /// All three channels are equal everywhere.
    package var isGrey: Bool {
        let pixels = pixels.span
        for row in 0..<rows {
            // Without a branch a pixel.
            var differences: UInt8 = 0
            for at in stride(from: row * columns * 3, to: (row + 1) * columns * 3, by: 3) {
                differences |= (pixels[at] ^ pixels[at + 1]) | (pixels[at] ^ pixels[at + 2])
            }
            if differences != 0 { return false }
        }
        return true
    }
}
