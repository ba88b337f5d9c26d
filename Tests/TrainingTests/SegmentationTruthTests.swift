import Failures
import Foundation
import Imaging
import Mutations
import Testing
import Training

@Suite("DICOM segmentations as truth")
struct SegmentationTruthTests {
    private let place: Workplace
    private let slices = Self.unlike(SampleSeries.slices.objects)

    init() throws {
        place = try Workplace(images: 0)
        for (index, slice) in slices.enumerated() { try write(slice.fileBytes, "images/\(index).dcm") }
    }

    /// Each slice with another pixel white: pictures that are the same have the same truth.
    private static func unlike(_ slices: [RawObject], from first: Int = 0) -> [RawObject] {
        slices.enumerated().map { index, slice in
            var slice = slice
            for element in slice.elements.indices where slice.elements[element].group == 0x7FE0 {
                guard case .bytes(var bytes) = slice.elements[element].value else { continue }
                bytes.replaceSubrange(2 * (first + index)..<2 * (first + index) + 2, with: [0xE8, 3])
                slice.elements[element] = RawElement(0x7FE0, 0x0010, "OW", .bytes(bytes))
            }
            return slice
        }
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        let target = URL(filePath: "\(place.folder)/\(name)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: target)
    }

    private func plan(_ more: String = "", labels: String? = "[part]") throws -> TrainingPlan {
        try place.plan(
            "windowing: {mode: fixed, window: [100, 600]}", data: "{dicom: images, segmentations: truth\(more)}",
            labels: labels)
    }

    /// The classes of each case, in the order of their names.
    private func classes(_ plan: TrainingPlan) throws -> [[UInt8]] {
        let set = try place.set(plan)
        return try set.pairs.map { try set.classes($0, segments: 1).values }
    }

    private func failure(_ plan: TrainingPlan) throws -> TrainingFailure? {
        let failure = #expect(throws: TrainingFailure.self) { try TrainingData(plan) }
        #expect(failure?.code == "DATA-LAYOUT")
        return failure
    }

    private let nothing = [UInt8](repeating: 0, count: 100)
    private var wanted: [[UInt8]] {
        let frames = SampleSegmentation().frames
        return [nothing, frames[0].classes, frames[1].classes, nothing]
    }

    @Test("each slice of the series is a case, with the frame that names it")
    func frames() throws {
        try write(SampleSegmentation().bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
    }

    @Test(
        "a rule of values has no effect on segmentations, and is refused",
        arguments: ["mask_above: 100", "mask_values: {part: [7]}"])
    func rules(_ rule: String) throws {
        try write(SampleSegmentation().bytes, "truth/part.dcm")
        let failure = try #require(throws: TrainingFailure.self) { try TrainingData(plan(", \(rule)")) }
        #expect(failure.code == "DATA-VALUES" && failure.text.contains("names its segments"))
        // And names of segments on masks of values.
        #expect(throws: (any Error).self) {
            try place.plan(data: "{folder: images, segment_names: {part: [Part]}}", labels: "[part]")
        }
    }

    @Test("DICOM images are learned from without segmentations, and segmentations among them are no images")
    func unlabelled() throws {
        try write(SampleSegmentation().bytes, "images/part.dcm")
        try """
        model: {size: nano, configuration: scratch, stem: conv, input_size: 64}
        unlabelled: [{dicom: images}]
        windowing: {mode: fixed, window: [100, 600]}
        stages: [{task: masked_autoencoding, input_size: 64, epochs: 1, batch: 2, learning_rate: 1.0e-3, mask_patch: 16}]
        optimiser: {warmup: 2}
        """.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
        let plan = try TrainingPlan.read("\(place.folder)/train.yaml")
        let data = try TrainingData(plan)
        #expect(data.unlabelled[0].pairs.map(\.name) == ["0.dcm", "1.dcm", "2.dcm", "3.dcm"])
        #expect(data.unlabelled[0].notes == ["1 files that are no images are left out"])
        let check = try DataCheck.run(data.roles, segments: 1, input: plan.input)
        #expect(check.problems.isEmpty, "\(check.problems)")
        let sample = try check.sets[0].unlabelled(check.sets[0].pairs[0], input: plan.input)
        #expect(sample.image.rows == 10 && sample.image.columns == 10)
    }

    // MARK: copies

    @Test("a copy of an image or of the segmentation is left out; another file under its SOP Instance UID is refused")
    func copies() throws {
        try write(SampleSegmentation().bytes, "truth/part.dcm")
        try write(SampleSegmentation().bytes, "truth/again.dcm")
        try write(slices[1].fileBytes, "images/more/1.dcm")
        try write(slices[2].fileBytes, "truth/2.dcm")
        #expect(try classes(plan()) == wanted)
        let notes = try TrainingData(plan()).training[0].notes
        #expect(notes.last == "3 files are copies of others, and are left out")
        var pixels = slices[1].fileBytes
        pixels[pixels.count - 2] ^= 1
        try write(pixels, "images/more/1.dcm")
        let image = try failure(plan())
        #expect(image?.text.contains("images/1.dcm") == true && image?.text.contains("images/more/1.dcm") == true)
        try FileManager.default.removeItem(atPath: "\(place.folder)/images/more")
        var other = SampleSegmentation()
        other.frames[0].first = 50
        try write(other.bytes, "truth/again.dcm")
        #expect(try failure(plan())?.text.contains("one SOP Instance UID") == true)
    }

    @Test("a file that is cut off is named", arguments: ["truth/part.dcm", "images/1.dcm"])
    func cut(_ name: String) throws {
        try write(SampleSegmentation().bytes, "truth/part.dcm")
        let whole = try Data(contentsOf: URL(filePath: "\(place.folder)/\(name)"))
        try write([UInt8](whole.dropLast(4)), name)
        var found: FailureRecord?
        do { found = try place.problems(plan()).first } catch { found = FailureRecord(error) }
        #expect(found?.message.subject?.hasSuffix(name) == true, "\(found?.text ?? "")")
    }

    // MARK: places

    @Test(
        "a frame that names an image and lies elsewhere is refused with what differs",
        arguments: [
            "ImagePositionPatient", "moved ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
            "FrameOfReferenceUID",
        ])
    func contradictions(_ what: String) throws {
        var segmentation = SampleSegmentation()
        switch what {
        case "ImagePositionPatient": (segmentation.frames[0].source, segmentation.frames[1].source) = (2, 1)
        case "moved ImagePositionPatient": segmentation.frames[0].position = "40\\30\\2.5"
        case "FrameOfReferenceUID": segmentation.frameOfReference = "1.2.826.0.1.3680043.10.1500.99"
        case "ImageOrientationPatient": segmentation.orientation = "-1\\0\\0\\0\\1\\0"
        default: segmentation.spacing = "7\\7"
        }
        try write(segmentation.bytes, "truth/part.dcm")
        let failure = try failure(plan())
        let keyword = what.split(separator: " ").last ?? ""
        #expect(failure?.text.contains(keyword) == true, "\(failure?.text ?? "")")
    }

    @Test("frames with only a reference, only a place, or a place that other programs rounded lie where they are meant")
    func places() throws {
        var segmentation = SampleSegmentation()
        for index in 0..<2 { segmentation.frames[index].position = nil }
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
        segmentation = SampleSegmentation()
        for index in 0..<2 { segmentation.frames[index].source = nil }
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
        segmentation = SampleSegmentation()
        segmentation.frames[0].position = "-10.1\\-20.1\\2.5"
        (segmentation.orientation, segmentation.spacing) = (
            "0.9999998\\0.0006\\0\\-0.0006\\0.9999998\\0", "0.4999\\0.5"
        )
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
    }

    @Test("a frame that names no image, and lies where slices of two series do, is of the series that is referred to")
    func twoSeries() throws {
        // The same place under other UIDs, in one frame of reference.
        for (index, slice) in SampleSeries.slices.objects(variant: 2).enumerated() {
            var slice = slice
            let frame = try #require(slice.elements.firstIndex { ($0.group, $0.element) == (0x0020, 0x0052) })
            slice.elements[frame] = RawElement(0x0020, 0x0052, "UI", "1.2.826.0.1.3680043.10.1500.5")
            try write(slice.fileBytes, "images/other\(index).dcm")
        }
        var segmentation = SampleSegmentation()
        for index in 0..<2 { segmentation.frames[index].source = nil }
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
    }

    // MARK: segments

    @Test("a segment of another label is refused with the line that says it is meant, and taken with that line")
    func labels() throws {
        var segmentation = SampleSegmentation()
        segmentation.segments = [("Kidney cyst", "721711009")]
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try failure(plan())?.text.contains("segment_names: {part: [Kidney cyst]}") == true)
        #expect(try classes(plan(", segment_names: {part: [kidney cyst]}")) == wanted)
        #expect(try classes(plan(labels: nil)) == wanted)
    }

