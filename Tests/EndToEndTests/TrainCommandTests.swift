import Foundation
import ImageFiles
import SegmentAnything
import Testing

/// `hspsam train` and `hspsam evaluate` as a person uses them, on phantoms.
@Suite("hspsam train", .serialized)
struct TrainCommandTests {
    private let workplace: Workplace

    init() throws {
        workplace = try Workplace()
        let ending = try Program.run([
            "phantom", "body", "--pairs", "12", "--seed", "77", "--out", workplace.path + "/pairs",
        ])
        #expect(ending.status == 0, "\(ending.errors)")
    }

    private func plan(epochs: Int, extra: String = "") throws -> String {
        try workplace.write(
            "train.yaml",
            """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 64, segment_labels: [body]}
            windowing: {mode: fixed, window: [100, 600]}
            data: [{folder: "${pairs}"}]
            splits: {folds: 3, fold: 0, seed: 5}
            similar_images: allow
            validation: {every: 1}
            stages: [{input_size: 64, epochs: \(epochs), batch: 4, learning_rate: 2.0e-3}]
            optimiser: {warmup: 2, ema: 0.9, clip_norm: 1}
            \(extra)
            """)
    }

    private func train(_ more: [String]) throws -> Program.Ending {
        try Program.run(
            ["train", "--config", workplace.path + "/train.yaml", "--data", "pairs=\(workplace.path)/pairs"] + more)
    }

