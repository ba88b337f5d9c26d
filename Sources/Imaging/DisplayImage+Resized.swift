import Numbers

extension DisplayImage {
    /// Resized: by area where it shrinks, bilinear where it grows; rounded to 8 bits.
    package func resized(rows: Int, columns: Int) -> DisplayImage {
        let values = AxisWeights.resample(
            pixels.map(Float.init), rows: self.rows, columns: self.columns, channels: 3,
            down: .antialiased(from: self.rows, to: rows), across: .antialiased(from: self.columns, to: columns))
        return DisplayImage(
            rows: rows, columns: columns, pixels: values.map { UInt8(grey: $0) })
    }
}