    @Test("where the plan names no segment, all segmentations are of one thing")
    func unnamed() throws {
        try write(SampleSegmentation().bytes, "truth/part.dcm")
        for (index, slice) in Self.unlike(SampleSeries.slices.objects(variant: 2), from: 4).enumerated() {
            try write(slice.fileBytes, "images/other\(index).dcm")
        }
        var other = SampleSegmentation()
        (other.variant, other.instance) = (".2", other.instance + ".2")
        try write(other.bytes, "truth/other.dcm")
        #expect(try classes(plan(labels: nil)) == wanted + wanted)
        for segment in [("Kidney cyst", "10200004"), ("Part", "721711009")] {
            other.segments = [segment]
            try write(other.bytes, "truth/other.dcm")
            #expect(try failure(plan(labels: nil))?.text.contains("of two things") == true)
        }
        other.segments = [("Kidney cyst", "721711009")]
        try write(other.bytes, "truth/other.dcm")
        #expect(try classes(plan(", segment_names: {segment-1: [Part, Kidney cyst]}", labels: nil)) == wanted + wanted)
    }

    // MARK: frames and patients

    @Test("two frames of one segment on one image are one where they are equal, and refused where they are not")
    func twoFrames() throws {
        var segmentation = SampleSegmentation()
        segmentation.frames.append(segmentation.frames[0])
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
        segmentation.frames[2].first = 41
        try write(segmentation.bytes, "truth/part.dcm")
        let problem = try #require(try place.problems(plan()).first)
        #expect(problem.code == "DATA-LAYOUT" && problem.text.contains("frames 1 and 3"))
        // Two segments that are one of the model's are joined.
        segmentation.segments = [("Part", "10200004"), ("Other part", "10200004")]
        segmentation.frames[2].segment = 2
        segmentation.frames[2].first = 20
        try write(segmentation.bytes, "truth/part.dcm")
        let joined = try classes(plan(", segment_names: {part: [Other part]}"))
        #expect(joined == [nothing, segmentation.frames[2].classes, wanted[2], nothing])
    }

    @Test("a segmentation of another patient, and a series of two, are refused; a Patient ID that is missing is not")
    func patients() throws {
        var segmentation = SampleSegmentation()
        segmentation.patient = ""
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try classes(plan()) == wanted)
        segmentation.patient = "P-2"
        try write(segmentation.bytes, "truth/part.dcm")
        #expect(try failure(plan())?.text.contains("(0010,0020)") == true)
        try write(SampleSegmentation().bytes, "truth/part.dcm")
        for (patient, isRight) in [("", true), ("P-2", false)] {
            var slice = slices[3]
            let id = try #require(slice.elements.firstIndex { ($0.group, $0.element) == (0x0010, 0x0020) })
            slice.elements[id] = RawElement(0x0010, 0x0020, "LO", patient)
            try write(slice.fileBytes, "images/3.dcm")
            if isRight {
                let pairs = try TrainingData(plan()).training[0].pairs
                #expect(pairs.count == 4 && Set(pairs.map(\.patient)).count == 1)
            } else {
                #expect(try failure(plan())?.text.contains("two Patient IDs") == true)
            }
        }
    }
}
