import Failures
import Foundation
import ImageFiles
import SegmentAnything
import Tensors
import Testing
import Training

@Suite("Quantiser")
struct QuantiserTests {
    @Test("a model is calibrated on images, measured, and serves 8 bits and float32 afterwards")
    func quantises() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quantiser-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/images", withIntermediateDirectories: true)
        for number in 0..<5 {
            let page = RasterPage(
                rows: 40, columns: 50, samples: 1, bits: 8, values: (0..<2000).map { UInt16(($0 * (number + 3)) % 251) }
            )
            try Data(try ImageFile.png(page)).write(to: URL(fileURLWithPath: "\(folder)/images/\(number).png"))
        }
        // A mask beside its picture is none.
        let mask = RasterPage(rows: 40, columns: 50, samples: 1, bits: 8, values: [UInt16](repeating: 0, count: 2000))
        try Data(try ImageFile.png(mask)).write(to: URL(fileURLWithPath: "\(folder)/images/4_mask.png"))
        var configuration = Configuration()
        configuration.inputSize = 64
        (configuration.embedDim, configuration.depth, configuration.heads, configuration.globalBlocks) = (32, 2, 2, [1])
        (configuration.window, configuration.decoderDim, configuration.decoderHeads, configuration.loraRank) = (
            3, 16, 2, 2
        )
        let description = ModelDescription(configuration: configuration, configurationName: "hsp_sam")
        let parameters = Parameters.initial(configuration, seed: 1)
        try ModelDirectory.write(description, tensors: parameters.tensors, to: folder + "/model")
        // What the training learned from stays known.
        let origin = ["train.yaml": "model: {}\n", "data.csv": "split,group,name,sha256\n"]
        for (name, text) in origin { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/model/\(name)")) }
        let model = try ModelDirectory.open(folder + "/model")
        var steps = 0
        let result = try Quantiser.run(model, images: folder + "/images", most: 6, out: folder + "/eight") {
            done, total in
            steps += 1
            #expect(done == steps && total == 6)
        }
        #expect(steps == 6 && result.choices.count == 8 && result.dice.map(\.name) == (0..<5).map { "\($0).png" })
        let eight = try ModelDirectory.open(folder + "/eight")
        #expect(eight.description.quantisation == result.quantisation)
        for (name, text) in origin {
            #expect(try String(contentsOfFile: "\(folder)/eight/\(name)", encoding: .utf8) == text)
        }
        #expect(result.choices.allSatisfy { $0.inputScale == nil ? $0.error > Calibration.largestError : $0.error > 0 })
        #expect(result.choices.contains { $0.inputScale != nil })
        let few = #expect(throws: FailureRecord.self) {
            try Quantiser.run(model, images: folder + "/images", most: 3, out: folder + "/few") { _, _ in }
        }
        #expect(few?.code == "USE-RANGE" && !FileManager.default.fileExists(atPath: folder + "/few"))
        // Copies of one image are one; every page of a file is an image.
        let page = try ImageFile.read(folder + "/images/0.png")[0]
        let pages = try (0..<4).map { try ImageFile.read("\(folder)/images/\($0).png")[0] }
        for name in ["same", "pages"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for number in 0..<5 {
            try Data(try ImageFile.png(page)).write(to: URL(fileURLWithPath: "\(folder)/same/\(number).png"))
        }
        let same = #expect(throws: FailureRecord.self) {
            try Quantiser.run(model, images: folder + "/same", most: 6, out: folder + "/few") { _, _ in }
        }
        #expect(same?.code == "USE-RANGE" && same?.text.contains("1 unlike images") == true)
        try Data(ImageFile.tiff(pages)).write(to: URL(fileURLWithPath: folder + "/pages/all.tif"))
        let paged = try Quantiser.run(model, images: folder + "/pages", most: 6, out: folder + "/paged") { _, _ in }
        #expect(paged.dice.map(\.name) == (1...4).map { "all.tif#\($0)" })
        for choice in [PrecisionChoice.fp32, .bf16, .int8] { _ = try Predictor(eight, choice) }
    }

    @Test("nothing is prepared that could not be measured: no image, nothing found in any, an encoder alone")
    func refused() throws {
        let place = try Workplace()
        let configuration = try place.plan().configuration
        var tensors = Parameters.initial(configuration, seed: 1).tensors
        func failure(_ images: String, encoderOnly: Bool = false) throws -> (any Failure)? {
            var description = ModelDescription(configuration: configuration, configurationName: "scratch")
            description.isEncoderOnly = encoderOnly
            try ModelDirectory.write(description, tensors: tensors, to: place.folder + "/model")
            let model = try ModelDirectory.open(place.folder + "/model")
            let error = #expect(throws: (any Error).self) {
                try Quantiser.run(
                    model, images: "\(place.folder)/\(images)", most: 8, out: place.folder + "/eight"
                ) { _, _ in }
            }
            #expect(!FileManager.default.fileExists(atPath: place.folder + "/eight"))
            return error as? any Failure
        }
        try FileManager.default.createDirectory(atPath: place.folder + "/none", withIntermediateDirectories: true)
        let none = try failure("none")
        #expect(none?.code == "DATA-EMPTY" && none?.text.contains("/none: the folder holds no PNG") == true)
        let encoder = try failure("images", encoderOnly: true)
        #expect(encoder?.code == "MODEL-ENCODER" && encoder?.text.contains("/model") == true)
        // The last biases decide, and decide for background.
        for (name, tensor) in tensors {
            let bias: Float? =
                if name.hasSuffix("output_upscaling.3.bias") {
                    100
                } else if name.hasSuffix("mlps.0.layers.2.bias") {
                    10
                } else if name.hasSuffix("mlps.1.layers.2.bias") {
                    -10
                } else {
                    nil
                }
            if let bias { tensors[name] = Tensor(tensor.shape, repeating: bias) }
        }
        let blind = try failure("images")
        #expect(blind?.code == "DATA-EMPTY" && blind?.text.contains("finds nothing in any of its 6 images") == true)
    }
}
