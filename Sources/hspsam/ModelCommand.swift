import ArgumentParser
import Failures
import Foundation
import Processes
import References
import SegmentAnything
import Storage
import Tensors

/// What is done with models apart from running them.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Imports Segment Anything, describes a model, checks the network against recorded references.",
        discussion: "Example: hspsam model import sam_vit_b_01ec64.pth --out sam-b",
        subcommands: [
            ModelImportCommand.self, ModelInfoCommand.self, ModelCheckCommand.self,
            ModelQuantizeCommand.self,
        ])
}

/// `hspsam model import`
struct ModelImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Makes a model directory of an official Segment Anything checkpoint.",
        discussion: """
            Example: hspsam model import sam_vit_b_01ec64.pth --out sam-b --segments 2
            The file is read as data; nothing in it is executed. vit_b, vit_l and vit_h are recognised; --config describes another shape.
            """)

    @Argument(help: "The .pth file.") var checkpoint: String
    @Option(help: "The model directory to write.") var out: String
    @Option(name: .customLong("configuration"), help: "\(Configuration.Named.names.joined(separator: ", ")).")
    var configurationName = "hsp_sam"
    @Option(help: "Segments (foreground classes).") var segments: Int?
    @Option(help: "Q&A prompt pairs a level; what --config says, else as many as segments.") var prompts: Int?
    @Option(help: "Rank of LoRA.") var loraRank: Int?
    @Option(help: "Input size, a multiple of 16; the checkpoint's own.") var inputSize: Int?
    @Option(help: "JSON file with the shape of an encoder that is none of SAM's three.") var config: String?

    func run() throws {
        guard let named = Configuration.Named(name: configurationName) else {
            throw FailureRecord(
                kind: .usage, code: "USE-CONFIGURATION",
                message: FailureMessage(
                    "there is no configuration of that name.",
                    cure: "Use one of \(Configuration.Named.names.joined(separator: ", ")).",
                    subject: "--configuration \(configurationName)"))
        }
        try OutputFiles.confirmNew([out], out: out)
        try beforeTheStart {
            let source = try SAMImport(checkpoint)
            let configuration = try configuration(of: source, as: named)
            let fresh = Parameters.initial(configuration, seed: 1).tensors
            let tensors = try source.tensors(for: configuration, fresh: fresh)
            let description = ModelDescription(
                configuration: configuration, configurationName: configurationName,
                provenance: [
                    "imported_from_sha256": try FileDigest(ofFile: checkpoint).hex, "made_by": "hspsam model import",
                ])
            try ModelDirectory.create(description, tensors: tensors, at: out)
        }
        let model = try beforeTheStart { try ModelDirectory.open(out) }
        try StandardOutput.line(ModelInfoCommand.describe(model))
    }

    /// The shape comes from the checkpoint or --config, the rest from the options, the row of the table last.
    private func configuration(of source: SAMImport, as named: Configuration.Named) throws -> Configuration {
        var configuration = Configuration()
        if let config {
            configuration = try Configuration.read(config)
        } else if let size = source.size {
            configuration.apply(size)
        } else {
            throw ModelFailure.tensors(
                path: checkpoint,
                differences: [
                    "the encoder has the shape of none of vit_b, vit_l and vit_h; describe it with --config FILE"
                ])
        }
        if let segments { configuration.segments = segments }
        let saysPrompts = try config.map { try Configuration.says(.prompts, in: $0) } ?? false
        configuration.prompts = prompts ?? (saysPrompts ? configuration.prompts : configuration.segments)
        if let loraRank { configuration.loraRank = loraRank }
        if let inputSize { configuration.inputSize = inputSize }
        configuration.apply(named)
        try configuration.validate(path: config ?? "the options")
        if let (key, asked) = named.contradiction(prompts: prompts, loraRank: loraRank) {
            throw Self.noRoom("--\(key.replacing("_", with: "-")) \(asked)", named, has: 0)
        }
        if let segments, segments != configuration.foregroundOutputs {
            throw Self.noRoom("--segments \(segments)", named, has: configuration.foregroundOutputs)
        }
        return configuration
    }

    private static func noRoom(_ option: String, _ named: Configuration.Named, has count: Int) -> FailureRecord {
        FailureRecord(
            kind: .usage, code: "USE-CONFIGURATION",
            message: FailureMessage(
                "the configuration \(named.rawValue) has \(count).",
                cure: "Leave the option out, or choose another configuration.", subject: option))
    }
}