    @Test("killed at any moment and resumed, a run ends with the same weights")
    func killed() throws {
        _ = try plan(epochs: 12)
        let straight = try train(["--out", workplace.path + "/straight"])
        #expect(straight.status == 0, "\(straight.errors)")
        func sums(_ model: String) throws -> Substring {
            let text = try String(contentsOfFile: "\(workplace.path)/\(model)/SHA256SUMS", encoding: .utf8)
            return text.split(separator: "\n")[1]
        }
        var kills = 0
        while kills < 20 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Program.path)
            process.arguments = [
                "train", "--config", workplace.path + "/train.yaml", "--data", "pairs=\(workplace.path)/pairs", "--out",
                workplace.path + "/broken", "--resume",
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            // Whenever another epoch's checkpoint has come, or a little later: somewhere in the next epoch.
            let checkpoint = workplace.path + "/broken/checkpoint.safetensors"
            let before = try? FileManager.default.attributesOfItem(atPath: checkpoint)[.modificationDate] as? Date
            while process.isRunning {
                let now = try? FileManager.default.attributesOfItem(atPath: checkpoint)[.modificationDate] as? Date
                if now != nil, now != before {
                    usleep(UInt32(kills * 7919 % 40_000))
                    kill(process.processIdentifier, SIGKILL)
                    break
                }
                usleep(2_000)
            }
            process.waitUntilExit()
            if process.terminationReason == .exit, process.terminationStatus == 0 { break }
            kills += 1
        }
        #expect(kills > 0)
        #expect(try sums("broken") == sums("straight"))
    }

    private func images() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: workplace.path + "/pairs/images").sorted()
    }

    @Test("a check lists what there is and what is wrong, at once, and nothing is trained")
    func check() throws {
        _ = try plan(epochs: 1)
        let sound = try train(["--check"])
        #expect(sound.status == 0, "\(sound.errors)")
        for words in ["train:", "validation:", "every value but 0", "body: in", "s a step", "nothing is wrong"] {
            #expect(sound.output.contains(words), "\(words)")
        }
        let preview = workplace.path + "/preview.html"
        #expect(try train(["--preview", preview]).status == 0)
        #expect(try String(contentsOfFile: preview, encoding: .utf8).contains("data:image/png"))
        #expect(try train(["--preview", preview]).status == 0)
        // Over the plan itself, or over an image.
        let image = try #require(try images().first)
        for path in ["/train.yaml", "/pairs/images/\(image)"] {
            let before = try Data(contentsOf: URL(filePath: workplace.path + path))
            let refused = try train(["--preview", workplace.path + path])
            #expect(refused.status == 2 && refused.errors.hasPrefix("USE-OUT"), "\(refused.errors)")
            #expect(try Data(contentsOf: URL(filePath: workplace.path + path)) == before)
        }
        for option in ["--preview", "--out"] { #expect(try train([option, ""]).status == 2) }
        let picture = workplace.path + "/p.png"
        let misnamed = try train(["--preview", picture])
        #expect(misnamed.status == 2 && misnamed.errors.hasPrefix("USE-OUT"), "\(misnamed.errors)")
        #expect(!FileManager.default.fileExists(atPath: picture))
        let names = try images()
        try workplace.write("pairs/images/\(names[0])", "no picture")
        let one = try train(["--check"])
        #expect(one.status == 2 && one.errors.hasPrefix("IN-NOTIMAGE"), "\(one.errors)")
        try workplace.write("pairs/images/\(names[1])", "no picture")
        let wrong = try train(["--check"])
        #expect(wrong.status == 2)
        #expect(
            wrong.errors.split(separator: "\n").count == 2 && names.prefix(2).allSatisfy { wrong.errors.contains($0) })
        #expect(try train(["--out", workplace.path + "/model"]).status == 2)
        #expect(!FileManager.default.fileExists(atPath: workplace.path + "/model"))
    }

    @Test("a model with boundaries says what its data cannot teach, and is measured with mirror images too")
    func boundaries() throws {
        try workplace.write(
            "train.yaml",
            String(contentsOfFile: try plan(epochs: 1), encoding: .utf8).replacing(
                "segment_labels", with: "instances: boundary, segment_labels"))
        let check = try train(["--check"])
        #expect(check.output.contains("none of which touches another"), "\(check.output)\(check.errors)")
        let model = workplace.path + "/model"
        #expect(try train(["--out", model]).status == 0)
        let arguments = ["evaluate", "--model", model, "--folder", workplace.path + "/pairs", "--instances"]
        #expect(try Program.run(arguments).status == 0)
        let flipped = try Program.run(arguments + ["--flips"])
        #expect(flipped.status == 0 && flipped.output.contains("AP at 0.5"), "\(flipped.errors)")
    }

    @Test(
        "a run whose model finds nothing asks a person; weights that find something come before those that find nothing"
    )
    func unfound() throws {
        func run(_ every: Int, _ model: String) throws -> Program.Ending {
            let text = try String(contentsOfFile: try plan(epochs: 10), encoding: .utf8)
            try workplace.write("train.yaml", text.replacing("every: 1", with: "every: \(every)"))
            return try train(["--out", workplace.path + "/" + model])
        }
        // Half of the validation's images show no body: finding nothing has a Dice of 0.5.
        let nothing = try run(10, "nothing")
        #expect(nothing.output.contains("epoch 10: validation Dice 0.5000"), "\(nothing.output)")
        #expect(nothing.status == 3 && nothing.errors.contains("TRAIN-UNFOUND"), "\(nothing.errors)")
        #expect(nothing.errors.contains("finds no pixel of body"))
        #expect(FileManager.default.fileExists(atPath: workplace.path + "/nothing/SHA256SUMS"))
        let page = try String(contentsOfFile: workplace.path + "/nothing/training.html", encoding: .utf8)
        for words in ["The model has the weights after epoch 10", "They find no pixel of body"] {
            #expect(page.contains(words))
        }
        let something = try run(1, "something")
        #expect(something.status == 0 && something.output.contains("validation Dice 0.5000"), "\(something.errors)")
        let config = try String(contentsOfFile: workplace.path + "/something/config.json", encoding: .utf8)
        #expect(!config.contains("\"validation_dice\" : \"0.5000\""), "\(config)")
    }

    @Test("a run that diverges says so in its last step too, and how to begin anew")
    func diverges() throws {
        try workplace.write(
            "train.yaml",
            """
            model: {size: vit_t, configuration: scratch, stem: conv, input_size: 64, segment_labels: [body]}
            windowing: {mode: fixed, window: [100, 600]}
            data: [{folder: "${pairs}"}]
            stages: [{input_size: 64, epochs: 3, batch: 4, learning_rate: 1.0}]
            optimiser: {warmup: 0}
            """)
        let ending = try train(["--out", workplace.path + "/model"])
        #expect(ending.status == 3 && ending.errors.hasPrefix("TRAIN-NAN"), "\(ending.errors)")
        #expect(ending.errors.contains("begin anew with another --out") && !ending.errors.contains("--resume"))
        #expect(!FileManager.default.fileExists(atPath: workplace.path + "/model/config.json"))
    }

    @Test("a model is measured with intervals, objects and pictures, compared with another, and its training is told")
    func evaluates() throws {
        _ = try plan(epochs: 10)
        #expect(try train(["--out", workplace.path + "/one"]).status == 0)
        _ = try plan(epochs: 1)
        #expect(try train(["--out", workplace.path + "/two"]).status == 0)
        let ending = try Program.run([
            "evaluate", "--model", workplace.path + "/one", "--against", workplace.path + "/two", "--folder",
            workplace.path + "/pairs", "--instances", "--flips", "--json", workplace.path + "/f.json", "--csv",
            workplace.path + "/f.csv", "--markdown", workplace.path + "/f.md", "--worst",
            workplace.path + "/worst.html",
        ])
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.errors.contains("of the 12 images were in this model's training"))
        for words in ["mean of 12", "body pooled", "AP at 0.5", "paired permutation test"] {
            #expect(ending.output.contains(words), "\(words)")
        }
        let csv = try String(contentsOfFile: workplace.path + "/f.csv", encoding: .utf8)
        #expect(csv.split(separator: "\n").count == 13)
        let text = try String(contentsOfFile: workplace.path + "/f.md", encoding: .utf8)
        #expect(text.contains("| Dice, per image | 0.") && text.contains("| AP at IoU 0.5 |"))
        #expect(text.contains("## Compared with \(workplace.path)/two") && text.contains("paired permutation test"))
        let json = try Data(contentsOf: URL(fileURLWithPath: workplace.path + "/f.json"))
        let figures = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        let compared = try #require(figures["comparison"] as? [String: Any])
        let difference = try #require(compared["difference"] as? Double)
        #expect(ending.output.contains(String(format: "difference of mean Dice %+.4f", difference)))
        #expect(compared["p"] as? Double != nil && (compared["interval"] as? [Double])?.count == 2)
        #expect(compared["with"] as? String == workplace.path + "/two" && compared["first_better"] as? Int != nil)
        #expect(
            try String(contentsOfFile: workplace.path + "/worst.html", encoding: .utf8).contains("The 12 worst of 12"))
    }

    @Test(
        "a model is measured on what it learned from and on what it never saw in one command; what is no such thing is refused"
    )
    func sourceAndTarget() throws {
        _ = try plan(epochs: 1)
        #expect(try train(["--out", workplace.path + "/one"]).status == 0)
        let other = try Program.run([
            "phantom", "body", "--pairs", "6", "--seed", "5", "--out", workplace.path + "/other",
        ])
        #expect(other.status == 0, "\(other.errors)")
        try workplace.write(
            "sets.yaml",
            """
            similar_images: allow
            sets:
              - {name: seen, folder: "${root}/pairs"}
              - {name: unseen, images: "${root}/other/images", masks: "${root}/other/masks", mask_values: {body: [255]}}
            """)
        let model = ["evaluate", "--model", workplace.path + "/one"]
        let sets = model + ["--set", workplace.path + "/sets.yaml", "--data", "root=\(workplace.path)"]
        let files = ["json", "csv", "markdown"].flatMap { ["--\($0)", "\(workplace.path)/f.\($0)"] }
        let ending = try Program.run(
            sets + files + ["--source", "seen", "--worst", workplace.path + "/worst.html", "--against", model[2]])
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.output.contains("from seen to unseen: Dice "), "\(ending.output)")
        #expect(ending.errors.contains("of the 12 images of seen were in this model's training"))
        #expect(ending.errors.contains("set unseen: 6 images") && ending.errors.contains("the values 255 → 1"))
        let csv = try String(contentsOfFile: workplace.path + "/f.csv", encoding: .utf8).split(separator: "\n")
        #expect(csv.count == 1 + 2 * 18 && csv[0].hasSuffix(",set,model"))
        let text = try String(contentsOfFile: workplace.path + "/f.markdown", encoding: .utf8)
        #expect(text.contains("| seen (source) Dice | seen (source) IoU | unseen (unseen) Dice |"))
        #expect(
            try String(contentsOfFile: workplace.path + "/worst.html", encoding: .utf8).contains("The 12 worst of 18"))
        let json = try Data(contentsOf: URL(fileURLWithPath: workplace.path + "/f.json"))
        let figures = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect((figures["results"] as? [Any])?.count == 4 && (figures["drops"] as? [Any])?.count == 2)
        // What it learned from is not unseen.
        let turned = try Program.run(sets + ["--source", "unseen", "--target", "seen"])
        #expect(turned.status == 2 && turned.errors.hasPrefix("DATA-LEAK"), "\(turned.errors)")
        for (arguments, words) in [
            (sets + ["--split", "test"], "--split test"), (sets + ["--target", "unseen"], "--source"),
            (sets + ["--source", "nowhere"], "Write one of seen, unseen"), (model + ["--source", "a"], "--target"),
            (model + ["--folder", workplace.path + "/pairs", "--data", "a=b"], "--set FILE.yaml"), (model, "--folder"),
        ] {
            let refused = try Program.run(arguments)
            #expect(refused.status == 2 && refused.errors.contains("USE-DATA"), "\(refused.errors)")
            #expect(refused.errors.contains(words), "\(refused.errors)")
        }
    }

    @Test("masks whose values nobody explains, and images that the second model cannot take, are refused at once")
    func refusedAtOnce() throws {
        func write(_ name: String, _ value: (Int) -> UInt16) throws {
            let page = RasterPage(rows: 64, columns: 64, samples: 1, bits: 8, values: (0..<64 * 64).map(value))
            try workplace.write("set/\(name)/a.png", Data(ImageFile.png(page)))
        }
        try write("images") { UInt16($0 % 64 * 3) }
        try write("masks") { $0 < 64 * 8 ? 1 : $0 < 64 * 32 ? 255 : 0 }
        let model = workplace.pipelines + "/tiny/model"
        let arguments = ["evaluate", "--model", model, "--folder", workplace.path + "/set"]
        let unclear = try Program.run(arguments)
        #expect(unclear.status == 2 && unclear.errors.contains("DATA-VALUES"), "\(unclear.errors)")
        #expect(unclear.errors.contains("--mask-rule"))
        let said = try Program.run(arguments + ["--mask-rule", "mask_above: 100"])
        #expect(said.status == 0 && said.errors.contains("values above 100 are the segment"), "\(said.errors)")
        let unknown = try Program.run(arguments + ["--mask-rule", "mask_bove: 100"])
        #expect(unknown.status == 2 && unknown.errors.contains("--mask-rule"), "\(unknown.errors)")
        try write("masks") { $0 < 64 * 32 ? 255 : 0 }
        let directory = try ModelDirectory.open(model)
        let label = directory.description.segmentLabels[0]
        let nothing = try Program.run(arguments + ["--mask-rule", "mask_values: {\(label): [7]}"])
        #expect(nothing.status == 2 && nothing.errors.contains("none of these"), "\(nothing.errors)")
        var description = directory.description
        description.trainedInput = TrainedInput(windowing: .color)
        let second = workplace.path + "/color"
        try ModelDirectory.write(description, tensors: try directory.tensors(), to: second)
        let compared = try Program.run(arguments + ["--against", second])
        #expect(compared.status == 2 && compared.errors.contains("DATA-WINDOW"), "\(compared.errors)")
        #expect(compared.output.isEmpty)
        // Figures of a segment that no image shows are told, and somebody is asked.
        try write("masks") { _ in 0 }
        let unshown = try Program.run(arguments)
        #expect(unshown.status == 3 && unshown.errors.contains("DATA-CLASS"), "\(unshown.errors)")
        #expect(unshown.output.contains("mean of 1"))
        // What a run of the pipeline would refuse has no figures.
        for (name, value) in [("images", 200), ("masks", 255)] as [(String, UInt16)] {
            let page = RasterPage(
                rows: 4, columns: 4, samples: 1, bits: 8, values: (0..<16).map { $0 < 8 ? value : 0 })
            try workplace.write("small/\(name)/a.png", Data(ImageFile.png(page)))
        }
        let small = try Program.run([
            "evaluate", "--model", model, "--folder", workplace.path + "/small", "--pipeline",
            workplace.pipelines + "/tiny",
        ])
        #expect(small.status == 2 && small.errors.contains("GEO-SHAPE"), "\(small.errors)")
    }

    @Test(
        "evaluate shows a picture as the pipeline of the same model does: both find the same pixels, dim pictures too")
    func windowing() throws {
        // Bright discs on dark ground, and a model that has learned to find them between the percentiles of a picture.
        for i in 0..<8 {
            var (image, mask) = ([UInt16](repeating: 30, count: 48 * 64), [UInt16](repeating: 0, count: 48 * 64))
            let (y, x) = (14 + 4 * i % 20, 16 + 7 * i % 32)
            for pixel in image.indices
            where (pixel / 64 - y) * (pixel / 64 - y) + (pixel % 64 - x) * (pixel % 64 - x) < 100 {
                (image[pixel], mask[pixel]) = (200, 255)
            }
            for (folder, values) in [("images", image), ("masks", mask)] {
                let page = RasterPage(rows: 48, columns: 64, samples: 1, bits: 8, values: values)
                try workplace.write("discs/\(folder)/disc\(i).png", Data(ImageFile.png(page)))
            }
        }
        try workplace.write(
            "discs.yaml",
            """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 64, segment_labels: [part]}
            windowing: {mode: percentile}
            data: [{folder: discs}]
            stages: [{input_size: 64, epochs: 60, batch: 2, learning_rate: 3.0e-3}]
            optimiser: {warmup: 2}
            """)
        let model = workplace.pipelines + "/tiny/model"
        try FileManager.default.removeItem(atPath: model)
        let trained = try Program.run(["train", "--config", workplace.path + "/discs.yaml", "--out", model])
        #expect(trained.status == 0, "\(trained.errors)")
        try workplace.write(
            "pipelines/tiny/pipeline.yaml", Workplace.settings + "windowing: {mode: percentile, scope: frame}\n")
        // Half the exposure: as it is the picture would be another to the network.
        let page = try ImageFile.read(workplace.path + "/discs/images/disc3.png")[0]
        let dim = RasterPage(rows: 48, columns: 64, samples: 1, bits: 8, values: page.values.map { $0 / 2 })
        try workplace.write("dim/images/disc3.tif", Data(ImageFile.tiff([dim])))
        try workplace.write(
            "dim/masks/disc3.png", Data(contentsOf: URL(fileURLWithPath: workplace.path + "/discs/masks/disc3.png")))
        let csv = workplace.path + "/dim.csv"
        let measured = try Program.run([
            "evaluate", "--model", model, "--folder", workplace.path + "/dim", "--csv", csv,
        ])
        #expect(measured.status == 0, "\(measured.errors)")
        let fields = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")[1].split(separator: ",")
        let found = try #require(Int(fields[9])) + #require(Int(fields[10]))
        let run = try workplace.run([workplace.path + "/dim/images"], ["--pipeline", "tiny"])
        #expect(run.status == 0, "\(run.errors)")
        let result = try #require((try workplace.record()["results"] as? [[String: Any]])?.first)
        let segment = try #require((result["segments"] as? [[String: Any]])?.first)
        #expect(segment["pixels"] as? Int == found && found > 0 && found < dim.rows * dim.columns)
        try tiles(model)
    }

    /// Mirror images in tiles: as an option, as a pipeline's setting and in a run alike.
    private func flips(_ arguments: [String], _ settings: String, csv: String) throws {
        let plain = try String(contentsOfFile: csv, encoding: .utf8)
        let asked = try Program.run(arguments + ["--flips"])
        #expect(asked.status == 0, "\(asked.errors)")
        let figures = try String(contentsOfFile: csv, encoding: .utf8)
        #expect(figures != plain)
        for folder in ["pipelines", "settings"] {
            try workplace.write("\(folder)/tiny/pipeline.yaml", settings + "inference: {tta: flip}\n")
        }
        let measured = try Program.run(arguments)
        #expect(measured.status == 0, "\(measured.errors)")
        #expect(try String(contentsOfFile: csv, encoding: .utf8) == figures)
        let fields = figures.split(separator: "\n")[1].split(separator: ",")
        #expect(try pixelsOfRun("/flipped-out") == #require(Int(fields[9])) + #require(Int(fields[10])))
        let sided = settings.replacing("label: Part", with: "label: Left part")
        try workplace.write("settings/tiny/pipeline.yaml", sided)
        let refused = try Program.run(arguments + ["--flips"])
        #expect(refused.status == 2 && refused.errors.hasPrefix("USE-FLIPS"), "\(refused.errors)")
    }

    /// How many pixels a run of the pipeline `tiny` marks in the large picture.
    private func pixelsOfRun(_ folder: String) throws -> Int? {
        let out = workplace.path + folder
        // A warning of the run asks a person; the masks are the same.
        let run = try Program.run([
            "run", workplace.path + "/large/images", "--out", out, "--pipelines", workplace.pipelines, "--pipeline",
            "tiny",
        ])
        #expect([0, 3].contains(run.status), "\(run.errors)")
        let record = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out + "/run.json")))
        let result = try #require(((record as? [String: Any])?["results"] as? [[String: Any]])?.first)
        return try #require((result["segments"] as? [[String: Any]])?.first)["pixels"] as? Int
    }

    /// A picture that is larger than those of the training goes through the tiles and the post-processing of a pipeline, in a run and in an
    /// evaluation alike. The pipeline that the evaluation names needs no model of its own.
    private func tiles(_ model: String) throws {
        let settings =
            Workplace.settings
            + "windowing: {mode: percentile, scope: frame}\npreprocess: {scale: {tiles: {size: 64, overlap: 16}}}\n"
            + "postprocess: [{min_size_pixels: 40}]\n"
        for folder in ["pipelines", "settings"] { try workplace.write("\(folder)/tiny/pipeline.yaml", settings) }
        let (rows, columns) = (150, 170)
        let isMarked = (0..<rows * columns).map { pixel in
            let (y, x) = (pixel / columns % 50 - 25, pixel % columns % 56 - 28)
            return y * y + x * x < 100
        }
        for (name, values) in [
            ("images/a.tif", isMarked.map { $0 ? 200 : 30 }), ("masks/a.tif", isMarked.map { $0 ? 255 : 0 }),
        ] as [(String, [UInt16])] {
            let page = RasterPage(rows: rows, columns: columns, samples: 1, bits: 8, values: values)
            try workplace.write("large/\(name)", Data(ImageFile.tiff([page])))
        }
        let csv = workplace.path + "/large.csv"
        let arguments = [
            "evaluate", "--model", model, "--folder", workplace.path + "/large", "--csv", csv, "--pipeline",
            workplace.path + "/settings/tiny",
        ]
        let measured = try Program.run(arguments)
        #expect(measured.status == 0, "\(measured.errors)")
        let fields = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")[1].split(separator: ",")
        let found = try #require(Int(fields[9])) + #require(Int(fields[10]))
        #expect(try pixelsOfRun("/large-out") == found && found > 0 && found < rows * columns)
        try flips(arguments, settings, csv: csv)
        for name in ["pipelines", "settings"] {
            try workplace.write(
                "\(name)/tiny/pipeline.yaml", settings.replacing("size: 64, overlap: 16", with: "size_um: 100"))
        }
        let unscaled = try Program.run(arguments)
        #expect(unscaled.status == 2 && unscaled.errors.contains("1 images do not say"), "\(unscaled.errors)")
    }
}
