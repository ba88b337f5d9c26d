import Foundation
import Imaging
import Numbers
package import Processes
import SegmentAnything
import Storage
import Tensors

/// Trains a model as a plan says. Results depend on plan, data and instruction set, not on threads or interruptions.
package final class Trainer {
    /// A checkpoint is written at least so often.
    static let checkpointInterval = Duration.seconds(300)

    let plan: TrainingPlan
    let folder: String
    let report: (TrainingEvent) -> Void
    /// Of one mpirun; nil for a run in one process.
    let ranks: Ranks?
    /// The one process that writes and reports.
    var isFirst: Bool { ranks?.isFirst ?? true }
    let identity: String
    let data: TrainingData
    /// What stages draw images from: one an entry of the plan's data, then of its images without masks.
    let drawn: [LabelledSet]
    let validation: [LabelledSet]
    /// How large the training's pictures are.
    let scale: TrainedScale?
    /// The model that the run begins with.
    let parent: ModelDirectory?
    /// The model whose encoder it begins with.
    let encoder: ModelDirectory?
    var seconds = 0.0
    /// What is validated and written when the plan asks for it.
    var average: WeightAverage?
    var best: BestWeights?
    var log = MetricsLog()
    /// When `training.html` was written last.
    private var pageWritten: Date?
    /// Of the last validation, for the page.
    var examples: [Overlay] = []

    /// Looks at everything that the plan names before the first step; every file is decoded once.
    ///
    /// - Parameters:
    ///   - folder: the model directory to be; made when it is missing. All processes of an mpirun see the same.
    ///   - ranks: the processes that share each step's batches.
    ///
    /// *Throws* `TrainingFailure.plan` when the plan's parent has another shape, or a stage has fewer batches a step than there are processes; `DataProblems` or the one problem of the data.
    package init(
        _ plan: TrainingPlan, folder: String, ranks: Ranks? = nil, report: @escaping (TrainingEvent) -> Void
    ) throws {
        let report = ranks?.isFirst ?? true ? report : { _ in }
        self.plan = plan
        self.folder = folder
        self.ranks = ranks
        self.report = report
        if let ranks, let stage = plan.stages.firstIndex(where: { $0.accumulate < ranks.count }) {
            throw TrainingFailure.ranks(count: ranks.count, stage: stage + 1, batches: plan.stages[stage].accumulate)
        }
        parent = try plan.startFrom.map { try ModelDirectory.open($0) }
        encoder = try plan.encoderFrom.map { try ModelDirectory.open($0) }
        if let parent { try Self.compare(parent, plan) }
        if let encoder { try PretrainedEncoder.check(encoder, plan.configuration) }
        data = try TrainingData(plan)
        let check = DataCheck.run(
            data.roles, segments: plan.configuration.segments, input: plan.input,
            tellsObjects: plan.configuration.instances == .boundary, allowsSimilar: plan.allowsSimilar,
            progress: { report(.checking(done: $0, of: $1)) })
        try check.confirm()
        for summary in check.summaries { report(.data(summary)) }
        scale = check.scale
        let count = data.training.count + data.unlabelled.count
        drawn = Array(check.sets.prefix(count))
        validation = Array(check.sets[count..<count + data.validation.count])
        identity = try Self.identity(plan, data, parent, encoder)
        try Folder.make(folder)
    }

    private static func identity(
        _ plan: TrainingPlan, _ data: TrainingData, _ parent: ModelDirectory?, _ encoder: ModelDirectory?
    ) throws -> String {
        try plan.identity(
            data: data.training, unlabelled: data.unlabelled, validated: data.validation, parent: parent?.digest,
            encoder: encoder?.digest
        ).hex
    }

    /// For the end of a run: what it learned from is not, or not any more, what stood there at its start; nil where it is.
    ///
    /// *Cost*: one pass over all files of the data.
    package var changed: TrainingFailure? {
        (try? Self.identity(plan, data, parent, encoder)) == identity ? nil : .changed(folder: folder)
    }

    private static func compare(_ parent: ModelDirectory, _ plan: TrainingPlan) throws(TrainingFailure) {
        var found = parent.configuration
        found.inputSize = plan.configuration.inputSize
        (found.alpha, found.lossAt) = (plan.configuration.alpha, plan.configuration.lossAt)
        // The same tensors; training teaches them to do without. The way back is nobody's wish.
        if plan.configuration.padding == .drop { found.padding = .drop }
        guard found == plan.configuration else {
            throw .plan(
                path: parent.path, reason: "this model does not have the shape that train.yaml asks for",
                cure: "Make both agree.")
        }
    }

    /// *Throws* `TrainingFailure.busy` for a folder that another run works in, `.finished` and `.occupied` for one with a run, a model or
    /// other files that the run would write over.
    package func checkFolder(resume: Bool) throws {
        // The first process has its lock by the time that the others look.
        if isFirst { try TrainingFolder(path: folder).confirmFree() }
        try confirmFolder(resume: resume)
    }

    @discardableResult
    private func confirmFolder(resume: Bool) throws -> Bool {
        try TrainingFolder(path: folder).confirm(resume: resume, plan: plan.text, list: data.list)
    }

    /// Trains all stages and writes the model directory.
    ///
    /// - Parameters:
    ///   - resume: goes on from the folder's checkpoint when there is one; without it a folder with a run or a model is refused.
    ///   - shouldStop: asked after every step; at true the run leaves a checkpoint and gives false.
    ///
    /// *Throws* `TrainingFailure.busy`, `.finished`, `.occupied`, `.instructionSets`; `.notFinite` when the loss diverges; failures of the data and of writing.
    @discardableResult
    package func run(resume: Bool, shouldStop: () -> Bool = { false }) throws -> Bool {
        let lock = try isFirst ? TrainingFolder(path: folder).lock() : nil
        defer { withExtendedLifetime(lock) {} }
        let goesOn = try confirmFolder(resume: resume)
        let hasCheckpoint = FileStatus.exists(Checkpoint.path(in: folder))
        if resume, !hasCheckpoint { report(.begunAnew(folder: folder)) }
        var configuration = plan.configuration
        var (first, parameters) = (0, Parameters([:]))
        var resumed: Checkpoint?
        if hasCheckpoint {
            let checkpoint = try Checkpoint.read(from: folder, plan: identity)
            (first, parameters) = (checkpoint.stage, Parameters(checkpoint.weights))
            (seconds, best) = (checkpoint.seconds, checkpoint.best)
            log = MetricsLog.read(from: folder, count: checkpoint.lines)
            resumed = checkpoint
            if isFirst { try BestWeights.restore(best, in: folder) }
            report(.resumed(stage: first + 1, step: checkpoint.step))
        } else if let parent {
            parameters = Parameters(try parent.tensors())
        } else {
            configuration.inputSize = plan.stages[0].inputSize
            parameters = .initial(configuration, seed: plan.seed)
            if let encoder { try PretrainedEncoder.copy(encoder, into: &parameters, configuration) }
        }
        if let ranks {
            let sets = Set(
                ranks.exchange(Array(InstructionSet.current.utf8)).map { String(decoding: $0, as: UTF8.self) })
            guard sets.count == 1 else { throw TrainingFailure.instructionSets(sets.sorted()) }
        }
        // Everybody has read what there was, and the same.
        try ranks?.confirm(
            same: "\(identity) \(first) \(resumed?.step ?? 0) \(resumed?.isPending == true) \(best?.text ?? "")")
        if isFirst {
            // What a writer that was killed has left: nobody else writes here while the run has the lock.
            if goesOn { try DurableFile.removeTemporaries(in: folder) }
            try DurableFile.write(plan.text, to: Folder.join(folder, TrainingFolder.planName))
            try DurableFile.write(try data.list(), to: Folder.join(folder, TrainingFolder.listName))
        }
        try writePage(.running)
        // Whatever ends the run early: nobody waits for more of it.
        var hasEnded = false
        defer { if !hasEnded { try? writePage(.stopped) } }
        configuration.inputSize = plan.stages[first].inputSize
        average = plan.averageDecay.map { decay in
            WeightAverage(
                decay: decay, updates: resumed?.average?.updates ?? 0,
                resumed?.average?.tensors ?? parameters.tensors)
        }
        for stage in first..<plan.stages.count {
            configuration.inputSize = plan.stages[stage].inputSize
            let task = plan.stages[stage].task
            parameters = task.parameters(
                Parameters(PositionTables.resized(parameters.tensors, to: configuration)), configuration,
                seed: plan.seed)
            if stage > first, task.isSegmentation, !plan.stages[stage - 1].task.isSegmentation {
                // Decoders learn on the encoder as it is, not on its average: that begins anew.
                average = plan.averageDecay.map { WeightAverage(decay: $0, parameters.tensors) }
            }
            average?.resize(to: configuration)
            guard try run(stage, configuration, parameters, from: resumed, shouldStop) else { return false }
            resumed = nil
        }
        guard isFirst else { return true }
        parameters = TrainingTask.segmentation.parameters(parameters, configuration, seed: plan.seed)
        let tensors = try best?.read(from: folder) ?? average?.tensors ?? parameters.tensors
        try ModelDirectory.write(
            description(plan.configuration), tensors: PositionTables.resized(tensors, to: plan.configuration),
            to: folder)
        try writePage(.ended)
        hasEnded = true
        report(.written(path: folder))
        return true
    }

    func writePage(_ state: TrainingPage.State) throws {
        guard isFirst else { return }
        let now = Date()
        let moment = TrainingPage.Moment(now: now, before: pageWritten)
        try TrainingPage.write(log, plan: plan, examples: examples, best: best, state, moment, to: folder)
        pageWritten = now
    }

    /// What `config.json` says of the weights that are written.
    func description(_ configuration: Configuration) -> ModelDescription {
        var provenance = [
            "command": "hspsam train", "seed": "\(plan.seed)",
            "training_seconds": "\(Int(rounding: seconds.rounded(.down), clampedTo: 0 ... .max))",
            "images": "\(data.training.reduce(0) { $0 + $1.pairs.count })", "plan": identity,
        ]
        if plan.hasPretraining {
            let images = drawn.reduce(0) { $0 + $1.pairs.count }
            provenance["pretraining"] = "masked autoencoding of \(images) images"
        }
        provenance["parent"] = parent?.digest.hex
        provenance["encoder"] = encoder?.digest.hex
        let kind = average == nil ? "weights" : "moving average of the weights"
        provenance["weights"] = best.map { "\(kind) after epoch \($0.epoch) of the last stage" } ?? "last \(kind)"
        var input = plan.input
        input.scale = scale
        provenance["validation_dice"] = best.map { NumberText.fixed($0.dice, 4) }
        var description = ModelDescription(
            configuration: configuration, configurationName: plan.configurationName,
            segmentLabels: plan.segmentLabels, precision: .f16, trainedInput: input, provenance: provenance)
        description.isEncoderOnly = !plan.hasSegmentation
        return description
    }
}
