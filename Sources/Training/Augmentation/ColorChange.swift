import Imaging
import Numbers
import Tensors

/// Gamma, hue and saturation of one draw.
struct ColorChange {
    private let gamma: [Float]
    /// From red, green, blue to red, green, blue, row-major; nil changes nothing.
    private let matrix: [Float]?

    init(_ augmentation: Augmentation, _ random: inout SplitMix64) {
        let exponent = Augmentation.logarithmic(augmentation.gamma, &random)
        gamma = (0..<256).map { Float(255 * power(Double($0) / 255, exponent)) }
        let turn = random.uniform(-augmentation.hue...augmentation.hue) * 2 * .pi
        let strength = random.uniform(1 - augmentation.saturation...1 + augmentation.saturation)
        guard augmentation.hue > 0 || augmentation.saturation > 0 else {
            matrix = nil
            return
        }
        // Turned and stretched about the grey axis in YIQ, whose first axis is luma.
        let (c, s) = (strength * cosine(turn), strength * sine(turn))
        let toYIQ = [0.299, 0.587, 0.114, 0.596, -0.274, -0.322, 0.211, -0.523, 0.312]
        let fromYIQ = [1, 0.956, 0.621, 1, -0.272, -0.647, 1, -1.106, 1.703]
        matrix = Self.product(fromYIQ, Self.product([1, 0, 0, 0, c, -s, 0, s, c], toYIQ)).map { Float($0) }
    }

    /// Of two matrices of 3 × 3.
    private static func product(_ a: [Double], _ b: [Double]) -> [Double] {
        var product = [Double](repeating: 0, count: 9)
        for row in 0..<3 {
            for column in 0..<3 {
                for i in 0..<3 { product[3 * row + column] += a[3 * row + i] * b[3 * i + column] }
            }
        }
        return product
    }

    func apply(_ image: inout DisplayImage) {
        for pixel in stride(from: 0, to: image.pixels.count, by: 3) {
            var rgb = (0..<3).map { gamma[Int(image.pixels[pixel + $0])] }
            if let matrix {
                rgb = (0..<3).map { (row: Int) -> Float in
                    let (red, green) = (matrix[3 * row] * rgb[0], matrix[3 * row + 1] * rgb[1])
                    return red + green + matrix[3 * row + 2] * rgb[2]
                }
            }
            for channel in 0..<3 { image.pixels[pixel + channel] = UInt8(grey: rgb[channel]) }
        }
    }
}
