import Foundation
import Storage
import Testing
import Training

@Suite("identity of a training plan")
struct PlanIdentityTests {
    /// Two pairs with contents of their own; nothing of them is decoded.
    private func folder(_ image: String = "first image") throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID().uuidString)").path
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        for (name, text) in [
            ("images/a.png", image), ("images/b.png", "second image"), ("masks/a.png", "first mask"),
            ("masks/b_mask.png", "second mask"),
        ] { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
        return folder
    }

    private func identity(_ folder: String, _ more: String = "", parent: FileDigest? = nil) throws -> String {
        let text = """
            model: {size: nano, configuration: scratch, stem: conv, input_size: 96}
            data: [{images: images, masks: masks, weight: 2}]
            stages: [{input_size: 64, epochs: 0.5, batch: 2, learning_rate: 1.0e-3}]
            \(more)
            """
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/train.yaml"))
        let plan = try TrainingPlan.read("\(folder)/train.yaml")
        let data = try TrainingData(plan)
        return try plan.identity(data: data.training, validated: data.validation, parent: parent).hex
    }

    @Test("it is the recorded one, wherever the files lie")
    func recorded() throws {
        let wanted = "3c8034ccca65987605043908671f881d7eae1213843d4ac2834e318916d0b2df"
        #expect(try identity(folder()) == wanted)
        #expect(try identity(folder()) == wanted)
        let all = """
            windowing: {mode: percentile}
            optimiser: {weight_decay: 0.05, warmup: 20, schedule: cosine, clip_norm: 1}
            loss: {alpha: 0.5, at: full, activation: sigmoid, ignore_padding: false}
            augment: {flip: false, turn: 10, scale: [1, 2], aspect: [1, 1], brightness: 0, contrast: 0.1, gain: [0.5, 2]}
            seed: 9
            """
        #expect(
            try identity(folder(), all, parent: FileDigest(of: "a model"))
                == "0e57002d5d86dad261e239cec969d928d98aae8540ed93519f109e9db7a73ce9")
    }

    @Test("a default written out changes nothing; a value, an image's content or another parent does")
    func changes() throws {
        let plain = try identity(folder())
        #expect(try identity(folder(), "seed: 1\noptimiser: {beta1: 0.9}\nwindowing: {mode: as_is}") == plain)
        #expect(try identity(folder(), "validation: {images: images, masks: masks}") != plain)
        for more in [
            "seed: 2", "windowing: {mode: minmax}", "optimiser: {warmup: 9}", "augment: {turn: 9}",
            "optimiser: {ema: 0.9}",
        ] {
            #expect(try identity(folder(), more) != plain, "\(more)")
        }
        #expect(try identity(folder("another image")) != plain)
        #expect(try identity(folder(), parent: FileDigest(of: "a model")) != plain)
    }

    @Test(
        "annotations whose objects a run tells apart have an identity that no older program gave them; other runs keep theirs"
    )
    func annotations() throws {
        let folder = try folder()
        let outlines = """
            {"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
             "categories": [{"id": 1, "name": "disc"}],
             "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[9, 9, 30, 9, 30, 30]]}]}
            """
        try Data(outlines.utf8).write(to: URL(filePath: "\(folder)/coco.json"))
        func identity(_ instances: String) throws -> String {
            let text = """
                model: {size: nano, configuration: scratch, stem: conv, input_size: 96, segment_labels: [disc]\(instances)}
                data: [{images: images, coco: coco.json}]
                stages: [{input_size: 64, epochs: 0.5, batch: 2, learning_rate: 1.0e-3}]
                """
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/train.yaml"))
            let plan = try TrainingPlan.read("\(folder)/train.yaml")
            return try plan.identity(data: TrainingData(plan).training, parent: nil).hex
        }
        #expect(try identity("") == "7deeb9a632d5567c72bdb6579a9d882c8fdb7149ec951551365b5cf880d21125")
        // Without its objects it was 052297ec…
        #expect(
            try identity(", instances: boundary") == "a0319a849fff0f25863b591842cfd1b5519bb1045cca9cc263bf89fe75c0795c")
    }
}
