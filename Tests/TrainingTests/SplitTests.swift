import Failures
import Foundation
import ImageFiles
import Testing
import Training

@Suite("splits")
struct SplitTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private func list(_ text: String, name: String = "split.csv") throws -> String {
        let path = "\(place.folder)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    @Test(
        "lists are read as spreadsheets write them",
        arguments: [
            "\u{FEFF}name,split\r\ndisc0,train\r\ndisc1,val\r\n", "name;split\ndisc0;train\ndisc1;val",
            "split\tname\ntrain\tdisc0\nval\tdisc1\n\n", "\"name\",\"split\"\n\"disc0\", train \ndisc1.png,val\n",
            "Name,Patient,Split\ndisc0,p,train\ndisc1,,val\n",
        ])
    func forms(_ text: String) throws {
        _ = try list(text)
        for (split, name) in [("train", "disc0"), ("val", "disc1")] {
            let plan = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: \(split)}")
            #expect(try TrainingData(plan).training[0].pairs.map(\.name) == [name])
        }
    }

    @Test(
        "a list that contradicts itself is refused with its lines",
        arguments: [
            ("name,split\ndisc0,train\ndisc0,val\n", "line 3"), ("name,split\ndisc0,train\ndisc0,train\n", "line 3"),
            ("name,split,patient\ndisc0,train,p\ndisc1,val,p\n", "line 3"), ("disc0,train\n", "columns name and split"),
            ("name,split\ndisc0\n", "line 2"), ("name,split\ndisc0,\n", "line 2"),
            ("name,split\ndisc0,train\ndisc0,Train\n", "line 3"),
            ("name,split,patient\ndisc0,train,p\ndisc1,TEST,p\n", "line 3"),
            ("name,split,patient\ndisc0,train,P1\ndisc1,val,p1 \n", "line 3"),
            ("name,split,split\ndisc0,train,val\n", "column split twice"),
            ("name,Name,split\ndisc0,disc1,val\n", "column name twice"),
        ])
    func contradictions(_ text: String, _ words: String) throws {
        let path = try list(text)
        let failure = #expect(throws: TrainingFailure.self) { try SplitList(path) }
        #expect(failure?.code == "DATA-SPLIT" && failure?.text.contains(words) == true)
    }

    @Test(
        "whose image it is says a column by any of its usual names",
        arguments: [
            "patient", "Patient ID", "patient_id", "PatientID", "subject", "subject-id", "participant_id", "MRN",
        ])
    func patients(_ column: String) throws {
        let path = try list("name,\(column),split\ndisc0,p,train\ndisc1,q,val\n")
        #expect(try SplitList(path).rows.map(\.patient) == ["p", "q"])
        let torn = try list("name,\(column),split\ndisc0,p,train\ndisc1,p,val\n")
        let failure = #expect(throws: TrainingFailure.self) { try SplitList(torn) }
        #expect(failure?.code == "DATA-SPLIT" && failure?.text.contains("the patient of line 3") == true)
    }

    @Test("a column that nothing is known of is told")
    func unreadColumn() throws {
        _ = try list("name,split,owner,patient\ndisc0,train,q,p\ndisc1,val,q,r\n")
        let plan = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: train}")
        let notes = try TrainingData(plan).training[0].notes
        #expect(notes.contains { $0.contains("columns of the list that are not read: owner") }, "\(notes)")
    }

    @Test("pages of one file stay together; in two splits of a list they are refused unless somebody allows it")
    func pages() throws {
        let values = try (0..<6).map { try ImageFile.read("\(place.folder)/images/disc\($0).png")[0] }
        let masks = try (0..<6).map { try ImageFile.read("\(place.folder)/masks/disc\($0)_mask.png")[0] }
        for (folder, pages) in [("images", values), ("masks", masks)] {
            try FileManager.default.createDirectory(
                atPath: "\(place.folder)/stack/\(folder)", withIntermediateDirectories: true)
            for (name, part) in [("a", pages[..<3]), ("b", pages[3...])] {
                let file = URL(filePath: "\(place.folder)/stack/\(folder)/\(name).tif")
                try Data(ImageFile.tiff(Array(part))).write(to: file)
            }
        }
        var isDivided = false
        for seed in 1...20 {
            let plan = try place.plan("splits: {folds: 2, fold: 0, seed: \(seed)}", data: "{folder: stack}")
            guard let data = try? TrainingData(plan) else { continue }
            isDivided = true
            let splits = data.roles.map { Set($0.dataset.pairs.map { $0.name.prefix(1) }) }
            #expect(splits.count == 2 && splits[0].isDisjoint(with: splits[1]), "\(splits)")
            #expect(data.roles.allSatisfy { $0.dataset.pairs.count == 3 })
        }
        #expect(isDivided)
        _ = try list("name,split\na#1,train\na#2,train\na#3,val\n")
        let halves = "{folder: stack, list: split.csv, split: "
        let plan = try place.plan("validation: \(halves)val}", data: "\(halves)train}")
        let problems = try place.problems(plan)
        #expect(problems.map(\.code) == ["DATA-LEAK", "DATA-LEAK"])
        #expect(problems.first?.text.contains("a.tif#1") == true && problems.first?.text.contains("a.tif#3") == true)
        #expect(
            try DataCheck.run(TrainingData(plan).roles, segments: 1, input: plan.input, allowsSimilar: true).problems
                .isEmpty)
    }

    @Test("a split that no line has is refused with those that there are")
    func unknown() throws {
        _ = try list("name,split\ndisc0,train\ndisc1,val\n")
        let plan = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: test}")
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(plan) }
        #expect(failure?.text.contains("train, val") == true)
        _ = try list("name,split\n")
        let empty = #expect(throws: TrainingFailure.self) { try TrainingData(plan) }
        #expect(empty?.text.contains("no line behind its first") == true)
    }

    @Test(
        "the splits of a list are train, val and test in any case and spelling; one that nothing asks for is refused with its line"
    )
    func spellings() throws {
        func names(_ lines: String, _ split: String, extra: String = "") throws -> [String] {
            _ = try list("name,split\n" + lines)
            let plan = try place.plan(
                extra, data: "{images: images, masks: masks, list: split.csv, split: \(split)}")
            return try TrainingData(plan).training[0].pairs.map(\.name)
        }
        let lines = "disc0,Train\ndisc1,TRAIN\ndisc2,training\ndisc3,Validation\ndisc4,unused\n"
        #expect(try names(lines, "train") == ["disc0", "disc1", "disc2"])
        #expect(try names(lines, "VAL") == ["disc3"])
        for wrong in ["trian", "train\u{0}", "inner"] {
            let failure = #expect(throws: TrainingFailure.self) { try names(lines + "disc5,\(wrong)\n", "train") }
            #expect(failure?.code == "DATA-SPLIT" && failure?.text.contains("line 7") == true, "\(wrong)")
        }
        // What the plan asks for elsewhere is known, and a list of folds has names of its own.
        let inner = "validation: {images: images, masks: masks, list: split.csv, split: inner}"
        #expect(try names(lines + "disc5,inner\n", "train", extra: inner) == ["disc0", "disc1", "disc2"])
        #expect(try names("disc0,fold1\ndisc1,Fold2\ndisc2,fold3\n", "fold2") == ["disc1"])
        // One image under two names.
        let twice = #expect(throws: TrainingFailure.self) { try names("disc0,train\ndisc0.png,train\n", "train") }
        #expect(twice?.text.contains("lines 2 and 3") == true)
    }

    @Test(
        "a line names an image where it alone can be meant: with folders, another ending, other case or spaces",
        arguments: [
            "images/disc0.png", "/data/set/disc0.png", #"C:\set\disc0.png"#, "DISC0.PNG", "\" disc0 \"", "disc0.jpg",
            "./disc0",
        ])
    func names(_ name: String) throws {
        _ = try list("name,split\n\(name),train\ndisc1,val\n")
        let plan = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: train}")
        #expect(try TrainingData(plan).training[0].pairs.map(\.name) == ["disc0"])
    }

    @Test(
        "a line that may mean two images, or one that another line names, is refused",
        arguments: [
            ("a/disc0.png,train\nb/disc0.png,val", "lines 2 and 3"), ("disc0,val\nDISC0,train", "does not hold"),
            ("disc0.nii.gz,train", "does not hold"), ("disc0,val\ndisc0.png,train", "lines 2 and 3"),
        ])
    func ambiguous(_ lines: String, _ words: String) throws {
        _ = try list("name,split\n\(lines)\n")
        let plan = try place.plan(data: "{images: images, masks: masks, list: split.csv, split: train}")
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(plan) }
        #expect(failure?.code == "DATA-SPLIT" && failure?.text.contains(words) == true, "\(failure?.text ?? "")")
    }

    @Test("folds of nnU-Net's splits_final.json")
    func folds() throws {
        _ = try list(
            #"[{"train": ["disc0", "disc1"], "val": ["disc2"]}, {"train": ["disc2"], "val": ["disc0"]}]"#,
            name: "splits_final.json")
        for (fold, names) in [(0, ["disc0", "disc1"]), (1, ["disc2"])] {
            let plan = try place.plan(
                data: "{images: images, masks: masks, list: splits_final.json, split: train, fold: \(fold)}")
            #expect(try TrainingData(plan).training[0].pairs.map(\.name) == names)
        }
    }

    @Test(
        "splits beside another validation, and a fold of what has none, are refused with file and line",
        arguments: [
            ("splits: {folds: 2}\nvalidation: {folder: other}", "", "splits"),
            ("splits: {folds: 2}\nvalidation: {images: images, masks: masks, every: 2}", "", "splits"),
            ("splits: {folds: 2}\nvalidation: {dicom: other}", "", "splits"),
            ("", ", fold: 1", "no list"), ("", ", list: split.csv, split: train, fold: 0", "table"),
            ("validation: {images: images, masks: masks, list: split.csv, split: val, fold: 2}", "", "table"),
        ])
    func choices(_ extra: String, _ more: String, _ words: String) throws {
        let error = #expect(throws: (any Error).self) {
            try place.plan(extra, data: "{images: images, masks: masks\(more)}")
        }
        let failure = error as? any Failure
        #expect(failure?.code == "SET-CHOICE" && failure?.text.contains("train.yaml:") == true)
        #expect(failure?.text.contains(words) == true, "\(failure?.text ?? "")")
    }

    @Test("the fold that splits keeps validates, also where the plan says nothing of a validation")
    func validates() throws {
        // Who is in which fold depends on the files' bytes, and they on the encoder: a seed that leaves no fold empty.
        let plans = try (1...20).map { try place.plan("splits: {folds: 2, seed: \($0)}", epochs: 1) }
        let plan = try #require(plans.first { (try? TrainingData($0)) != nil })
        let written = try place.plan(
            "splits: {folds: 2, seed: \(plan.splits?.seed ?? 0)}\nvalidation: {every: 1}", epochs: 1)
        #expect(plan.validation == written.validation && plan.validation != nil)
        #expect(try place.plan(epochs: 1).validation == nil)
        let all = try TrainingData(plan).validation.flatMap(\.pairs).count
        var (counts, similar) = ([Int](), plan)
        similar.allowsSimilar = true
        try Trainer(similar, folder: "\(place.folder)/model") {
            if case .validated(_, _, _, let images, _) = $0 { counts.append(images) }
        }
        .run(resume: false)
        #expect(counts == [all, all])
    }

    @Test("without a list the content decides: no case changes its split when files are renamed or cases are added")
    func content() throws {
        let place = try Workplace(images: 20)
        for i in 0..<20 {
            // Discs repeat after a while: a mark makes each image its own.
            var values = try ImageFile.read("\(place.folder)/images/disc\(i).png")[0].values
            values[i] = 90
            try place.write(values, "images/disc\(i).png")
        }
        func parts(_ some: Range<Int>, renamed: Bool, seed: Int) throws -> [Int: String] {
            let folder = "part\(some.count)\(renamed)"
            for i in some {
                for (from, to) in [
                    ("images/disc\(i).png", "images/\(renamed ? "z\(99 - i)" : "disc\(i)").png"),
                    ("masks/disc\(i)_mask.png", "masks/\(renamed ? "z\(99 - i)" : "disc\(i)").png"),
                ] {
                    let target = URL(filePath: "\(place.folder)/\(folder)/\(to)")
                    try FileManager.default.createDirectory(
                        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
                    if FileManager.default.fileExists(atPath: target.path) { continue }
                    try FileManager.default.copyItem(at: URL(filePath: "\(place.folder)/\(from)"), to: target)
                }
            }
            let data = try TrainingData(
                place.plan("splits: {folds: 4, fold: 1, test: 0.2, seed: \(seed)}", data: "{folder: \(folder)}"))
            var found: [Int: String] = [:]
            for role in data.roles {
                for pair in role.dataset.pairs {
                    let number = try #require(Int(pair.name.drop { !$0.isNumber }))
                    #expect(found.updateValue(role.split, forKey: renamed ? 99 - number : number) == nil)
                }
            }
            return found
        }
        // Who is where depends on the files' bytes, and they on the encoder: a seed that leaves no part empty.
        let seed = try #require((1...20).first { (try? parts(0..<12, renamed: false, seed: $0)) != nil })
        let all = try parts(0..<20, renamed: false, seed: seed)
        #expect(all.count == 20 && Set(all.values) == ["train", "validation", "test"])
        #expect(try parts(0..<20, renamed: true, seed: seed) == all)
        let some = try parts(0..<12, renamed: false, seed: seed)
        #expect(some == all.filter { $0.key < 12 })
    }

    @Test("mirrored and turned copies of a picture in another split are refused", arguments: 1..<8)
    func mirrored(way: Int) throws {
        _ = try list("name,split\ndisc0,train\ndisc1,train\ndisc2,train\ndisc3,val\ndisc4,val\ndisc5,val\n")
        let (rows, columns) = way & 4 > 0 ? (64, 48) : (48, 64)
        func copy(_ from: String, _ to: String, noise: Int) throws {
            let values = try ImageFile.read("\(place.folder)/\(from)")[0].values
            let moved = (0..<rows * columns).map { pixel -> UInt16 in
                var (y, x) = (pixel / columns, pixel % columns)
                if way & 4 > 0 { (y, x) = (x, y) }
                if way & 1 > 0 { y = 47 - y }
                if way & 2 > 0 { x = 63 - x }
                return values[y * 64 + x] + UInt16(pixel % 5 * noise)
            }
            try place.write(moved, rows: rows, columns: columns, to)
        }
        try copy("images/disc1.png", "images/disc4.png", noise: 1)
        try copy("masks/disc1_mask.png", "masks/disc4_mask.png", noise: 0)
        let sets = "{images: images, masks: masks, list: split.csv, split: "
        let problems = try place.problems(place.plan("validation: \(sets)val}", data: "\(sets)train}"))
        #expect(problems.map(\.code) == ["DATA-LEAK"], "\(problems)")
        #expect(problems.first?.text.contains("mirrored or turned") == true)
        #expect(problems.first?.text.contains("disc1") == true && problems.first?.text.contains("disc4") == true)
    }

    @Test("the same and nearly the same picture in two splits are refused, both named; others are not")
    func leaks() throws {
        _ = try list("name,split\ndisc0,train\ndisc1,train\ndisc2,train\ndisc3,val\ndisc4,val\ndisc5,val\n")
        let plan = try place.plan(
            "validation: {images: images, masks: masks, list: split.csv, split: val}",
            data: "{images: images, masks: masks, list: split.csv, split: train}")
        #expect(try place.problems(plan).isEmpty)
        let values = try ImageFile.read("\(place.folder)/images/disc1.png")[0].values
        try place.write(values.enumerated().map { $1 + UInt16($0 % 3) }, "images/disc4.png")
        try FileManager.default.removeItem(atPath: "\(place.folder)/images/disc5.png")
        try FileManager.default.copyItem(
            atPath: "\(place.folder)/images/disc2.png", toPath: "\(place.folder)/images/disc5.png")
        let problems = try place.problems(plan)
        #expect(problems.map(\.code) == ["DATA-LEAK", "DATA-LEAK"])
        #expect(
            problems.contains {
                $0.text.contains("disc1") && $0.text.contains("disc4") && $0.text.contains("nearly the same")
            })
        #expect(problems.contains { $0.text.contains("disc2") && $0.text.contains("disc5") })
        // Nearly equal ones may be allowed, equal ones never.
        let allowed = try place.plan(
            "similar_images: allow\nvalidation: {images: images, masks: masks, list: split.csv, split: val}",
            data: "{images: images, masks: masks, list: split.csv, split: train}")
        let data = try TrainingData(allowed)
        let rest = try DataCheck.run(
            data.roles, segments: 1, input: allowed.input, allowsSimilar: allowed.allowsSimilar
        ).problems
        #expect(rest.count == 1 && rest[0].text.contains("disc5"))
    }
}
