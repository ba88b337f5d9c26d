import Failures
import Foundation
import ImageFiles
import Imaging
import Numbers
import SegmentAnything
import Storage
import Tensors
import Testing
import Training

@Suite("masked autoencoding")
struct MaskedAutoencodingTests {
    private static func configuration(_ stem: Configuration.Stem = .conv, side: Int = 64) -> Configuration {
        var configuration = Configuration()
        configuration.apply(.nano)
        configuration.apply(.scratch)
        (configuration.inputSize, configuration.stem) = (side, stem)
        return configuration
    }

    /// Stripes whose place differs from image to image: what is hidden follows from what is not.
    private static func stripes(_ number: Int, rows: Int = 64, columns: Int = 64) -> DisplayImage {
        var pixels: [UInt8] = []
        for pixel in 0..<rows * columns {
            let at = (number % 2 == 0 ? pixel % columns : pixel / columns) + number * 5
            pixels += [UInt8(at % 16 < 8 ? 200 : 40), UInt8(40 + at % 16 * 8), 90]
        }
        return DisplayImage(rows: rows, columns: columns, pixels: pixels)
    }

    private static func batch(
        _ images: [DisplayImage], _ configuration: Configuration, ratio: Double = 0.5, patch: Int = 16
    ) -> (batch: Batch, hidden: HiddenPatches) {
        let batch = Batch(
            hiding: images.enumerated().map { ($1, SplitMix64(seed: UInt64($0))) },
            Masking(ratio: ratio, patch: patch), configuration)
        guard case .hidden(let hidden) = batch.truth else { preconditionFailure("a batch of another task") }
        return (batch, hidden)
    }

    private static func parameters(_ configuration: Configuration) -> Parameters {
        TrainingTask.maskedAutoencoding(Masking(ratio: 0.5, patch: 16)).parameters(
            .initial(configuration, seed: 1), configuration, seed: 1)
    }

    // MARK: what is seen

    @Test("nothing that the encoder gives depends on pixels that are hidden", arguments: Configuration.Stem.allCases)
    func hiddenPixels(_ stem: Configuration.Stem) {
        let configuration = Self.configuration(stem)
        let model = MaskedAutoencoder(configuration, Self.parameters(configuration))
        let image = Self.stripes(0)
        let (batch, hidden) = Self.batch([image], configuration)
        let plain = model(batch.images, hidden: hidden.tokens, tape: nil).values
        /// The image with every pixel changed of the tokens that are hidden, or of one that is not.
        func changed(_ isChanged: (_ token: Int) -> Bool) -> (output: [Float], targets: [Float]) {
            var other = image
            for pixel in 0..<64 * 64 where isChanged(pixel / 64 / 16 * 4 + pixel % 64 / 16) {
                for channel in 0..<3 { other.pixels[3 * pixel + channel] ^= UInt8(pixel * 7 % 256) }
            }
            let (batch, its) = Self.batch([other], configuration)
            #expect(its.tokens == hidden.tokens)
            return (model(batch.images, hidden: its.tokens, tape: nil).values, its.pixels.values)
        }
        let another = changed { hidden.tokens[$0] }
        #expect(another.output == plain && another.targets != hidden.pixels.values)
        let visible = hidden.tokens.firstIndex(of: false)
        let seen = changed { $0 == visible }
        #expect(seen.output != plain && seen.targets == hidden.pixels.values)
    }

    @Test("a share of the squares that the picture touches is hidden, whole squares, never padding alone")
    func squares() {
        let placement = Placement(rows: 60, columns: 100, inputSize: 160)  // 96 of 160 rows
        var places: Set<[Bool]> = []
        for seed in 0..<20 {
            var random = SplitMix64(seed: UInt64(seed))
            let hidden = Masking(ratio: 0.4, patch: 32).hidden(placement, token: 16, &random)
            // 5 × 3 squares of 2 × 2 tokens.
            #expect(hidden.count == 100 && hidden.count { $0 } == 6 * 4)
            for token in hidden.indices where hidden[token] {
                let (row, column) = (token / 10, token % 10)
                #expect(row < 6 && hidden[(row ^ 1) * 10 + column] && hidden[row * 10 + (column ^ 1)])
            }
            places.insert(hidden)
        }
        #expect(places.count > 15)
    }

