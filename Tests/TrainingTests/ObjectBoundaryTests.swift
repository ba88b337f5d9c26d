import Failures
import Foundation
import Imaging
import Numbers
import SegmentAnything
import Tensors
import Testing
import Training

@Suite("Boundaries of objects", .serialized)
struct ObjectBoundaryTests {
    @Test(
        "the edge of an object is a class of its own towards background and towards another object, not at the picture's edge"
    )
    func marks() {
        let objects = [
            "11112222..", "11112222..", "11112222..", "11112222..", "...33333..", "...33333..", "..........",
            "~~~~~~~~~~",
            "~~~~~~~~~~", "~~~~~~~~~~",
        ]
        let numbers = objects.joined().utf8.map { Int32(48...57 ~= $0 ? $0 - 48 : 0) }
        var classes = numbers.map { UInt8($0 == 3 ? 2 : $0 > 0 ? 1 : 0) }
        ObjectBoundary.mark(&classes, objects: numbers, side: 10, rows: 7, columns: 10, segments: 2, width: 1)
        let drawn = (0..<7).map { row in
            classes[row * 10..<row * 10 + 10].map { ["." as Character, "i", "I", "e", "E"][Int($0)] }.reduce(into: "") {
                $0.append($1)
            }
        }
        #expect(
            drawn == [
                "iiieeiie..", "iiieeiie..", "iiieeiie..", "eeeeeeee..", "...EEEEE..", "...EEEEE..", "..........",
            ])
    }

    @Test("objects are told apart by labels, else by connected parts, and move with their classes")
    func samples() throws {
        let place = try Workplace(images: 2)
        // Two halves that touch.
        try place.masks { _, values in
            let columns = values.indices.filter { values[$0] > 0 }.map { $0 % 64 }
            let middle = ((columns.min() ?? 0) + (columns.max() ?? 0)) / 2
            return values.indices.map { values[$0] == 0 ? 0 : $0 % 64 <= middle ? 1 : 2 }
        }
        let set = try place.set(try place.plan())
        let sample = try set.sample(set.pairs[0], segments: 1, input: TrainedInput(), withObjects: true)
        #expect(Set(sample.objects) == [0, 1, 2] && Set(sample.classes) == [0, 1])
        #expect(try set.sample(set.pairs[0], segments: 1, input: TrainedInput()).objects.isEmpty)
        var augmentation = Augmentation()
        augmentation.elastic = 0.1
        for seed in 0..<10 {
            var random = SplitMix64(seed: UInt64(seed))
            let changed = augmentation.apply(sample, &random)
            #expect(zip(changed.objects, changed.classes).allSatisfy { ($0 > 0) == ($1 > 0) })
            #expect(changed.objects.contains(1) || changed.objects.contains(2))
        }
        let union = try Workplace(images: 1)
        let joined = try union.set(try union.plan())
        #expect(
            Set(try joined.sample(joined.pairs[0], segments: 1, input: TrainedInput(), withObjects: true).objects)
                == [0, 1])
    }

    @Test("a check says how many objects touch another, which a union of them cannot tell")
    func touching() throws {
        func objects(_ place: Workplace) throws -> (all: Int, touching: Int)? {
            let plan = try place.plan()
            let data = try TrainingData(plan)
            #expect(try DataCheck.run(data.roles, segments: 1, input: plan.input).summaries[0].objects == nil)
            return try DataCheck.run(data.roles, segments: 1, input: plan.input, tellsObjects: true).summaries[0]
                .objects
        }
        let place = try Workplace(images: 3)
        #expect(try objects(place).map { $0 == (3, 0) } == true)
        // A second object: the disc's own left part, then a pixel far from it.
        try place.masks { _, values in
            let left = values.indices.filter { values[$0] > 0 }.map { $0 % 64 }.min() ?? 0
            return values.indices.map { values[$0] > 0 ? $0 % 64 < left + 4 ? 2 : 1 : 0 }
        }
        #expect(try objects(place).map { $0 == (6, 6) } == true)
        try place.masks { _, values in values.indices.map { values[$0] > 0 ? 1 : $0 == values.count - 1 ? 2 : 0 } }
        #expect(try objects(place).map { $0 == (6, 0) } == true)
    }

    @Test("what tells objects apart is decided for the whole set: an object of a label mask in two parts is one")
    func parts() throws {
        func objects(_ place: Workplace) throws -> (all: Int, telling: ObjectRule?) {
            let plan = try place.plan()
            let data = try TrainingData(plan)
            let check = try DataCheck.run(data.roles, segments: 1, input: plan.input, tellsObjects: true)
            try check.confirm()
            return (try #require(check.summaries[0].objects).all, check.summaries[0].telling)
        }
        /// The disc without its middle row, which is two parts.
        func cut(_ values: [UInt16], _ label: UInt16) -> [UInt16] {
            let rows = values.indices.filter { values[$0] > 0 }.map { $0 / 64 }
            let middle = ((rows.min() ?? 0) + (rows.max() ?? 0)) / 2
            return values.indices.map { values[$0] > 0 && $0 / 64 != middle ? label : 0 }
        }
        let binary = try Workplace(images: 2)
        try binary.masks { _, values in cut(values, 255) }
        #expect(try objects(binary) == (4, .parts))
        let labels = try Workplace(images: 2)
        // The second mask numbers two objects, so the first, in two parts, is of one.
        try labels.masks { disc, values in
            disc == 0 ? cut(values, 1) : values.indices.map { values[$0] > 0 ? 1 : $0 == values.count - 1 ? 2 : 0 }
        }
        #expect(try objects(labels) == (3, .values))
        #expect(try objects(Workplace(images: 2)) == (2, .parts))
    }

    @Test("a training batch's Dice adds a segment's inside and edge before it looks for what is likeliest")
    func hardDice() {
        var configuration = Configuration()
        (configuration.segments, configuration.instances) = (1, .boundary)
        // Background, inside, edge: alone the background is the likeliest of the first two pixels.
        let logits = Tensor([1, 3, 2, 2], [1, 1, 3, 3, 0.7, 0.7, 0, 0, 0.7, 0.7, 0, 0])
        let labels = LabelMaps(
            targets: Tensor([1, 3, 2, 2], [0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0]),
            valid: Tensor([1, 2, 2], [1, 1, 1, 1]))
        #expect(HardDice.mean(logits, labels, configuration) == 1)
    }

    @Test("a model that learns boundaries has one segment for others, and its objects are told apart by them")
    func run() throws {
        let place = try Workplace(images: 4)
        func plan(_ more: String) throws -> TrainingPlan {
            let text = """
                model: {size: nano, configuration: scratch, stem: conv, input_size: 96\(more)}
                data: [{images: images, masks: masks}]
                stages: [{input_size: 64, epochs: 1, batch: 2, learning_rate: 1.0e-3}]
                """
            try text.write(toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
            return try TrainingPlan.read("\(place.folder)/train.yaml")
        }
        let boundary = try plan(", instances: boundary")
        #expect(boundary.configuration.outputs == 3 && boundary.configuration.foregroundOutputs == 1)
        let pairs = try TrainingData(boundary).training
        #expect(
            try boundary.identity(data: pairs, parent: nil)
                != plan("").identity(data: pairs, parent: nil))
        try Trainer(boundary, folder: "\(place.folder)/model") { _ in }.run(resume: false)
        let model = try ModelDirectory.open("\(place.folder)/model")
        #expect(model.separation == .boundary && model.description.segmentLabels == ["segment-1"])
        var options = Evaluation.Options()
        options.instances = true
        let result = try Evaluation.run(try Predictor(model), on: [try place.set(boundary)], options: options)
        #expect(result.segments.count == 1 && result.segments[0].instances != nil)
        let failure = #expect(throws: (any Error).self) {
            let text = try String(contentsOfFile: "\(place.folder)/train.yaml", encoding: .utf8)
            try (text + "\nloss: {activation: sigmoid}\n").replacing("96}", with: "96, instances: boundary}").write(
                toFile: "\(place.folder)/train.yaml", atomically: true, encoding: .utf8)
            return try TrainingPlan.read("\(place.folder)/train.yaml")
        }
        #expect((failure as? any Failure)?.code == "SET-RANGE")
    }
}
