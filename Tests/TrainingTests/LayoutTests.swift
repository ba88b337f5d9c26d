import Failures
import Foundation
import ImageFiles
import Storage
import Testing
import Training

@Suite("layouts of data sets")
struct LayoutTests {
    private let place: Workplace

    init() throws { place = try Workplace(images: 3) }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(place.folder)/\(name)"))
    }

    private func copy(_ from: String, _ to: String) throws {
        let target = URL(filePath: "\(place.folder)/\(to)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: URL(filePath: "\(place.folder)/\(from)"), to: target)
    }

    private func expectDiscs(_ data: String, names: [String]? = nil) throws {
        let set = try place.set(place.plan(data: data))
        #expect(set.pairs.map(\.name) == names ?? ["disc0", "disc1", "disc2"])
        for (i, pair) in set.pairs.enumerated() {
            #expect(try set.classes(pair, segments: 1).values == (try place.disc(i)).map { $0 > 0 ? 1 : 0 })
        }
    }

    @Test("ISIC's folders, with superpixels among the images")
    func isic() throws {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "isic/ISIC-2017_Training_Data/disc\(i).png")
            try copy("images/disc\(i).png", "isic/ISIC-2017_Training_Data/disc\(i)_superpixels.png")
            try copy(
                "masks/disc\(i)_mask.png", "isic/ISIC-2017_Training_Part1_GroundTruth/disc\(i)_segmentation.png")
        }
        try expectDiscs("{folder: isic}")
    }

    @Test("DRIVE as it is published names the masks that have to be converted; converted ones are read")
    func drive() throws {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "drive/images/disc\(i).png")
            try copy("masks/disc\(i)_mask.png", "drive/1st_manual/disc\(i)_manual1.gif")
            try copy("masks/disc\(i)_mask.png", "drive/mask/disc\(i)_mask.png")
        }
        for data in ["{folder: drive}", "{images: drive/images, masks: drive/1st_manual}"] {
            let failure = #expect(throws: TrainingFailure.self) { try place.set(place.plan(data: data)) }
            #expect(failure?.code == "DATA-MASK" && failure?.text.contains("disc0_manual1.gif lies there") == true)
            #expect(failure?.text.contains("Convert such files to PNG") == true)
        }
        try copy("masks/disc0_mask.png", "other/mask_disc0.png")
        let named = #expect(throws: TrainingFailure.self) {
            try place.set(place.plan(data: "{images: images, masks: other}"))
        }
        #expect(named?.text.contains("mask_disc0.png lies there") == true)
        for i in 0..<3 { try copy("masks/disc\(i)_mask.png", "drive/1st_manual/disc\(i).png") }
        try expectDiscs("{folder: drive}")
    }

    @Test("pairs in folders inside of those that are read are refused; no layout is told by its folders")
    func inner() throws {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "deep/images/a/disc\(i).png")
            try copy("masks/disc\(i)_mask.png", "deep/masks/a/disc\(i)_mask.png")
            try copy("images/disc\(i).png", "beside/benign/disc\(i).png")
            try copy("masks/disc\(i)_mask.png", "beside/benign/disc\(i)_mask.png")
        }
        func failure(_ data: String) -> TrainingFailure? {
            #expect(throws: TrainingFailure.self) { try place.set(place.plan(data: data)) }
        }
        #expect(failure("{folder: deep}")?.code == "DATA-LAYOUT")
        try copy("images/disc0.png", "deep/images/disc0.png")
        try copy("masks/disc0_mask.png", "deep/masks/disc0_mask.png")
        #expect(failure("{folder: deep}")?.text.contains("deep/images/a: it holds images with masks") == true)
        #expect(failure("{folder: beside}")?.text.contains("beside/benign: it holds images with masks") == true)
        // A folder of the images alone is none of the set.
        try FileManager.default.removeItem(atPath: "\(place.folder)/deep/masks/a")
        try expectDiscs("{folder: deep}", names: ["disc0"])
        try copy("images/disc0.png", "odd/Original/disc0.png")
        #expect(failure("{folder: odd}")?.text.contains("but the folders Original, in no layout") == true)
    }

    @Test("masks of the field of view are no truth; where somebody says so, or the masks differ, they are")
    func fieldOfView() throws {
        let (rows, columns) = (48, 64)
        func write(_ folder: String, shift: (Int) -> Int) throws {
            for i in 0..<4 {
                func isSeen(_ pixel: Int, _ shift: Int) -> Bool {
                    let (y, x) = (pixel / columns - 24, pixel % columns - 32 - shift)
                    return x * x + y * y < 22 * 22
                }
                let pixels = 0..<rows * columns
                try place.write(
                    pixels.map { isSeen($0, shift(i)) ? UInt16(80 + ($0 * (i + 3)) % 97 + $0 / columns) : 4 },
                    "\(folder)/images/eye\(i).png")
                try place.write(pixels.map { isSeen($0, shift(i)) ? 255 : 0 }, "\(folder)/mask/eye\(i)_mask.png")
            }
        }
        try write("same") { _ in 0 }
        try write("unlike") { 3 * $0 }
        func codes(_ data: String) throws -> [String] { try place.problems(place.plan(data: data)).map(\.code) }
        #expect(try codes("{images: same/images, masks: same/mask}") == ["DATA-MASK"])
        #expect(try codes("{images: same/images, masks: same/mask, mask_above: 0}").isEmpty)
        #expect(try codes("{images: unlike/images, masks: unlike/mask}").isEmpty)
        // Tissues of registered heads without their skulls fill all that is to be seen.
        for i in 0..<4 {
            let mask = (0..<rows * columns).map { pixel -> UInt16 in
                let (y, x) = (pixel / columns - 24, pixel % columns - 32)
                return x * x + y * y < 22 * 22 ? (x < i ? 1 : 2) : 0
            }
            try copy("same/images/eye\(i).png", "heads/images/head\(i).png")
            try place.write(mask, "heads/masks/head\(i).png")
        }
        let heads = try place.plan(data: "{images: heads/images, masks: heads/masks}", labels: "[a, b]", segments: 2)
        #expect(try place.problems(heads).isEmpty)
    }

    @Test(
        "names that are no text of one line are refused, those of files that are no pictures passed over",
        arguments: [10, 0xFC] as [UInt8])
    func names(_ byte: UInt8) throws {
        func rename(_ from: String, _ to: String, _ ending: String) throws {
            let odd = FilePath(bytes: Array(to.utf8) + [byte] + Array(ending.utf8))
            try Folder.rename(FilePath("\(place.folder)/\(from)"), to: FilePath(place.folder).appending(odd))
        }
        defer { try? Folder.remove("\(place.folder)/images") }
        // macOS has such a file in folders with icons of their own.
        try write("", "images/icon")
        try rename("images/icon", "images/Icon", "")
        try expectDiscs("{images: images, masks: masks}")
        try rename("images/disc1.png", "images/disc", ".png")
        #expect { try place.set(place.plan()) } throws: { FailureRecord($0).code == "DATA-LAYOUT" }
    }

    @Test("the Data Science Bowl's folder a case with a file a nucleus, whose objects stay apart")
    func bowl() throws {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "dsb/stage1_train/disc\(i)/images/disc\(i).png")
            let disc = try place.disc(i)
            for half in 0..<2 {
                try place.write(
                    disc.enumerated().map { $0 / 64 % 2 == half ? $1 : 0 },
                    "dsb/stage1_train/disc\(i)/masks/\(half)abc.png")
            }
        }
        try expectDiscs("{folder: dsb}")
    }

    /// The Data Science Bowl's folders with files of parts of each disc: its even rows, its odd rows and, as `union` says, all of it.
    private func bowls(union: String?) throws -> TrainingPlan {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "dsb/disc\(i)/images/disc\(i).png")
            let disc = try place.disc(i)
            for half in 0..<2 {
                try place.write(
                    disc.enumerated().map { $0 / 64 % 2 == half ? $1 : 0 }, "dsb/disc\(i)/masks/\(half)b.png")
            }
            if let union { try place.write(disc, "dsb/disc\(i)/masks/\(union).png") }
        }
        return try place.plan(data: "{folder: dsb}")
    }

    @Test(
        "an object that others cover is told where objects are told apart: a union beside its parts",
        arguments: [nil, "0a", "2a"] as [String?])
    func covered(_ union: String?) throws {
        let plan = try bowls(union: union)
        let check = try DataCheck.run(
            TrainingData(plan).roles, segments: 1, input: plan.input, tellsObjects: true)
        #expect(check.problems.map(\.code) == Array(repeating: "DATA-LAYOUT", count: union == nil ? 0 : 3))
        #expect(check.problems.allSatisfy { $0.text.contains("is a union of others") })
        #expect(try place.problems(plan).isEmpty)
    }

    @Test("an object that stands twice in an annotation file is told where objects are told apart")
    func twice() throws {
        try squares([("\"image_id\": 1,", "\"image_id\": 0,")])
        let plan = try place.plan(data: "{images: images, coco: coco.json}", labels: "[disc]")
        let check = try DataCheck.run(
            TrainingData(plan).roles, segments: 1, input: plan.input, learns: false, tellsObjects: true)
        #expect(check.problems.map(\.code) == ["DATA-LAYOUT"])
        #expect(check.problems.first?.text.contains("object 1 of disc0.png") == true)
    }

    @Test("two masks of an image that give a pixel two segments are refused before the first step")
    func twoSegments() throws {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "two/disc\(i).png")
            let disc = try place.disc(i)
            try place.write(disc.map { $0 > 0 ? 1 : 0 }, "two/disc\(i)_mask.png")
            // Rows that no other mask marks; of the second image also what the first mask marks.
            try place.write(
                disc.enumerated().map { $1 == 0 && $0 / 64 < 4 || i == 1 && $1 > 0 ? 2 : 0 }, "two/disc\(i)_mask_1.png"
            )
        }
        let problems = try place.problems(place.plan(data: "{folder: two}", segments: 2))
        #expect(problems.map(\.code) == ["DATA-LAYOUT"])
        #expect(problems.first?.text.contains("a pixel has one class") == true)
    }

    @Test("nnU-Net's raw folder; regions, other labels and volumes are refused")
    func nnunet() throws {
        for i in 0..<3 {
            try copy("images/disc\(i).png", "nn/imagesTr/disc\(i)_0000.png")
            try copy("masks/disc\(i)_mask.png", "nn/labelsTr/disc\(i).png")
            try place.write((try place.disc(i)).map { $0 > 0 ? 1 : 0 }, "nn/labelsTr/disc\(i).png")
        }
        func describe(_ labels: String, ending: String = ".png") throws {
            try write(
                #"{"channel_names": {"0": "grey"}, "labels": \#(labels), "numTraining": 3, "file_ending": "\#(ending)"}"#,
                "nn/dataset.json")
        }
        try describe(#"{"background": 0, "disc": 1}"#)
        try expectDiscs("{folder: nn}")
        for (labels, ending) in [
            (#"{"background": 0, "disc": 1, "ring": 2}"#, ".png"), (#"{"background": 0, "all": [1, 2]}"#, ".png"),
            (#"{"background": 0, "disc": 1, "ignore": 2}"#, ".png"), (#"{"background": 0, "disc": 1}"#, ".nii.gz"),
        ] {
            try describe(labels, ending: ending)
            let failure = #expect(throws: TrainingFailure.self) { try TrainingData(place.plan(data: "{folder: nn}")) }
            #expect(failure?.code == "DATA-LAYOUT")
        }
    }

    /// Three images of one channel with labels 0 and 1, and dataset.json.
    private func raw(
        _ labels: String = #"{"background": 0, "disc": 1}"#, channels: String = #"{"0": "grey"}"#, number: Int = 3
    ) throws {
        for i in 0..<3 {
            try write(
                try Data(contentsOf: URL(filePath: "\(place.folder)/images/disc\(i).png")),
                "nn/imagesTr/disc\(i)_0000.png")
            try place.write((try place.disc(i)).map { $0 > 0 ? 1 : 0 }, "nn/labelsTr/disc\(i).png")
        }
        try write(
            #"{"channel_names": \#(channels), "labels": \#(labels), "numTraining": \#(number), "file_ending": ".png"}"#,
            "nn/dataset.json")
    }

    private func write(_ data: Data, _ name: String) throws {
        let target = URL(filePath: "\(place.folder)/\(name)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: target)
    }

    @Test("nnU-Net's labels are the segments of their names, in whatever order; others are refused")
    func labels() throws {
        try raw(#"{"background": 0, "edema": 1, "tumor": 2}"#)
        let set = try place.set(place.plan(data: "{folder: nn}", labels: "[tumor, edema]", segments: 2), learns: false)
        #expect(try set.classes(set.pairs[0], segments: 2).values == (try place.disc(0)).map { $0 > 0 ? 2 : 0 })
        let one = try place.plan(data: "{folder: nn}", labels: "[edema]")
        #expect(try TrainingData(one).training[0].notes == ["objects of the labels tumor are background"])
        for labels in [
            #"{"background": 1, "disc": 0}"#, #"{"background": 0, "other": 1}"#, #"{"disc": 0, "other": 1}"#,
        ] {
            try raw(labels)
            let failure = #expect(throws: TrainingFailure.self) {
                try TrainingData(place.plan(data: "{folder: nn}", labels: "[disc]"))
            }
            #expect(failure?.code == "DATA-LAYOUT", "\(labels)")
        }
        try raw()
        try place.write(try place.disc(1), "nn/labelsTr/disc1.png")
        let problems = try place.problems(place.plan(data: "{folder: nn}"))
        #expect(problems.map(\.code) == ["DATA-VALUES"] && problems[0].text.contains("255"))
    }

    @Test(
        "nnU-Net's images have the channels that are named, one file of three colours among them, and are as many as counted"
    )
    func channels() throws {
        let three = #"{"0": "R", "1": "G", "2": "B"}"#
        func failure() throws -> TrainingFailure? {
            #expect(throws: TrainingFailure.self) { try TrainingData(place.plan(data: "{folder: nn}")) }
        }
        try raw(channels: three)
        #expect(
            try place.problems(place.plan(data: "{folder: nn}")).map(\.code)
                == Array(repeating: "DATA-CHANNELS", count: 3))
        for i in 0..<3 {
            let grey = try ImageFile.read("\(place.folder)/images/disc\(i).png")[0].values
            try place.write(grey.flatMap { [$0, $0 / 2, 0] }, samples: 3, "nn/imagesTr/disc\(i)_0000.png")
        }
        try expectDiscs("{folder: nn}")
        try raw(channels: three)
        try copy("images/disc0.png", "nn/imagesTr/disc0_0001.png")
        #expect(try failure()?.code == "DATA-CHANNELS")
        try raw()
        #expect(try failure()?.code == "DATA-CHANNELS")
        try FileManager.default.removeItem(atPath: "\(place.folder)/nn/imagesTr/disc0_0001.png")
        try raw(number: 9)
        #expect(try failure()?.text.contains("numTraining 9") == true)
        try copy("images/disc0.png", "nn/imagesTr/disc7.png")
        try copy("images/disc0.png", "nn/labelsTr/disc7.png")
        try raw()
        #expect(try TrainingData(place.plan(data: "{folder: nn}")).training[0].notes.count == 2)
    }

    @Test("nnU-Net's channels and endings that contradict the files are refused; three equal colours are grey")
    func channelNames() throws {
        func failure() throws -> TrainingFailure? {
            #expect(throws: TrainingFailure.self) { try TrainingData(place.plan(data: "{folder: nn}")) }
        }
        for (channels, words) in [
            (#"{"0": "B", "1": "G", "2": "R"}"#, "channels are B, G, R"), (#"{"1": "grey"}"#, "numbers 1"),
            (#"{"1": "R", "2": "G", "3": "B"}"#, "numbers 1, 2, 3"),
        ] {
            try raw(channels: channels)
            let found = try failure()
            #expect(found?.code == "DATA-LAYOUT" && found?.text.contains(words) == true, "\(found?.text ?? "")")
        }
        try raw()
        for i in 0..<3 {
            let grey = try ImageFile.read("\(place.folder)/images/disc\(i).png")[0].values
            try place.write(grey.flatMap { [$0, $0, $0] }, samples: 3, "nn/imagesTr/disc\(i)_0000.png")
        }
        try expectDiscs("{folder: nn}")
        let grey = try ImageFile.read("\(place.folder)/images/disc1.png")[0].values
        try place.write(grey.flatMap { [$0, $0 / 2, 0] }, samples: 3, "nn/imagesTr/disc1_0000.png")
        let problems = try place.problems(place.plan(data: "{folder: nn}"))
        #expect(problems.map(\.code) == ["DATA-LAYOUT"] && problems[0].text.contains("one channel"))
        try raw()
        try copy("images/disc0.png", "nn/imagesTr/disc7_0000.JPG")
        #expect(try failure()?.text.contains("images end with .png") == true)
    }

    @Test("COCO's polygons and runs, packed or not")
    func coco() throws {
        // 4 × 3 pixels: columns 1 and 2 of rows 1 and 2, as runs down the columns: 4 off, 2 on, 1 off, 2 on, 3 off.
        try place.write((0..<12).map { 9 + $0 }, rows: 3, columns: 4, "coco/a.png")
        let segmentations = [
            "[[1, 1, 3, 1, 3, 3, 1, 3]]", #"{"size": [3, 4], "counts": [4, 2, 1, 2, 3]}"#,
            // Packed: 4, 2, 1, then 2 − 2 = 0, 3 − 1 = 2.
            #"{"size": [3, 4], "counts": "42102"}"#,
        ]
        for segmentation in segmentations {
            try write(
                """
                {"images": [{"id": 7, "file_name": "a.png", "width": 4, "height": 3}],
                 "categories": [{"id": 3, "name": "disc"}, {"id": 4, "name": "other"}],
                 "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "segmentation": \(segmentation)},
                 {"id": 2, "image_id": 7, "category_id": 4, "segmentation": [[0, 0, 4, 0, 4, 1, 0, 1]]}]}
                """, "coco/all.json")
            let set = try place.set(place.plan(data: "{images: coco, coco: coco/all.json}", labels: "[disc]"))
            #expect(try set.classes(set.pairs[0], segments: 1).values == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0])
        }
        let failure = #expect(throws: TrainingFailure.self) {
            try TrainingData(place.plan(data: "{images: coco, coco: coco/all.json}", labels: "[square]"))
        }
        #expect(failure?.code == "DATA-LAYOUT" && failure?.text.contains("disc, other") == true)
    }

    @Test("nnU-Net's dataset.json that names the files itself is refused where they are others than lie in its folders")
    func places() throws {
        func describe(_ label: (Int) -> String, count: Int = 3) throws {
            try raw()
            let cases = (0..<count).map {
                "\"disc\($0)\": {\"images\": [\"imagesTr/disc\($0)_0000.png\"], \"label\": \"\(label($0))\"}"
            }
            try write(
                """
                {"channel_names": {"0": "grey"}, "labels": {"background": 0, "disc": 1}, "numTraining": 3,
                 "file_ending": ".png", "dataset": {\(cases.joined(separator: ", "))}}
                """, "nn/dataset.json")
        }
        try describe { "./labelsTr/disc\($0).png" }
        try expectDiscs("{folder: nn}")
        let others: [(label: (Int) -> String, count: Int)] = [
            ({ "labelsTr/disc\(($0 + 1) % 3).png" }, 3), ({ "labelsTr/disc\($0).png" }, 2),
        ]
        for (label, count) in others {
            try describe(label, count: count)
            let failure = #expect(throws: TrainingFailure.self) { try TrainingData(place.plan(data: "{folder: nn}")) }
            #expect(failure?.code == "DATA-LAYOUT" && failure?.text.contains("key dataset") == true)
        }
    }

    @Test("what a description lacks is said with its place in the file")
    func lacks() throws {
        try squares([("\"segmentation\": [[10, 10, 20, 10, 20, 20, 10, 20]]", "\"bbox\": [10, 10, 10, 10]")])
        #expect(try squaresFailure()?.text.contains("annotations[0] has no segmentation") == true)
        try squares([("\"id\": 0,", "\"id\": \"zero\",")])
        #expect(try squaresFailure()?.text.contains("images[0].id is of another type") == true)
        try raw()
        try write("{\"modality\": {\"0\": \"MR\"}, \"labels\": {\"background\": 0}}", "nn/dataset.json")
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(place.plan(data: "{folder: nn}")) }
        #expect(failure?.text.contains("it has no channel_names") == true)
    }

    @Test("a description in which a key stands twice is refused: one of its values would be lost")
    func repeatedKeys() throws {
        try squares([("\"categories\":", "\"annotations\": [], \"categories\":")])
        #expect(try squaresFailure()?.text.contains("the key \"annotations\" stands twice") == true)
        try raw(#"{"background": 0, "disc": 2, "disc": 1}"#)
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(place.plan(data: "{folder: nn}")) }
        #expect(failure?.code == "DATA-LAYOUT")
        try write(#"[{"train": ["disc0"], "val": ["disc2"], "train": ["disc1"]}]"#, "folds.json")
        let split = #expect(throws: TrainingFailure.self) { try SplitList("\(place.folder)/folds.json") }
        #expect(split?.code == "DATA-SPLIT" && split?.text.contains("the key \"train\" stands twice") == true)
    }

    /// Three discs' pictures with a square each in `coco.json`, after the text was changed.
    private func squares(_ changes: [(from: String, to: String)] = []) throws {
        let images = (0..<3).map { "{\"id\": \($0), \"file_name\": \"disc\($0).png\", \"width\": 64, \"height\": 48}" }
        let objects = (0..<3).map {
            "{\"id\": \($0 + 40), \"image_id\": \($0), \"category_id\": 1,"
                + " \"segmentation\": [[10, 10, 20, 10, 20, 20, 10, 20]]}"
        }
        let text = """
            {"images": [\(images.joined(separator: ", "))], "categories": [{"id": 1, "name": "disc"}],
             "annotations": [\(objects.joined(separator: ", "))]}
            """
        try write(changes.reduce(text) { $0.replacing($1.from, with: $1.to) }, "coco.json")
    }

    private func squaresFailure() throws -> TrainingFailure? {
        #expect(throws: TrainingFailure.self) {
            try TrainingData(place.plan(data: "{images: images, coco: coco.json}", labels: "[disc]"))
        }
    }

    @Test(
        "COCO's sizes and runs that no picture has are refused, however large their numbers are",
        arguments: [
            (#""width": 64, "height": 48"#, #""width": 4611686018427387904, "height": 4"#),
            (#""width": 64, "height": 48"#, #""width": 3037000500, "height": 3037000500"#),
            (#""width": 64, "height": 48"#, #""width": 32768, "height": 32768"#),
            (
                "[[10, 10, 20, 10, 20, 20, 10, 20]]",
                #"{"size": [48, 64], "counts": [4611686018427387904, 4611686018427387904, 4611686018427387904]}"#
            ),
        ])
    func cocoNumbers(_ from: String, _ to: String) throws {
        try squares([(from, to)])
        #expect(try squaresFailure()?.code == "DATA-LAYOUT")
    }

    @Test(
        "COCO's objects are neither lost nor exchanged: what is of no image, no category or no place is refused by its id",
        arguments: [
            (#""id": 1, "file_name""#, #""id": 0, "file_name""#, "id 0"),
            ("disc1.png", "disc0.png", "file_name disc0.png"),
            (#"[{"id": 1, "name": "disc"}]"#, #"[{"id": 1, "name": "disc"}, {"id": 1, "name": "other"}]"#, "id 1"),
            (#""id": 41, "image_id": 1"#, #""id": 41, "image_id": 77"#, "annotation 41 is of the image 77"),
            (
                #""image_id": 1, "category_id": 1"#, #""image_id": 1, "category_id": 77"#,
                "annotation 41 is of the category 77"
            ),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", "[]", "annotation 40 has no outline"),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", "[[10, 10, 20, 20]]", "a polygon of 4 numbers"),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", "[[10, 10, 20, 10, 20, 20, 10]]", "a polygon of 7 numbers"),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", "[[0.1, 0.1, 0.3, 0.1, 0.3, 0.3]]", "points from 0 to 1"),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", "[[90, 90, 99, 90, 99, 99]]", "outside of its picture"),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", "[[-1e308, 9, 1e308, 9, 9, 20]]", "no place in a picture"),
            ("[[10, 10, 20, 10, 20, 20, 10, 20]]", #"{"size": [48, 64], "counts": [3072]}"#, "runs without a pixel"),
        ])
    func cocoObjects(_ from: String, _ to: String, _ reason: String) throws {
        try squares([(from, to)])
        let failure = try squaresFailure()
        #expect(failure?.code == "DATA-LAYOUT" && failure?.text.contains(reason) == true, "\(failure?.text ?? "")")
    }

    @Test(
        "of COCO's objects small ones and parts beyond the border are legitimate; images that are not listed are told")
    func cocoNotes() throws {
        let square = "[[10, 10, 20, 10, 20, 20, 10, 20]]"
        let tiny =
            "{\"id\": 50, \"image_id\": 0, \"category_id\": 1, \"segmentation\": [[30.6, 30.6, 30.9, 30.6, 30.9, 30.9]]}"
        try squares([
            (
                "\"segmentation\": \(square)",
                "\"segmentation\": [[-5, 10, 20, 10, 20, 20, -5, 20], [70, 1, 80, 1, 80, 9]]"
            ),
            ("\"annotations\": [", "\"annotations\": [\(tiny), "),
        ])
        try copy("images/disc0.png", "images/extra.png")
        let plan = try place.plan(data: "{images: images, coco: coco.json}", labels: "[disc]")
        let notes = try TrainingData(plan).training[0].notes
        #expect(notes.contains { $0.hasPrefix("1 objects are too small") })
        #expect(notes.contains { $0.hasPrefix("1 images that the annotation file does not list") })
        let set = try place.set(plan)
        let wanted = (0..<48 * 64).map { (10..<20).contains($0 / 64) && $0 % 64 < 20 ? UInt8(1) : 0 }
        #expect(set.pairs.count == 3)
        #expect(try set.classes(set.pairs[0], segments: 1).values == wanted)
    }

    @Test(
        "COCO's polygons inside one another are no holes, and an object lies where its bbox says",
        arguments: [
            (
                "[[10, 10, 20, 10, 20, 20, 10, 20]]",
                "[[10, 10, 20, 10, 20, 20, 10, 20], [13, 13, 16, 13, 16, 16, 13, 16]]", "polygon inside"
            ),
            (#""category_id": 1,"#, #""category_id": 1, "bbox": [40, 30, 10, 10],"#, "lies in 10, 10, 10, 10"),
            // Of a picture of half the size.
            (#""category_id": 1,"#, #""category_id": 1, "bbox": [5, 5, 5, 5],"#, "the bbox 5, 5, 5, 5"),
            // Runs along the rows: what is 12 wide and 6 high is 6 wide and 12 high.
            (
                #""segmentation": [[10, 10, 20, 10, 20, 20, 10, 20]]"#,
                #""bbox": [20, 20, 12, 6], "segmentation": {"size": [48, 64], "counts": [980, 12, 36, 12, 36, 12, 36, 12, 36, 12, 36, 12, 1840]}"#,
                "what it marks lies in 20, 20, 6, 12"
            ),
        ])
    func cocoPlaces(_ from: String, _ to: String, _ reason: String) throws {
        try squares([(from, to)])
        let failure = try squaresFailure()
        #expect(failure?.code == "DATA-LAYOUT" && failure?.text.contains(reason) == true, "\(failure?.text ?? "")")
    }

    @Test(
        "COCO's bbox is right with sides or with the opposite corner, cut at the border or not, drawn widely, empty; an area decides nothing",
        arguments: [
            "\"bbox\": [10, 10, 10, 10]", "\"bbox\": [10, 10, 20, 20]", "\"bbox\": [9, 8, 12.5, 13]", "\"bbox\": []",
            "\"bbox\": [0, 0, 0, 0]", "\"area\": 7",
        ])
    func cocoBoxes(_ said: String) throws {
        try squares([(#""category_id": 1,"#, #""category_id": 1, \#(said),"#)])
        let set = try place.set(place.plan(data: "{images: images, coco: coco.json}", labels: "[disc]"))
        let wanted = (0..<48 * 64).map { (10..<20).contains($0 / 64) && (10..<20).contains($0 % 64) ? UInt8(1) : 0 }
        #expect(try set.classes(set.pairs[0], segments: 1).values == wanted)
    }

    @Test(
        "COCO's crowds are segment, below the single objects in them, and are refused where objects are told apart; each annotation is an object"
    )
    func cocoCrowds() throws {
        // Two squares that touch, and behind them in the file a crowd of another category over both.
        func object(_ id: Int, isCrowd: Int, _ outline: String) -> String {
            "{\"id\": \(id), \"image_id\": 0, \"category_id\": 2, \"iscrowd\": \(isCrowd), \"segmentation\": [\(outline)]}"
        }
        let square = object(11, isCrowd: 0, "[20, 10, 30, 10, 30, 20, 20, 20]")
        let crowd = object(12, isCrowd: 1, "[0, 0, 40, 0, 40, 20, 0, 20]")
        func plan(_ objects: [String]) throws -> TrainingPlan {
            try squares([
                (#"[{"id": 1, "name": "disc"}]"#, #"[{"id": 1, "name": "disc"}, {"id": 2, "name": "other"}]"#),
                ("\"annotations\": [", "\"annotations\": [\(objects.joined(separator: ", ")), "),
            ])
            return try place.plan(data: "{images: images, coco: coco.json}", labels: "[disc, other]", segments: 2)
        }
        func check(_ plan: TrainingPlan) throws -> DataCheck {
            try DataCheck.run(TrainingData(plan).roles, segments: 2, input: plan.input, tellsObjects: true)
        }
        let crowded = try plan([square, crowd])
        let notes = try TrainingData(crowded).training[0].notes
        #expect(notes.contains { $0.hasPrefix("1 groups of objects (iscrowd)") })
        let set = try place.set(crowded)
        let wanted = (0..<48 * 64).map { pixel -> UInt8 in
            let (y, x) = (pixel / 64, pixel % 64)
            if y >= 20 || x >= 40 { return 0 }
            return y >= 10 && x >= 10 && x < 20 ? 1 : 2
        }
        #expect(try set.classes(set.pairs[0], segments: 2).values == wanted)
        let problems = try check(crowded).problems
        #expect(problems.map(\.code) == ["DATA-LAYOUT"] && problems[0].text.contains("1 groups of objects"))
        let single = try check(plan([square]))
        #expect(single.problems.isEmpty && single.summaries[0].telling == .outlines)
        #expect(single.summaries[0].objects.map { $0 == (4, 2) } == true)
    }

    @Test("COCO's file names may have the folders of another place before them, where one file alone can be meant")
    func cocoFolders() throws {
        try squares([("disc0.png", "train/a/disc0.png"), ("disc1.png", "C:\\\\pictures\\\\disc1.png")])
        let plan = try place.plan(data: "{images: images, coco: coco.json}", labels: "[disc]")
        #expect(try place.set(plan).pairs.map(\.name) == ["disc0", "disc1", "disc2"])
        try squares([("disc0.png", "train/disc0.png"), ("disc1.png", "val/disc0.png")])
        #expect(throws: (any Error).self) { try place.set(plan) }
    }

    @Test("a plan's ${name} is filled in by the command line or the environment's folder, or refused by its name")
    func roles() throws {
        let data = "{images: \"${discs}/images\", masks: \"${discs}/masks\"}"
        for folders in [
            DataFolders(folders: ["discs": place.folder]),
            DataFolders(root: URL(filePath: place.folder).deletingLastPathComponent().path),
        ] {
            let name = folders.root == nil ? "discs" : URL(filePath: place.folder).lastPathComponent
            let plan = try place.plan(data: data.replacing("discs", with: name), folders: folders)
            #expect(try TrainingData(plan).training[0].pairs.count == 3)
        }
        let failure = #expect(throws: TrainingFailure.self) { try place.plan(data: data) }
        #expect(failure?.code == "DATA-ROLE" && failure?.text.contains("${discs}") == true)
        let unused = #expect(throws: TrainingFailure.self) {
            try place.plan(data: data, folders: DataFolders(folders: ["discs": place.folder, "disc": place.folder]))
        }
        #expect(unused == .unusedRole(name: "disc", plan: "\(place.folder)/train.yaml"))
    }
}