    // MARK: the loss

    @Test("the loss is that of hidden patches of the picture alone, each less its mean and by its deviation")
    func loss() {
        let configuration = Self.configuration()
        let parameters = Self.parameters(configuration)
        // 40 of 64 rows: the third row of tokens reaches into the padding.
        let (batch, hidden) = Self.batch(
            [Self.stripes(0, rows: 40), Self.stripes(1, rows: 40)], configuration, ratio: 0.7)
        #expect((0..<32).allSatisfy { !hidden.tokens[$0] || $0 % 16 < 12 })
        #expect((0..<32).allSatisfy { hidden.counted[$0] == (hidden.tokens[$0] && $0 % 16 < 8) })
        #expect(hidden.tokens != hidden.counted && hidden.counted.contains(true))
        let told = MaskedAutoencoder(configuration, parameters)(batch.images, hidden: hidden.tokens, tape: nil).values
        let (wanted, size) = (hidden.pixels.values, 16 * 16 * 3)
        var (sum, count) = (0.0, 0)
        for token in 0..<32 where hidden.counted[token] {
            let patch = wanted[token * size..<(token + 1) * size].map(Double.init)
            let mean = patch.reduce(0, +) / Double(size)
            let variance = patch.reduce(0) { $0 + $1 * $1 } / Double(size)
            #expect(abs(mean) < 1e-3 && abs(variance - 1) < 0.01)
            for i in token * size..<(token + 1) * size {
                sum += (Double(told[i]) - Double(wanted[i])) * (Double(told[i]) - Double(wanted[i]))
                count += 1
            }
        }
        let objective = Objective(
            .maskedAutoencoding(Masking(ratio: 0.7, patch: 16)), configuration, parameters)
        let loss = objective.loss(batch, tape: nil)
        #expect(abs(Double(loss.total.values[0]) - sum / Double(count)) < 1e-4 * sum / Double(count))
        #expect(loss.dice == nil && loss.crossEntropy == nil)
    }

    @Test(
        "derivatives agree with finite differences: of head, mask token, stem, position and blocks; nothing else trains"
    )
    func derivatives() {
        let configuration = Self.configuration()
        let parameters = Self.parameters(configuration)
        let task = TrainingTask.maskedAutoencoding(Masking(ratio: 0.5, patch: 16))
        let objective = Objective(task, configuration, parameters)
        let (batch, _) = Self.batch([Self.stripes(0), Self.stripes(1)], configuration)
        let optimiser = AdamW(parameters, objective.trained, options: AdamW.Options())
        let (_, tape) = objective.derivatives(of: batch, for: optimiser, Tape.Options(recomputes: false))
        let (_, recomputed) = objective.derivatives(of: batch, for: optimiser, Tape.Options(recomputes: true))
        for parameter in objective.trained {
            #expect(
                tape.gradient(parameters[parameter.name])?.values
                    == recomputed.gradient(parameters[parameter.name])?.values)
        }
        for name in [
            "masked_autoencoder.head.weight", "masked_autoencoder.head.bias", "masked_autoencoder.mask_token",
            "masked_autoencoder.norm.weight", "image_encoder.patch_embed.convs.0.weight", "image_encoder.pos_embed",
            "image_encoder.blocks.0.attn.qkv.weight", "image_encoder.blocks.3.mlp.lin2.weight",
        ] {
            guard let gradient = tape.gradient(parameters[name])?.values else {
                Issue.record("\(name) has no gradient")
                continue
            }
            // Along the gradient itself the slope is its length.
            let length = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            let step = 0.004
            func shifted(_ by: Double) -> Double {
                var others = parameters
                others.tensors[name] = Tensor(
                    parameters[name].shape,
                    zip(parameters[name].values, gradient).map { $0 + Float(by / length) * $1 })
                return Double(Objective(task, configuration, others).loss(batch, tape: nil).total.values[0])
            }
            let slope = (shifted(step) - shifted(-step)) / (2 * step)
            #expect(abs(slope - length) < 0.02 * length, "\(name): \(slope), gradient \(length)")
        }
        let names = Set(objective.trained.map(\.name))
        #expect(names.allSatisfy { $0.hasPrefix("image_encoder.") || $0.hasPrefix("masked_autoencoder.") })
        #expect(
            names.filter { $0.hasPrefix("image_encoder.") }
                == Set(ParameterShapes.of(configuration).map(\.name).filter { $0.hasPrefix("image_encoder.") }))
    }

    @Test("what is hidden of stripes is found from what is not")
    func learns() {
        let configuration = Self.configuration(.patch)
        let parameters = Self.parameters(configuration)
        let objective = Objective(
            .maskedAutoencoding(Masking(ratio: 0.5, patch: 16)), configuration, parameters)
        let optimiser = AdamW(parameters, objective.trained, options: AdamW.Options())
        var losses: [Float] = []
        for step in 0..<150 {
            let images = (0..<4).map { Self.stripes(step * 4 + $0) }
            let batch = Batch(
                hiding: images.enumerated().map { ($1, SplitMix64(seed: UInt64(1000 * step + $0))) },
                Masking(ratio: 0.5, patch: 16), configuration)
            let (loss, tape) = objective.derivatives(of: batch, for: optimiser, Tape.Options(recomputes: false))
            optimiser.step(tape, learningRate: 3e-3)
            losses.append(loss.total.values[0])
        }
        let (first, last) = (losses.prefix(5).reduce(0, +) / 5, losses.suffix(20).reduce(0, +) / 20)
        // At 1 it would know nothing of a patch but its mean.
        #expect(first > 0.9 && last < 0.5, "\(first) to \(last)")
    }
}

