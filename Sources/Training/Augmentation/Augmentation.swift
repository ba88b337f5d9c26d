import Imaging
package import Numbers
import Settings
import Tensors

/// Random changes of an image and its classes alike, all in one resampling: flips, turns, scale, aspect, bending; then of the image alone
/// exposure, contrast, brightness, colour, and what cameras, compression and skin add. What comes from outside the image is its mirror
/// image. A kind that is switched off draws no random number.
package struct Augmentation: Sendable, Equatable {
    package var flip = true
    /// Largest turn, degrees, to either side.
    package var turn = 180.0
    /// Zoom, drawn evenly on a logarithmic scale.
    package var scale = [0.8, 1.25]
    /// Width over height of the result, relative to the image's own.
    package var aspect = [0.67, 1.5]
    /// Largest change, as a share of 255.
    package var brightness = 0.2
    /// Contrast is multiplied by up to 1 ± this.
    package var contrast = 0.2
    /// Exposure: values are multiplied by a factor drawn evenly on a logarithmic scale.
    package var gain = [1.0, 1.0]
    /// An enlarged picture shows any part of it, not its middle alone.
    package var crop = true
    /// Bending: the largest shift, as a share of the image's sides.
    package var elastic = 0.0
    /// Values as shares of 255 are raised to this power, drawn evenly on a logarithmic scale.
    package var gamma = [1.0, 1.0]
    /// Largest turn of the hue, as a share of the circle.
    package var hue = 0.0
    /// Saturation is multiplied by up to 1 ± this.
    package var saturation = 0.0
    /// Largest deviation of the noise, as a share of 255.
    package var noise = 0.0
    /// Largest deviation of the blur, pixels.
    package var blur = 0.0
    /// How often an image gets the blocks of JPEG compression, quality 20 to 90.
    package var jpeg = 0.0
    /// At most so many hairs or ruler lines.
    package var strokes = 0

    package init() {}

    /// A changed sample, of another size when the aspect changed.
    package func apply(_ sample: LabelledSet.Sample, _ random: inout SplitMix64) -> LabelledSet.Sample {
        let geometry = Geometry(self, &random)
        let light = Light(self, zoom: geometry.zoom, &random)
        let field = elastic > 0 ? ElasticField(elastic * random.uniform(), &random) : nil
        var changed = geometry.apply(sample, light, field)
        if hue > 0 || saturation > 0 || gamma != [1, 1] {
            ColorChange(self, &random).apply(&changed.image)
        }
        if strokes > 0 { Strokes.draw(random.index(below: strokes + 1), on: &changed.image, &random) }
        if blur > 0 { changed.image = Blur.apply(changed.image, deviation: Float(random.uniform(0...blur))) }
        if noise > 0 { Noise.add(to: &changed.image, deviation: Float(255 * random.uniform(0...noise)), &random) }
        if jpeg > 0, random.uniform() < jpeg {
            JPEGArtefacts.apply(to: &changed.image, quality: 20 + random.index(below: 71))
        }
        return changed
    }

    static func logarithmic(_ range: [Double], _ random: inout SplitMix64) -> Double {
        range[0] * power(range[1] / range[0], random.uniform())
    }
}

/// Exposure, contrast and brightness of one draw.
struct Light {
    let shift, slope, exposure: Float
    /// Where the middle of the result lies in the source, as shares of its sides.
    let centerX, centerY: Double

    init(_ augmentation: Augmentation, zoom: Double, _ random: inout SplitMix64) {
        let brightness = augmentation.brightness
        shift = Float(random.uniform(-brightness...brightness) * 255)
        slope = Float(random.uniform(1 - augmentation.contrast...1 + augmentation.contrast))
        exposure = Float(Augmentation.logarithmic(augmentation.gain, &random))
        // Enlarged by `zoom`, the picture is 1 − 1/zoom of its side larger than what is shown of it.
        let spare = augmentation.crop ? max(0, 1 - 1 / zoom) / 2 : 0
        (centerX, centerY) = (0.5 + spare * random.uniform(-1...1), 0.5 + spare * random.uniform(-1...1))
    }

    func apply(_ value: Float) -> Float { (min(255, value * exposure) - 128) * slope + 128 + shift }
}
