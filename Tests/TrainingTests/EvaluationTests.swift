import Failures
import Foundation
import ImageFiles
import Imaging
import SegmentAnything
import Tensors
import Testing
import Training

@Suite("Evaluation")
struct EvaluationTests {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "evaluation-\(UUID().uuidString)"
    ).path

    /// A network whose masks are full, or empty: the last layer's biases alone decide.
    func full(segments: Int, isEmpty: Bool = false) -> Predictor {
        var configuration = Configuration()
        configuration.inputSize = 32
        (configuration.embedDim, configuration.depth, configuration.heads, configuration.globalBlocks) = (16, 1, 2, [0])
        (configuration.window, configuration.decoderDim, configuration.decoderHeads) = (2, 16, 2)
        configuration.segments = segments
        configuration.activation = .sigmoid
        configuration.apply(.ftSAM)
        var tensors: [String: Tensor] = [:]
        for parameter in ParameterShapes.of(configuration) {
            let decides = parameter.name.hasSuffix("layers.2.bias")
            let isLast = parameter.name.contains("output_upscaling.3.bias") || decides
            tensors[parameter.name] = Tensor(parameter.shape, repeating: isLast ? (decides && isEmpty ? -1 : 1) : 0)
        }
        return Predictor(
            ModelDescription(configuration: configuration, configurationName: "ft_sam"), Parameters(tensors))
    }

    func write(_ path: String, _ value: (Int) -> UInt16) throws {
        let page = RasterPage(rows: 10, columns: 20, samples: 1, bits: 8, values: (0..<200).map(value))
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: "\(folder)/\(path)").deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try Data(try ImageFile.png(page)).write(to: URL(fileURLWithPath: "\(folder)/\(path)"))
    }

    /// A grey TIFF of 20 × 10 pixels with a resolution.
    private func tiff(_ pixelsPerCM: UInt32) -> [UInt8] {
        func bytes(_ value: UInt32, _ count: Int) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0.prefix(count)) }
        }
        // Header, twelve tags, pixels, the resolution as a fraction.
        let pixels: UInt32 = 8 + 2 + 12 * 12 + 4
        let resolution = pixels + 200
        let tags: [(tag: UInt32, type: UInt32, value: UInt32)] = [
            (256, 4, 20), (257, 4, 10), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, pixels), (277, 3, 1),
            (278, 4, 10), (279, 4, 200), (282, 5, resolution), (283, 5, resolution), (296, 3, 3),
        ]
        var file: [UInt8] = Array("II*\0".utf8) + bytes(8, 4) + bytes(12, 2)
        for tag in tags { file += bytes(tag.tag, 2) + bytes(tag.type, 2) + bytes(1, 4) + bytes(tag.value, 4) }
        file += bytes(0, 4)
        for pixel in 0..<200 { file.append(UInt8(pixel * 7 % 200 + Int(pixelsPerCM))) }
        return file + bytes(pixelsPerCM, 4) + bytes(1, 4)
    }

    /// The images and masks of the folder, read as training reads them.
    func sets(segments: Int, below part: String = "") throws -> [LabelledSet] {
        let dataset = try Dataset(images: "\(folder)/\(part)images", masks: "\(folder)/\(part)masks")
        let check = try DataCheck.run(
            [.init(split: "all", dataset)], segments: segments, input: TrainedInput(), learns: false)
        try check.confirm()
        return check.sets
    }

    @Test("figures are those of each file, masks are found by all three names, and the mean counts every file once")
    func figures() throws {
        for (index, name) in ["a", "b", "c"].enumerated() {
            try write("images/\(name).png") { UInt16(($0 + index) % 200) }
        }
        try write("masks/a.png") { _ in 255 }
        try write("masks/b_mask.png") { $0 % 20 < 10 ? 250 : 3 }
        try write("masks/c_segmentation.png") { _ in 0 }
        let result = try Evaluation.run(full(segments: 1), on: sets(segments: 1))
        #expect(result.files.map(\.name) == ["a", "b", "c"])
        #expect(result.files[0].metrics.dice == 1 && result.files[0].metrics.hd == 0)
        #expect(abs(result.files[1].metrics.dice - 2.0 / 3) < 1e-12 && result.files[1].metrics.hd == 10)
        #expect(result.files[2].metrics.dice == 0 && abs(result.files[2].metrics.hd - 500.0.squareRoot()) < 1e-12)
        #expect(abs(result.mean.dice - 5.0 / 9) < 1e-12)
    }

    @Test(
        "distances are also in mm of the images that say how large their pixels are, and it is told how many these are")
    func millimetres() throws {
        for (name, pixelsPerCM) in [("a", 20), ("b", 40), ("c", nil)] as [(String, UInt32?)] {
            try write("masks/\(name).png") { $0 % 20 < 10 ? 255 : 0 }
            try write("images/\(name).png") { UInt16($0 * 7 % 200 + Int(pixelsPerCM ?? 0)) }
            guard let pixelsPerCM else { continue }
            try FileManager.default.removeItem(atPath: "\(folder)/images/\(name).png")
            try Data(tiff(pixelsPerCM)).write(to: URL(fileURLWithPath: "\(folder)/images/\(name).tif"))
        }
        let result = try Evaluation.run(full(segments: 1), on: sets(segments: 1))
        // What is found too much reaches ten pixels to the right.
        #expect(result.files.map(\.metrics.hd) == [10, 10, 10])
        let found = result.files.map { $0.segments[0].millimetres?.hd }
        #expect(abs((found[0] ?? 0) - 5) < 1e-3 && abs((found[1] ?? 0) - 2.5) < 1e-3 && found[2] == nil)
        let mean = try #require(result.segments[0].millimetres)
        #expect(mean.images == 2 && abs(mean.mean.hd - 3.75) < 1e-3)
        let report = EvaluationReport(result, title: "t")
        #expect(report.markdown.contains("| HD, mm (2 images that say how large their pixels are) | 3.75"))
        #expect(report.csv.split(separator: "\n")[0].hasSuffix(",hd_mm,hd95_mm"))
        #expect(report.csv.split(separator: "\n")[3].hasSuffix(",,"))
    }

    @Test("beside float32 each file has the Dice of both masks and what it changes against the truth")
    func agreement() throws {
        try write("images/a.png") { UInt16($0 % 200) }
        try write("masks/a.png") { $0 % 20 < 10 ? 255 : 0 }
        var options = Evaluation.Options()
        var turn = 0
        // Both predictors find everything; of the masks of the second only the left half is kept.
        let left = Mask(rows: 10, columns: 20, flags: (0..<200).map { $0 % 20 < 10 })
        let calls = Calls()
        options.postprocess = { masks in calls.next() == 2 ? [left] : masks }
        var shown: Evaluation.Shown?
        let result = try Evaluation.run(
            full(segments: 1), beside: full(segments: 1), on: sets(segments: 1), options: options
        ) { _, _, it in (shown, turn) = (it, turn + 1) }
        let agreement = try #require(Agreement(result))
        #expect(turn == 1 && shown?.reference == [left])
        #expect(abs(agreement.mean - 2.0 / 3) < 1e-12 && agreement.worst.name == "a")
        #expect(
            abs(agreement.meanChange - (2.0 / 3 - 1)) < 1e-12 && agreement.largestLoss.change == agreement.meanChange)
        #expect(Agreement(try Evaluation.run(full(segments: 1), on: sets(segments: 1))) == nil)
    }

    private final class Calls: @unchecked Sendable {
        // Sendable: called by one thread, after another.
        private var count = 0
        func next() -> Int {
            count += 1
            return count
        }
    }

    @Test("of several segments a file's figures are their mean")
    func segments() throws {
        try write("images/a.png") { UInt16($0 % 200) }
        try write("masks/a.png") { _ in 2 }
        let result = try Evaluation.run(full(segments: 2), on: sets(segments: 2))
        #expect(result.mean.dice == 0.5 && result.mean.iou == 0.5)
        #expect(result.segments.map(\.mean.dice) == [0, 1])
        #expect(result.segments[1].pooled.sensitivity == 1 && result.segments[0].pooled.specificity == 0)
    }

    @Test("weights that find nothing are behind those that find something, however many images show no segment")
    func findsNothing() throws {
        for (index, name) in ["a", "b", "c"].enumerated() {
            try write("images/\(name).png") { UInt16(($0 + index) % 200) }
            try write("masks/\(name).png") { name == "a" && $0 % 20 < 10 ? 255 : 0 }
        }
        let sets = try sets(segments: 1)
        let nothing = ValidationResult(try Evaluation.run(full(segments: 1, isEmpty: true), on: sets))
        let something = ValidationResult(try Evaluation.run(full(segments: 1), on: sets))
        #expect(abs(nothing.dice - 2.0 / 3) < 1e-12 && nothing.findsNothing && nothing.missed == [0])
        #expect(abs(something.dice - 2.0 / 9) < 1e-12 && !something.findsNothing && something.missed.isEmpty)
        #expect(something.isBetter(than: nothing) && !nothing.isBetter(than: something))
        #expect(!something.isBetter(than: something) && !nothing.isBetter(than: nothing))
    }

    @Test("an image without a mask is refused by its name")
    func missing() throws {
        try write("images/a.png") { _ in 0 }
        try FileManager.default.createDirectory(atPath: "\(folder)/masks", withIntermediateDirectories: true)
        let failure = #expect(throws: TrainingFailure.self) {
            try Dataset(images: "\(folder)/images", masks: "\(folder)/masks")
        }
        #expect(failure?.code == "DATA-MASK" && failure?.text.contains("a.png") == true)
    }
}