@Suite("stages of masked autoencoding", .serialized)
struct PretrainingStageTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
        // Further images, without masks.
        let more = try Workplace(images: 9)
        try FileManager.default.createDirectory(atPath: "\(place.folder)/more", withIntermediateDirectories: true)
        for i in 6..<9 {
            try FileManager.default.copyItem(
                atPath: "\(more.folder)/images/disc\(i).png", toPath: "\(place.folder)/more/disc\(i).png")
        }
    }

    private static let pretraining =
        "{task: masked_autoencoding, input_size: 64, epochs: 2, batch: 2, accumulate: 2, learning_rate: 1.0e-3, mask_patch: 16}"
    private static let segmentation = "{input_size: 96, epochs: 1, batch: 2, learning_rate: 1.0e-3}"

    private func plan(
        _ stages: [String] = [pretraining, segmentation], model: String = "configuration: scratch",
        data: String = "data: [{images: images, masks: masks}]", unlabelled: String? = "{folder: more}",
        more: String = ""
    ) throws -> TrainingPlan {
        let text = """
            model: {size: nano, stem: conv, input_size: 96, \(model)}
            \(data)
            \(unlabelled.map { "unlabelled: [\($0)]" } ?? "")
            stages: [\(stages.joined(separator: ", "))]
            optimiser: {warmup: 2, ema: 0.9, clip_norm: 1}
            \(more)
            """
        try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
        return try TrainingPlan.read("\(place.folder)/train.yaml")
    }

    @discardableResult
    private func train(_ plan: TrainingPlan, _ folder: String) throws -> [TrainingEvent] {
        var events: [TrainingEvent] = []
        try Trainer(plan, folder: "\(place.folder)/\(folder)") { events.append($0) }.run(resume: false)
        return events
    }

    /// The weights of a run's last checkpoint, in full precision.
    private func checkpoint(_ folder: String) throws -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        for (name, tensor) in try SafeTensors(path: "\(place.folder)/\(folder)/checkpoint.safetensors").tensors()
        where name.hasPrefix("weight.") { weights[String(name.dropFirst(7))] = tensor }
        return weights
    }

    private static func isEncoders(_ name: String) -> Bool {
        name.hasPrefix("image_encoder.") && !name.contains("lora")
    }

    // MARK: runs

    @Test("a run that is stopped in the stage, at its end and after it ends with the same weights as one that is not")
    func resumes() throws {
        let plan = try plan()
        try train(plan, "straight")
        // 9 images, 4 a step: 3 steps an epoch, 6 in the first stage, then 3.
        for stopAfter in [1, 3, 2, 1, Int.max] {
            var steps = 0
            let ended = try Trainer(plan, folder: "\(place.folder)/broken") { if case .progress = $0 { steps += 1 } }
                .run(resume: true) { steps >= stopAfter }
            #expect(ended == (stopAfter == .max))
        }
        #expect(try place.weights("straight") == place.weights("broken"))
        func lines(_ model: String) throws -> [String] {
            let text = try String(contentsOfFile: "\(place.folder)/\(model)/metrics.jsonl", encoding: .utf8)
            return text.split(separator: "\n").map { String($0).replacing(/"images_per_second":[^,]*,/, with: "") }
        }
        let straight = try lines("straight")
        #expect(try straight == lines("broken") && straight.count == 9)
        // What is told of a stage without masks is its loss.
        for (index, line) in straight.enumerated() {
            #expect(line.contains("\"loss\"") && line.contains("\"dice\"") == (index >= 6), "\(line)")
        }
        let page = try String(contentsOfFile: "\(place.folder)/straight/training.html", encoding: .utf8)
        #expect(page.contains("Reconstruction loss") && page.contains("<h2>Dice</h2>"))
        // The model holds nothing of the task, and says where its encoder comes from.
        let model = try ModelDirectory.open("\(place.folder)/straight")
        #expect(try model.tensors().keys.allSatisfy { !$0.contains("masked") })
        #expect(model.description.provenance["pretraining"] == "masked autoencoding of 9 images")
        #expect(model.description.provenance["images"] == "6" && !model.description.isEncoderOnly)
        _ = try Predictor(model)
        let list = try String(contentsOfFile: "\(place.folder)/straight/data.csv", encoding: .utf8)
        #expect(list.matches(of: /,train,/).count == 6 && list.matches(of: /,unlabelled,/).count == 3)
    }

    @Test("images are those of the data and of the folders without masks; there is no validation in the stage")
    func images() throws {
        try "name,split\ndisc0,train\ndisc1,train\ndisc2,train\ndisc3,train\ndisc4,val\ndisc5,val\n".write(
            toFile: "\(place.folder)/split.csv", atomically: true, encoding: .utf8)
        let plan = try plan(
            data: "data: [{images: images, masks: masks, list: split.csv, split: train}]",
            unlabelled: "{folder: more, weight: 2}",
            more: "validation: {images: images, masks: masks, list: split.csv, split: val}")
        var (started, validated, told): ([Int], [Int], [Bool]) = ([], [], [])
        var stage = 0
        for event in try train(plan, "model") {
            switch event {
            case .started(let index, let task, _, let images, _):
                started.append(images)
                stage = index
                #expect(task.isSegmentation == (index == 2))
            case .validated: validated.append(stage)
            case .progress(let progress): told.append(progress.dice == nil)
            default: break
            }
        }
        #expect(
            started == [4 + 6, 4] && validated == [2] && told == [true, true, true, true, true, true, false, false])
        let preview = try PreviewPage.html(plan, try sets(plan), count: 2)
        #expect(preview.contains("What is grey is hidden") && preview.contains("Outlines are those of the masks"))
    }

    private func sets(_ plan: TrainingPlan) throws -> [LabelledSet] {
        let data = try TrainingData(plan)
        let check = try DataCheck.run(data.roles, segments: 1, input: plan.input)
        return Array(check.sets.prefix(data.training.count + data.unlabelled.count))
    }

    @Test("only the encoder changes, though the configuration freezes it; what follows trains on it as it was left")
    func onlyEncoder() throws {
        let frozen = "configuration: hsp_sam, lora_rank: 2"
        let pretraining = Self.pretraining.replacing("size: 64", with: "size: 96")
        let first = try plan([pretraining], model: frozen)
        try train(first, "first")
        let learned = try checkpoint("first")
        let initial = Parameters.initial(first.configuration, seed: 1)
        for (name, tensor) in initial.tensors {
            let isSame = learned[name]?.values == tensor.values
            // The relative positions begin at 0 and the keys' biases have no gradient: not all of them move.
            #expect(Self.isEncoders(name) || isSame, "\(name)")
        }
        let moved = initial.tensors.filter { Self.isEncoders($0.key) && learned[$0.key]?.values != $0.value.values }
        #expect(moved.count > 30 && moved.keys.contains("image_encoder.patch_embed.convs.0.weight"))
        #expect(learned.keys.contains("masked_autoencoder.mask_token"))
        // The same stage before another: the frozen encoder stays, decoders and LoRA learn.
        let both = try plan([pretraining, Self.segmentation], model: frozen)
        try train(both, "both")
        let after = try checkpoint("both")
        #expect(after.allSatisfy { !Self.isEncoders($0.key) || learned[$0.key]?.values == $0.value.values })
        #expect(after.contains { $0.key.contains("lora") && initial.tensors[$0.key]?.values != $0.value.values })
        #expect(!after.keys.contains("masked_autoencoder.mask_token"))
        // The average that is written has the encoder on which the decoders learned, not the encoder's own average.
        let written = try ModelDirectory.open("\(place.folder)/both").tensors()
        let tables = after.filter { Self.isEncoders($0.key) && $0.key.contains("norm") }
        #expect(!tables.isEmpty && tables.allSatisfy { written[$0.key]?.values == $0.value.values })
    }

    @Test("a model of which only the encoder has learned is one to begin with, and segments nothing")
    func encoderOnly() throws {
        // Images are enough.
        try train(try plan([Self.pretraining], data: ""), "encoder")
        let model = try ModelDirectory.open("\(place.folder)/encoder")
        #expect(model.description.isEncoderOnly && model.configuration.inputSize == 96)
        #expect(model.description.provenance["pretraining"] == "masked autoencoding of 3 images")
        let refused = #expect(throws: ModelFailure.self) { try Predictor(model) }
        #expect(refused?.code == "MODEL-ENCODER")
        let next = try plan(
            [Self.segmentation], model: "configuration: hsp_sam, lora_rank: 2, encoder_from: encoder", unlabelled: nil)
        try train(next, "next")
        let (before, after) = (try model.tensors(), try ModelDirectory.open("\(place.folder)/next"))
        let kept = try after.tensors().filter { Self.isEncoders($0.key) }
        #expect(kept.count > 20 && kept.allSatisfy { before[$0.key]?.values == $0.value.values })
        #expect(!after.description.isEncoderOnly && after.description.provenance["encoder"] == model.digest.hex)
    }

    // MARK: plans

    @Test(
        "a plan that is wrong is refused with file and line",
        arguments: [
            (["{task: pretraining, input_size: 64, epochs: 1, batch: 2, learning_rate: 1.0e-3}"], "task"),
            ([segmentation, pretraining], "masked_autoencoding"),
            ([pretraining.replacing("patch: 16", with: "patch: 20"), segmentation], "mask_patch"),
            ([pretraining.replacing("patch: 16", with: "ratio: 1"), segmentation], "mask_ratio"),
            ([segmentation.replacing("batch: 2", with: "batch: 2, mask_ratio: 0.5")], "mask_ratio"),
            ([segmentation], "unlabelled"),
        ])
    func wrong(_ stages: [String], _ word: String) throws {
        let error = #expect(throws: (any Error).self) {
            try plan(stages, unlabelled: word == "unlabelled" ? "{folder: more}" : nil)
        }
        let failure = error as? any Failure
        #expect(failure?.kind == .configuration && failure?.text.contains("train.yaml:") == true)
        #expect(failure?.text.contains(word) == true, "\(failure?.text ?? "")")
    }

    @Test("without data there must be images to learn from, and nothing to segment")
    func noData() throws {
        for (stages, unlabelled) in [
            ([Self.pretraining, Self.segmentation], "{folder: more}"), ([Self.pretraining], nil),
        ] {
            let error = #expect(throws: (any Error).self) { try plan(stages, data: "", unlabelled: unlabelled) }
            #expect((error as? any Failure)?.code == "SET-EMPTY")
        }
    }

    @Test("what is hidden, and the content of images without masks, decide the weights")
    func identity() throws {
        func identity(_ stage: String = Self.pretraining) throws -> String {
            let plan = try plan([stage, Self.segmentation])
            let data = try TrainingData(plan)
            return try plan.identity(data: data.training, unlabelled: data.unlabelled, parent: nil).hex
        }
        let plain = try identity()
        #expect(try identity(Self.pretraining.replacing("patch: 16", with: "patch: 16, mask_ratio: 0.6")) == plain)
        #expect(try identity(Self.pretraining.replacing("patch: 16", with: "patch: 16, mask_ratio: 0.7")) != plain)
        #expect(try identity(Self.pretraining.replacing("patch: 16", with: "patch: 32")) != plain)
        try place.write([UInt16](repeating: 7, count: 48 * 64), "more/disc6.png")
        #expect(try identity() != plain)
    }

    // MARK: data

    @Test("an image without mask that is one of validation or test, or nearly, is refused; one of training is not")
    func leaks() throws {
        try "name,split\ndisc0,train\ndisc1,train\ndisc2,train\ndisc3,val\ndisc4,test\ndisc5,test\n".write(
            toFile: "\(place.folder)/split.csv", atomically: true, encoding: .utf8)
        // The plan does not name the test split, but its list does.
        let plan = try plan(
            data: "data: [{images: images, masks: masks, list: split.csv, split: train}]",
            more: "validation: {images: images, masks: masks, list: split.csv, split: val}")
        #expect(try place.problems(plan).isEmpty)
        for i in [0, 3, 4] {
            try FileManager.default.copyItem(
                atPath: "\(place.folder)/images/disc\(i).png", toPath: "\(place.folder)/more/copy\(i).png")
        }
        let values = try ImageFile.read("\(place.folder)/images/disc5.png")[0].values
        try place.write(values.enumerated().map { $1 + UInt16($0 % 3) }, "more/copy5.png")
        let problems = try place.problems(plan)
        #expect(problems.map(\.code) == ["DATA-LEAK", "DATA-LEAK", "DATA-LEAK"])
        for (copy, original, words) in [
            ("copy3", "disc3", "unlabelled and validation"), ("copy4", "disc4", "unlabelled and held out"),
            ("copy5", "disc5", "unlabelled and held out"),
        ] {
            #expect(
                problems.contains {
                    $0.text.contains(copy) && $0.text.contains("images/\(original)") && $0.text.contains(words)
                }, "\(copy)")
        }
        // A test that `splits` keeps is one, too.
        try FileManager.default.removeItem(atPath: "\(place.folder)/more")
        try FileManager.default.copyItem(atPath: "\(place.folder)/images", toPath: "\(place.folder)/more")
        // Who is in which part depends on the files' bytes, and they on the encoder: the first seed that leaves none empty.
        let plans = try (1...20).map { try self.plan(more: "splits: {folds: 2, test: 0.4, seed: \($0)}") }
        let divided = try #require(plans.first { (try? TrainingData($0)) != nil })
        let data = try TrainingData(divided)
        let kept = data.validation.flatMap(\.pairs).count + data.test.flatMap(\.pairs).count
        #expect(!data.test.isEmpty && !data.validation.isEmpty)
        #expect(try place.problems(divided).count { $0.code == "DATA-LEAK" } >= kept)
    }

    @Test("a broken file among the images without masks is listed with the others, and its masks are not looked at")
    func brokenFile() throws {
        try Data("no picture".utf8).write(to: URL(filePath: "\(place.folder)/more/disc7.png"))
        // As a mask it would be refused: neither black and white nor labels.
        try place.write((0..<48 * 64).map { UInt16($0 * 37 % 256) }, "more/disc8_mask.png")
        let problems = try place.problems(plan())
        #expect(problems.count == 1 && problems[0].message.subject?.contains("more/disc7.png") == true)
        let data = try TrainingData(plan())
        let check = try DataCheck.run(data.roles, segments: 1, input: plan().input)
        let summary = check.summaries.first { $0.split == "unlabelled" }
        #expect(summary?.images == 3 && summary?.rule == nil)
    }
}
