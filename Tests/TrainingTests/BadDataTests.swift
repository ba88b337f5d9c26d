import Failures
import Foundation
import ImageFiles
import Imaging
import SegmentAnything
import Testing
import Training

private let cases = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../TrainingCases")
    .standardizedFileURL

/// The table of bad data sets in docs/training.md, each row.
@Suite("data sets that are wrong or unusual")
struct BadDataTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    func copy(_ name: String, to path: String) throws {
        let target = URL(filePath: "\(place.folder)/\(path)")
        try? FileManager.default.removeItem(at: target)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: cases.appending(path: name), to: target)
    }

    /// Every mask means what it meant with 0 and 255.
    func expectDiscs(_ plan: TrainingPlan, _ truth: [[UInt16]]) throws {
        let set = try place.set(plan)
        for (pair, wanted) in zip(set.pairs, truth) {
            #expect(try set.classes(pair, segments: 1).values == wanted.map { $0 > 0 ? 1 : 0 })
        }
    }

    var discs: [[UInt16]] { get throws { try (0..<6).map { try place.disc($0) } } }

    // MARK: what masks mean

    @Test(
        "masks of 0 and 1, of 16 bits, and of instances are read as they are meant",
        arguments: [
            (bits: 8, marks: [UInt16(1)]), (16, [255]), (16, [65535]), (16, [1]), (8, [1, 2, 3]), (8, [7]),
            (16, [1, 2, 3, 4, 5, 300, 301, 302, 303, 304, 305]),
        ])
    func values(_ bits: Int, _ marks: [UInt16]) throws {
        let truth = try discs
        try place.masks(bits: bits) { disc, values in
            // A disc as several instances: one a row.
            values.enumerated().map { $1 == 0 ? 0 : marks[($0 / 64 + disc) % marks.count] }
        }
        if marks.count == 11 {
            // Numbers with gaps are labels only when they have few gaps.
            #expect(try place.problems(place.plan()).map(\.code) == ["DATA-VALUES"])
        } else {
            try expectDiscs(place.plan(), truth)
        }
    }

    @Test("masks that lossy compression or soft drawing touched are cut at half")
    func soft() throws {
        let truth = try discs
        try place.masks { _, values in values.enumerated().map { $1 == 0 ? UInt16($0 % 9) : 255 - UInt16($0 % 11) } }
        try expectDiscs(place.plan(), truth)
    }

    @Test("masks in JPEG whose values tell segments or objects apart are refused; black and white ones are cut at half")
    func lossyLabels() throws {
        // What a JPEG makes of a disc of `value` and one row of another.
        func masks(_ value: UInt16, _ other: UInt16) throws {
            for i in 0..<6 {
                let stored = try place.disc(i).enumerated().map { $1 == 0 ? 0 : $0 / 64 % 8 == 3 ? other : value }
                // Named as a JPEG is: what counts are the values.
                try place.write(stored, "lossy/disc\(i)_mask.jpg")
            }
        }
        func problems(_ more: String = "", segments: Int = 1) throws -> [FailureRecord] {
            try place.problems(
                place.plan(data: "{images: images, masks: lossy\(more)}", segments: segments))
        }
        func isRefused(_ problems: [FailureRecord]) -> Bool {
            problems.count == 6
                && problems.allSatisfy { $0.code == "DATA-VALUES" && $0.text.contains("it is a JPEG, whose") }
        }
        try masks(1, 2)
        #expect(try isRefused(problems()) && isRefused(problems(segments: 2)))
        #expect(try problems(", mask_above: 0").isEmpty)
        try masks(255, 254)
        #expect(try problems().isEmpty && problems(", mask_above: 127").isEmpty)
        #expect(try isRefused(problems(", mask_values: {segment-1: [255]}")))
        try masks(255, 128)
        #expect(try problems(", mask_values: {segment-1: [255]}").isEmpty)
    }

    @Test(
        "an object of 1 in a ring of 255 is refused until a table says what they are; few slips in masks of 255 are none",
        arguments: [UInt16(1), 2, 15])
    func void(_ mark: UInt16) throws {
        let truth = try discs
        // The last marked pixel of each row is void.
        func isEdge(_ values: [UInt16], _ pixel: Int) -> Bool { values[pixel] > 0 && values[pixel + 1] == 0 }
        try place.masks { _, values in
            values.indices.map { values[$0] == 0 ? 0 : isEdge(values, $0) ? 255 : mark }
        }
        let problem = try #require(try place.problems(place.plan()).first)
        #expect(problem.code == "DATA-VALUES" && problem.text.contains("the values are 0, \(mark), 255"))
        let table = "{images: images, masks: masks, mask_values: {disc: [\(mark)]}}"
        let set = try place.set(place.plan(data: table, labels: "[disc]"))
        #expect(
            try set.classes(set.pairs[0], segments: 1).values
                == truth[0].indices.map { truth[0][$0] > 0 && !isEdge(truth[0], $0) ? 1 : 0 })
        // One pixel of all discs.
        for i in 0..<6 {
            var slipped = truth[i]
            if i == 0 { slipped[0] = mark }
            try place.write(slipped, "masks/disc\(i)_mask.png")
        }
        try expectDiscs(place.plan(), truth)
    }

    @Test(
        "a trimap of 0, 128 and 255 is refused until a rule says what its band is; slips, loss and soft drawing are none",
        arguments: [UInt16(128), 50, 220])
    func trimap(_ band: UInt16) throws {
        let truth = try discs
        func isEdge(_ values: [UInt16], _ pixel: Int) -> Bool { values[pixel] > 0 && values[pixel + 1] == 0 }
        try place.masks { _, values in values.indices.map { isEdge(values, $0) ? band : values[$0] } }
        let problem = try #require(try place.problems(place.plan()).first)
        #expect(problem.code == "DATA-VALUES" && problem.text.contains("stands the value \(band)"))
        let inside = truth.map { values in values.indices.map { isEdge(values, $0) ? UInt16(0) : values[$0] } }
        let table = "{images: images, masks: masks, mask_values: {disc: [255]}}"
        try expectDiscs(place.plan(data: table, labels: "[disc]"), inside)
        let threshold = "{images: images, masks: masks, mask_above: 127}"
        try expectDiscs(place.plan(data: threshold), band > 127 ? truth : inside)
        // One pixel of all discs; shades on both sides of an edge.
        for i in 0..<6 {
            var slipped = truth[i]
            if i == 0 { slipped[0] = band }
            try place.write(slipped, "masks/disc\(i)_mask.png")
        }
        #expect(try place.problems(place.plan()).isEmpty)
        for i in 0..<6 {
            try place.write(
                truth[i].indices.map { isEdge(truth[i], $0) ? 130 + UInt16($0 / 64 * 7 % 90) : truth[i][$0] },
                "masks/disc\(i)_mask.png")
        }
        try expectDiscs(place.plan(), truth)
    }

    @Test("one colour on black is the segment; several are refused with the colours, until a table says what they are")
    func colors() throws {
        let truth = try discs
        try place.masks(samples: 3) { _, values in values.flatMap { $0 == 0 ? [0, 0, 0] : [128, 0, 0] } }
        try expectDiscs(place.plan(), truth)
        for i in 0..<6 {
            try place.write(
                truth[i].enumerated().flatMap { (at, value) -> [UInt16] in
                    value == 0 ? [0, 0, 0] : at / 64 < 24 ? [0, 200, 0] : [200, 0, 0]
                }, samples: 3, "masks/disc\(i)_mask.png")
        }
        let problem = try #require(try place.problems(place.plan()).first)
        #expect(problem.code == "DATA-VALUES" && problem.text.contains("#00c800") && problem.text.contains("#c80000"))
        let table = "{images: images, masks: masks, mask_colors: {upper: [\"#00ff00\"], lower: [\"#ff0000\"]}}"
        let set = try place.set(place.plan(data: table, labels: "[upper, lower]", segments: 2))
        let classes = try set.classes(set.pairs[0], segments: 2).values
        #expect(classes == truth[0].enumerated().map { $1 == 0 ? 0 : $0 / 64 < 24 ? 1 : 2 })
    }

    @Test("of a palette that begins with black the indices count")
    func palette() throws {
        try copy("mask_palette_voc.png", to: "one/masks/p0.png")
        let page = try ImageFile.readStored("\(place.folder)/one/masks/p0.png")[0]
        #expect(page.palette?.prefix(6) == [0, 0, 0, 128, 0, 0] && Set(page.values) == [0, 1])
        try place.write(
            page.values.map { 7 + $0 }, rows: page.rows, columns: page.columns, "one/images/p0.png")
        let set = try place.set(place.plan(data: "{folder: one}"))
        #expect(try set.classes(set.pairs[0], segments: 1).values == page.values.map { UInt8($0) })
    }

    @Test(
        "of palettes one index has one colour in all files where it is a class; for one segment, or with colours, it does not matter"
    )
    func palettes() throws {
        try copy("mask_palette_voc.png", to: "one/masks/p0.png")
        var bytes = [UInt8](try Data(contentsOf: cases.appending(path: "mask_palette_voc.png")))
        // PLTE with 256 entries begins at byte 37; that of index 1 becomes green.
        #expect(bytes[44..<47] == [128, 0, 0])
        bytes.replaceSubrange(44..<47, with: [0, 128, 0])
        let check = Self.crc32(bytes[37..<809])
        bytes.replaceSubrange(809..<813, with: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: check >> $0) })
        try Data(bytes).write(to: URL(filePath: "\(place.folder)/one/masks/p1.png"))
        for i in 0..<2 {
            try place.write(
                (0..<64 * 64).map { UInt16(($0 + i) % 50) }, rows: 64, columns: 64, "one/images/p\(i).png")
        }
        let problem = try #require(try place.problems(place.plan(data: "{folder: one}", segments: 2)).first)
        #expect(problem.code == "DATA-VALUES" && problem.text.contains("index 1 of its palette is #008000"))
        #expect(try place.problems(place.plan(data: "{folder: one}")).isEmpty)
        let colors = "{images: one/images, masks: one/masks, mask_colors: {a: [\"#800000\"], b: [\"#008000\"]}}"
        #expect(try place.problems(place.plan(data: colors, labels: "[a, b]", segments: 2)).isEmpty)
    }

    /// Of PNG's chunks: PNG specification, annex D.
    private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
        }
    }

    /// A PNG of grey or red, green and blue with alpha, which the program itself never writes.
    static func png(_ pixels: [[UInt8]], columns: Int) -> Data {
        func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            let named = Array(name.utf8) + body
            return big(UInt32(body.count)) + named + big(crc32(named))
        }
        let rows = pixels.count / columns
        let raw = (0..<rows).flatMap { [0] + pixels[$0 * columns..<($0 + 1) * columns].joined() }
        let (low, high) = raw.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let low = (sums.0 + UInt32(byte)) % 65521
            return (low, (sums.1 + low) % 65521)
        }
        let size = UInt16(raw.count)
        let stored = [0x78, 0x01, 1, UInt8(truncatingIfNeeded: size), UInt8(size >> 8)]
        let inverse = [UInt8(truncatingIfNeeded: ~size), UInt8(~size >> 8)]
        let type: UInt8 = pixels[0].count == 4 ? 6 : 4
        let head = big(UInt32(columns)) + big(UInt32(rows)) + [8, type, 0, 0, 0]
        return Data(
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", head)
                + chunk("IDAT", stored + inverse + raw + big(high << 16 | low)) + chunk("IEND", []))
    }

    @Test("a mask whose transparency says something else than its colours is refused; one where both agree is read")
    func transparency() throws {
        let truth = try discs
        /// The second mask as a PNG with alpha, beside five that have none.
        func write(_ pixel: (_ isDisc: Bool, _ at: Int) -> [UInt8]) throws {
            let pixels = truth[1].indices.map { pixel(truth[1][$0] > 0, $0) }
            try Self.png(pixels, columns: 64).write(to: URL(filePath: "\(place.folder)/masks/disc1_mask.png"))
        }
        let opposed: [(Bool, Int) -> [UInt8]] = [
            { isDisc, _ in [255, 255, 255, isDisc ? 255 : 0] }, { isDisc, _ in [0, 0, 0, isDisc ? 255 : 0] },
            { isDisc, _ in [255, isDisc ? 255 : 0] }, { isDisc, _ in [0, isDisc ? 0 : 255] },
            { isDisc, at in [UInt8](repeating: at < 64 ? 0 : 255, count: 3) + [isDisc ? 200 : 0] },
        ]
        for pixel in opposed {
            try write(pixel)
            let problem = try #require(try place.problems(place.plan()).first)
            #expect(problem.code == "DATA-VALUES" && problem.text.contains("transparency"), "\(problem.text)")
            #expect(problem.message.subject?.hasSuffix("disc1_mask.png") == true)
            let said = try place.plan(data: "{images: images, masks: masks, mask_above: 127}")
            #expect(try place.problems(said).isEmpty)
        }
        let agreed: [(Bool, Int) -> [UInt8]] = [
            { isDisc, _ in [UInt8](repeating: isDisc ? 255 : 0, count: 3) + [255] },
            { isDisc, _ in [UInt8](repeating: isDisc ? 255 : 0, count: 4) },
            { isDisc, _ in [isDisc ? 255 : 0, isDisc ? 120 : 0] },
        ]
        for pixel in agreed {
            try write(pixel)
            try expectDiscs(place.plan(), truth)
        }
    }

    @Test("masks of black objects on white, all or some of them, are refused until it is said what is meant")
    func inverted() throws {
        let truth = try discs
        try place.masks { _, values in values.map { 255 - $0 } }
        let all = try #require(try place.problems(place.plan()).first)
        #expect(all.code == "DATA-VALUES" && all.text.contains("100 % of those at the pictures' edges"), "\(all.text)")
        let black = try place.plan(data: "{images: images, masks: masks, mask_values: {segment-1: [0]}}")
        try expectDiscs(black, truth)
        let white = try place.set(try place.plan(data: "{images: images, masks: masks, mask_above: 0}"))
        #expect(try white.classes(white.pairs[0], segments: 1).values == truth[0].map { $0 > 0 ? 0 : 1 })
        for (disc, values) in truth.enumerated() {
            try place.write(disc == 4 ? values.map { 255 - $0 } : values, "masks/disc\(disc)_mask.png")
        }
        let problems = try place.problems(place.plan())
        #expect(problems.map(\.code) == ["DATA-VALUES"] && problems[0].message.subject?.contains("disc4") == true)
        // One that reaches three edges is an object like others.
        for (disc, values) in truth.enumerated() {
            try place.write(
                disc == 4 ? values.indices.map { $0 % 64 < 60 ? 255 : 0 } : values, "masks/disc\(disc)_mask.png")
        }
        #expect(try place.problems(place.plan()).isEmpty)
    }

    @Test("what values mean is said of all sets that hold them, or of none: training and validation mean one thing")
    func saidOnce() throws {
        // The last marked pixel of each row is 2.
        try place.masks { _, values in
            values.indices.map { values[$0] == 0 ? 0 : values[$0 + 1] == 0 ? 2 : 1 }
        }
        let lines = ["name,split"] + (0..<6).map { "disc\($0),\($0 < 4 ? "train" : "val")" }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: "\(place.folder)/split.csv"))
        func problems(_ trained: String, _ validated: String) throws -> [FailureRecord] {
            let set = "images: images, masks: masks, list: split.csv"
            return try place.problems(
                place.plan(
                    "validation: {\(set), split: val\(validated)}", data: "{\(set), split: train\(trained)}",
                    labels: "[disc]"))
        }
        let (inside, both) = (", mask_values: {disc: [1]}", ", mask_values: {disc: [1, 2]}")
        for (trained, validated) in [(inside, ""), ("", inside)] {
            let found = try problems(trained, validated)
            #expect(found.map(\.code) == ["DATA-VALUES"])
            #expect(found.first?.text.contains("each entry of data and validation") == true)
        }
        for (trained, validated) in [("", ""), (inside, inside), (both, ""), (inside, both)] {
            #expect(try problems(trained, validated).isEmpty)
        }
        // A set of other values says something by itself.
        for i in 4..<6 {
            try place.write(try place.disc(i).map { $0 > 0 ? 255 : 0 }, "masks/disc\(i)_mask.png")
        }
        #expect(try problems(inside, "").isEmpty)
    }

    @Test("one picture with unlike masks in one split is refused, whatever its file; with equal ones it is told")
    func samePictures() throws {
        let picture = try ImageFile.read("\(place.folder)/images/disc0.png")[0]
        try Data(ImageFile.tiff([picture])).write(to: URL(filePath: "\(place.folder)/images/again.tif"))
        try place.write(try place.disc(0), "masks/again.png")
        let plan = try place.plan()
        let check = try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input)
        #expect(check.problems.isEmpty)
        #expect(check.summaries[0].notes.contains { $0.hasPrefix("1 images are pixel by pixel another one") })
        // An edge that is drawn a little otherwise is no contradiction.
        let disc = try place.disc(0)
        let edge = try #require(disc.firstIndex { $0 > 0 })
        try place.write(disc.enumerated().map { $0 == edge ? 0 : $1 }, "masks/again.png")
        #expect(try place.problems(plan).isEmpty)
        try place.write(try place.disc(1), "masks/again.png")
        for learns in [true, false] {
            let problems = try DataCheck.run(
                TrainingData(plan).roles, segments: 1, input: plan.input, learns: learns
            ).problems
            #expect(problems.map(\.code) == ["DATA-MASK"])
            #expect(["again.tif", "disc0.png"].allSatisfy { problems.first?.text.contains($0) == true })
        }
        // Nor may one set be listed twice with two rules.
        let twice = try place.plan(
            data: "{images: images, masks: masks}, {images: images, masks: masks, mask_values: {segment-1: [0]}}")
        try place.write(try place.disc(0), "masks/again.png")
        #expect(Set(try place.problems(twice).map(\.code)) == ["DATA-MASK", "DATA-VALUES"])
        // In two splits equal pictures are refused however they are stored, also where nearly equal ones are allowed.
        let lines = ["name,split", "again,val"] + (0..<6).map { "disc\($0),train" }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: "\(place.folder)/split.csv"))
        let split = try place.plan(
            "similar_images: allow\nvalidation: {images: images, masks: masks, list: split.csv, split: val}",
            data: "{images: images, masks: masks, list: split.csv, split: train}")
        let leaks = try DataCheck.run(
            TrainingData(split).roles, segments: 1, input: split.input, allowsSimilar: true
        ).problems
        #expect(leaks.map(\.code) == ["DATA-LEAK"] && leaks[0].text.contains("are the same picture"))
    }

    @Test("classes of which none is 0 are refused until somebody says what they are")
    func numberedFromOne() throws {
        try place.masks { _, values in values.map { $0 > 0 ? 2 : 1 } }
        func codes(_ more: String) throws -> [String] {
            let data = "{images: images, masks: masks\(more)}"
            return try place.problems(place.plan(data: data, labels: "[a, b]", segments: 2)).map(\.code)
        }
        #expect(try codes("") == ["DATA-CLASS"])
        #expect(try codes(", mask_values: {a: [1], b: [2]}").isEmpty)
    }

    @Test("one mask for all of unlike images is refused unless somebody says so; one that several have is told")
    func oneMask() throws {
        let truth = try discs
        try place.masks { _, _ in truth[0] }
        let plan = try place.plan()
        let problems = try place.problems(plan)
        #expect(problems.map(\.code) == ["DATA-MASK"] && problems[0].text.contains("masks of all 6 images"))
        func check(_ plan: TrainingPlan) throws -> DataCheck {
            try DataCheck.run(
                TrainingData(plan).roles, segments: 1, input: plan.input, allowsSimilar: plan.allowsSimilar)
        }
        #expect(try check(place.plan("similar_images: allow")).problems.isEmpty)
        try place.masks { disc, _ in truth[disc < 3 ? 0 : disc] }
        let some = try check(plan)
        #expect(some.problems.isEmpty)
        #expect(some.summaries[0].notes.contains("2 masks are pixel by pixel that of another image of the set"))
        // Of empty masks, and of those that mark everything, many may be equal.
        try place.masks { disc, values in values.map { _ in disc < 3 ? 255 : 0 } }
        #expect(try check(plan).summaries[0].notes.allSatisfy { !$0.contains("of another image") })
    }

    @Test("masks in the place of their images are refused, each")
    func ownMasks() throws {
        for i in 0..<6 { try place.write(try place.disc(i), "images/disc\(i).png") }
        let problems = try place.problems(place.plan())
        #expect(
            problems.count == 6 && problems.allSatisfy { $0.code == "DATA-MASK" && $0.text.contains("its own mask") })
    }

    @Test("what a list does not name, and masks that are nothing but segment, are counted")
    func counted() throws {
        try Data("name,split\ndisc0,train\ndisc1,train\ndisc2,val\n".utf8).write(
            to: URL(filePath: "\(place.folder)/split.csv"))
        try place.write([UInt16](repeating: 255, count: 48 * 64), "masks/disc1_mask.png")
        let plan = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: train}")
        let check = try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input)
        #expect(
            check.summaries[0].notes == [
                "3 images that the list does not name are left out", "1 images are nothing but segment",
            ])
    }

    @Test("a validation in which no image shows a segment is refused, one in which some show none is not")
    func emptyValidation() throws {
        try place.masks { disc, values in disc < 3 ? values : values.map { _ in 0 } }
        func problems(_ validated: Range<Int>) throws -> [FailureRecord] {
            let lines = (0..<6).map { "disc\($0),\(validated.contains($0) ? "val" : "train")" }
            try Data(("name,split\n" + lines.joined(separator: "\n")).utf8).write(
                to: URL(filePath: "\(place.folder)/split.csv"))
            return try place.problems(
                place.plan(
                    "similar_images: allow\nvalidation: {images: images, masks: masks, list: split.csv, split: val}",
                    data: "{images: images, masks: masks, list: split.csv, split: train}"))
        }
        #expect(try problems(3..<6).map(\.code) == ["DATA-CLASS"])
        #expect(try problems(2..<6).isEmpty)
    }

    @Test("numbers of objects that begin again behind 255 are refused; in 16 bits they are objects")
    func wrapped() throws {
        /// Some 300 objects of one pixel, not the same in any two masks.
        func write(_ number: (Int) -> UInt16, bits: Int) throws {
            for i in 0..<6 {
                try place.write(
                    (0..<48 * 64).map { pixel in
                        let (y, x) = (pixel / 64, pixel % 64)
                        let object = y / 2 * 32 + x / 2 + 1
                        return y % 2 == 0 && x % 2 == 0 && object > i && object <= 300 ? number(object) : 0
                    }, bits: bits, "masks/disc\(i)_mask.png")
            }
        }
        try write({ UInt16($0 % 256) }, bits: 8)
        let problems = try place.problems(place.plan())
        #expect(problems.count == 6 && problems[0].code == "DATA-VALUES" && problems[0].text.contains("16 bits"))
        try write({ UInt16($0) }, bits: 16)
        #expect(try place.problems(place.plan()).isEmpty)
    }

    @Test("a picture of one colour whose mask marks something is refused; one without anything in it is told")
    func oneColour() throws {
        try place.write([UInt16](repeating: 90, count: 48 * 64), "images/disc2.png")
        let plan = try place.plan()
        let problems = try place.problems(plan)
        #expect(problems.map(\.code) == ["DATA-WINDOW"] && problems[0].text.contains("disc2.png"))
        try place.write([UInt16](repeating: 0, count: 48 * 64), "masks/disc2_mask.png")
        let check = try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input)
        #expect(check.problems.isEmpty && check.summaries[0].notes == ["1 images are of one colour"])
        // A set in which nothing is seen at all.
        for i in 0..<6 {
            try place.write([UInt16](repeating: UInt16(i), count: 48 * 64), "images/disc\(i).png")
            try place.write([UInt16](repeating: 0, count: 48 * 64), "masks/disc\(i)_mask.png")
        }
        let nothing = try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input, learns: false)
        #expect(nothing.problems.map(\.code) == ["DATA-WINDOW"] && nothing.problems[0].text.contains("all 6 images"))
    }

    @Test("pictures of 12 bits in 16 that would be shown nearly black are refused until a windowing shows them")
    func dark() throws {
        for i in 0..<6 {
            let values = try ImageFile.read("\(place.folder)/images/disc\(i).png")[0].values
            try place.write(values.map { $0 * 16 }, bits: 16, "images/disc\(i).png")
        }
        let problems = try place.problems(place.plan())
        #expect(problems.map(\.code) == ["DATA-WINDOW"] && problems[0].text.contains("of 256 grey levels"))
        #expect(try place.problems(place.plan("windowing: {mode: percentile}")).isEmpty)
    }

    @Test("masks that mark every pixel of every image are refused")
    func noBackground() throws {
        try place.masks { _, values in values.map { _ in 255 } }
        let problem = try #require(try place.problems(place.plan()).first)
        #expect(problem.code == "DATA-CLASS" && problem.text.contains("no image shows background"))
        try place.masks { disc, values in values.indices.map { disc == 0 && $0 == 0 ? 0 : 255 } }
        #expect(try place.problems(place.plan()).isEmpty)
    }

    @Test("masks of two kinds in one set, shades and values above the segments are refused with what was found")
    func contradictions() throws {
        try place.masks { disc, values in disc == 3 ? values.map { $0 > 0 ? 1 : 0 } : values }
        let mixed = try #require(try place.problems(place.plan()).first)
        #expect(mixed.code == "DATA-VALUES" && mixed.message.subject?.contains("disc3") == true)
        try place.masks { disc, values in values.indices.map { UInt16(($0 * 37 + disc * 11) % 256) } }
        #expect(try place.problems(place.plan()).map(\.code) == ["DATA-VALUES"])
        let threshold = "{images: images, masks: masks, mask_above: 127}"
        #expect(try place.problems(place.plan(data: threshold)).isEmpty)
        try place.masks { _, values in values.map { $0 > 99 ? 255 : 0 } }
        let above = try #require(try place.problems(place.plan(segments: 2)).first)
        #expect(above.code == "DATA-VALUES" && above.text.contains("255") && above.text.contains("segments is 2"))
    }

    @Test("a class that no training image shows is refused, and so are masks that are all empty")
    func missingClass() throws {
        try place.masks { _, values in values.map { $0 > 0 ? 1 : 0 } }
        let missing = try place.problems(place.plan(segments: 2))
        #expect(missing.map(\.code) == ["DATA-CLASS"] && missing[0].text.contains("segment 2"))
        try place.masks { _, values in values.map { _ in 0 } }
        #expect(try place.problems(place.plan()).map(\.code) == ["DATA-CLASS"])
    }

    @Test("a rule for masks is said in the plan's own keys wherever it is said; what is none is refused")
    func maskRules() throws {
        func rule(_ text: String) throws -> MaskRule {
            try MaskRule(text, labels: ["upper", "lower"], option: "--mask-rule")
        }
        #expect(try rule("mask_values: {upper: [3, 4], lower: [7]}") == .values([3: 1, 4: 1, 7: 2]))
        #expect(try rule("mask_colors: {lower: [\"#ff0000\"]}") == .colors([0xFF0000: 2]))
        #expect(try MaskRule("mask_above: 100", labels: ["disc"], option: "--mask-rule") == .above(100))
        for wrong in ["", "mask_above: 100", "mask_values: {disc: [1]}", "mask_bove: 1", "mask_values: [1]", "255"] {
            #expect(throws: (any Error).self, "\(wrong)") { try rule(wrong) }
        }
    }
}
