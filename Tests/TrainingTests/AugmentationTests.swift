import Foundation
import Imaging
import Numbers
import Testing
import Training

@Suite("augmentation")
struct AugmentationTests {
    /// A disc off the middle, as bright as it is classified.
    private let sample: LabelledSet.Sample = {
        let (rows, columns) = (60, 80)
        var (pixels, classes) = ([UInt8](), [UInt8]())
        for row in 0..<rows {
            for column in 0..<columns {
                let isIn = (row - 20) * (row - 20) + (column - 55) * (column - 55) < 144
                classes.append(isIn ? 1 : 0)
                pixels += [UInt8](repeating: isIn ? 220 : 20, count: 3)
            }
        }
        return .init(image: DisplayImage(rows: rows, columns: columns, pixels: pixels), classes: classes)
    }()

    /// Nothing is changed.
    private var still: Augmentation {
        var a = Augmentation()
        (a.flip, a.turn, a.scale, a.aspect) = (false, 0, [1, 1], [1, 1])
        (a.brightness, a.contrast, a.crop) = (0, 0, false)
        return a
    }

    private func apply(_ a: Augmentation, seed: UInt64 = 1) -> LabelledSet.Sample {
        var random = SplitMix64(seed: seed)
        return a.apply(sample, &random)
    }

    @Test("with everything off a sample stays as it is")
    func off() {
        let result = apply(still)
        #expect(result.image == sample.image && result.classes == sample.classes)
    }

    @Test("image and classes move together, bent too, and the same seed gives the same sample")
    func together() {
        var a = Augmentation()
        (a.brightness, a.contrast, a.elastic) = (0, 0, 0.1)
        for seed in 0..<20 {
            let result = apply(a, seed: UInt64(seed))
            #expect(result.image.rows * result.image.columns == result.classes.count)
            let wrong = result.classes.indices.count {
                (result.image.pixels[3 * $0] > 120) != (result.classes[$0] == 1)
            }
            #expect(Double(wrong) < 0.01 * Double(result.classes.count), "seed \(seed): \(wrong)")
            #expect(apply(a, seed: UInt64(seed)).image == result.image)
        }
    }

    @Test("enlarged pictures show every part of the image, not its middle alone")
    func crop() {
        var a = still
        (a.scale, a.crop) = ([4, 4], true)
        let shares = (0..<60).map { seed in apply(a, seed: UInt64(seed)).classes.count { $0 == 1 } }
        // Parts without the disc, parts that it fills, and much between.
        #expect(shares.contains(0) && shares.contains { $0 > 4000 } && Set(shares).count > 20)
        a.crop = false
        #expect(Set((0..<10).map { apply(a, seed: UInt64($0)).classes }).count == 1)
    }

    private func deviation(_ image: DisplayImage) -> Double {
        let values = image.pixels.map { Double($0) }
        let mean = values.reduce(0, +) / Double(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    private func difference(_ one: DisplayImage, _ other: DisplayImage) -> Double {
        zip(one.pixels, other.pixels).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(one.pixels.count)
    }

    @Test("every kind changes the image alone, in its own way and no more than it should")
    func kinds() {
        let before = sample.image
        var blur = still
        blur.blur = 6
        let blurred = (0..<10).map { apply(blur, seed: UInt64($0)).image }
        #expect(blurred.allSatisfy { deviation($0) <= deviation(before) + 0.5 })
        #expect(blurred.contains { deviation($0) < deviation(before) - 3 })
        var noise = still
        noise.noise = 0.05
        #expect((0..<10).allSatisfy { difference(apply(noise, seed: UInt64($0)).image, before) < 0.05 * 255 })
        #expect(apply(noise).image != before)
        var jpeg = still
        jpeg.jpeg = 1
        let compressed = apply(jpeg).image
        #expect(compressed != before && difference(compressed, before) < 12)
        var strokes = still
        strokes.strokes = 8
        #expect((0..<10).contains { difference(apply(strokes, seed: UInt64($0)).image, before) > 0.2 })
        var hue = still
        (hue.hue, hue.saturation) = (0.5, 0.5)
        // Grey has no hue.
        #expect(difference(apply(hue).image, before) < 1)
        var gamma = still
        gamma.gamma = [2, 2]
        let dark = apply(gamma).image
        #expect(dark.pixels[0] == 2 && dark.pixels[3 * (20 * 80 + 55)] == 190)
        for a in [blur, noise, jpeg, strokes, hue, gamma] { #expect(apply(a).classes == sample.classes) }
    }

    @Test("a coloured pixel turns about the grey axis and keeps its brightness")
    func hue() {
        let red = LabelledSet.Sample(
            image: DisplayImage(rows: 8, columns: 8, pixels: (0..<64).flatMap { _ in [UInt8(150), 90, 90] }),
            classes: [UInt8](repeating: 0, count: 64))
        var a = still
        a.hue = 0.5
        var seen: Set<[UInt8]> = []
        for seed in 0..<10 {
            var random = SplitMix64(seed: UInt64(seed))
            let pixel = Array(a.apply(red, &random).image.pixels.prefix(3))
            let (r, g, b) = (Double(pixel[0]), Double(pixel[1]), Double(pixel[2]))
            let luma: Double = 0.299 * r + 0.587 * g + 0.114 * b
            #expect(abs(luma - 107.94) < 1.5)
            seen.insert(pixel)
        }
        #expect(seen.count > 5)
    }

    @Test("presets: what must not be exchanged is not; unknown ones are refused; keys change a preset")
    func presets() throws {
        let place = try Workplace(images: 1)
        for name in ["radiograph", "ultrasound", "slices"] {
            let plan = try place.plan("augment: {preset: \(name), turn: 3}")
            #expect(!plan.stages[0].augmentation.flip && plan.stages[0].augmentation.turn == 3)
        }
        #expect(try place.plan("augment: {preset: dermoscopy}").stages[1].augmentation.strokes == 8)
        #expect(throws: (any Error).self) { try place.plan("augment: {preset: skin}") }
    }
}
