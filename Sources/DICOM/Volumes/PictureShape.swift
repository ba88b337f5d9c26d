/// Which pictures the network is shown.
package enum PictureShape {
    /// Whether a picture is neither too small nor too narrow for the network.
    ///
    /// - Parameter aspect: height of a pixel over its width.
    package static func suits(rows: Int, columns: Int, aspect: Double) -> Bool {
        let (height, width) = (Double(rows), Double(columns))
        func ratio(_ a: Double, _ b: Double) -> Double { max(a / b, b / a) }
        return min(rows, columns) >= 8 && ratio(height, width) <= 32 && ratio(height * aspect, width) <= 32
    }
}
