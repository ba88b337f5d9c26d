import Failures
import Foundation
import ImageFiles
import Settings
import Storage
import Testing
import Training

@Suite("a mask file a segment")
struct SegmentMasksTests {
    private let place: Workplace

    /// Beside each image of a disc: masks of its upper and its lower half, 255 and 1.
    init() throws {
        place = try Workplace(images: 3)
        for i in 0..<3 {
            try place.write(try half(i, isUpper: true).map { $0 ? 255 : 0 }, "upper/disc\(i).png")
            try place.write(try half(i, isUpper: false).map { $0 ? 1 : 0 }, "lower/disc\(i)_mask.png")
        }
    }

    private func half(_ i: Int, isUpper: Bool) throws -> [Bool] {
        let middle = 14 + 4 * i % 20
        return try place.disc(i).enumerated().map { $1 > 0 && ($0 / 64 < middle) == isUpper }
    }

    private static let sides: String = "{lower: lower, upper: upper}"

    private func plan(_ masks: String = Self.sides, _ more: String = "", images: String = "images") throws
        -> TrainingPlan
    {
        try place.plan(data: "{images: \(images), masks: \(masks)\(more)}", labels: "[upper, lower]", segments: 2)
    }

    private func expectHalves(_ plan: TrainingPlan) throws {
        let set = try place.set(plan)
        #expect(set.pairs.map(\.name) == ["disc0", "disc1", "disc2"])
        for (i, pair) in set.pairs.enumerated() {
            let (upper, lower) = (try half(i, isUpper: true), try half(i, isUpper: false))
            #expect(
                try set.classes(pair, segments: 2).values == zip(upper, lower).map { $0 ? 1 : $1 ? 2 : 0 })
        }
    }

    @Test("each folder is the segment of its name, whatever the order; several folders may be one segment")
    func folders() throws {
        try expectHalves(plan())
        let one = try place.plan(data: "{images: images, masks: {disc: [upper, lower]}}", labels: "[disc]")
        let set = try place.set(one)
        #expect(try set.classes(set.pairs[1], segments: 1).values == (try place.disc(1)).map { $0 > 0 ? 1 : 0 })
    }

    @Test("a pattern says what a mask is called behind its image's name, in folders of masks and beside the images")
    func patterns() throws {
        for (folder, ending) in [("both", ".png"), ("images", "")] {
            for i in 0..<3 {
                for (part, name) in [("upper/disc\(i).png", "UP"), ("lower/disc\(i)_mask.png", "LOW")] {
                    let to = URL(filePath: "\(place.folder)/\(folder)/disc\(i)_\(name).png")
                    try FileManager.default.createDirectory(
                        at: to.deletingLastPathComponent(), withIntermediateDirectories: true)
                    try FileManager.default.copyItem(at: URL(filePath: "\(place.folder)/\(part)"), to: to)
                }
            }
            try expectHalves(plan("{upper: \"\(folder)/*_UP\", lower: \"\(folder)/*_LOW\(ending)\"}"))
        }
    }

    @Test("an image that lacks the file of a segment is refused, left out, or has nothing of it, as the plan says")
    func lacking() throws {
        try FileManager.default.removeItem(atPath: "\(place.folder)/lower/disc1_mask.png")
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(plan()) }
        #expect(failure?.code == "DATA-MASK" && failure?.text.contains("disc1.png") == true)
        #expect(try TrainingData(plan(Self.sides, ", without_mask: leave_out")).training[0].pairs.count == 2)
        let sparse = try plan(Self.sides, ", without_mask: empty")
        #expect(try TrainingData(sparse).training[0].notes.contains { $0.hasPrefix("1 images have no file of some") })
        let set = try place.set(sparse)
        #expect(try set.classes(set.pairs[1], segments: 2).values == (try half(1, isUpper: true)).map { $0 ? 1 : 0 })
        // Where none is there, a name is wrong.
        try FileManager.default.removeItem(atPath: "\(place.folder)/upper/disc1.png")
        #expect(throws: TrainingFailure.self) { try TrainingData(sparse) }
    }

    @Test("a pixel of two segments is refused, or belongs to the last where the plan says so")
    func overlap() throws {
        try place.write(try place.disc(2), "lower/disc2_mask.png")
        let problems = try place.problems(plan())
        #expect(problems.map(\.code) == ["DATA-LAYOUT"] && problems[0].text.contains("overlap: last"))
        let set = try place.set(plan(Self.sides, ", overlap: last"))
        #expect(try set.classes(set.pairs[2], segments: 2).values == (try place.disc(2)).map { $0 > 0 ? 2 : 0 })
    }

    @Test("files that are not of one segment, of another size or black on white are refused, each")
    func wrongFiles() throws {
        let disc = try half(0, isUpper: true)
        try place.write(disc.enumerated().map { $1 ? UInt16($0 % 200) + 20 : 0 }, "upper/disc0.png")
        try place.write([UInt16](repeating: 0, count: 16), rows: 4, columns: 4, "lower/disc1_mask.png")
        try place.write(try half(2, isUpper: true).map { $0 ? 0 : 255 }, "upper/disc2.png")
        #expect(try place.problems(plan()).map(\.code) == ["DATA-VALUES", "DATA-SIZE", "DATA-VALUES"])
    }

    @Test(
        "folders of no segment, segments without a folder and keys of other layouts are refused",
        arguments: [
            ("{upper: upper}", "", "SET-MISSING"), ("{upper: upper, middle: lower}", "", "SET-CHOICE"),
            ("{upper: upper, lower: []}", "", "SET-EMPTY"), ("masks", ", overlap: last", "SET-CHOICE"),
            ("masks", ", without_mask: empty", "SET-CHOICE"),
            ("{lower: lower, upper: upper}", ", folder: images", "SET-MISSING"),
        ])
    func keys(_ masks: String, _ more: String, _ code: String) throws {
        let failure = #expect(throws: SettingsFailure.self) { try plan(masks, more) }
        #expect(failure?.code == code)
    }

    @Test("a rule of values beside them is refused, and the order of the files' content is part of the run")
    func rules() throws {
        let failure = #expect(throws: TrainingFailure.self) {
            try TrainingData(plan(Self.sides, ", mask_values: {upper: [1]}"))
        }
        #expect(failure?.code == "DATA-VALUES")
        let (one, other) = (
            try TrainingData(plan()).training[0].pairs[0],
            try TrainingData(plan("{lower: upper, upper: lower}"))
                .training[0].pairs[0]
        )
        #expect(try one.mask.digest() != other.mask.digest())
    }
}
