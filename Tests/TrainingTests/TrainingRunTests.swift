import Failures
import Foundation
import ImageFiles
import SegmentAnything
import Storage
import Tensors
import Testing
import Training

@Suite("a run's rules", .serialized)
struct TrainingRunTests {
    @Test("a frozen encoder that never learned is refused; the default without start_from is scratch")
    func frozen() throws {
        let place = try Workplace(images: 1)
        func plan(_ model: String) throws -> TrainingPlan {
            let text = """
                model: {size: nano, input_size: 96\(model)}
                data: [{images: images, masks: masks}]
                stages: [{input_size: 64, epochs: 1, batch: 1, learning_rate: 1.0e-3}]
                """
            try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
            return try TrainingPlan.read("\(place.folder)/train.yaml")
        }
        #expect(try plan("").configurationName == "scratch")
        #expect(try plan(", start_from: parent").configurationName == "hsp_sam")
        for name in ["hsp_sam", "ablation_1", "ablation_5"] {
            let failure = #expect(throws: (any Error).self) { try plan(", configuration: \(name)") }
            #expect((failure as? any Failure)?.code == "TRAIN-FROZEN")
        }
        #expect(try plan(", configuration: ft_sam").configurationName == "ft_sam")
    }

    @Test(
        "prompts and LoRA that the configuration has none of are refused; none of them, or where it has them, are not")
    func contradictions() throws {
        let place = try Workplace(images: 1)
        func plan(_ model: String) throws -> TrainingPlan {
            let text = """
                model: {size: nano, input_size: 96, encoder_from: parent, \(model)}
                data: [{images: images, masks: masks}]
                stages: [{input_size: 64, epochs: 1, batch: 1, learning_rate: 1.0e-3}]
                """
            try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
            return try TrainingPlan.read("\(place.folder)/train.yaml")
        }
        for (model, key) in [
            ("configuration: ft_sam, prompts: 3", "prompts"), ("configuration: ablation_4, prompts: 5", "prompts"),
            ("configuration: ablation_5, prompts: 1", "prompts"), ("configuration: scratch, lora_rank: 8", "lora_rank"),
            ("configuration: ft_sam, lora_rank: 32", "lora_rank"),
        ] {
            let error = #expect(throws: (any Error).self) { try plan(model) }
            let failure = error as? any Failure
            #expect(failure?.code == "SET-CHOICE" && failure?.text.contains(key) == true, "\(model)")
        }
        for (model, prompts, rank) in [
            ("configuration: ft_sam, prompts: 0, lora_rank: 0", 0, 0), ("configuration: ablation_4", 0, 32),
            ("configuration: scratch, prompts: 3", 3, 0), ("prompts: 5, lora_rank: 4", 5, 4),
        ] {
            let configuration = try plan(model).configuration
            #expect(configuration.prompts == prompts && configuration.loraRank == rank, "\(model)")
        }
    }

    @Test("a frozen encoder of another model stays as it was, and everything else learns on it")
    func encoder() throws {
        let place = try Workplace()
        try Trainer(place.plan(epochs: 2), folder: "\(place.folder)/first") { _ in }.run(resume: false)
        func plan(_ model: String) throws -> TrainingPlan {
            let text = """
                model: {size: nano, stem: conv, input_size: 96, lora_rank: 2, encoder_from: first\(model)}
                data: [{images: images, masks: masks}]
                stages: [{input_size: 96, epochs: 1, batch: 2, learning_rate: 1.0e-3}]
                """
            try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
            return try TrainingPlan.read("\(place.folder)/train.yaml")
        }
        try Trainer(try plan(""), folder: "\(place.folder)/second") { _ in }.run(resume: false)
        let (first, second) = (
            try ModelDirectory.open("\(place.folder)/first"), try ModelDirectory.open("\(place.folder)/second")
        )
        let (before, after) = (try first.tensors(), try second.tensors())
        let kept = after.filter { $0.key.hasPrefix("image_encoder.") && !$0.key.contains("lora") }
        #expect(kept.count > 20 && kept.allSatisfy { before[$0.key]?.values == $0.value.values })
        #expect(after.contains { $0.key.contains("lora") && $0.value.values.contains { $0 != 0 } })
        #expect(second.description.provenance["encoder"] == first.digest.hex)
        #expect(second.description.configurationName == "hsp_sam")
        #expect(throws: (any Error).self) { try plan(", start_from: first") }
        var other = try plan("")
        other.configuration.stem = .patch
        #expect(throws: TrainingFailure.self) { try Trainer(other, folder: "\(place.folder)/third") { _ in } }
    }

