import Failures
import Foundation
import Pipelines
import Records
import Storage
import Testing

@Suite("Run")
struct RunTests {
    @Test("every file stands in the record once, with a true reason")
    func everyFile() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let text = try fixture.file("in/text.dcm", "just text\n")
        _ = try fixture.file("in/empty.tif", "")
        _ = try fixture.file("in/broken.tif", Data([0x49, 0x49, 42, 0, 255, 255, 0, 0]))
        _ = try fixture.file("in/deep/photo.png", Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0]))
        _ = try fixture.file("in/hspsam-study.yaml", "patient: {id: X}\n")
        try FileManager.default.createSymbolicLink(atPath: fixture.path + "/in/link.dcm", withDestinationPath: text)
        let record = try fixture.run([fixture.path + "/in", text])
        let found = Dictionary(
            uniqueKeysWithValues: record.inputs.map { (URL(fileURLWithPath: $0.path).lastPathComponent, $0) })
        #expect(record.inputs.count == 6)
        #expect(
            found.mapValues(\.code) == [
                "text.dcm": "IN-NOTIMAGE", "empty.tif": "IN-EMPTY", "broken.tif": "PIX-TRUNCATED",
                "photo.png": "PIX-TRUNCATED",
                "hspsam-study.yaml": "IN-SIDECAR", "link.dcm": "IN-LINK",
            ])
        #expect(found["broken.tif"]?.status == .refused && found["text.dcm"]?.status == .skipped)
        #expect(record.exitStatus == .refusedOrFailed)
    }

    @Test("the samples become segmentations and reports, byte for byte the same when run again")
    func samples() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {synthetic_geometry: true}")
        func files() throws -> [String: Data] {
            let record = try fixture.run(["samples/dermoscopy", "samples/fluorescence"])
            #expect(record.inputs.count { $0.status == .processed } == 5)
            #expect(record.results.count == 5 && record.studies.count == 4)
            var files: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out")
            where name.hasSuffix(".dcm") {
                files[name] = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "/out/" + name))
            }
            return files
        }
        let first = try files()
        // The tiny model may find nothing somewhere, but the two TIFF pictures always become DICOM.
        #expect(first.keys.count { $0.hasSuffix(".image.dcm") } == 2)
        #expect(try files() == first)
    }

    @Test("a study that is written becomes visible whole; leftovers of an interrupted run go")
    func leftovers() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        _ = try fixture.file("out/.partial-123/half", "half")
        _ = try fixture.run(["samples/dermoscopy"])
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out")
        #expect(!names.contains { $0.hasPrefix(".") })
        #expect(Set(names).isSuperset(of: ["run.json", "index.html", "measurements.csv"]) && names.count == 6)
        // The same on a terminal's second try, with a lock that a dead run left behind.
        _ = try fixture.file("out/.hspsam-lock", "process 1 on nowhere since yesterday")
        _ = try fixture.run(["samples/dermoscopy"])
        #expect(!(try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out")).contains(".hspsam-lock"))
    }

    @Test("an interruption leaves no half study behind")
    func interruption() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        #expect(throws: Interruption.self) {
            try Run.run(fixture.options(["samples/dermoscopy"])) { if case .frame = $0 { throw Interruption() } }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out").isEmpty)
    }

    @Test("nothing of a volume that fails after its segmentation was written stands in its study's folder")
    func failedVolume() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {sr: {enabled: true}, seg: {when_nothing: object}}")
        func written(_ record: RunRecord) throws -> [String] {
            let folder = "\(fixture.path)/out/\(try #require(record.studies.first?.folder))"
            return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".dcm") }
        }
        let whole = try fixture.run(["samples/body"])
        #expect(whole.results.count == 1)
        #expect(try written(whole).count >= 2)
        try FileManager.default.removeItem(atPath: fixture.path + "/out")
        // A folder where the report's temporary file should stand.
        let record = try Run.run(fixture.options(["samples/body"])) { event in
            guard case .frame(let frame) = event else { return }
            _ = try fixture.file("out/.partial-\(frame.study)/.\(frame.series)-a.sr.dcm.tmp/x", "in the way")
        }
        #expect(record.results.isEmpty && record.exitStatus == .refusedOrFailed)
        #expect(record.inputs.contains { $0.status == .failed })
        #expect(try written(record).isEmpty)
        let folder = "\(fixture.path)/out/\(try #require(record.studies.first?.folder))"
        #expect(!(try FileManager.default.contentsOfDirectory(atPath: folder)).contains { $0.hasSuffix(".tmp") })
    }

    @Test("folders of earlier runs are told where files gave no result and nobody knows of which study they are")
    func outdated() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let slice = try Data(contentsOf: URL(fileURLWithPath: "samples/body/slice-001.dcm"))
        let file = try fixture.file("in/1.dcm", slice)
        let first = try fixture.run([fixture.path + "/in"])
        let folder = try #require(first.studies.first?.folder)
        func outdated(_ record: RunRecord) -> [String] { record.outdatedStudies(in: fixture.path + "/out") }
        #expect(outdated(first).isEmpty)
        // What is skipped is no loss.
        _ = try fixture.file("in/1.dcm", "a letter")
        #expect(try outdated(fixture.run([fixture.path + "/in"])).isEmpty)
        // Cut in the middle of its header.
        _ = try fixture.file("in/1.dcm", slice.prefix(300))
        let second = try fixture.run([file])
        #expect(second.inputs.map(\.status) == [.refused] && second.inputs[0].study == nil, "\(second.inputs)")
        #expect(outdated(second) == [folder])
        #expect(FileStatus.exists("\(fixture.path)/out/\(folder)/report.json"))
    }

    @Test(
        "a run with a damaged model among its pipelines leaves nothing, whether or not a network is needed",
        arguments: ["samples/dermoscopy", "samples/fluorescence"], ["a", "b"])
    func damagedModel(_ inputs: String, _ damaged: String) throws {
        let fixture = try Fixture()
        // Of fluorescence nothing is selected, so that no network runs.
        for name in ["a", "b"] { _ = try fixture.pipeline(name) }
        let weights = "\(fixture.path)/pipelines/\(damaged)/model/weights.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: weights))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: weights))
        let failure = #expect(throws: (any Error).self) { try fixture.run([inputs], pipeline: nil) }
        #expect((failure as? any Failure)?.code == "MODEL-DIGEST")
        let left = (try? FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out")) ?? []
        #expect(left.isEmpty, "\(left)")
    }

    @Test("a run with a model that holds what is no number is ended, and refuses no image for it")
    func modelWithoutNumbers() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let model = "\(fixture.path)/pipelines/a/model/"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: model + "weights.safetensors"))
        // In float32, float16 and bfloat16.
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
        try bytes.write(to: URL(fileURLWithPath: model + "weights.safetensors"))
        let sums = try ["config.json", "weights.safetensors"].map {
            "\(try FileDigest(ofFile: model + $0).hex)  \($0)\n"
        }
        try Data(sums.joined().utf8).write(to: URL(fileURLWithPath: model + "SHA256SUMS"))
        let failure = #expect(throws: (any Error).self) { try fixture.run(["samples/dermoscopy"], pipeline: nil) }
        #expect((failure as? any Failure)?.code == "MODEL-NAN")
    }

    @Test("an input that is the output folder is refused before anything is done, whatever it is called")
    func inputIsOutput() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let folder = fixture.path + "/p/a"
        try Folder.make(folder)
        try FileManager.default.copyItem(atPath: "samples/body/slice-001.dcm", toPath: folder + "/1.dcm")
        let head = Data(count: 128) + Data("DICM\u{2}\u{0}\u{2}\u{0}UI\u{14}\u{0}1.2.840.10008.1.3.10".utf8)
        _ = try fixture.file("p/a/DICOMDIR", head)
        try FileManager.default.createSymbolicLink(atPath: fixture.path + "/p/l", withDestinationPath: "a")
        for (input, out) in [
            ("p/a", "p/a"), ("p/a/", "p/../p/a"), ("p/a", "p/l"), ("p/l", "p/a"), ("p/a/DICOMDIR", "p/a"),
        ] {
            var options = fixture.options(["samples/dermoscopy", "\(fixture.path)/\(input)"])
            options.out = "\(fixture.path)/\(out)"
            let failure = #expect(throws: InputFailure.self) { try Run.run(options) { _ in } }
            #expect(failure?.code == "USE-OUT" && failure?.kind == .usage, "\(input) \(out)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["1.dcm", "DICOMDIR"])
        }
        // A file of the folder is an input like any other, and results may stand beside it.
        var options = fixture.options([folder + "/1.dcm"])
        options.out = folder
        #expect(try Run.run(options) { _ in }.inputs.map(\.status) == [.processed])
    }

    @Test("in an output folder below an input everything is looked at but what runs have written there")
    func outputBelowInput() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let names = ["in/1.dcm", "in/result/2.dcm", "in/result/more/3.dcm", "in/other/run.json"]
        let paths = names.map { "\(fixture.path)/\($0)" }
        for name in ["result/more", "other"] { try Folder.make(fixture.path + "/in/" + name) }
        let pictures = try FileManager.default.contentsOfDirectory(atPath: "samples/dermoscopy")
            .filter { $0.hasSuffix(".dcm") }.sorted()
        for (path, picture) in zip(paths, pictures) {
            try FileManager.default.copyItem(atPath: "samples/dermoscopy/" + picture, toPath: path)
        }
        _ = try fixture.file("in/other/run.json", "{}")
        var options = fixture.options([fixture.path + "/in"])
        options.out = fixture.path + "/in/result"
        // The second time beside the results of the first.
        for _ in 1...2 {
            let record = try Run.run(options) { _ in }
            #expect(record.inputs.map(\.path).sorted() == paths.sorted())
            #expect(record.inputs.count { $0.status == .processed } == 3 && record.studies.count == 3)
        }
        // Without a record, as an interrupted run leaves it, the studies are known by their reports.
        try Folder.remove(options.out + "/run.json")
        let record = try Run.run(options) { _ in }
        let pages = record.inputs.map(\.path).filter { !paths.contains($0) }
        #expect(pages.sorted() == ["index.html", "measurements.csv"].map { "\(options.out)/\($0)" })
    }

    @Test(
        "an input in a study's folder of the output is refused: the run would replace it; another folder's name is its own affair"
    )
    func inputInStudy() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let study = try #require(try fixture.run(["samples/body"]).studies.first?.study)
        let folder = "\(fixture.path)/out/\(study)"
        try FileManager.default.copyItem(atPath: "samples/body/slice-001.dcm", toPath: folder + "/1.dcm")
        for input in [folder, folder + "/1.dcm"] {
            let failure = #expect(throws: InputFailure.self) { try fixture.run([input]) }
            #expect(failure?.code == "USE-OUT")
        }
        #expect(FileStatus.exists(folder + "/1.dcm"))
        let dated = fixture.path + "/out/202611240158"
        try Folder.make(dated)
        try FileManager.default.copyItem(atPath: "samples/body/slice-001.dcm", toPath: dated + "/1.dcm")
        #expect(try fixture.run([dated]).inputs.map(\.status) == [.processed])
    }

    @Test("an output folder that a link leads to is written whole; a link to nothing is refused")
    func linkedOutput() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        try Folder.make(fixture.path + "/real")
        try FileManager.default.createSymbolicLink(atPath: fixture.path + "/link", withDestinationPath: "real")
        try FileManager.default.createSymbolicLink(atPath: fixture.path + "/lost", withDestinationPath: "nowhere")
        var options = fixture.options(["samples/dermoscopy"])
        for (out, real) in [("link", "real"), ("link/new", "real/new")] {
            options.out = "\(fixture.path)/\(out)"
            let record = try Run.run(options) { _ in }
            #expect(record.exitStatus == .done)
            let written = try DurableFile.read("\(fixture.path)/\(real)/run.json", limit: 1 << 20)
            #expect(try RunRecord(json: written) == record)
        }
        options.out = fixture.path + "/lost"
        let failure = #expect(throws: InputFailure.self) { try Run.run(options) { _ in } }
        #expect(failure?.code == "USE-OUT")
    }

    @Test("a series that no pipeline wants is skipped with that reason")
    func unwanted() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let record = try fixture.run(["samples/fluorescence"], pipeline: nil)
        let tiffs = record.inputs.filter { $0.path.hasSuffix(".tif") }
        #expect(tiffs.allSatisfy { $0.status == .skipped && $0.code == "SEL-RULE" } && tiffs.count == 2)
        #expect(record.exitStatus == .nothingProcessed)
    }

    @Test("two runs into one folder: the second says who works there and touches nothing")
    func busy() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        var second: (any Error)?
        _ = try Run.run(fixture.options(["samples/dermoscopy"])) { event in
            guard second == nil, case .frame = event else { return }
            let partial = try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out")
            do { _ = try fixture.run(["samples/fluorescence"]) } catch { second = error }
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out") == partial)
        }
        let failure = try #require(second as? any Failure)
        #expect(failure.code == "USE-BUSY" && failure.kind == .usage)
        #expect(failure.text.contains("process \(ProcessInfo.processInfo.processIdentifier) on "))
    }

    @Test("run.json and report.json are read by their own types and agree")
    func records() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let returned = try fixture.run(["samples/dermoscopy"])
        let record = try RunRecord(json: try DurableFile.read(fixture.path + "/out/run.json", limit: 1 << 20))
        #expect(record == returned && record.exitStatus == .done)
        for study in record.studies {
            #expect(study.complete && study.key == study.intendedKey && study.folder == study.study)
            let report = try StudyRecord(
                json: try DurableFile.read("\(fixture.path)/out/\(study.study)/report.json", limit: 1 << 20))
            #expect(report.key == study.key && report.complete && report.pipelines == study.pipelines)
            #expect(report.instances.count == study.instances && report.supersededBy == nil)
            let digests = record.inputs.filter { $0.study == study.study }.compactMap(\.contentSHA256)
            #expect(report.instances == digests.sorted())
            // Each of them under its own UID.
            let contents = report.imageContents
            #expect(contents.map(\.line) == report.contents)
            #expect(Set(contents.map(\.digest)) == Set(digests.map { String($0.prefix(16)) }))
            #expect(Set(contents.map(\.uid)).count == study.instances)
            // What reaches a result is told of each, in both records alike.
            let images = record.inputs.filter { $0.study == study.study }.compactMap(\.image)
            #expect(images.count == digests.count && Set(contents.map(\.imageLine)) == Set(images))
        }
    }

    @Test("a study whose key is known is not segmented again; a refused file of it stays refused")
    func known() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        _ = try fixture.pipeline("b")
        var first = fixture.options(["samples/body"], pipeline: "a")
        let done = try Run.run(first) { _ in }
        let key = try #require(done.studies.first?.key)
        let list = try fixture.file("known", "\n\(key)\n")
        // One more file of the same study, cut off.
        let slice = try Data(contentsOf: URL(fileURLWithPath: "samples/body/slice-001.dcm"))
        let cut = try fixture.file("in/cut.dcm", slice.prefix(slice.count / 2))
        first.inputs.append(cut)
        try first.addKnown(file: list)
        var frames = 0
        let again = try Run.run(first) { if case .frame = $0 { frames += 1 } }
        #expect(frames == 0 && again.results.isEmpty)
        let row = try #require(again.studies.first)
        #expect(row.folder == nil && row.intendedKey == key && row.key == key)
        #expect(
            again.inputs.count { $0.code == "DUP-STUDY" && $0.status == .skipped }
                == done.inputs.count { $0.status == .processed })
        #expect(again.inputs.first { $0.path == cut }?.status == .refused)
        #expect(again.exitStatus == .refusedOrFailed)
        // Under another pipeline it is another key.
        first.pipeline = "b"
        first.inputs = ["samples/body"]
        #expect(try Run.run(first) { _ in }.studies.first?.folder != nil)
        #expect(throws: InputFailure.self) { try first.addKnown(file: try fixture.file("wrong", "\(key)\nkey\n")) }
    }

    @Test("the parts of a run hold every input once and whole studies; a study's part depends on nothing else")
    func shards() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {synthetic_geometry: true}")
        var options = fixture.options(["samples", try fixture.file("in/text.txt", "no image")], pipeline: "a")
        let whole = try Run.run(options) { _ in }
        #expect(whole.studies.count > 3)
        var (paths, places): ([String], [String: Int]) = ([], [:])
        for number in 1...3 {
            options.shard = try #require(Shard("\(number)/3"))
            options.out = "\(fixture.path)/part\(number)"
            let part = try Run.run(options) { _ in }
            #expect(part.shard == "\(number)/3")
            paths += part.inputs.map(\.path)
            for study in part.studies {
                #expect(places.updateValue(number, forKey: study.study) == nil)
                let other = try #require(whole.studies.first { $0.study == study.study })
                #expect(study.key == other.key)
            }
        }
        #expect(paths.sorted() == whole.inputs.map(\.path).sorted())
        #expect(places.count == whole.studies.count && Set(places.values).count > 1)
        // Alone it is in the same part.
        (options.inputs, options.shard, options.out) = (["samples/body"], nil, fixture.path + "/alone")
        let body = try #require(try Run.run(options) { _ in }.studies.first?.study)
        for number in 1...3 {
            options.shard = try #require(Shard("\(number)/3"))
            options.out = "\(fixture.path)/part\(number)"
            #expect(try Run.run(options) { _ in }.inputs.isEmpty == (places[body] != number))
        }
        // Another part's folder: its record would be lost.
        let before = try DurableFile.read(options.out + "/run.json", limit: 1 << 20)
        options.shard = try #require(Shard("1/3"))
        let failure = #expect(throws: InputFailure.self) { try Run.run(options) { _ in } }
        #expect(failure?.code == "USE-OUT" && failure?.text.contains("part 3/3") == true)
        #expect(try DurableFile.read(options.out + "/run.json", limit: 1 << 20) == before)
        for text in ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1/1000001"] {
            #expect(Shard(text) == nil, "\(text)")
        }
    }

    @Test("names, times of change, order and copies of the inputs change no byte of a result")
    func independence() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {synthetic_geometry: true}")
        func objects(_ inputs: [String]) throws -> ([String: Data], [String?]) {
            try? FileManager.default.removeItem(atPath: fixture.path + "/out")
            let record = try fixture.run(inputs)
            var files: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.path + "/out")
            where name.hasSuffix(".dcm") {
                files[name] = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "/out/" + name))
            }
            return (files, record.studies.map(\.key))
        }
        // TIFF pages of one study, undated, and a DICOM series.
        let tiffs = ["samples/fluorescence/094afe36759e.tif", "samples/fluorescence/f26f4c2c70c3.tif"]
        try FileManager.default.createDirectory(atPath: fixture.path + "/one", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: fixture.path + "/two", withIntermediateDirectories: true)
        let sidecar = "patient: {id: X}\nseries: {modality: XC}\n"
        _ = try fixture.file("one/hspsam-study.yaml", sidecar)
        _ = try fixture.file("two/hspsam-study.yaml", sidecar)
        let slices = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
        for (number, path) in (tiffs + slices.map { "samples/body/" + $0 }).sorted().enumerated() {
            let ending = (path as NSString).pathExtension
            try FileManager.default.copyItem(atPath: path, toPath: "\(fixture.path)/one/\(100 + number).\(ending)")
            let other = "\(fixture.path)/two/\(900 - number).\(ending)"
            try FileManager.default.copyItem(atPath: path, toPath: other)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(number) * 1e7)], ofItemAtPath: other)
        }
        let first = try objects([fixture.path + "/one"])
        let second = try objects([fixture.path + "/two"])
        #expect(first.0 == second.0 && first.1 == second.1 && first.0.count > tiffs.count)
        let files = try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/one").map {
            fixture.path + "/one/" + $0
        }
        let third = try objects(files.sorted(by: >))
        #expect(first.0 == third.0 && first.1 == third.1)
    }

    @Test("a file that changes while its study is worked on makes nothing of the study visible")
    func changed() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        for name in try FileManager.default.contentsOfDirectory(atPath: "samples/body") where name.hasSuffix(".dcm") {
            try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "samples/body/" + name, toPath: fixture.path + "/in/" + name)
        }
        let first = fixture.path + "/in/slice-001.dcm"
        var isDone = false
        let record = try Run.run(fixture.options([fixture.path + "/in"])) { event in
            guard case .frame = event, !isDone else { return }
            isDone = true
            var data = try Data(contentsOf: URL(fileURLWithPath: first))
            data[data.count - 1] ^= 1
            try data.write(to: URL(fileURLWithPath: first))
        }
        #expect(record.results.isEmpty && record.studies.isEmpty && record.exitStatus == .refusedOrFailed)
        #expect(record.inputs.allSatisfy { $0.status == .failed })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/out").sorted() == [
                "index.html", "measurements.csv", "run.json",
            ])
    }

    @Test("a study that names two patients is refused before its first frame is segmented")
    func identity() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a")
        let names = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
        for name in names {
            var data = try Data(contentsOf: URL(fileURLWithPath: "samples/body/" + name))
            // Patient ID (0010,0020), LO, explicit little endian.
            let tag = try #require(data.range(of: Data([0x10, 0, 0x20, 0, 0x4C, 0x4F])))
            if name == "slice-003.dcm" { data[tag.upperBound + 2] ^= 1 }
            _ = try fixture.file("in/" + name, data)
        }
        var frames = 0
        let record = try Run.run(fixture.options([fixture.path + "/in"])) { if case .frame = $0 { frames += 1 } }
        #expect(frames == 0 && record.results.isEmpty)
        #expect(record.inputs.count == names.count && record.inputs.allSatisfy { $0.code == "GRP-IDENTITY" })
        #expect(record.studies.allSatisfy { !$0.complete && $0.key == nil })
    }

    @Test("an older result does not stand for images that are refused this time, however soon")
    func refusedLater() throws {
        let fixture = try Fixture()
        _ = try fixture.pipeline("a", more: "outputs: {seg: {when_nothing: object}}")
        let names = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
        func run(without bytes: Int) throws -> (record: RunRecord, files: [String]) {
            for name in names {
                let data = try Data(contentsOf: URL(fileURLWithPath: "samples/body/" + name))
                _ = try fixture.file("in/" + name, data.dropLast(bytes))
            }
            let record = try fixture.run([fixture.path + "/in"])
            let folders = record.inputs.compactMap(\.study)
            let folder = "\(fixture.path)/out/\(try #require(folders.first))"
            guard FileManager.default.fileExists(atPath: folder) else { return (record, []) }
            return (record, try FileManager.default.contentsOfDirectory(atPath: folder))
        }
        let whole = try run(without: 0)
        #expect(whole.files.contains { $0.hasSuffix(".seg.dcm") })
        // All files are cut off, which is found before their study's turn comes.
        let cut = try run(without: 100)
        #expect(cut.record.inputs.allSatisfy { $0.code == "PIX-TRUNCATED" } && cut.record.results.isEmpty)
        #expect(cut.record.exitStatus == .refusedOrFailed)
        #expect(cut.files.sorted() == ["report.html", "report.json"])
        let report = try #require(try fixture.reports(cut.record).first)
        #expect(report.results.isEmpty && report.unused.map(\.code) == ["PIX-TRUNCATED"] && !report.complete)
        // Without an older result nothing is written for them.
        try FileManager.default.removeItem(atPath: fixture.path + "/out")
        #expect(try run(without: 100).files.isEmpty)
    }

    @Test("the recorded key of a study stays")
    func recordedKey() {
        let key = StudyKey(
            instances: [.init(sopInstanceUID: "1.2.3", digest: "aa"), .init(sopInstanceUID: "1.2.4", digest: "bb")],
            results: [(volume: "v", pipeline: "p")], pipelines: "q")
        #expect(
            key.hex == "5089c0bc2f79d58f6448870c6ff4d6d635ea60f4e55083c53831b86394d1921c"
                && key.instances == ["aa", "bb"])
    }
}