/// `hspsam model info`
struct ModelInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Describes a model and counts its parameters beside the paper's figures.",
        discussion: "Example: hspsam model info pipelines/skin-lesion/model")

    @Argument(help: "The model directory.") var directory: String

    func run() throws {
        let model = try beforeTheStart { try ModelDirectory.open(directory) }
        try StandardOutput.line(Self.describe(model))
    }

    static func describe(_ model: ModelDirectory) -> String {
        let c = model.configuration
        let description = model.description
        let parameters = ParameterShapes.of(c).filter { !$0.isConstant }
        let all = parameters.reduce(0) { $0 + $1.shape.count }
        let trained = parameters.filter(\.trains).reduce(0) { $0 + $1.shape.count }
        let encoder = parameters.filter { $0.name.hasPrefix("image_encoder.") }.reduce(0) { $0 + $1.shape.count }
        var lines = [
            "\(model.path): \(description.configurationName), \(c.namedSize?.rawValue ?? "an encoder of its own shape")",
            "  input         \(c.inputSize)×\(c.inputSize), \(c.grid)×\(c.grid) tokens, stem \(c.stem.rawValue)"
                + (c.padding == .drop ? ", padding dropped" : ""),
            "  encoder       width \(c.embedDim), \(c.depth) blocks, \(c.heads) heads, window \(c.window), global blocks \(list(c.globalBlocks))",
            "  decoder       width \(c.decoderDim), \(c.decoderHeads) heads, \(c.levels.count) level\(c.levels.count == 1 ? "" : "s")"
                + (c.skip ? ", skip" : "") + (c.deepSupervision ? ", deep supervision" : "")
                + (c.iouHead ? ", IoU head" : ""),
            "  prompts       \(c.prompts) Q&A pair\(c.prompts == 1 ? "" : "s") a level, LoRA rank \(c.loraRank), encoder "
                + (c.freezeEncoder ? "frozen" : "trained"),
            "  segments      \(description.segmentLabels.joined(separator: ", ")) (\(c.activation.rawValue), \(c.outputs) outputs\(c.instances == .none ? "" : ", boundaries of objects"))",
            "  parameters    \(millions(all)) in all, \(millions(encoder)) of them in the encoder; \(millions(trained)) train",
        ]
        if let figure = Self.paper[description.configurationName] {
            lines.append(
                "                the paper says \(figure) train in this configuration with ViT-B, rank 32; it does not say how it counts"
            )
        }
        if let input = description.trainedInput {
            lines.append(
                "  trained with  \(input.windowing.words); aspect \(input.aspect.rawValue)"
                    + (input.scale.map { "; \($0.words)" } ?? ""))
        }
        if description.isEncoderOnly { lines.append("  learned       the encoder alone, from images without masks") }
        lines.append("  weights       \(description.precision.rawValue), SHA-256 \(model.weightsDigest.hex)")
        if let q = description.quantisation {
            let kept = q.bfloat16Layers.count
            lines.append(
                String(
                    format:
                        "  8 bits        Dice against float32 %.4f in the mean of %d images, %.4f at least; %d layers in bfloat16",
                    q.meanDice, q.images, q.leastDice, kept))
        }
        lines.append("  model digest  \(model.digest.hex)")
        for (key, value) in description.provenance.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(key): \(value)")
        }
        return lines.joined(separator: "\n")
    }

    /// §4.4, the table's last column.
    private static let paper = [
        "ft_sam": "90.58 M", "ablation_1": "3.4 M", "ablation_2": "23.96 M", "ablation_3": "23.96 M",
        "hsp_sam": "23.96 M",
        "ablation_4": "21.27 M", "ablation_5": "21.27 M",
    ]

    private static func millions(_ count: Int) -> String { String(format: "%.2f M", Double(count) / 1e6) }
    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: " ") }
}

/// `hspsam model check`
struct ModelCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compares our network, training and import with recorded references.",
        discussion: """
            Example: hspsam model check ../shared/golden/nano-paper
            Prints the worst difference of each group of tensors; ends with 1 when one is above its tolerance.
            """)

    @Argument(help: "A directory with reference.safetensors.") var directory: String
    @Option(help: "Arithmetic of the network: fp32, bf16 or int8 (without calibration).") var precision = Precision.fp32
    @Option(help: ThreadCount.help) var threads = ThreadCount.allCores

    func run() throws {
        ThreadPool.start(threads: threads.count)
        let report = try beforeTheStart { try GoldenCheck.run(directory: directory, precision: precision) }
        for group in report.groups {
            try StandardOutput.line(
                String(
                    format: "%@ %@: %d compared, worst %.2e (allowed %.0e) at %@", group.passes ? "ok  " : "FAIL",
                    group.name, group.tensors,
                    group.worst, group.tolerance, group.worstTensor))
        }
        try StandardOutput.line(report.passes ? "\(directory): agrees" : "\(directory): does not agree")
        if !report.passes { throw ExitStatus.internalDefect }
    }
}
