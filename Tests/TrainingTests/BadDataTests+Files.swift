import Failures
import Foundation
import ImageFiles
import Imaging
import SegmentAnything
import Testing
import Training

// Files and pages: broken, left out, turned, of unlike numbers.

extension BadDataTests {
    @Test("bad files are all found before the first step, in validation too")
    func files() throws {
        try Data("no picture".utf8).write(to: URL(filePath: "\(place.folder)/images/disc1.png"))
        let whole = try Data(contentsOf: URL(filePath: "\(place.folder)/images/disc2.png"))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: "\(place.folder)/images/disc2.png"))
        try place.write([UInt16](repeating: 0, count: 4), rows: 2, columns: 2, "masks/disc4_mask.png")
        try Data("no picture".utf8).write(to: URL(filePath: "\(place.folder)/masks/disc5_mask.png"))
        try "name,split\ndisc0,train\ndisc1,train\ndisc2,train\ndisc3,train\ndisc4,val\ndisc5,val\n".write(
            toFile: "\(place.folder)/split.csv", atomically: true, encoding: .utf8)
        let plan = try place.plan(
            "validation: {images: images, masks: masks, list: split.csv, split: val}",
            data: "{images: images, masks: masks, list: split.csv, split: train}")
        let problems = try place.problems(plan)
        #expect(problems.count == 4)
        for name in ["disc1", "disc2", "disc4", "disc5"] {
            #expect(problems.contains { $0.message.subject?.contains(name) == true }, "\(name)")
        }
        #expect(throws: DataProblems.self) { try Trainer(plan, folder: "\(place.folder)/model") { _ in } }
        #expect(!FileManager.default.fileExists(atPath: "\(place.folder)/model"))
    }

    /// A TIFF of floating point numbers, 64 × 48, uncompressed, which the program itself never writes.
    private static func floats(_ values: [Float]) -> Data {
        func little(_ value: UInt32, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
        }
        // Columns, rows, bits, no compression, black is 0, offset, samples, rows and bytes of the strip, IEEE numbers.
        let tags: [(UInt32, UInt32)] = [
            (256, 64), (257, 48), (258, 32), (259, 1), (262, 1), (273, 8), (277, 1), (278, 48),
            (279, UInt32(4 * values.count)), (339, 3),
        ]
        var bytes: [UInt8] = [0x49, 0x49, 42, 0]
        bytes += little(UInt32(8 + 4 * values.count), 4)
        for value in values { bytes += little(value.bitPattern, 4) }
        bytes += little(UInt32(tags.count), 2)
        for (tag, value) in tags {
            for (number, count) in [(tag, 2), (UInt32(4), 2), (UInt32(1), 4), (value, 4)] {
                bytes += little(number, count)
            }
        }
        return Data(bytes + little(0, 4))
    }

    @Test("what is no number in a picture is neither counted among its values nor shown, as in a run")
    func noNumbers() throws {
        // NaN on the left, 0 to 31 on the right: a tenth of the numbers is below 3.2.
        let values = (0..<64 * 48).map { pixel -> Float in
            let column = pixel % 64
            return column < 32 ? .nan : Float(column - 32)
        }
        let target = URL(filePath: "\(place.folder)/nan/images/a.tif")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Self.floats(values).write(to: target)
        try place.write(try place.disc(0), "nan/masks/a.png")
        let plan = try place.plan("windowing: {mode: percentile, percentiles: [10, 90]}", data: "{folder: nan}")
        let set = try place.set(plan)
        let image = try set.sample(set.pairs[0], segments: 1, input: plan.input).image
        func level(_ column: Int) -> UInt8 { image.pixels[3 * column] }
        #expect(level(0) == 0 && level(31) == 0 && level(32 + 2) == 0 && level(32 + 3) <= 3)
        #expect((118...138).contains(level(32 + 15)) && level(32 + 29) == 255)
        let data = try TrainingData(plan)
        let summary = try DataCheck.run(data.roles, segments: 1, input: plan.input).summaries[0]
        #expect(summary.notes.contains { $0.hasPrefix("1 images hold samples that are no numbers") })
    }

    @Test(
        "image and mask are turned as their own EXIF orientation says; where nothing shows whether the mask is, they are refused"
    )
    func orientation() throws {
        for name in ["orientation3", "orientation6"] {
            try copy("\(name).jpg", to: "turned/images/\(name).jpg")
            try copy("\(name)_mask_upright.png", to: "turned/masks/\(name).png")
        }
        // A quarter turn fits by its size alone, and shows on what the masks of the folder were drawn.
        let plan = try place.plan(data: "{folder: turned}")
        let set = try place.set(plan)
        for pair in set.pairs {
            let sample = try set.sample(pair, segments: 1, input: .init())
            // The disc is bright: where the mask says so, the upright image is.
            var (inside, outside) = ((0, 0), (0, 0))
            for pixel in sample.classes.indices {
                let value = Int(sample.image.pixels[3 * pixel])
                if sample.classes[pixel] == 1 {
                    inside = (inside.0 + value, inside.1 + 1)
                } else {
                    outside = (outside.0 + value, outside.1 + 1)
                }
            }
            #expect(inside.0 / max(1, inside.1) > outside.0 / max(1, outside.1) + 40, "\(pair.name)")
        }
        let data = try TrainingData(plan)
        let notes = try DataCheck.run(data.roles, segments: 1, input: plan.input).summaries[0].notes
        #expect(notes.contains { $0.hasPrefix("2 images and masks are stored in unlike orientations") })

        // Half a turn alone, with a mask and with an outline.
        let images = "\(place.folder)/turned/images"
        try FileManager.default.removeItem(atPath: "\(images)/orientation6.jpg")
        try FileManager.default.removeItem(atPath: "\(place.folder)/turned/masks/orientation6.png")
        let outline = """
            {"images": [{"id": 1, "file_name": "orientation3.jpg", "width": 64, "height": 64}],
             "categories": [{"id": 1, "name": "disc"}],
             "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[9, 9, 30, 9, 30, 30]]}]}
            """
        try Data(outline.utf8).write(to: URL(filePath: "\(place.folder)/turned.json"))
        for data in ["{folder: turned}", "{images: turned/images, coco: turned.json}"] {
            let labels = data.contains("coco") ? "[disc]" : nil
            let problem = try #require(try place.problems(place.plan(data: data, labels: labels)).first)
            #expect(problem.code == "DATA-MASK" && problem.text.contains("orientation3.jpg"), "\(problem.text)")
        }

        // A mask of the size that the picture is stored in.
        try copy("orientation6.jpg", to: "stored/images/a.jpg")
        let upright = try ImageFile.read("\(place.folder)/stored/images/a.jpg")[0]
        try place.write(
            [UInt16](repeating: 255, count: upright.rows * upright.columns), rows: upright.columns,
            columns: upright.rows, "stored/masks/a.png")
        let problem = try #require(try place.problems(place.plan(data: "{folder: stored}")).first)
        #expect(problem.code == "DATA-SIZE" && problem.text.contains("EXIF"))
    }

    @Test(
        "a picture with another behind it is refused; of one with transparent parts alpha is ignored, and counted")
    func unseenParts() throws {
        let image = URL(filePath: "\(place.folder)/images/disc1.png")
        let opaque = try Data(contentsOf: image)
        func pixels(_ alpha: (Int) -> UInt8) -> [[UInt8]] { (0..<48 * 64).map { [90, 60, UInt8($0 % 64), alpha($0)] } }
        try (opaque + opaque).write(to: image)
        let problem = try #require(try place.problems(place.plan()).first)
        #expect(problem.code == "DATA-PICTURE" && problem.text.contains("disc1.png"), "\(problem.text)")
        for (hidden, isTold) in [(UInt8(0), true), (128, true), (255, false)] {
            try Self.png(pixels { $0 < 640 ? hidden : 255 }, columns: 64).write(to: image)
            let plan = try place.plan()
            let check = try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input)
            #expect(check.problems.isEmpty)
            #expect(check.summaries[0].notes.contains { $0.contains("transparent") } == isTold)
        }
    }

    @Test("masks that lie among the images are no images, and numbered ones of one image belong together")
    func beside() throws {
        let discs = try discs
        for i in 0..<3 {
            try FileManager.default.moveItem(
                atPath: "\(place.folder)/masks/disc\(i)_mask.png", toPath: "\(place.folder)/images/disc\(i)_mask.png")
        }
        for i in 3..<6 { try FileManager.default.removeItem(atPath: "\(place.folder)/images/disc\(i).png") }
        try place.write(discs[5], "images/disc0_mask_1.png")
        for data in ["{images: images, masks: images}", "{folder: images}"] {
            let set = try place.set(place.plan(data: data))
            #expect(set.pairs.map(\.name) == ["disc0", "disc1", "disc2"])
            let union = zip(discs[0], discs[5]).map { max($0, $1) > 0 ? UInt8(1) : 0 }
            #expect(try set.classes(set.pairs[0], segments: 1).values == union)
        }
    }

    @Test("masks that are numbered belong to their image, also with gaps, from 2 on and with leading zeros")
    func numbers() throws {
        let discs = try discs
        try place.write(discs[3], "masks/disc0_mask_1.png")
        try place.write(discs[4], "masks/disc0_mask_3.png")
        try place.write(discs[5], "masks/disc1_mask_02.png")
        let set = try place.set(place.plan())
        let unions = [[0, 3, 4], [1, 5], [2]]
        for (pair, parts) in zip(set.pairs, unions) {
            let wanted = discs[0].indices.map { pixel in parts.contains { discs[$0][pixel] > 0 } ? UInt8(1) : 0 }
            #expect(try set.classes(pair, segments: 1).values == wanted)
        }
    }

    @Test("what lies in the folders and is not read is counted: other endings, folders, masks without image")
    func passedOver() throws {
        for name in ["images/a.bmp", "images/.hidden", "images/more/b.png", "masks/c.gif", "masks/d.gif"] {
            let target = URL(filePath: "\(place.folder)/\(name)")
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: target)
        }
        try place.write(try place.disc(0), "masks/nobody_mask.png")
        #expect(
            try TrainingData(place.plan()).training[0].notes == [
                "1 files of \(place.folder)/images do not end as PNG, JPEG or TIFF and are not read",
                "1 folders in \(place.folder)/images are not read",
                "2 files of \(place.folder)/masks do not end as PNG, JPEG or TIFF and are not read",
                "1 masks are of no image",
            ])
        #expect(try place.problems(place.plan()).isEmpty)
    }

    @Test(
        "a file that has a mask is a case, whatever it is called and whether it can be read; links are what they lead to"
    )
    func lost() throws {
        let files = FileManager.default
        func at(_ name: String) -> String { "\(place.folder)/\(name)" }
        try files.moveItem(atPath: at("images/disc1.png"), toPath: at("elsewhere.png"))
        try files.createSymbolicLink(atPath: at("images/disc1.png"), withDestinationPath: "../elsewhere.png")
        // What macOS leaves beside its files.
        try Data("x".utf8).write(to: URL(filePath: at("images/._disc2.png")))
        try Data("x".utf8).write(to: URL(filePath: at("masks/._disc2_mask.png")))
        #expect(try place.set(place.plan()).pairs.count == 6)
        #expect(
            try TrainingData(place.plan()).training[0].notes == [
                "1 hidden files of \(place.folder)/images are not read",
                "1 hidden files of \(place.folder)/masks are not read",
            ])
        try files.moveItem(atPath: at("images/disc3.png"), toPath: at("images/disc3.heic"))
        try Data("no picture".utf8).write(to: URL(filePath: at("images/disc3.heic")))
        try files.removeItem(atPath: at("elsewhere.png"))
        try files.removeItem(atPath: at("images/disc5.png"))
        try files.createDirectory(atPath: at("images/disc5.png"), withIntermediateDirectories: true)
        let problems = try place.problems(place.plan())
        #expect(problems.count == 3, "\(problems)")
        for name in ["disc1.png", "disc3.heic", "disc5.png"] {
            #expect(problems.contains { $0.message.subject?.hasSuffix(name) == true }, "\(name): \(problems)")
        }
        try "name,split\ndisc0,train\ndisc2,train\ndisc4,train\n".write(
            toFile: at("split.csv"), atomically: true, encoding: .utf8)
        let listed = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: train}")
        #expect(try place.problems(listed).isEmpty)
    }

    @Test(
        "a mask of no image that is called like a part of another's is refused", arguments: ["disc1_1", "disc1-lesion"])
    func parts(_ name: String) throws {
        try place.write(try place.disc(0), "masks/\(name).png")
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(place.plan()) }
        #expect(failure?.code == "DATA-LAYOUT" && failure?.text.contains("disc1.png") == true)
        try place.write(try place.disc(0), "images/\(name).png")
        #expect(try TrainingData(place.plan()).training[0].pairs.count == 7)
    }

    @Test("two files of one stem are refused, among images and among masks")
    func stems() throws {
        try place.write([UInt16](repeating: 9, count: 48 * 64), "images/disc0.PNG")
        #expect(
            throws: TrainingFailure.sameStem(folder: "\(place.folder)/images", one: "disc0.PNG", other: "disc0.png")
        ) {
            try TrainingData(place.plan())
        }
        try FileManager.default.removeItem(atPath: "\(place.folder)/images/disc0.PNG")
        try place.write(try place.disc(0), "masks/disc0.png")
        #expect(throws: TrainingFailure.self) { try TrainingData(place.plan()) }
    }

    @Test("every page of a TIFF is an image with its own page of truth; other numbers of pages are refused")
    func pages() throws {
        let pages = try (0..<3).map { i in try ImageFile.read("\(place.folder)/images/disc\(i).png")[0] }
        let masks = try (0..<3).map { i in try ImageFile.read("\(place.folder)/masks/disc\(i)_mask.png")[0] }
        for (name, content) in [("stack/images/s.tif", pages), ("stack/masks/s.tif", masks)] {
            try FileManager.default.createDirectory(
                at: URL(filePath: "\(place.folder)/\(name)").deletingLastPathComponent(),
                withIntermediateDirectories: true)
            try Data(ImageFile.tiff(content)).write(to: URL(filePath: "\(place.folder)/\(name)"))
        }
        let set = try place.set(place.plan(data: "{folder: stack}"))
        #expect(set.pairs.map(\.name) == ["s#1", "s#2", "s#3"])
        #expect(try set.classes(set.pairs[2], segments: 1).values == masks[2].values.map { $0 > 0 ? 1 : 0 })
        try Data(ImageFile.tiff(Array(masks.prefix(2)))).write(to: URL(filePath: "\(place.folder)/stack/masks/s.tif"))
        #expect(try place.problems(place.plan(data: "{folder: stack}")).map(\.code) == ["DATA-EMPTY"])
        try Data(ImageFile.tiff(Array(pages.prefix(1)))).write(to: URL(filePath: "\(place.folder)/stack/images/s.tif"))
        let problem = try #require(try place.problems(place.plan(data: "{folder: stack}")).first)
        #expect(problem.code == "DATA-EMPTY" && problem.text.contains("holds 2 pictures"))
    }

    @Test(
        "a TIFF of two channels that are no colours is refused, as mask and as image", arguments: ["masks", "images"])
    func channels(_ part: String) throws {
        for (name, folder) in [("disc0", "images"), ("disc0_mask", "masks")] {
            try FileManager.default.createDirectory(
                atPath: "\(place.folder)/two/\(folder)", withIntermediateDirectories: true)
            let source = "\(place.folder)/\(folder)/\(name).png"
            if folder == part {
                let values = try ImageFile.read(source)[0].values.map { UInt8(clamping: $0) }
                try Data(Self.twoChannels(values, rows: 48, columns: 64)).write(
                    to: URL(filePath: "\(place.folder)/two/\(folder)/\(name).tif"))
            } else {
                try FileManager.default.copyItem(atPath: source, toPath: "\(place.folder)/two/\(folder)/\(name).png")
            }
        }
        let problems = try place.problems(place.plan(data: "{folder: two}"))
        #expect(problems.map(\.code) == ["DATA-CHANNELS"])
    }

    /// A little-endian TIFF of one strip with two grey samples a pixel, the second 0 (ExtraSamples 0: not specified).
    private static func twoChannels(_ values: [UInt8], rows: Int, columns: Int) -> [UInt8] {
        func word(_ value: Int) -> [UInt8] { [0, 8].map { UInt8(truncatingIfNeeded: value >> $0) } }
        func long(_ value: Int) -> [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) } }
        func short(_ tag: Int, _ value: Int) -> [UInt8] { word(tag) + word(3) + long(1) + word(value) + word(0) }
        let entries: [[UInt8]] = [
            short(256, columns), short(257, rows), word(258) + word(3) + long(2) + word(8) + word(8), short(259, 1),
            short(262, 1), word(273) + word(4) + long(1) + long(8 + 2 + 12 * 11 + 4), short(277, 2), short(278, rows),
            word(279) + word(4) + long(1) + long(2 * values.count), short(284, 1), short(338, 0),
        ]
        return [0x49, 0x49, 42, 0] + long(8) + word(entries.count) + entries.joined() + long(0)
            + values.flatMap { [$0, 0] }
    }
}
