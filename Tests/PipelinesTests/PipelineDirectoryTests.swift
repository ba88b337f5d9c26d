import DICOMObjects
import Failures
import Foundation
import Imaging
import Pipelines
import SegmentAnything
import Settings
import Storage
import Testing

@Suite("PipelineDirectory")
struct PipelineDirectoryTests {
    @Test("what pipeline.yaml leaves out has its default")
    func defaults() throws {
        let pipeline = try Section.read(Array(Fixture.settings("a").utf8), file: "a.yaml") { try Pipeline($0) }
        #expect(pipeline.aspect == .isotropic)
        #expect(pipeline.windowing == Windowing(mode: .percentile(low: 0.5, high: 99.5)))
        #expect(pipeline.outputs.seriesNumbers[.binary] == 9000 && !pipeline.outputs.syntheticGeometry)
        #expect(pipeline.segments.first?.category.meaning == "Morphologically Abnormal Structure")
    }

    @Test(
        "a mistake is refused with its line and what to write",
        arguments: [
            ("windwing: {mode: fixed}", "SET-UNKNOWN", "windowing"), ("sm: {mpp: 1}", "SET-UNKNOWN", "sm"),
            ("windowing: {mode: fixed}", "SET-MISSING", "window"),
            ("windowing: {mode: fixed, window: [40, 0]}", "PIPE-WINDOW", "width"),
            ("windowing: {mode: percentile, percentiles: [99, 1]}", "PIPE-WINDOW", "the lower one first"),
            ("windowing: {mode: percentile, percentiles: [1, 101]}", "PIPE-WINDOW", "between 0 and 100"),
            ("windowing: {mode: percentile, percentiles: [1]}", "SET-TYPE", "2 items"),
            ("windowing: {mode: minmax, percentiles: [1, 99]}", "SET-UNKNOWN", "percentiles"),
            ("windowing: {mode: dicom, window_name: LUNG, window_index: 0}", "PIPE-WINDOW", "one of them"),
            ("windowing: {mode: dicom, use_voi_lut: true, window_index: 1}", "PIPE-WINDOW", "one of them"),
            ("windowing: {mode: dicom, window_name: \" \"}", "PIPE-WINDOW", "window_index"),
            ("postprocess: [{largest_component: [2]}]", "PIPE-POST", "1 to 1"),
            ("outputs: {seg: {label: lower}}", "PIPE-LABEL", "A-Z"),
            ("outputs: {seg: {label: \" \"}}", "PIPE-LABEL", "blank"),
            ("outputs: {equipment: {manufacturer: \"\"}}", "PIPE-TEXT", "1 to 64"),
            ("outputs: {equipment: {manufacturer: \"  \"}}", "PIPE-TEXT", "blank"),
            ("outputs: {equipment: {manufacturer: 'A\\B'}}", "PIPE-TEXT", "backslash"),
            ("outputs: {equipment: {manufacturer: \"A\\nB\"}}", "PIPE-TEXT", "control"),
            ("outputs: {equipment: {manufacturer: \(String(repeating: "x", count: 65))}}", "PIPE-TEXT", "64"),
            ("outputs: {seg: {binary_twin: false}}", "SET-CHOICE", "type: labelmap"),
            ("outputs: {separate: distance}", "SET-CHOICE", "objects: true"),
            ("preprocess: {aspect: square}", "SET-TYPE", "isotropic"),
            ("windowing: {mode: fixed, window: [40, 400], scope: frame}", "PIPE-IDLE", "scope out"),
            ("preprocess: {scale: {tiles: {size_um: 100, resample: true}}}", "PIPE-IDLE", "resample"),
            ("postprocess: [{min_size_pixels: 0}]", "PIPE-IDLE", "2 or more"),
            ("postprocess: [{min_size_pixels: 1}]", "PIPE-IDLE", "2 or more"),
            ("postprocess: [{min_size_mm3: 0}]", "PIPE-IDLE", "size"),
            (
                "postprocess: [{fill_holes: [1]}, {min_size_pixels: 9}, {fill_holes: [1]}]", "PIPE-POST",
                "one of the two"
            ),
            ("postprocess: [{fill_holes: [1, 1]}]", "PIPE-POST", "twice"),
            ("outputs: {sc: {max: 8}}", "PIPE-IDLE", "mode: auto"),
            ("outputs: {sc: {mode: off, max: 64}}", "PIPE-IDLE", "mode: auto"),
            ("outputs: {objects: true, separate_depth: 0.5}", "PIPE-IDLE", "separate: distance"),
            ("outputs: {objects: true, separate: none, separate_depth: 0.5}", "PIPE-IDLE", "separate: distance"),
            ("outputs: {series_number: {sr: 17}}", "PIPE-IDLE", "ask for the object"),
            ("outputs: {seg: {empty_segments: keep}}", "PIPE-IDLE", "when_nothing"),
            (
                "outputs: {seg: {type: labelmap, binary_twin: false, viewer_compat: strict, empty_frames: omit}}",
                "PIPE-IDLE", "viewer_compat"
            ),
            ("outputs: {rtstruct: true, annotations: point}", "PIPE-OUTPUTS", "one of the two"),
            ("inference: {tta: turn}", "SET-TYPE", "flip"),
            ("preprocess: {scale: half}", "SET-TYPE", "whole"),
            ("preprocess: {scale: {tiles: {overlap: 8}}}", "SET-MISSING", "size"),
            ("preprocess: {scale: {tiles: {size: 64, overlap: 40}}}", "PIPE-TILES", "half"),
            ("preprocess: {scale: {tiles: {size_um: 100, overlap: 40}}}", "SET-UNKNOWN", "overlap_um"),
        ])
    func mistakes(more: String, code: String, word: String) throws {
        let bytes = Array(Fixture.settings("a", more: more).utf8)
        #expect {
            try Section.read(bytes, file: "pipelines/a/pipeline.yaml") { try Pipeline($0) }
        } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code == code && failure.text.contains("pipelines/a/pipeline.yaml:9")
                && failure.text.contains(word)
                && failure.kind == .configuration
        }
    }

    @Test(
        "a text that an attribute would cut, change or lose is refused where it stands",
        arguments: [
            ("version: \"1.0\"", "version: '1\\0'", "PIPE-VERSION", 1),
            ("modality: [XC]", "series_description: \"\"", "PIPE-RULE", 3),
            ("modality: [XC]", "series_description: \".*\"", "PIPE-RULE", 3),
            ("modality: [XC]", "exclude_description: \"lung|\"", "PIPE-RULE", 3),
            ("modality: [XC]", "min_frames: 5\n    modality: []", "PIPE-RULE", 4),
            ("modality: [XC]", "modality: [XC]\n    image_type: {none: []}", "PIPE-RULE", 4),
            ("modality: [XC]", "modality: [XC]\n    image_type: {}", "PIPE-RULE", 4),
            ("modality: [XC]", "modality: [XC]\n    image_type: {all: [MIP], none: [MIP]}", "PIPE-RULE", 4),
            ("modality: [XC]", "series_description: a\n    exclude_description: a", "PIPE-RULE", 4),
            ("modality: [XC]", "modality: [XC]\n    origin: [dicom, tiff]", "PIPE-RULE", 4),
            ("modality: [XC]", "modality: [XC]\n    min_frames: 1", "PIPE-RULE", 4),
            ("modality: [XC]", "min_frames: 5", "PIPE-RULE", 3), ("modality: [XC]", "origin: [dicom]", "PIPE-RULE", 3),
            ("modality: [XC]", "exclude_description: lung", "PIPE-RULE", 3),
            ("modality: [XC]", "image_type: {none: [MIP]}", "PIPE-RULE", 3),
            ("modality: [XC]", "body_part: [\"\"]", "PIPE-RULE", 3),
            ("modality: [XC]", "max_slice_mm: 6", "PIPE-RULE", 3),
            ("modality: [XC]", "modality: [XC]\n  - modality: [XC]\n    pick: largest", "PIPE-RULE", 4),
            ("key: lesion", "key: \(String(repeating: "k", count: 65))", "PIPE-SEGMENT", 5),
            ("version: \"1.0\"", "version: \" \"", "PIPE-VERSION", 1),
            ("label: Lesion", "label: \" \"", "PIPE-SEGMENT", 6),
            ("label: Lesion", "label: \"a\\u0085b\"", "PIPE-SEGMENT", 6),
            ("label: Lesion", "label: L\n    description: \"a\\u0085b\"", "PIPE-SEGMENT", 7),
            ("Morphologically Abnormal Structure", "\" \"", "PIPE-CODE", 7),
            ("SCT, Lesion", "99 \\X, Lesion", "PIPE-CODE", 8),
        ])
    func texts(old: String, new: String, code: String, line: Int) throws {
        let text = Fixture.settings("a").replacing(old, with: new)
        #expect {
            try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
        } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code == code && failure.text.contains("a.yaml:\(line)")
        }
    }

    @Test("texts that fill their attributes, in any letters, and a LABELMAP alone are taken")
    func fullTexts() throws {
        let manufacturer = "Müller & Söhne " + String(repeating: "x", count: 49)
        let text = Fixture.settings(
            "a",
            more:
                "outputs: {equipment: {manufacturer: \(manufacturer)}, seg: {type: labelmap, binary_twin: false, label: A B}}"
        )
        .replacing("\"1.0\"", with: "2026.11.24-rc.10")
        .replacing("label: Lesion", with: "label: \(String(repeating: "ä", count: 64))\n    description: \"\"")
        let pipeline = try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
        #expect(pipeline.outputs.manufacturer == manufacturer && manufacturer.count == 64)
        #expect(pipeline.outputs.segmentations.binaryTwin == false && pipeline.segments[0].label.count == 64)
        #expect(pipeline.version == "2026.11.24-rc.10")
    }

    @Test(
        "settings that belong together are taken, and rules that say what they take",
        arguments: [
            ("windowing: {mode: percentile, scope: frame}", "modality: [XC]"),
            ("windowing: {mode: dicom, scope: frame}", "origin: [tiff]"),
            ("", "modality: [CT]\n    frames: first\n  - modality: [CT]"),
            ("postprocess: [{min_size_pixels: 2}, {fill_holes: [1]}, {min_size_pixels: 9}]", "body_part: [SKIN, \"\"]"),
            (
                "outputs: {sc: {mode: always, max: 8}, objects: true, separate: distance, separate_depth: 0.5}",
                "image_type: {all: [ORIGINAL]}"
            ),
            (
                "outputs: {sr: {enabled: true}, series_number: {sr: 17, sc: 9600}}",
                "modality: [XC]\n    min_frames: 5\n  - modality: [XC]"
            ),
        ])
    func together(more: String, rule: String) throws {
        let text = Fixture.settings("a", more: more).replacing("modality: [XC]", with: rule)
        _ = try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
    }

    @Test("a label that has no room for the numbers of its objects is refused where each object is a segment")
    func objectLabels() throws {
        func read(_ count: Int, _ instances: Bool) throws -> Pipeline {
            let text = Fixture.settings("a", more: "outputs: {instances: \(instances)}")
                .replacing("label: Lesion", with: "label: \(String(repeating: "x", count: count))")
            return try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
        }
        #expect(try read(58, true).outputs.instances)
        #expect(try read(64, false).segments[0].label.count == 64)
        #expect { try read(59, true) } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code == "PIPE-SEGMENT" && failure.text.contains("a.yaml:9")
        }
    }

    @Test("the digest changes with what changes a result; what chooses the input has a digest of its own")
    func digest() throws {
        let fixture = try Fixture()
        let first = try PipelineDirectory.open(try fixture.pipeline("a"))
        #expect(try PipelineDirectory.open(first.path).digest == first.digest)
        let text = Fixture.settings("a")
        _ = try fixture.file("pipelines/a/pipeline.yaml", text.replacingOccurrences(of: "[XC]", with: "[CT]"))
        let other = try PipelineDirectory.open(first.path)
        #expect(other.digest == first.digest && other.selectionDigest != first.selectionDigest)
        _ = try fixture.file("pipelines/a/pipeline.yaml", text + "\npreprocess: {aspect: grid}\n")
        #expect(try PipelineDirectory.open(first.path).digest != first.digest)
    }

    /// Digests as they were when results were made under them: a refactoring that changes one gives every object another UID.
    static let recorded: [(settings: String, digest: String, selection: String)] = [
        (
            "", "044e917fe3399265f4aeb30963a8679c3f246d2568a67d0f6c8f8fa2648691cf",
            "a09391d1be3068e857680500f05abca24278a2e32e4725454446965b6871616a"
        ),
        (
            """
            preprocess: {aspect: grid}
            windowing: {mode: fixed, window: [40, 400]}
            postprocess: [{largest_component: [1]}, {fill_holes: [1]}, {min_size_mm3: 0.5}, {min_size_pixels: 3}]
            outputs: {equipment: {manufacturer: Example}, seg: {label: LABEL}, synthetic_geometry: true, series_number: {seg: 1}, uids: {salt: s}}
            """, "248b6ac965cdd64c0ac667cfb81e6ff9c761c660cda799fda2b9bfa291a1b020",
            "a09391d1be3068e857680500f05abca24278a2e32e4725454446965b6871616a"
        ),
        (
            "windowing: {mode: minmax}", "104e8bbd66f7e69825cf8b1424c212ab924624ad2e13d05cc60fe886b8214cb0",
            "a09391d1be3068e857680500f05abca24278a2e32e4725454446965b6871616a"
        ),
    ]

    @Test("recorded digests of pipelines stay", arguments: recorded)
    func recordedDigests(settings: String, digest: String, selection: String) throws {
        let bytes = Array(Fixture.settings("a", more: settings).utf8)
        var pipeline = try Section.read(bytes, file: "a.yaml") { try Pipeline($0) }
        // As pipelines could say it once of a fixed window.
        if case .fixed = pipeline.windowing.mode {
            pipeline.windowing = Windowing(mode: pipeline.windowing.mode, scope: .frame)
        }
        #expect(pipeline.digest(model: String(repeating: "0", count: 64)).hex == digest)
        #expect(pipeline.selectionDigest.hex == selection)
    }

    @Test("the recorded digest of a file's window stays")
    func recordedWindow() throws {
        let bytes = Array(Fixture.settings("a").utf8)
        var pipeline = try Section.read(bytes, file: "a.yaml") { try Pipeline($0) }
        // All three, as pipelines could ask for them once.
        pipeline.windowing = Windowing(mode: .dicom(index: 1, name: "LUNG", usesTable: true))
        #expect(
            pipeline.digest(model: String(repeating: "0", count: 64)).hex
                == "8c8080a6256d8de14e2c98f14c3ca7c5ed7b7f1b609d1581e38a85e5b53aa7dc")
    }

    @Test("the recorded digest of a rule with every condition stays")
    func recordedSelection() throws {
        let text = Fixture.settings("a").replacing(
            "- modality: [XC]",
            with: """
                - modality: [CT]
                    sop_class: [CT]
                    body_part: [LIVER, ""]
                    origin: [dicom]
                    series_description: "(?i)portal"
                    exclude_description: "bone"
                    image_type: {all: [ORIGINAL], none: [MIP]}
                    min_frames: 5
                    max_slice_mm: 6
                """)
        var pipeline = try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
        // Both, as rules could say it once.
        pipeline.selection[0].origin = [.dicom, .tiff]
        #expect(pipeline.selectionDigest.hex == "7a70f094af345819031d80922d1bf8ef6419743acdb3161ded35d8c27e61d03e")
    }

    @Test(
        "a pipeline says how large pictures are shown; tiles are a part of its digest, whole pictures leave it as it was"
    )
    func scale() throws {
        func pipeline(_ scale: String) throws -> Pipeline {
            let text = Fixture.settings("a", more: "preprocess: {scale: \(scale)}")
            return try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
        }
        func tiles(_ side: TileSide, _ overlap: Double, _ resamples: Bool) -> Pipeline.Scale {
            .tiles(Pipeline.Tiles(side: side, overlap: overlap, resamples: resamples))
        }
        let known: [(String, Pipeline.Scale)] = [
            ("whole", .whole), ("{tiles: {size: 256}}", tiles(.pixels(256), 64, false)),
            ("{tiles: {size: 256, overlap: 48, resample: true}}", tiles(.pixels(256), 48, true)),
            ("{tiles: {size_um: 128, overlap_um: 16}}", tiles(.micrometres(128), 16, false)),
        ]
        for (text, scale) in known { #expect(try pipeline(text).scale == scale) }
        let digests = try known.map { try pipeline($0.0).digest(model: "").hex }
        #expect(Set(digests).count == known.count)
        let plain = try Section.read(Array(Fixture.settings("a").utf8), file: "a.yaml") { try Pipeline($0) }
        #expect(plain.scale == .whole && plain.digest(model: "").hex == digests[0])
    }

    @Test(
        "the mean with the mirror image is other results: another digest, told in objects; none leaves digests as they were"
    )
    func augmentation() throws {
        let fixture = try Fixture()
        let path = try fixture.pipeline("a")
        let plain = try PipelineDirectory.open(path)
        #expect(plain.pipeline.augmentation == .none && plain.producer(version: "1").augmentation == nil)
        _ = try fixture.file("pipelines/a/pipeline.yaml", Fixture.settings("a", more: "inference: {tta: none}"))
        #expect(try PipelineDirectory.open(path).digest == plain.digest)
        _ = try fixture.file("pipelines/a/pipeline.yaml", Fixture.settings("a", more: "inference: {tta: flip}"))
        let flipped = try PipelineDirectory.open(path)
        #expect(flipped.digest != plain.digest && flipped.producer(version: "1").augmentation == "flip")
        #expect(flipped.digest != (try PipelineDirectory.open(path, precision: .bf16).digest))
    }

    @Test(
        "the mean with the mirror image is refused where a segment is of one side, told by a word or a code",
        arguments: [
            ("label: Lesion", "label: Left lesion"), ("key: lesion", "key: lesion_r"),
            ("SCT, Lesion]", "SCT, Lesion]\n    modifier: [7771000, SCT, Sinister]"),
            ("SCT, Lesion]", "SCT, Lesion]\n    region: [3341006, SCT, Right lung]"),
        ])
    func sided(plain: String, sided: String) throws {
        func read(_ more: String) throws -> Pipeline {
            let text = Fixture.settings("a", more: more).replacing(plain, with: sided)
            return try Section.read(Array(text.utf8), file: "a.yaml") { try Pipeline($0) }
        }
        #expect(try read("").augmentation == .none)
        #expect {
            try read("inference: {tta: flip}")
        } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code == "PIPE-TTA" && failure.text.contains("left or right")
                && failure.kind == .configuration
        }
        // Both sides together stay where they are.
        let both = Fixture.settings("a", more: "inference: {tta: flip}").replacing(
            "SCT, Lesion]", with: "SCT, Lesion]\n    modifier: [51440002, SCT, Bilateral]")
        #expect(try Section.read(Array(both.utf8), file: "a.yaml") { try Pipeline($0) }.augmentation == .flip)
    }

    @Test("a model of which only the encoder has learned is refused")
    func encoderOnly() throws {
        let fixture = try Fixture()
        let path = try fixture.pipeline("a")
        let model = try ModelDirectory.open("\(path)/model")
        var description = model.description
        description.isEncoderOnly = true
        try ModelDirectory.write(description, tensors: try model.tensors(), to: "\(path)/model")
        #expect { try PipelineDirectory.open(path) } throws: { ($0 as? any Failure)?.code == "MODEL-ENCODER" }
    }

    @Test(
        "a link to a folder is a pipeline; a folder with a model and no settings, and a link that leads nowhere, are refused"
    )
    func places() throws {
        let fixture = try Fixture()
        let files = FileManager.default
        for name in ["a", "b"] { _ = try fixture.pipeline(name) }
        let folder = fixture.path + "/pipelines"
        try files.moveItem(atPath: folder + "/b", toPath: fixture.path + "/elsewhere")
        try files.createSymbolicLink(atPath: folder + "/b", withDestinationPath: "../elsewhere")
        _ = try fixture.file("pipelines/README.md", "pipelines")
        try files.createSymbolicLink(atPath: folder + "/notes", withDestinationPath: "README.md")
        // A recipe says how a model could be trained.
        _ = try fixture.file("pipelines/recipe/train.yaml", "data: []\n")
        #expect(try PipelineDirectory.openAll(in: folder).map(\.name) == ["a", "b"])
        for lost in ["a", "elsewhere"] {
            let path = lost == "a" ? folder + "/a" : fixture.path + "/elsewhere"
            try files.moveItem(atPath: path + "/pipeline.yaml", toPath: path + "/train.yaml")
            #expect { try PipelineDirectory.openAll(in: folder) } throws: {
                ($0 as? PipelineFailure)?.code == "PIPE-SETTINGS"
            }
            try files.moveItem(atPath: path + "/train.yaml", toPath: path + "/pipeline.yaml")
        }
        try files.createSymbolicLink(atPath: folder + "/gone", withDestinationPath: "../nowhere")
        #expect(throws: PipelineFailure.noSettings(path: folder + "/gone")) {
            try PipelineDirectory.openAll(in: folder)
        }
    }

    @Test(
        "a pipeline.yaml or a model that cannot be read keeps a run from starting",
        arguments: [
            ("folder", "pipeline.yaml"), ("large", "pipeline.yaml"), ("folder", "model/config.json"),
            ("folder", "model/weights.safetensors"), ("folder", "model/SHA256SUMS"),
        ])
    func unreadable(_ kind: String, _ name: String) throws {
        let fixture = try Fixture()
        let file = try fixture.pipeline("a") + "/" + name
        try FileManager.default.removeItem(atPath: file)
        if kind == "folder" {
            try Folder.make(file)
        } else {
            _ = try fixture.file("pipelines/a/pipeline.yaml", String(repeating: "#\n", count: 600_000))
        }
        #expect { try PipelineDirectory.openAll(in: fixture.path + "/pipelines") } throws: {
            guard let failure = $0 as? any Failure else { return false }
            return failure.code.hasPrefix("FILE-") && failure.kind == .configuration
        }
    }

    @Test("segments that the model does not give are refused before anything is read")
    func segments() throws {
        let fixture = try Fixture()
        let path = try fixture.pipeline("a")
        let second = """
              - key: other
                label: Other
                category: [49755003, SCT, Morphologically Abnormal Structure]
                type: [52988006, SCT, Lesion]
            """
        _ = try fixture.file("pipelines/a/pipeline.yaml", Fixture.settings("a") + second)
        #expect { try PipelineDirectory.open(path) } throws: { ($0 as? PipelineFailure)?.code == "PIPE-SEGMENT" }
    }

    @Test(
        "what the model was trained with otherwise is refused before anything is read, and both values are named",
        arguments: [
            ("windowing: {mode: fixed, window: [40, 400]}", "lesion", "fixed, window [40, 400]", "[50, 350]"),
            ("windowing: {mode: minmax, scope: frame}", "lesion", "minmax", "[50, 350]"),
            ("windowing: {mode: fixed, window: [50, 350.0001]}", "lesion", "fixed, window [50, 350.0001]", "[50, 350]"),
            ("windowing: {mode: fixed, window: [50, 350]}\npreprocess: {aspect: grid}", "lesion", "grid", "isotropic"),
            ("windowing: {mode: fixed, window: [50, 350]}", "tumour", "lesion", "tumour"),
            (
                "windowing: {mode: fixed, window: [50, 350]}\npreprocess: {scale: {tiles: {size: 160}}}", "lesion",
                "tiles of 160 pixels", "pictures of 256 pixels"
            ),
        ])
    func contradictions(more: String, label: String, asked: String, trained: String) throws {
        let fixture = try Fixture()
        let input = TrainedInput(
            windowing: .fixed(center: 50, width: 350), aspect: .isotropic, scale: TrainedScale(pixels: 256))
        let path = try fixture.pipeline("a", more: more, trained: input, label: label)
        #expect {
            try PipelineDirectory.open(path)
        } throws: {
            guard let failure = $0 as? PipelineFailure else { return false }
            return failure.code == "PIPE-TRAINED" && failure.text.contains("is \(asked)")
                && failure.message.explanation.contains("trained with") && failure.text.contains(trained)
                && failure.kind == .configuration
        }
        let sound = try fixture.pipeline("b", more: "windowing: {mode: fixed, window: [50, 350]}", trained: input)
        #expect(try PipelineDirectory.open(sound).name == "b")
    }

    @Test("shipped pipelines are read", arguments: ["skin-lesion", "nuclei", "phantom-body"])
    func shipped(name: String) throws {
        let file = "pipelines/\(name)/pipeline.yaml"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let pipeline = try Section.read(bytes, file: file) { try Pipeline($0) }
        #expect(pipeline.name == name && pipeline.segments.count == 1 && !pipeline.selection.isEmpty)
    }
}

@Suite("precision of pipelines")
struct PipelinePrecisionTests {
    @Test("another arithmetic is another digest and stands in the object; float32 leaves digests as they were")
    func digest() throws {
        let fixture = try Fixture()
        let path = try fixture.pipeline("a")
        let plain = try PipelineDirectory.open(path)
        #expect(plain.precision == .fp32 && plain.producer(version: "1").arithmetic == nil)
        #expect(plain.digest == plain.pipeline.digest(model: plain.model.digest.hex).hex)
        let asked = try PipelineDirectory.open(path, precision: .bf16)
        #expect(asked.digest != plain.digest && asked.producer(version: "1").arithmetic == "bf16")
        _ = try fixture.file("pipelines/a/pipeline.yaml", Fixture.settings("a", more: "inference: {precision: bf16}"))
        #expect(try PipelineDirectory.open(path).digest == asked.digest)
        #expect(try PipelineDirectory.open(path, precision: .fp32).digest == plain.digest)
        #expect(try PipelineDirectory.open(path, precision: .auto).precision != .auto)
        #expect { try PipelineDirectory.open(path, precision: .int8) } throws: {
            ($0 as? any Failure)?.code == "MODEL-INT8"
        }
    }
}
