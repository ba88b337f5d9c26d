import Failures
import Foundation
import ImageFiles
import Imaging
import SegmentAnything
import Tensors
import Testing
import Training

@Suite("training", .serialized)
struct TrainerTests {
    @Test("a run that is stopped and resumed ends with the same weights as one that is not")
    func resumes() throws {
        let place = try Workplace()
        let plan = try place.plan()
        #expect(try Trainer(plan, folder: "\(place.folder)/straight") { _ in }.run(resume: false))
        // Stopped in the first stage, in the second, and then left to end.
        for stopAfter in [4, 5, Int.max] {
            var steps = 0
            let trainer = try Trainer(plan, folder: "\(place.folder)/broken") { if case .progress = $0 { steps += 1 } }
            let ended = try trainer.run(resume: true) { steps >= stopAfter }
            #expect(ended == (stopAfter == .max))
        }
        #expect(try place.weights("straight") == place.weights("broken"))
    }

    @Test(
        "with activation checkpointing gradients are the same bits, also those of LoRA and prompts in a frozen encoder")
    func recomputedGradients() throws {
        let kept = try Self.gradients(Tape.Options())
        let recomputed = try Self.gradients(Tape.Options(recomputes: true))
        #expect(kept == recomputed)
        #expect(recomputed.contains { $0.key.contains("lora_q_b") && $0.value.contains { $0 != 0 } })
    }

    /// Those of a small frozen encoder's LoRA, prompts and decoders, by name.
    private static func gradients(_ options: Tape.Options) throws -> [String: [Float]] {
        var configuration = Configuration()
        configuration.apply(.nano)
        configuration.inputSize = 64
        configuration.apply(.ablation3)
        let parameters = Parameters.initial(configuration, seed: 1)
        let objective = Objective(.segmentation, configuration, parameters)
        let optimiser = AdamW(parameters, objective.trained, options: AdamW.Options())
        let batch = Batch.noise(.segmentation, configuration, images: 2)
        let (_, tape) = objective.derivatives(of: batch, for: optimiser, options)
        return parameters.tensors.compactMapValues { tape.gradient($0)?.values }
    }

    @Test("with activation checkpointing the weights are the same")
    func recomputes() throws {
        let place = try Workplace(images: 4)
        try Trainer(place.plan(), folder: "\(place.folder)/kept") { _ in }.run(resume: false)
        let plan = try place.plan("activation_checkpointing: true")
        #expect(plan.tape.recomputes)
        try Trainer(plan, folder: "\(place.folder)/recomputed") { _ in }.run(resume: false)
        #expect(try place.weights("kept") == place.weights("recomputed"))
    }

