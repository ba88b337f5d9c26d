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
        ])
    func refused(_ folder: String, _ code: String) throws {
        let outcome = try Self.outcome(folder)
        #expect(outcome.volumes.isEmpty)
        #expect(outcome.codes == [code])
    }

    @Test(
        "what means something is one volume",
        arguments: [
            ("12-pixel-spacing-rounded", 10), ("21-slices-closer-than-0.01-mm", 10),
            ("18-uids-with-leading-zero/sop", 10),
            ("18-uids-with-leading-zero/frame-of-reference", 10),
        ])
    func processed(_ folder: String, _ count: Int) throws {
        let outcome = try Self.outcome(folder)
        #expect(outcome.volumes.map(\.frames.count) == [count])
        #expect(outcome.codes.isEmpty)
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
