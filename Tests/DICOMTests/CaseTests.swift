import DICOM
import Foundation
import Imaging
import Testing

/// Inputs that once failed, where this machine has them.
@Suite("cases", .enabled(if: Corpus.isPresent, "no corpus: HSPSAM_SHARED names none"))
struct CaseTests {
    private struct Outcome {
        var volumes: [Volume] = []
        /// Codes of refused files and series.
        var codes: Set<String> = []
    }

    private static func outcome(_ folder: String) throws -> Outcome {
        let root = Corpus.root + "/cases/dicom/" + folder
        var outcome = Outcome()
        var instances: [SourceInstance] = []
        let names = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }.sorted()
        for name in names where name.hasSuffix(".dcm") {
            do throws(DICOMFailure) {
                instances.append(try SourceInstance(try DICOMFile(path: root + "/" + name)))
            } catch {
                outcome.codes.insert(error.code)
            }
        }
        let result = VolumeBuilder.volumes(of: instances)
        outcome.volumes = result.volumes
        outcome.codes.formUnion(result.leftOut.map(\.failure.code))
        return outcome
    }

    @Test(
        "contradictions and impossible numbers are refused",
        arguments: [
            ("01-crash-position-1e20", "VOL-PLACE"), ("02-crash-report-number/gap1e20", "VOL-PLACE"),
            ("02-crash-report-number/slope1e16", "PIX-VALUES"), ("04-duplicate-other-rescale", "DUP-CONFLICT"),
            ("r2-02b-duplicate-intercept", "IN-CORRUPT"), ("r2-02c-duplicate-patient-id", "IN-CORRUPT"),
            ("r2-01-one-slice-without-rescale", "PIX-VALUES"),
            ("r2-01c-enhanced-one-frame-without-rescale", "PIX-VALUES"),
            ("r2-03b-one-slice-monochrome1", "PIX-PHOTOMETRIC"),
            ("15-multiframe-loses-its-place/ct", "VOL-PLACE"),
            ("15-multiframe-loses-its-place/perframe-short", "VOL-PLACE"),
            ("19-rescale-not-found-or-unreadable/comma", "PIX-VALUES"),
        ])
    func refused(_ folder: String, _ code: String) throws {
        let outcome = try Self.outcome(folder)
        #expect(outcome.volumes.isEmpty)
        #expect(outcome.codes == [code])
    }

    @Test(
        "what means something is one volume",
        arguments: [
            ("12-pixel-spacing-rounded", [10]), ("21-slices-closer-than-0.01-mm", [10]),
            ("18-uids-with-leading-zero/sop", [10]),
            ("18-uids-with-leading-zero/frame-of-reference", [10]),
            ("14-frame-of-reference-or-orientation-lacks/no-for", [10]),
            ("13-passes-that-overlap/shuttle", [6, 6]),
            ("16-cine-unequal-trigger-times/two-slices", [2, 2, 2, 2, 2, 2, 2, 2]),
            ("16-cine-unequal-trigger-times/six-slices", [6, 6, 6, 6]),
            ("16-cine-unequal-trigger-times/dsc", [6, 6, 6, 6]),
            ("17-attributes-that-tell-apart-not-known/flip-angle", [6, 6]),
            ("17-attributes-that-tell-apart-not-known/inversion-time", [6, 6, 6]),
            ("17-attributes-that-tell-apart-not-known/enhanced-cardiac", [6, 6, 6]),
            ("17-attributes-that-tell-apart-not-known/enhanced-dti", [6, 6, 6, 6]),
            ("17-attributes-that-tell-apart-not-known/enhanced-magnitude-phase", [6, 6]),
            ("17-attributes-that-tell-apart-not-known/philips-dwi-real", [Int](repeating: 2, count: 17)),
        ])
    func processed(_ folder: String, _ counts: [Int]) throws {
        let outcome = try Self.outcome(folder)
        #expect(outcome.volumes.map(\.frames.count) == counts)
        #expect(outcome.codes.isEmpty)
    }

    @Test(
        "what cannot be whole says so in each of its volumes",
        arguments: [
            ("13-passes-that-overlap/overlap", "VOL-PARTS", 2),
            ("14-frame-of-reference-or-orientation-lacks/for-per-slice", "VOL-PLACE", 10),
            ("14-frame-of-reference-or-orientation-lacks/orientation-empty", "VOL-PLACE", 10),
        ])
    func warned(_ folder: String, _ code: String, _ count: Int) throws {
        let outcome = try Self.outcome(folder)
        #expect(outcome.volumes.count == count)
        #expect(outcome.volumes.allSatisfy { $0.findings.contains { $0.code == code && $0.severity == .warning } })
    }

    @Test(
        "pixels that contradict their attributes are not shown",
        arguments: [
            ("05-native-ybr422-with-444-bytes", "PIX-PHOTOMETRIC"), ("08-j2k-ybr-ict-without-mct", "PIX-PHOTOMETRIC"),
            ("09-number-of-frames-missing/bot", "PIX-FRAGMENTS"),
            ("r2-04-enhanced-frames-empty", "PIX-SIZE"), ("r2-04b-enhanced-frames-zero", "PIX-SIZE"),
        ])
    func notShown(_ folder: String, _ code: String) throws {
        let outcome = try Self.outcome(folder)
        for volume in outcome.volumes {
            let error = #expect(throws: DICOMFailure.self) { _ = try FrameDecoding().frame(volume.frames[0]) }
            #expect(error?.code == code)
        }
        #expect(!outcome.volumes.isEmpty || outcome.codes == [code])
    }

    @Test(
        "the depth and the colour model of a stream are its own",
        arguments: [
            "06-colour-8bit-stream-other-bits-stored/jpeg-16-16", "06-colour-8bit-stream-other-bits-stored/jpeg-8-7",
            "06-colour-8bit-stream-other-bits-stored/j2k-16-16", "06-colour-8bit-stream-other-bits-stored/j2k-8-7",
            "07-jfif-then-jfxx",
        ])
    func colours(_ folder: String) throws {
        let volume = try #require(try Self.outcome(folder).volumes.first)
        let frame = try FrameDecoding().frame(volume.frames[0])
        // The photograph's mean colour as another toolkit shows it.
        for (channel, mean) in [Float(174), 154, 151].enumerated() {
            let values = stride(from: channel, to: frame.values.count, by: 3).map { frame.values[$0] }
            #expect(abs(values.reduce(0, +) / Float(values.count) - mean) < 1.5, "channel \(channel)")
        }
    }

    @Test("a scale at the top of an enhanced object is applied; one that stands empty leaves the values unknown")
    func scales() throws {
        let top = try #require(try Self.outcome("19-rescale-not-found-or-unreadable/enhanced-top").volumes.first)
        #expect(top.hasKnownValues)
        #expect(try FrameDecoding().frame(top.frames[0]).values.min().map { $0 < -900 } == true)
        let empty = try #require(try Self.outcome("19-rescale-not-found-or-unreadable/empty").volumes.first)
        #expect(!empty.hasKnownValues && empty.findings.contains { $0.code == "VOL-VALUES" })
    }

    @Test("distances are those of what was imaged")
    func distances() throws {
        let projection = try #require(try Self.outcome("20-dx-area-in-detector-plane").volumes.first)
        let region = try #require(try Self.outcome("r2-05-us-region-against-pixel-spacing").volumes.first)
        #expect(region.pixelSpacing.map { abs($0.row - 0.1) < 1e-9 && abs($0.column - 0.1) < 1e-9 } == true)
        #expect(region.findings.contains { $0.code == "VOL-CALIBRATION" })
        let spacing = try #require(projection.pixelSpacing)
        // 0.86 × 0.87 mm in the detector's plane, magnified 1.5 times.
        #expect(abs(spacing.row - 0.86 / 1.5) < 1e-6 && abs(spacing.column - 0.87 / 1.5) < 1e-6)
        #expect(try Self.outcome("10-pixel-spacing-invented/input").volumes.allSatisfy { !$0.hasPlace })
    }

    @Test("numbers that stand for no value in floating-point pixels are padding")
    func floatMaximum() throws {
        let volume = try #require(try Self.outcome("02-crash-report-number/float-max").volumes.first)
        let frame = try FrameDecoding().frame(volume.frames[0])
        #expect(frame.padding.contains(true) && frame.padding.contains(false))
        #expect(zip(frame.values, frame.padding).allSatisfy { $1 || $0.magnitude <= 1e12 })
    }

    @Test("an irreversible stream is lossy whatever the attributes say")
    func lossy() throws {
        let sources = try Self.outcome("22-j2k-irreversible-without-2110").volumes.flatMap(\.instances)
        #expect(!sources.isEmpty)
        for source in sources { #expect(source.isLossy) }
    }

    @Test(
        "names are readable where their character set is certain, else said to be undecodable",
        arguments: [("iso-ir-100", true), ("korean", true), ("none", false)])
    func names(_ folder: String, _ isDecodable: Bool) throws {
        let volume = try #require(try Self.outcome("24-character-set-wrong/" + folder).volumes.first)
        #expect(volume.first.dataSet.textValue(.patientName)?.isDecodable == isDecodable)
    }
}
