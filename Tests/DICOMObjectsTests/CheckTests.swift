import DICOM
import DICOMObjects
import Failures
import Foundation
import Imaging
import Testing

/// `Segmentation.check` is asked before the first frame is inferred: what passes it is composed, whatever the masks.
@Suite("What passes the check is composed")
struct CheckTests {
    private static let shared =
        (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared") + "/data"

    /// Nil when the volume was refused by the check, as a refusal; what went wrong otherwise.
    private func problem(
        _ volume: Volume, _ segments: [SegmentDescription] = SampleVolumes.segments(2),
        options: Segmentation.Options = .init(), isPipelineWrong: Bool = false
    ) -> String? {
        do {
            try Segmentation.check(volume, segments: segments, producer: SampleVolumes.producer, options: options)
        } catch {
            return error.kind == .refused || (isPipelineWrong && error.kind == .configuration) ? nil : "check: \(error)"
        }
        do {
            for masks in Self.masks(volume, segments.count) {
                let made = try Segmentation(
                    volume, masks: masks, segments: segments, producer: SampleVolumes.producer, options: options)
                guard let made else { return "nothing composed" }
                let written = try WrittenObject(try DataSetEncoder.file(made.dataSet, kept: made.kept))
                try written.checkWithDCMTK()
                try Verification.same(written, made.dataSet)
                try Verification.segmentation(
                    written, volume, .init(masks: masks), segments: segments, options: options)
            }
        } catch {
            return "after the check: \(error)"
        }
        return nil
    }

    /// Everything, the last pixel only, random blobs.
    private static func masks(_ volume: Volume, _ segments: Int) -> [[[Mask]]] {
        let count = volume.rows * volume.columns
        let full = Mask(rows: volume.rows, columns: volume.columns, flags: [Bool](repeating: true, count: count))
        let empty = Mask(rows: volume.rows, columns: volume.columns)
        var corner = empty
        corner[volume.rows - 1, volume.columns - 1] = true
        let frames = volume.frames.count
        let last = [Mask](repeating: empty, count: frames - 1) + [corner]
        return [
            [[Mask]](repeating: [Mask](repeating: full, count: frames), count: segments),
            [[Mask]](repeating: last, count: segments), SampleVolumes.masks(volume, segments: segments, seed: 8),
        ]
    }

    @Test(
        "every volume of the shared corpus and cases",
        .enabled(if: FileManager.default.fileExists(atPath: shared + "/dicom")))
    func corpus() throws {
        var folders: [String: [String]] = [:]
        for part in [
            "dicom", "cases/dicom/18-uids-with-leading-zero", "cases/dicom/24-character-set-wrong", "cases/seg",
        ] {
            for name in try FileManager.default.subpathsOfDirectory(atPath: "\(Self.shared)/\(part)").sorted() {
                let path = "\(Self.shared)/\(part)/\(name)"
                folders[(path as NSString).deletingLastPathComponent, default: []].append(path)
            }
        }
        var volumes = 0
        for (folder, paths) in folders {
            let instances = paths.compactMap { try? SourceInstance(DICOMFile(path: $0)) }
            for volume in VolumeBuilder.volumes(of: instances).volumes
            where volume.rows * volume.columns * volume.frames.count < 4_000_000 {
                volumes += 1
                if let problem = problem(volume) { Issue.record("\(folder): \(problem)") }
            }
        }
        #expect(volumes > 130)
    }

    /// Ways in which one value of a source is wrong.
    private static let changes: [(name: String, change: @Sendable (Element) -> Element?)] = [
        ("absent", { _ in nil }),
        ("empty", { Element($0.tag, $0.vr, $0.vr == .SQ ? .items([]) : .bytes([])) }),
        ("blank", { Element($0.tag, $0.vr, .bytes([0x20, 0x20])) }),
        ("control characters", { Element($0.tag, $0.vr, .bytes([0x41, 0x00, 0x0D, 0x1B, 0x24, 0x42])) }),
        ("no character of any set", { Element($0.tag, $0.vr, .bytes([0xFF, 0xFE, 0x80, 0xC3])) }),
        ("backslashes", { Element($0.tag, $0.vr, .bytes(Array(#"a\b\\c"#.utf8))) }),
        ("long", { Element($0.tag, $0.vr, .bytes([UInt8](repeating: 0x39, count: 300))) }),
        ("longer than 64 kB", { Element($0.tag, .UT, .bytes([UInt8](repeating: 0x39, count: 70_000))) }),
        ("no number", { Element($0.tag, $0.vr, .bytes(Array(#"NaN\-1E400"#.utf8))) }),
        ("another kind", { Element($0.tag, .SQ, .items([DataSet(), DataSet()])) }),
        ("unknown kind", { Element($0.tag, .UN, .bytes([0x31, 0x20])) }),
        ("numbers of two bytes", { Element($0.tag, .US, $0.value) }),
    ]

    @Test("slices of which each value was made wrong in each way", arguments: [SampleVolumes.Variant.slices, .picture])
    func mutatedSources(variant: SampleVolumes.Variant) throws {
        let whole = try SampleVolumes.dataSets(variant, .oblique, rows: 8, columns: 9, count: 2)[0]
        let optional: [Attribute] = [
            .issuerOfPatientID, .otherPatientIDsSequence, .patientAge, .patientWeight, .patientSpeciesDescription,
            .responsiblePerson, .clinicalTrialSponsorName, .deidentificationMethod, .procedureCodeSequence,
            .contributingEquipmentSequence, .institutionName, .timezoneOffsetFromUTC, .lossyImageCompression,
            .lossyImageCompressionRatio, .lossyImageCompressionMethod, .manufacturerModelName, .studyDescription,
        ]
        var segmented = 0
        let representations = Dictionary(optional.map { ($0.tag, $0.vr) }) { first, _ in first }
        for tag in whole.elements.map(\.tag) + optional.map(\.tag) where tag != Attribute.pixelData.tag {
            let vr = whole[tag]?.vr ?? representations[tag] ?? .LO
            for (name, change) in Self.changes {
                let volumes = try RawSources.volumes(variant) {
                    $0[tag] = change($0[tag] ?? Element(tag, vr, vr == .SQ ? .items([]) : .bytes([])))
                }
                for volume in volumes {
                    segmented += 1
                    if let problem = problem(volume) { Issue.record("\(tag) \(name): \(problem)") }
                }
            }
        }
        #expect(segmented > 400)
    }

    /// Found by the fuzzer: the numbers were read as the VR says, and the text was written.
    @Test("a position under a binary VR lies in the result where it was read")
    func binaryPosition() throws {
        var slices = 0
        let volumes = try RawSources.volumes {
            slices += 1
            let text = #"0\0\"# + "\(slices) "
            $0[.imagePositionPatient] = Element(Attribute.imagePositionPatient.tag, .US, .bytes(Array(text.utf8)))
        }
        #expect(volumes.contains { $0.kind == .spatial })
        for volume in volumes { #expect(problem(volume) == nil) }
    }

    @Test(
        "segments with texts and codes of every kind: what no attribute holds is the pipeline's fault, and said before")
    func segmentTexts() throws {
        let volume = try #require(try RawSources.volumes { _ in }.first)
        let texts = [
            "Läsion", "腫瘍", " Liver ", "a\\b", "tab\there", String(repeating: "x", count: 65), "", "🫁",
            String(repeating: "ä", count: 64), "\u{1B}$B",
        ]
        for text in texts {
            var segments = SampleVolumes.segments(2)
            segments[1].label = text
            #expect(problem(volume, segments, isPipelineWrong: true) == nil)
            segments = SampleVolumes.segments(2)
            segments[1].description = text
            #expect(problem(volume, segments, isPipelineWrong: true) == nil)
            segments = SampleVolumes.segments(2)
            segments[1].type = Code(text, "99TEST", text)
            #expect(problem(volume, segments, isPipelineWrong: true) == nil)
            var options = Segmentation.Options()
            options.label = text
            #expect(problem(volume, options: options, isPipelineWrong: true) == nil)
        }
        var long = SampleVolumes.segments(2)
        long[1].label = String(repeating: "x", count: 65)
        #expect(throws: ObjectFailure.self) {
            try Segmentation.check(volume, segments: long, producer: SampleVolumes.producer, options: .init())
        }
    }

    @Test(
        "a label and a description of other letters pass, whatever letters the source has",
        arguments: [nil, "ISO_IR 100", "ISO_IR 192"])
    func otherLetters(characterSet: String?) throws {
        for name in ["Roe^Jane", "Müller^Jörg"] where characterSet != nil || name == "Roe^Jane" {
            let volumes = try RawSources.volumes {
                $0[.specificCharacterSet] = nil
                if let characterSet { $0.put(.specificCharacterSet, characterSet) }
                let text: [UInt8] =
                    characterSet == "ISO_IR 100"
                    ? name.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } : Array(name.utf8)
                $0[.patientName] = RawSources.element(.patientName, text)
            }
            let volume = try #require(volumes.first)
            var segments = SampleVolumes.segments(2)
            segments[1].label = "Körper / Läsion"
            segments[1].description = "腫瘍"
            for (type, isOfObjects) in [(.binary, false), (.labelmap, false), (.labelmap, true)]
                as [(SegmentationType, Bool)]
            {
                var options = Segmentation.Options()
                (options.type, options.isOfObjects) = (type, isOfObjects)
                try Segmentation.check(
                    volume, segments: segments, producer: SampleVolumes.producer, options: options)
            }
            #expect(problem(volume, segments) == nil)
        }
    }

    @Test("more pixels than an object holds are refused before, not after")
    func size() throws {
        let volume = try #require(try RawSources.volumes { _ in }.first)
        let many = (0..<70_000).map { index in
            var segment = SampleVolumes.segments(1)[0]
            segment.key = "s\(index)"
            return segment
        }
        do {
            try Segmentation.check(volume, segments: many, producer: SampleVolumes.producer, options: .init())
            Issue.record("accepted")
        } catch {
            #expect(error.code == "SEG-SIZE" && error.kind == .refused)
        }
    }
}
