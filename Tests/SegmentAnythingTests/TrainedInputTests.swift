import Foundation
import Imaging
import SegmentAnything
import Testing

@Suite("what a model was trained with")
struct TrainedInputTests {
    private func description(_ input: TrainedInput?, labels: [String]? = ["body"]) -> ModelDescription {
        ModelDescription(
            configuration: Configuration(), configurationName: "scratch", segmentLabels: labels, trainedInput: input)
    }

    @Test(
        "a windowing that is not the training's is a contradiction with both values",
        arguments: [
            (
                TrainedInput.Windowing.fixed(center: 100, width: 600),
                Imaging.Windowing(mode: .fixed(center: 100, width: 600)), true
            ),
            (.fixed(center: 100, width: 600), Imaging.Windowing(mode: .fixed(center: 40, width: 400)), false),
            (.fixed(center: 100, width: 600), Imaging.Windowing(mode: .percentile(low: 0.5, high: 99.5)), false),
            (
                .percentile(low: 0.5, high: 99.5),
                Imaging.Windowing(mode: .percentile(low: 0.5, high: 99.5), scope: .frame), true
            ),
            (.percentile(low: 0.5, high: 99.5), Imaging.Windowing(mode: .percentile(low: 0.5, high: 99.5)), false),
            (.percentile(low: 0.5, high: 99.5), Imaging.Windowing(mode: .dicom(), scope: .frame), false),
            (.minmax, Imaging.Windowing(mode: .minmax, scope: .frame), true),
            (.asIs, Imaging.Windowing(mode: .dicom()), true),
            (.asIs, Imaging.Windowing(mode: .minmax, scope: .frame), false),
            (.color, Imaging.Windowing(mode: .percentile(low: 0.5, high: 99.5)), true),
        ])
    func windowing(_ trained: TrainedInput.Windowing, _ asked: Imaging.Windowing, _ agrees: Bool) {
        let found = description(TrainedInput(windowing: trained)).contradictions(
            windowing: asked, aspect: "isotropic", segmentKeys: ["body"])
        #expect(found.isEmpty == agrees)
        if !agrees {
            #expect(found.map(\.key) == ["windowing"])
            #expect(found[0].trained == trained.words && !found[0].asked.isEmpty && found[0].asked != found[0].trained)
        }
    }

    @Test("another aspect and other segments are contradictions; varied aspects and numbered segments are none")
    func aspectAndSegments() {
        let window = Imaging.Windowing(mode: .minmax, scope: .frame)
        let fixed = description(TrainedInput(windowing: .minmax, aspect: .grid))
        let found = fixed.contradictions(windowing: window, aspect: "isotropic", segmentKeys: ["liver"])
        #expect(
            found.map { [$0.key, $0.trained, $0.asked] } == [
                ["preprocess.aspect", "grid", "isotropic"], ["segments", "body", "liver"],
            ])
        let varied = description(TrainedInput(windowing: .minmax, aspect: .varied), labels: nil)
        #expect(varied.contradictions(windowing: window, aspect: "grid", segmentKeys: ["liver"]).isEmpty)
        #expect(description(nil).contradictions(windowing: window, aspect: "grid", segmentKeys: ["body"]).isEmpty)
    }

    @Test("tiles more than 1.5 times larger or smaller than the training's pictures are a contradiction")
    func tiles() {
        let window = Imaging.Windowing(mode: .minmax, scope: .frame)
        func found(_ scale: TrainedScale?, _ tile: TileSide?) -> [[String]] {
            description(TrainedInput(windowing: .minmax, scale: scale)).contradictions(
                windowing: window, aspect: "isotropic", tile: tile, segmentKeys: ["body"]
            ).map { [$0.key, $0.trained, $0.asked] }
        }
        let scale = TrainedScale(pixels: 256, pixelMM: 0.0005)
        #expect(found(scale, .pixels(384)).isEmpty && found(scale, .pixels(171)).isEmpty && found(scale, nil).isEmpty)
        #expect(
            found(scale, .pixels(385)) == [
                ["preprocess.scale", "pictures of 256 pixels a side, 0.5 µm each", "tiles of 385 pixels a side"]
            ])
        #expect(found(scale, .pixels(170)).count == 1)
        #expect(found(scale, .micrometres(128)).isEmpty && found(scale, .micrometres(200)).count == 1)
        #expect(found(TrainedScale(pixels: 256), .micrometres(200)).isEmpty && found(nil, .pixels(1000)).isEmpty)
    }

    @Test("the training's scale is the median side, and a pixel size only where every picture has one")
    func scale() {
        let pictures: [(side: Int, pixelMM: Double?)] = [(256, 0.5), (360, 0.25), (300, 1)]
        #expect(TrainedScale(pictures) == TrainedScale(pixels: 300, pixelMM: 0.5))
        #expect(TrainedScale(pictures + [(100, nil), (100, nil)]) == TrainedScale(pixels: 256))
        #expect(TrainedScale([]) == nil)
    }

    @Test(
        "it survives its JSON, and a key or number that does not belong there is refused",
        arguments: [
            TrainedInput.Windowing.asIs, .color, .fixed(center: -600, width: 1500), .percentile(low: 0.5, high: 99.5),
            .minmax,
        ])
    func json(_ windowing: TrainedInput.Windowing) throws {
        let input = TrainedInput(windowing: windowing, aspect: .varied)
        let data = try JSONEncoder().encode(input)
        #expect(try JSONDecoder().decode(TrainedInput.self, from: data) == input)
        for wrong in [
            #"{"windowing":{"mode":"color","center":1},"aspect":"grid"}"#,
            #"{"windowing":{"mode":"color"},"aspect":"round"}"#,
            #"{"windowing":{"mode":"fixed","center":1,"width":0},"aspect":"grid"}"#,
            #"{"windowing":{"mode":"minmax"}}"#,
            #"{"windowing":{"mode":"percentile","low":9,"high":9},"aspect":"grid"}"#,
            #"{"windowing":{"mode":"minmax"},"aspect":"grid","scope":"frame"}"#,
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(TrainedInput.self, from: Data(wrong.utf8))
            }
        }
    }

    @Test(
        "a shipped model says what it was trained with, in the bytes that writing it again gives",
        arguments: [
            ("nuclei", TrainedInput.Windowing.percentile(low: 0.5, high: 99.9), 256, "nucleus"),
            ("skin-lesion", .color, 256, "lesion"),
            ("phantom-body", .fixed(center: 100, width: 600), 160, "body"),
        ])
    func shipped(_ name: String, _ windowing: TrainedInput.Windowing, _ pixels: Int, _ label: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let model = try ModelDirectory.open(root.appending(path: "pipelines/\(name)/model").path)
        let scale = TrainedScale(pixels: pixels)
        #expect(model.description.trainedInput == TrainedInput(windowing: windowing, aspect: .varied, scale: scale))
        #expect(model.description.segmentLabels == [label])
        let bytes = try Data(contentsOf: root.appending(path: "pipelines/\(name)/model/config.json"))
        #expect(try Array(bytes) == model.description.json())
    }
}