    @Test("a plan that drops padding is another one, learns, and does not count padding in the loss")
    func dropsPadding() throws {
        let place = try Workplace(images: 2)
        func plan(_ extra: String = "") throws -> TrainingPlan {
            _ = try place.plan(extra, epochs: 1)
            let path = "\(place.folder)/train.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try text.replacingOccurrences(of: "stem: conv", with: "stem: conv, padding: drop").write(
                toFile: path, atomically: true, encoding: .utf8)
            return try TrainingPlan.read(path)
        }
        let (keeping, dropping) = (try place.plan(epochs: 1), try plan())
        #expect(try keeping.identity(data: [], parent: nil) != dropping.identity(data: [], parent: nil))
        try Trainer(dropping, folder: "\(place.folder)/model") { _ in }.run(resume: false)
        #expect(try ModelDirectory.open("\(place.folder)/model").configuration.padding == .drop)
        let refusal = #expect(throws: (any Error).self) { try plan("loss: {ignore_padding: false}") }
        #expect((refusal as? any Failure)?.code == "SET-CHOICE")
    }

    @Test("with products of bfloat16 a model learns as well, and its weights move by less than bfloat16 could tell")
    func bfloat16() throws {
        let place = try Workplace(images: 8)
        let plan = try place.plan("precision: bf16", epochs: 100, rate: "3.0e-3")
        #expect(plan.tape.products == .bf16)
        try Trainer(plan, folder: "\(place.folder)/model") { _ in }.run(resume: false)
        let model = try ModelDirectory.open("\(place.folder)/model")
        let dice = try Evaluation.run(Predictor(model), on: [place.set(plan)]).mean.dice
        #expect(dice > 0.85, "Dice \(dice)")
        let weights = try #require(try model.tensors()["image_encoder.blocks.0.mlp.lin1.weight"])
        #expect(weights.values.contains { $0.bitPattern & 0xFFFF != 0 }, "the weights themselves were rounded")
        #expect(throws: (any Error).self) { try place.plan("precision: int8") }
    }

    @Test("products of bfloat16 give other, but close, gradients; the same when they are computed again")
    func bfloat16Gradients() throws {
        let exact = try Self.gradients(Tape.Options())
        let rounded = try Self.gradients(Tape.Options(products: .bf16))
        #expect(try rounded == Self.gradients(Tape.Options(recomputes: true, products: .bf16)))
        // Of the whole step: a rectifier may open here and stay shut there.
        var (difference, length) = (0.0, 0.0)
        for (name, values) in exact {
            for (a, b) in zip(values, try #require(rounded[name])) {
                difference += Double(a - b) * Double(a - b)
                length += Double(a) * Double(a)
            }
        }
        let error = (difference / length).squareRoot()
        #expect(error > 0 && error < 0.1, "\(error) of the gradient's length")
    }

    @Test("a small model learns to find a bright disc")
    func learns() throws {
        let place = try Workplace(images: 8)
        let plan = try place.plan(epochs: 100, rate: "3.0e-3")
        try Trainer(plan, folder: "\(place.folder)/model") { _ in }.run(resume: false)
        let model = try ModelDirectory.open("\(place.folder)/model")
        let dice = try Evaluation.run(Predictor(model), on: [place.set(plan)]).mean.dice
        #expect(dice > 0.85, "Dice \(dice)")
        #expect(model.configuration.inputSize == 96)
        #expect(model.description.provenance["seed"] == "1")
        // Training writes how large its pictures were.
        let scale = TrainedScale(pixels: 64)
        #expect(model.description.trainedInput == TrainedInput(windowing: .asIs, aspect: .varied, scale: scale))
        #expect(model.description.segmentLabels == ["segment-1"])
    }

    @Test("a run that is to be gone on with and has no checkpoint says that it begins anew", arguments: [true, false])
    func begunAnew(resume: Bool) throws {
        let place = try Workplace(images: 2)
        var told = false
        try Trainer(place.plan(epochs: 1), folder: "\(place.folder)/model") {
            if case .begunAnew(let folder) = $0 { told = folder.hasSuffix("/model") }
        }.run(resume: resume) { true }
        #expect(told == resume)
    }

    @Test(
        "images or masks that change while a run learns from them are told at its end",
        arguments: ["image", "mask", "gone"])
    func changed(what: String) throws {
        let place = try Workplace(images: 3)
        let trainer = try Trainer(place.plan(epochs: 1), folder: "\(place.folder)/model") { _ in }
        #expect(try trainer.run(resume: false) && trainer.changed == nil)
        let values = try place.disc(0)
        switch what {
        case "image": try place.write(values, "images/disc1.png")
        case "mask": try place.write(values, "masks/disc1_mask.png")
        default: try FileManager.default.removeItem(atPath: "\(place.folder)/images/disc1.png")
        }
        #expect(trainer.changed?.code == "TRAIN-CHANGED" && trainer.changed?.kind == .failed)
    }

    @Test("a checkpoint of another plan or of other images is refused; one whose folder was moved is not")
    func otherPlan() throws {
        let place = try Workplace(images: 2)
        try Trainer(place.plan(), folder: "\(place.folder)/model") { _ in }.run(resume: false) { true }
        let other = try Trainer(place.plan("seed: 7"), folder: "\(place.folder)/model") { _ in }
        #expect(throws: TrainingFailure.self) { try other.run(resume: true) }
        _ = try place.plan()
        let moved = place.folder + "-moved"
        try FileManager.default.moveItem(atPath: place.folder, toPath: moved)
        var resumed = false
        let same = try TrainingPlan.read("\(moved)/train.yaml")
        try Trainer(same, folder: "\(moved)/model") { if case .resumed = $0 { resumed = true } }.run(resume: true) {
            true
        }
        #expect(resumed)
        let image = RasterPage(
            rows: 48, columns: 64, samples: 1, bits: 8, values: (0..<48 * 64).map { UInt16($0 % 200) })
        try Data(ImageFile.png(image)).write(to: URL(filePath: "\(moved)/images/disc0.png"))
        #expect(throws: TrainingFailure.self) {
            try Trainer(same, folder: "\(moved)/model") { _ in }.run(resume: true)
        }
    }

    @Test(
        "a model remembers windowing, aspect and segment labels of its plan",
        arguments: [
            (
                "windowing: {mode: percentile}\n",
                TrainedInput(windowing: .percentile(low: 0.5, high: 99.5), aspect: .varied)
            ),
            (
                "windowing: {mode: percentile, percentiles: [1, 99.8]}\n",
                TrainedInput(windowing: .percentile(low: 1, high: 99.8), aspect: .varied)
            ),
            (
                "windowing: {mode: fixed, window: [40, 400]}\naugment: {aspect: [1, 1]}\n",
                TrainedInput(windowing: .fixed(center: 40, width: 400), aspect: .isotropic)
            ),
            ("windowing: {mode: minmax}\npreprocess: {aspect: grid}", TrainedInput(windowing: .minmax, aspect: .grid)),
        ])
    func remembers(_ extra: String, _ expected: TrainedInput) throws {
        let place = try Workplace(images: 2)
        let plan = try place.plan(extra, epochs: 1, labels: "[disc]")
        try Trainer(plan, folder: "\(place.folder)/model") { _ in }.run(resume: false)
        let description = try ModelDirectory.open("\(place.folder)/model").description
        var scaled = expected
        scaled.scale = TrainedScale(pixels: 64)
        #expect(description.trainedInput == scaled)
        #expect(description.segmentLabels == ["disc"])
    }

    @Test("an image that does not suit the plan's windowing is refused by its name")
    func otherWindowing() throws {
        let place = try Workplace(images: 2)
        for (mode, deep) in [("{mode: color}", false), ("{mode: fixed, window: [40, 400]}", true)] {
            if deep {
                let page = RasterPage(
                    rows: 48, columns: 64, samples: 1, bits: 16, values: [UInt16](repeating: 3000, count: 48 * 64))
                try Data(ImageFile.png(page)).write(to: URL(filePath: "\(place.folder)/images/disc0.png"))
            }
            let problems = try place.problems(place.plan("windowing: \(mode)"))
            #expect(problems.count == (deep ? 1 : 2))
            #expect(
                problems.allSatisfy {
                    $0.code == "DATA-WINDOW" && $0.message.subject?.contains("/images/disc") == true
                })
        }
    }

    @Test("an image without mask, a mask of another size and a name without image are told by file")
    func data() throws {
        let place = try Workplace(images: 2)
        try place.write([UInt16](repeating: 0, count: 48 * 64), "images/lonely.png")
        #expect(
            throws: TrainingFailure.missingMask(
                image: "\(place.folder)/images/lonely.png", folder: "\(place.folder)/masks")
        ) {
            try Trainer(place.plan(), folder: "\(place.folder)/model") { _ in }
        }
        try place.write([UInt16](repeating: 0, count: 4), rows: 2, columns: 2, "masks/lonely.png")
        let error = #expect(throws: FailureRecord.self) {
            try Trainer(place.plan(), folder: "\(place.folder)/model") { _ in }
        }
        #expect(
            error?.description.contains("lonely.png") == true
                && error?.description.contains("64×48 pixels, but its mask has 2×2") == true)
        try "name,split\ndisc0,train\nghost,train\n".write(
            toFile: "\(place.folder)/split.csv", atomically: true, encoding: .utf8)
        let split = #expect(throws: TrainingFailure.self) {
            try Trainer(
                place.plan(data: "{images: images, masks: masks, list: split.csv, split: train}"),
                folder: "\(place.folder)/model"
            ) { _ in }
        }
        #expect(split?.description.contains("ghost") ?? false)
    }

    @Test(
        "a plan that is wrong is refused with file and line",
        arguments: [
            ("augment: {flop: true}", "flop"), ("loss: {at: half}", "half"), ("loss: {alpha: 2}", "alpha"),
            ("seed: -1", "seed"), ("windowing: {mode: fixed}", "window"),
            ("windowing: {mode: fixed, window: [1, 0]}", "width"),
            ("preprocess: {aspect: round}", "aspect"),
            ("splits: {folds: 1}", "folds"), ("augment: {hue: 2}", "hue"),
        ])
    func plan(_ extra: String, _ key: String) throws {
        let place = try Workplace(images: 1)
        do {
            _ = try place.plan(extra)
            Issue.record("\(extra) was accepted")
        } catch let failure as any Failure {
            #expect(failure.kind == .configuration)
            #expect(failure.text.contains("train.yaml:") && failure.text.contains(key))
        }
    }
}
