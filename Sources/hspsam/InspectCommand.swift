import ArgumentParser
import Failures
import Numbers
import Pipelines
import Processes
import Records

/// Says what files are, and whether and how `hspsam run` would process them.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Says what is in a file, series or folder, which pipeline would take it, and why no other.",
        discussion: """
            Example: hspsam inspect samples/fluorescence
            Nothing is written and nothing is segmented. With --json every image is decoded, and the SHA-256 of its stored values
            is given (pixel_sha256); without it no pixels are looked at.
            Exit status: 0 done, 2 could not start, 3 something of it would be refused or fail.
            """)

    @Argument(help: "DICOM, TIFF, PNG or JPEG files, or folders of them.") var input: [String]
    @Option(
        help: "The folder of pipelines; default: ../share/hspsam/pipelines from the program's folder, else ./pipelines."
    ) var pipelines: String?
    @Flag(help: "One JSON object (docs/formats.md).") var json = false

    func run() throws {
        let record = try Inspection.inspect(
            input, pipelines: try directories(), version: HSPSAMCommand.version, hashesPixels: json)
        if json {
            try StandardOutput.write(String(decoding: try record.json(), as: UTF8.self))
        } else {
            for line in Self.lines(record) { try StandardOutput.line(line) }
        }
        // What a run would skip has been answered.
        let status = ExitStatus.of(record.files.map(\.status))
        if status == .refusedOrFailed { throw status }
    }

    /// Without `--pipelines` a place without any is no failure: what a file is can be said all the same.
    private func directories() throws -> [PipelineDirectory] {
        do {
            return try PipelineDirectory.openAll(
                in: try PipelineDirectory.folder(named: pipelines, program: HSPSAMCommand.executable))
        } catch {
            if pipelines != nil { throw error }
            StandardError.line("No pipelines were asked: \(FailureRecord(error).description)")
            return []
        }
    }

    // MARK: Words

    /// Files alike are told once.
    private static let limit = 30

    static func lines(_ record: InspectionRecord) -> [String] {
        var lines: [String] = []
        for file in record.files.prefix(limit) { lines += self.lines(file) }
        if record.files.count > limit {
            lines.append("and \(record.files.count - limit) more files (--json tells all)")
        }
        for volume in record.volumes { lines += self.lines(volume) }
        return lines
    }

    private static func lines(_ file: InspectionRecord.File) -> [String] {
        var words = [file.format.map { $0.uppercased() } ?? "no image"]
        words += [file.sopClass, file.transferSyntax, file.photometric].compactMap { $0 }
        if let rows = file.rows, let columns = file.columns { words.append("\(rows) × \(columns) pixels") }
        if let bits = file.bits { words.append("\(bits) bits") }
        if let frames = file.frames, frames != 1 { words.append("\(frames) frames or pages") }
        var lines = ["\(file.path): \(words.joined(separator: ", "))"]
        lines += file.facts.map { "  \($0)" }
        if file.status != .processed {
            lines.append("  \(file.status.rawValue): \(file.code ?? "") \(file.reason ?? "")")
        }
        return lines
    }

    private static func lines(_ volume: InspectionRecord.Volume) -> [String] {
        let source = volume.source
        var words = ["\(source.modality)", "\(source.frames) frames of \(source.rows) × \(source.columns) pixels"]
        words.append(source.spacingMM.map { NumberText.size(mm: $0[0], $0[1]) } ?? "no scale")
        if let slice = source.sliceMM { words.append("slices \(NumberText.length(mm: slice)) apart") }
        var lines = ["volume \(source.series) of study \(volume.study): \(words.joined(separator: ", "))"]
        lines += volume.findings.map { "  \($0.code) \($0.text)" }
        for answer in volume.pipelines {
            if answer.takes {
                lines.append("  \(answer.pipeline): takes it")
            } else {
                let rule = answer.rule.map { "does not take it, nearest is rule \($0): " } ?? "does not take it: "
                lines.append("  \(answer.pipeline): \(rule)\(answer.reasons.joined(separator: "; "))")
            }
        }
        return lines
    }
}
