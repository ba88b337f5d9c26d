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
            ("nuclei", TrainedInput.Windowing.percentile(low: 0.5, high: 99.5), "nucleus"),
            ("skin-lesion", .color, "lesion"),
            ("phantom-body", .fixed(center: 100, width: 600), "body"),
        ])
    func shipped(_ name: String, _ windowing: TrainedInput.Windowing, _ label: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let model = try ModelDirectory.open(root.appending(path: "pipelines/\(name)/model").path)
        #expect(model.description.trainedInput == TrainedInput(windowing: windowing, aspect: .varied))
        #expect(model.description.segmentLabels == [label])
        let bytes = try Data(contentsOf: root.appending(path: "pipelines/\(name)/model/config.json"))
        #expect(try Array(bytes) == model.description.json())
    }
}
