import Failures
import Foundation
import SegmentAnything
import Settings
import Testing
import Training

/// Several data sets and models: which are measured, and how their figures are laid out.
extension EvaluationTests {
    // MARK: which sets

    private func read(
        _ text: String, labels: [String] = ["lesion"], folders: [String: String] = [:]
    ) throws -> EvaluationSets {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: "\(folder)/sets.yaml", atomically: true, encoding: .utf8)
        return try EvaluationSets.read("\(folder)/sets.yaml", labels: labels, folders: DataFolders(folders: folders))
    }

    @Test("a file of sets has the words of a plan's data: layouts, lists, what masks mean, folders by their roles")
    func setFiles() throws {
        let sets = try read(
            """
            sets:
              - {name: Kvasir, folder: "${polyps}/Kvasir", list: split.csv, split: test, mask_values: {lesion: [1, 2]}}
              - {name: COCO, images: pictures, coco: objects.json}
              - {name: DICOM, dicom: /data/ct, segmentations: seg, segment_names: {lesion: [Skin lesion]}}
              - {name: each, images: pictures, masks: {lesion: [one, two]}, without_mask: empty}
            """, folders: ["polyps": "/p"])
        #expect(sets.all.map(\.name) == ["Kvasir", "COCO", "DICOM", "each"])
        #expect(sets.all[0].source.origin == .folder("/p/Kvasir") && sets.all[0].source.split == "test")
        #expect(sets.all[0].source.list == "\(folder)/split.csv" && sets.all[0].source.rule == .values([1: 1, 2: 1]))
        #expect(sets.all[1].source.origin == .annotations(images: "\(folder)/pictures", file: "\(folder)/objects.json"))
        #expect(sets.all[2].source.origin == .dicom(images: "/data/ct", segmentations: "\(folder)/seg"))
        #expect(sets.all[2].source.segmentNames == ["lesion": ["Skin lesion"]])
        #expect(sets.all[3].source.origin.places == ["pictures", "one", "two"].map { "\(folder)/\($0)" })
        #expect(!sets.allowsSimilar && sets.all.allSatisfy { $0.part == .unsaid })
        // One entry by itself is called as it says, or as the file.
        #expect(try read("{folder: /a, name: A}").all.map(\.name) == ["A"])
        let one = try read("folder: /a\nsimilar_images: allow")
        #expect(one.all.map(\.name) == ["sets"] && one.allowsSimilar)
    }

    @Test(
        "a set without a name, one of another's, keys that no entry has, a role that is not filled or not there are refused",
        arguments: [
            ("sets: [{folder: a}]", "SET-MISSING"),
            ("sets: [{name: a, folder: a}, {name: a, folder: b}]", "SET-CHOICE"),
            ("sets: [{name: a, folder: a, flder: b}]", "SET-UNKNOWN"), ("sets: []", "SET-EMPTY"),
            ("sets: [{name: a, folder: \"${b}\"}]", "DATA-ROLE"), ("{name: a}", "SET-MISSING"),
            ("{folder: a, mask_values: {other: [1]}}", "SET-CHOICE"),
        ])
    func wrongSetFiles(_ text: String, _ code: String) {
        let failure = #expect(throws: (any Error).self) { try read(text) }
        #expect((failure as? any Failure)?.code == code, "\(text): \(String(describing: failure))")
    }

    @Test("a source is told from its targets by name; without targets all others are")
    func chosen() throws {
        let sets = try read("sets: [{name: a, folder: a}, {name: b, folder: b}, {name: c, folder: c}]")
        let all = try sets.chosen(source: "b", targets: [])
        #expect(all.all.map(\.name) == ["b", "a", "c"] && all.all.map(\.part) == [.source, .target, .target])
        #expect(try sets.chosen(source: "a", targets: ["c"]).all.map(\.title) == ["a (source)", "c (unseen)"])
        for (source, targets) in [("x", []), ("a", ["a"]), ("a", ["b", "b"]), ("a", ["x"])] as [(String, [String])] {
            #expect(throws: FailureRecord.self) { try sets.chosen(source: source, targets: targets) }
        }
        #expect(throws: FailureRecord.self) { try read("{folder: a, name: a}").chosen(source: "a", targets: []) }
        #expect(try EvaluationSets(folders: ["x/Kvasir/", "ETIS"]).all.map(\.name) == ["Kvasir", "ETIS"])
        #expect(throws: FailureRecord.self) { try EvaluationSets(folders: ["x/images", "y/images"]) }
    }

    // MARK: tables

    /// Masks that fill, fill half of, and leave out the image: Dice 1, 2/3 and 0 of a network that marks everything.
    private func writeSet(_ part: String, _ shares: [Int], label: UInt16 = 255) throws {
        for (index, share) in shares.enumerated() {
            try write("\(part)/images/\(index).png") { UInt16(($0 * 3 + index * 7 + share) % 200) }
            try write("\(part)/masks/\(index).png") { $0 % 20 < share ? label : 0 }
        }
    }

    private func row(_ start: String, in text: String) -> [String] {
        let line = text.split(separator: "\n").first { $0.hasPrefix("| \(start) |") } ?? ""
        return line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test("two models on a source and a target: a row each, columns of sets and measures, and what is lost on the way")
    func table() throws {
        try writeSet("a", [20, 20])
        try writeSet("b", [10, 10, 10])
        let names = [("Kvasir", EvaluationSet.Part.source, "a/"), ("ETIS", .target, "b/")]
        let measured = try names.map { name, part, place in
            let sets = try sets(segments: 1, below: place)
            return EvaluationTable.Measured(
                set: EvaluationSet(name: name, source: .init(origin: .folder(place)), part: part),
                results: [
                    try Evaluation.run(full(segments: 1), on: sets),
                    try Evaluation.run(full(segments: 1, isEmpty: true), on: sets),
                ], learned: [name == "Kvasir" ? 1 : 0, 0])
        }
        let models = [
            EvaluationTable.Model(path: "full", configuration: "hsp_sam", trained: 19_170_000),
            EvaluationTable.Model(path: "empty", configuration: "ft_sam", trained: 93_320_000),
        ]
        let table = EvaluationTable(models: models, sets: measured)
        let text = table.markdown(title: "t")
        #expect(
            text.contains(
                "| model | configuration | trained parameters | Kvasir (source) Dice | Kvasir (source) IoU | ETIS (unseen) Dice | ETIS (unseen) IoU |"
            ))
        #expect(
            row("full", in: text) == [
                "full", "hsp_sam", "19.17 M", "1.0000 [1.0000, 1.0000]", "1.0000 [1.0000, 1.0000]",
                "0.6667 [0.6667, 0.6667]", "0.5000 [0.5000, 0.5000]",
            ])
        #expect(row("empty", in: text).dropFirst(3).allSatisfy { $0.hasPrefix("0.0000") })
        #expect(text.contains("## Per image") && text.contains("## Pooled") && text.contains("## From Kvasir"))
        #expect(text.contains("| full | ETIS | 0.6667 | 0.3333 [0.3333, 0.3333] | 0.5000 | 0.5000 [0.5000, 0.5000] |"))
        #expect(text.contains("1 images of Kvasir were in the training of full"))
        #expect(text.contains("- ETIS, empty: difference of mean Dice +0.6667"))
        #expect(text.contains("## ETIS, empty: segment-1"))
        #expect(table.drops.count == 2 && abs(table.drops[0].dice.drop - 1.0 / 3) < 1e-12)
        let lines = table.csv.split(separator: "\n")
        #expect(lines.count == 1 + 2 * 5 && lines[0].hasSuffix("hd95_mm,set,model"))
        #expect(lines[1].hasSuffix(",Kvasir,full") && lines[10].hasSuffix(",ETIS,empty"))
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(try table.json())) as? [String: [[String: Any]]])
        #expect(json["results"]?.map { $0["set"] as? String } == ["Kvasir", "Kvasir", "ETIS", "ETIS"])
        #expect(json["results"]?.map { $0["part"] as? String } == ["source", "source", "target", "target"])
        let drop = try #require(json["drops"]?.first?["dice"] as? [String: Any])
        #expect((drop["interval"] as? [Double])?.count == 2 && drop["drop"] as? Double == table.drops[0].dice.drop)
        #expect(json["comparisons"]?.count == 2)
    }

    @Test("classes have a column each, per image and pooled, beside their mean and the distances")
    func classColumns() throws {
        try writeSet("a", [20, 10], label: 2)
        let result = try Evaluation.run(full(segments: 2), on: sets(segments: 2, below: "a/"))
        let table = EvaluationTable(
            models: [.init(path: "m", configuration: "hsp_sam", trained: 1_000_000)],
            sets: [
                .init(
                    set: EvaluationSet(name: "all", source: .init(origin: .folder("a"))), results: [result],
                    learned: [0])
            ])
        let text = table.markdown(title: "t")
        #expect(
            text.contains(
                "| model | configuration | counted | mean | segment-1 | segment-2 | HD, pixels | HD95, pixels |"))
        // Of the second segment one image is found whole and half of the other: (1 + 2/3) / 2 per image, 600 of 700 pooled.
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| m | hsp_sam | p") }
        #expect(rows.count == 2 && rows[0].contains("| per image | 0.4167 [") && rows[0].contains("| 0.8333 ["))
        #expect(rows[1].contains("| pooled | 0.4286 [") && rows[1].contains("| 0.8571 ["))
        #expect(text.contains("| Dice, per image |"))
        // One set keeps the files that scripts know.
        #expect(table.csv == EvaluationReport(result, title: "t").csv)
    }

    // MARK: what the training knew

    @Test("a set whose masks the training was told to read otherwise is refused until somebody says which it is")
    func trainedRule() throws {
        let place = try Workplace()
        _ = try place.plan(data: "{images: images, masks: masks, mask_values: {segment-1: [0]}}")
        let rules = try TrainingFolder.maskRules(of: place.folder)
        #expect(try rules == [.values([0: 1])] && TrainingFolder.maskRules(of: "\(place.folder)/images").isEmpty)
        func codes(_ rule: MaskRule?, _ trained: [MaskRule]) throws -> [String] {
            var source = TrainingPlan.Source(
                origin: .pairs(images: "\(place.folder)/images", masks: "\(place.folder)/masks"))
            source.rule = rule
            return try DataCheck.run(
                [.init(split: "all", try Dataset(source))], segments: 1, input: TrainedInput(), learns: false,
                trainedRules: trained
            ).problems.map { "\($0.code)\($0.text.contains("in the model's training") ? " trained" : "")" }
        }
        #expect(try codes(nil, rules) == ["DATA-VALUES trained"])
        #expect(try codes(.nonzero, rules).isEmpty && codes(.values([0: 1]), rules).isEmpty)
        // The rule is about values that these masks do not have.
        #expect(try codes(nil, [.values([1: 1])]).isEmpty)
    }

    @Test(
        "a train.yaml or data.csv beside a model that cannot be understood is refused by its name",
        arguments: [
            "", "hello\n", "\0\0\0", "model: {size: nano", "name;split;sha256\n", "name,split,sha256\nd,train,4db0\n",
        ])
    func damagedOrigin(text: String) throws {
        let place = try Workplace()
        for name in ["train.yaml", "data.csv"] {
            try text.write(toFile: "\(place.folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let failures = [
            #expect(throws: TrainingFailure.self) { try TrainingFolder.maskRules(of: place.folder) },
            #expect(throws: TrainingFailure.self) { try TrainingFolder.learned(by: place.folder) },
        ]
        for (name, failure) in zip(["train.yaml", "data.csv"], failures) {
            #expect(failure?.code == "TRAIN-ORIGIN" && failure?.kind == .configuration)
            #expect(failure?.text.contains("\(place.folder)/\(name): ") == true, "\(failure?.text ?? "")")
        }
    }

    @Test(
        "the list of a model's images is read as it was written, and as spreadsheets save it; a part of it is refused")
    func learnedImages() throws {
        let place = try Workplace()
        let list = try TrainingData(place.plan()).list()
        func learned(_ text: String) throws -> Set<String>? {
            try text.write(toFile: "\(place.folder)/data.csv", atomically: true, encoding: .utf8)
            return try TrainingFolder.learned(by: place.folder)
        }
        #expect(try TrainingFolder.learned(by: place.folder) == nil)
        let all = try #require(try learned(list))
        #expect(all.count == 6)
        #expect(try learned("\u{FEFF}" + list.replacing("\n", with: "\r\n")) == all)
        #expect(try learned(list.replacing(",train,", with: ",\"train\",")) == all)
        // A name may look like a line.
        #expect(try learned(list + "\"a,train,b\",test,\(String(repeating: "0", count: 64))\n") == all)
        for count in [1, 70, 40] {
            #expect(throws: TrainingFailure.self) { try learned(String(list.dropLast(count))) }
        }
    }

    @Test("one folder in two entries of data is refused however it is written; other files of equal pictures are told")
    func drawnTwice() throws {
        let place = try Workplace()
        for other in ["{images: images, masks: masks}", "{images: ./images, masks: ./masks, weight: 2}", "{folder: .}"]
        {
            let problems = try place.problems(place.plan(data: "{images: images, masks: masks}, \(other)"))
            #expect(problems.map(\.code) == ["DATA-MASK"], "\(other)")
            #expect(problems.first?.text.contains("6 images stand in two entries of data") == true)
        }
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(atPath: "\(place.folder)/copy", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(place.folder)/\(part)", toPath: "\(place.folder)/copy/\(part)")
        }
        let plan = try place.plan(data: "{images: images, masks: masks}, {folder: copy}")
        let check = try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input)
        #expect(check.problems.isEmpty && check.summaries[0].notes.isEmpty)
        #expect(
            check.summaries[1].notes.contains { $0.hasPrefix("6 images are pixel by pixel one of an entry before") })
    }
}
