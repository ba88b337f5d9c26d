import Numbers

extension DisplayImage {
    /// Resized: by area where it shrinks, bilinear where it grows; rounded to 8 bits.
    package func resized(rows: Int, columns: Int) -> DisplayImage {
        let length = self.columns * 3
        let values = AxisWeights.resample(
            rows: self.rows, channels: 3, down: .antialiased(from: self.rows, to: rows),
            across: .antialiased(from: self.columns, to: columns)
        ) { pixels[$0 * length..<($0 + 1) * length].map(Float.init) }
        return DisplayImage(
            rows: rows, columns: columns, pixels: values.map { UInt8(grey: $0) })
    }
}