    @Test("a size that no model can have is refused before the run")
    func size() throws {
        let place = try Workplace(images: 1)
        let text = """
            model: {size: nano, configuration: scratch, input_size: 100}
            data: [{images: images, masks: masks}]
            stages: [{input_size: 64, epochs: 1, batch: 1, learning_rate: 1.0e-3}]
            """
        try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
        let error = #expect(throws: (any Error).self) { try TrainingPlan.read("\(place.folder)/train.yaml") }
        let failure = error as? any Failure
        #expect(failure?.code == "SET-RANGE" && failure?.text.contains("100") == true)
    }

    @Test(
        "the page of a run that was stopped, or that failed, says so and is not read anew; that of one that goes on is")
    func stoppedPage() throws {
        let place = try Workplace(images: 2)
        func page(_ name: String) throws -> String {
            try String(contentsOfFile: "\(place.folder)/\(name)/training.html", encoding: .utf8)
        }
        var running = ""
        let plan = try place.plan(epochs: 1)
        try Trainer(plan, folder: "\(place.folder)/model") {
            if case .started = $0 { running = (try? page("model")) ?? "" }
        }
        .run(resume: false) { true }
        #expect(running.contains("http-equiv=\"refresh\""))
        #expect(
            try page("model").contains("Stopped: stage 1 of 2") && !page("model").contains("http-equiv=\"refresh\""))
        try Trainer(plan, folder: "\(place.folder)/model") {
            if case .started = $0 { running = (try? page("model")) ?? "" }
        }
        .run(resume: true)
        #expect(running.contains("Running when this was written: stage") && running.contains("http-equiv=\"refresh\""))
        // A run that is killed leaves this page: it tells when it was written, and how often it is.
        #expect(running.contains(/Written \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/))
        #expect(running.contains("It is written after each epoch") && running.contains("--resume"))
        #expect(try page("model").contains("Ended: stage 2 of 2") && !page("model").contains("after each epoch"))
        // A file that goes while the run goes on.
        #expect(throws: (any Error).self) {
            try Trainer(plan, folder: "\(place.folder)/failed") {
                if case .started = $0 {
                    try? FileManager.default.removeItem(atPath: "\(place.folder)/images/disc0.png")
                }
            }
            .run(resume: false)
        }
        #expect(try !page("failed").contains("http-equiv=\"refresh\""))
    }

    @Test("the preview outlines each segment in a colour of its own, which its name has")
    func preview() throws {
        let place = try Workplace(images: 2)
        try place.masks { _, values in values.enumerated().map { $1 == 0 ? 0 : $0 / 64 > 16 ? 2 : 1 } }
        let plan = try place.plan(labels: "[upper, lower]", segments: 2)
        let html = try PreviewPage.html(plan, [try place.set(plan)], count: 1)
        #expect(html.contains(">upper</span>") && html.contains(">lower</span>"))
        let picture = try #require(html.firstMatch(of: /data:image\/png;base64,([A-Za-z0-9+\/=]+)/)).1
        let file = URL(filePath: "\(place.folder)/first.png")
        try #require(Data(base64Encoded: String(picture))).write(to: file)
        let page = try #require(try ImageFile.read(file.path).first)
        let pixels = stride(from: 0, to: page.values.count, by: 3).map { Array(page.values[$0..<$0 + 3]) }
        for (color, style) in [([0, 220, 90], "#00dc5a"), ([255, 60, 200], "#ff3cc8")] as [([UInt16], String)] {
            #expect(pixels.contains(color) && html.contains("border-color: \(style)"))
        }
        // What lies within has its own grey.
        #expect(pixels.contains { $0[0] == $0[1] && $0[1] == $0[2] && $0[0] > 150 })
    }

    @Test("a finished model and an interrupted run are not written over")
    func overwriting() throws {
        let place = try Workplace(images: 2)
        let plan = try place.plan(epochs: 1)
        let folder = "\(place.folder)/model"
        #expect(try !Trainer(plan, folder: folder) { _ in }.run(resume: false) { true })
        #expect(throws: TrainingFailure.finished(path: folder, isWhole: false)) {
            try Trainer(plan, folder: folder) { _ in }.run(resume: false)
        }
        #expect(try Trainer(plan, folder: folder) { _ in }.run(resume: true))
        let weights = try place.weights("model")
        #expect(throws: TrainingFailure.finished(path: folder, isWhole: true)) {
            try Trainer(plan, folder: folder) { _ in }.run(resume: false)
        }
        #expect(try place.weights("model") == weights)
    }

    @Test(
        "files of somebody else's are not written over; an empty folder, the plan's own and a run's first files are no hindrance"
    )
    func strangers() throws {
        let place = try Workplace(images: 2)
        let plan = try place.plan(epochs: 1)
        let (files, folder) = (FileManager.default, "\(place.folder)/model")
        func put(_ text: String, _ name: String) throws {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        for name in [
            "train.yaml", "data.csv", "config.json", "weights.safetensors", "metrics.jsonl", "training.html",
            "best.safetensors",
        ] {
            try put("somebody's", name)
            for resume in [false, true] {
                let failure = #expect(throws: TrainingFailure.self) {
                    try Trainer(plan, folder: folder) { _ in }.run(resume: resume)
                }
                #expect(failure?.code == "TRAIN-OUT" && failure?.text.contains(name) == true)
            }
            #expect(try files.contentsOfDirectory(atPath: folder) == [name])
            #expect(try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) == "somebody's")
            try files.removeItem(atPath: folder)
        }
        // The plan may lie there, and what no run writes.
        try put(String(contentsOfFile: "\(place.folder)/train.yaml", encoding: .utf8), "train.yaml")
        try put("somebody's", "notes.txt")
        #expect(try !Trainer(plan, folder: folder) { _ in }.run(resume: false) { true })
        // What a run leaves that is killed before its first checkpoint.
        for name in ["checkpoint.safetensors", "best.safetensors"] {
            try? files.removeItem(atPath: "\(folder)/\(name)")
        }
        try put("", ".checkpoint.safetensors.tmp-1")
        #expect(throws: TrainingFailure.finished(path: folder, isWhole: false)) {
            try Trainer(plan, folder: folder) { _ in }.run(resume: false)
        }
        #expect(try Trainer(plan, folder: folder) { _ in }.run(resume: true))
        #expect(!files.fileExists(atPath: "\(folder)/.checkpoint.safetensors.tmp-1"))
        #expect(files.fileExists(atPath: "\(folder)/notes.txt"))
    }

    @Test("a folder that a run works in is refused to another one, also with --resume, and free when the run has ended")
    func busy() throws {
        let place = try Workplace(images: 2)
        let plan = try place.plan(epochs: 1)
        let folder = "\(place.folder)/model"
        var refusals: [TrainingFailure] = []
        let first = try Trainer(plan, folder: folder) { event in
            guard case .started = event, refusals.isEmpty,
                let second = try? Trainer(plan, folder: folder, report: { _ in })
            else { return }
            for resume in [false, true] {
                do { try second.checkFolder(resume: resume) } catch let failure as TrainingFailure {
                    refusals.append(failure)
                } catch {}
                do { try second.run(resume: resume) } catch let failure as TrainingFailure {
                    refusals.append(failure)
                } catch {}
            }
        }
        #expect(try first.run(resume: false))
        #expect(refusals.map(\.code) == ["USE-BUSY", "USE-BUSY", "USE-BUSY", "USE-BUSY"])
        #expect(refusals.allSatisfy { $0.kind == .usage && $0.text.contains("process ") })
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/.hspsam-lock"))
        // What a run that was killed leaves holds nobody up.
        try "process 1 on nowhere".write(toFile: "\(folder)/.hspsam-lock", atomically: true, encoding: .utf8)
        #expect(try Trainer(plan, folder: folder) { _ in }.run(resume: true))
    }

    @Test(
        "a data set of which an epoch draws no image is refused before anything is looked at; a small weight that draws one is not"
    )
    func nothingDrawn() throws {
        let place = try Workplace()
        for (data, name) in [
            ("{images: images, masks: masks, weight: 0}", "data[0]"),
            ("{images: images, masks: masks, weight: 0.05}", "data[0]"),
            ("{images: images, masks: masks}, {images: images, masks: masks, weight: 0}", "data[1]"),
        ] {
            let plan = try place.plan(data: data)
            for body in [
                { _ = try TrainingData(plan) }, { _ = try Trainer(plan, folder: "\(place.folder)/model") { _ in } },
            ] {
                let failure = #expect(throws: TrainingFailure.self) { try body() }
                #expect(failure?.code == "TRAIN-PLAN" && failure?.text.contains(name) == true)
            }
            #expect(!FileManager.default.fileExists(atPath: "\(place.folder)/model"))
        }
        let text = """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 64}
            data: [{images: images, masks: masks}]
            unlabelled: [{folder: images, weight: 0.01}]
            stages:
              - {task: masked_autoencoding, input_size: 64, epochs: 1, batch: 2, learning_rate: 1.0e-3}
              - {input_size: 64, epochs: 1, batch: 2, learning_rate: 1.0e-3}
            """
        try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
        let plan = try TrainingPlan.read("\(place.folder)/train.yaml")
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(plan) }
        #expect(failure?.text.contains("unlabelled[0]") == true)
        var images = 0
        try Trainer(
            place.plan(epochs: 1, data: "{images: images, masks: masks, weight: 0.2}"), folder: "\(place.folder)/one"
        ) { if case .started(1, _, _, let all, _) = $0 { images = all } }
        .run(resume: false) { true }
        #expect(images == 1)
    }

    /// A run with validations, stopped after so many of its six steps: two an epoch, two epochs and one.
    private func validated(_ place: Workplace, _ name: String, stopAfter: Int = .max, resume: Bool = false) throws {
        try "name,split\ndisc0,train\ndisc1,train\ndisc2,train\ndisc3,val\ndisc4,val\n".write(
            toFile: "\(place.folder)/split.csv", atomically: true, encoding: .utf8)
        let plan = try place.plan(
            "validation: {images: images, masks: masks, list: split.csv, split: val}",
            data: "{images: images, masks: masks, list: split.csv, split: train}")
        var steps = 0
        try Trainer(plan, folder: "\(place.folder)/\(name)") { if case .progress = $0 { steps += 1 } }
            .run(resume: resume) { steps >= stopAfter }
    }

    /// Changes one bit of the last value in a file.
    private func flip(_ path: String) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count - 3] ^= 0x40
        try bytes.write(to: URL(filePath: path))
    }

    @Test("best weights that are not the run's own, damaged or gone, and a damaged checkpoint, are refused at once")
    func damaged() throws {
        let place = try Workplace()
        try validated(place, "other")
        let (folder, files) = ("\(place.folder)/model", FileManager.default)
        for stopAfter in [3, Int.max] {
            try? files.removeItem(atPath: folder)
            try validated(place, "model", stopAfter: stopAfter)
            let (best, checkpoint) = ("\(folder)/best.safetensors", "\(folder)/checkpoint.safetensors")
            let wrongs: [(String, () throws -> Void)] = [
                (best, { try flip(best) }), (best, { try files.removeItem(atPath: best) }),
                (
                    best,
                    {
                        try files.removeItem(atPath: best)
                        try files.copyItem(atPath: "\(place.folder)/other/weights.safetensors", toPath: best)
                    }
                ),
                (checkpoint, { try flip(checkpoint) }),
            ]
            for (path, damage) in wrongs {
                let whole = try Data(contentsOf: URL(filePath: path))
                try damage()
                let failure = #expect(throws: TrainingFailure.self) { try validated(place, "model", resume: true) }
                #expect(failure?.code == "TRAIN-CHECKPOINT" && failure?.text.contains("--out") == true)
                #expect(failure?.message.subject == path)
                try whole.write(to: URL(filePath: path))
            }
            try validated(place, "model", resume: true)
            #expect(try place.weights("model") == place.weights("other"))
        }
    }

    @Test("a checkpoint of another instruction set is refused, and the cure says how to go on with the same bits")
    func instructionSet() throws {
        let place = try Workplace()
        try validated(place, "model", stopAfter: 3)
        let path = "\(place.folder)/model/checkpoint.safetensors"
        let whole = try Data(contentsOf: URL(filePath: path))
        let other = InstructionSet.available.first { $0 != InstructionSet.current }
        var sets = [(name: "of another machine", words: "a machine that has")]
        if let other { sets.append((name: other, words: "HSPSAM_ISA=\(other)")) }
        for (name, words) in sets {
            // The file as that instruction set would have left it.
            let file = try SafeTensors(path: path)
            let tensors = try file.tensors()
            var metadata = file.metadata
            #expect(metadata.updateValue(name, forKey: "instruction_set") == InstructionSet.current)
            metadata["sha256"] = nil
            var bytes: [UInt8] = []
            SafeTensors.encode(tensors, metadata: metadata) { bytes += $0 }
            metadata["sha256"] = FileDigest(of: bytes).hex
            try SafeTensors.write(tensors, to: path, metadata: metadata)
            let failure = #expect(throws: TrainingFailure.self) { try validated(place, "model", resume: true) }
            #expect(failure?.code == "TRAIN-CHECKPOINT" && failure?.message.cure.contains(words) == true)
            try whole.write(to: URL(filePath: path))
        }
        try validated(place, "model", resume: true)
    }

    @Test(
        "killed between best weights and checkpoint, or before they have their name, a run ends with the same weights")
    func waitingBest() throws {
        let place = try Workplace()
        try validated(place, "straight")
        let files = FileManager.default
        for (name, kill) in [
            // The checkpoint tells of them, and they wait.
            ("named", { try files.moveItem(atPath: $0 + "/best.safetensors", toPath: $0 + "/best-next.safetensors") }),
            // They wait, and no checkpoint tells of them.
            ("told", { try Data("of a later epoch".utf8).write(to: URL(filePath: $0 + "/best-next.safetensors")) }),
        ] as [(String, (String) throws -> Void)] {
            try validated(place, name, stopAfter: 3)
            try kill("\(place.folder)/\(name)")
            try validated(place, name, resume: true)
            #expect(try place.weights(name) == place.weights("straight"))
            #expect(!files.fileExists(atPath: "\(place.folder)/\(name)/best-next.safetensors"))
        }
    }

    @Test("a stage may end before its schedule, with the weights that the whole stage had at that step")
    func until() throws {
        let place = try Workplace()
        func plan(_ more: String) throws -> TrainingPlan {
            let text = """
                model: {size: nano, configuration: scratch, stem: conv, input_size: 64}
                data: [{images: images, masks: masks}]
                stages: [{input_size: 64, epochs: 2, batch: 2, learning_rate: 1.0e-3\(more)}]
                optimiser: {warmup: 2, schedule: cosine}
                """
            try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
            return try TrainingPlan.read("\(place.folder)/train.yaml")
        }
        func losses(_ plan: TrainingPlan, _ name: String) throws -> [Double] {
            var losses: [Double] = []
            try Trainer(plan, folder: "\(place.folder)/\(name)") {
                if case .progress(let progress) = $0 { losses.append(progress.loss) }
            }
            .run(resume: false)
            return losses
        }
        let (whole, part) = (try losses(plan(""), "whole"), try losses(plan(", until: 4"), "part"))
        #expect(whole.count == 6 && part.count == 4 && Array(whole.prefix(4)) == part)
    }

    @Test("every image is drawn once an epoch, though the last batch is smaller")
    func lastBatch() throws {
        let place = try Workplace(images: 5)
        var (steps, images) = (0, 0)
        try Trainer(place.plan(epochs: 1), folder: "\(place.folder)/model") {
            if case .started(1, _, _, let all, let count) = $0 { (images, steps) = (all, count) }
        }
        .run(resume: false) { true }
        #expect(images == 5 && steps == 3)
    }

    @Test("with a moving average and accumulated batches too, an interrupted run ends with the same bits")
    func average() throws {
        let place = try Workplace()
        let text = """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 64}
            data: [{images: images, masks: masks}]
            validation: {images: images, masks: masks, limit: 2}
            stages: [{input_size: 64, epochs: 3, batch: 2, accumulate: 2, learning_rate: 1.0e-3}]
            optimiser: {warmup: 2, ema: 0.9, clip_norm: 1, schedule: cosine}
            """
        try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
        let plan = try TrainingPlan.read("\(place.folder)/train.yaml")
        let validatesItself = try place.problems(plan)
        #expect(validatesItself.allSatisfy { $0.code == "DATA-LEAK" } && !validatesItself.isEmpty)
        let other = try Workplace(images: 8)
        for i in 6..<8 {
            for name in ["images/disc\(i).png", "masks/disc\(i)_mask.png"] {
                let target = URL(filePath: "\(place.folder)/v/\(name)")
                try FileManager.default.createDirectory(
                    at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
                try FileManager.default.copyItem(at: URL(filePath: "\(other.folder)/\(name)"), to: target)
            }
        }
        // These discs are like others, mirrored.
        let apart = text.replacing("validation: {images: images, masks: masks", with: "validation: {folder: v")
        try (apart + "\nsimilar_images: allow\n").write(
            toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
        let sound = try TrainingPlan.read("\(place.folder)/train.yaml")
        var dices: [Double] = []
        try Trainer(sound, folder: "\(place.folder)/straight") {
            if case .validated(_, let dice, _, _, _) = $0 { dices.append(dice) }
        }
        .run(resume: false)
        // Two steps an epoch: stopped inside an epoch, at an epoch's end, and then left to end.
        for stopAfter in [1, 1, 2, Int.max] {
            var steps = 0
            _ = try Trainer(sound, folder: "\(place.folder)/broken") { if case .progress = $0 { steps += 1 } }
                .run(resume: true) { steps >= stopAfter }
        }
        #expect(try place.weights("straight") == place.weights("broken"))
        func digits(_ model: String) throws -> [String] {
            let lines = try String(contentsOfFile: "\(place.folder)/\(model)/metrics.jsonl", encoding: .utf8)
            // All but the speed.
            return lines.split(separator: "\n").map { String($0).replacing(/"images_per_second":[^,]*,/, with: "") }
        }
        #expect(try digits("straight") == digits("broken") && digits("straight").count == 9)
        // What was written is the best of the three validations.
        let provenance = try ModelDirectory.open("\(place.folder)/straight").description.provenance
        #expect(
            dices.count == 3
                && provenance["validation_dice"].flatMap(Double.init).map { abs($0 - (dices.max() ?? 0)) < 1e-4 }
                    == true
        )
        for name in ["train.yaml", "data.csv", "metrics.jsonl", "training.html"] {
            #expect(FileManager.default.fileExists(atPath: "\(place.folder)/straight/\(name)"), "\(name)")
        }
        let page = try String(contentsOfFile: "\(place.folder)/straight/training.html", encoding: .utf8)
        #expect(
            page.contains("<polyline") && page.contains("data:image/png") && !page.contains("http-equiv=\"refresh\""))
    }
}
