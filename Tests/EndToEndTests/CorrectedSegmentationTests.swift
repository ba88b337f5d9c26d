import DICOM
import Foundation
import Testing
import Training

/// What a person corrects becomes training data.
@Suite("corrected segmentations")
struct CorrectedSegmentationTests {
    /// One frame's flags as the file's bytes hold them, and the image that it names.
    private struct Marked {
        let instance: String
        let flags: [Bool]
    }

    /// The frames of a BINARY segmentation, read from the end of the file bit by bit.
    private func frames(_ path: String) throws -> [Marked] {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let dataSet = try DICOMFile(path: path).dataSet
        let pixels = try #require(dataSet.int(.rows)) * #require(dataSet.int(.columns))
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        let length = (pixels * groups.count + 7) / 8
        let start = bytes.count - length - length % 2
        return try groups.enumerated().map { frame, group in
            let source = group.item(.derivationImageSequence)?.item(.sourceImageSequence)
            let flags = (0..<pixels).map { pixel in
                let bit = frame * pixels + pixel
                return bytes[start + bit / 8] >> UInt8(bit % 8) & 1 == 1
            }
            return Marked(instance: try #require(source?.uid(.referencedSOPInstanceUID)), flags: flags)
        }
    }

    @Test("a segmentation that was written by a run and corrected in one place is the truth, to the pixel")
    func corrected() throws {
        let workplace = try Workplace()
        #expect(try workplace.run(["samples/body"], ["--pipeline", "tiny"]).status == 0)
        let names = try FileManager.default.subpathsOfDirectory(atPath: workplace.out)
        let written = workplace.out + "/" + (try #require(names.first { $0.hasSuffix(".seg.dcm") }))
        for name in try FileManager.default.contentsOfDirectory(atPath: "samples/body") where name.hasSuffix(".dcm") {
            try workplace.write("truth/images/\(name)", Data(contentsOf: URL(fileURLWithPath: "samples/body/\(name)")))
        }
        // A person takes one pixel in or out, in the first byte of the pixels.
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: written)))
        let before = try frames(written)
        let length = (before[0].flags.count * before.count + 7) / 8
        bytes[bytes.count - length - length % 2] ^= 1 << 5
        let corrected = try workplace.write("truth/corrected.dcm", Data(bytes))
        let after = try frames(corrected)
        #expect(zip(before[0].flags, after[0].flags).enumerated().filter { $1.0 != $1.1 }.map(\.offset) == [5])

        let plan = try workplace.write(
            "train.yaml",
            """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 64, segment_labels: [part]}
            windowing: {mode: fixed, window: [100, 600]}
            preprocess: {aspect: grid}
            data: [{dicom: truth}]
            stages: [{input_size: 64, epochs: 1, batch: 4, learning_rate: 1.0e-3}]
            """)
        let read = try TrainingPlan.read(plan)
        let data = try TrainingData(read)
        let check = try DataCheck.run(data.roles, segments: 1, input: read.input)
        #expect(check.problems.isEmpty, "\(check.problems)")
        let set = check.sets[0]
        #expect(set.pairs.count == Set(after.map(\.instance)).count)
        var found = 0
        for pair in set.pairs {
            let instance = try DICOMFile(path: pair.image.path).dataSet.uid(.sopInstanceUID)
            let marked = try #require(after.first { $0.instance == instance })
            #expect(try set.classes(pair, segments: 1).values == marked.flags.map { $0 ? 1 : 0 })
            found += marked.flags.count { $0 }
        }
        #expect(found > 0)
        let ending = try Program.run(["train", "--config", plan, "--out", workplace.path + "/model"])
        #expect(ending.status == 0, "\(ending.errors)")
        // The same images with two segmentations: which counts is not known.
        try workplace.write("truth/other.dcm", Data(contentsOf: URL(fileURLWithPath: written)))
        let refused = try Program.run(["train", "--config", plan, "--out", workplace.path + "/again"])
        #expect(refused.status == 2 && refused.errors.hasPrefix("DATA-LAYOUT"), "\(refused.errors)")
    }
}
