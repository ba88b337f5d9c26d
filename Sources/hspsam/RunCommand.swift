import ArgumentParser
import Failures
import Pipelines
import Processes
import Records
import SegmentAnything
import Storage
import Tensors

/// Segments files and folders; the service's worker is this command.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Segments DICOM, TIFF, PNG and JPEG files and writes DICOM SEG, a report for each study, run.json and index.html.",
        discussion: """
            Example: hspsam run samples --out results
            parallel hspsam run /drop --shard {}/4 --out results/{} ::: 1 2 3 4 shares the studies among four (docs/cluster.md).
            Folders are read with everything below them, .zip files and DICOMDIR media as folders. Which pipeline a series goes through stands in its pipeline.yaml.
            Exit status: 0 done, 2 could not start, 3 something was refused or failed, or slices seem to be missing (named in the report), 4 nothing was processed.
            """)

    @Argument(help: "DICOM, TIFF, PNG or JPEG files, .zip files, or folders of them.") var input: [String]
    @Option(help: "The folder to write; studies that are there already are replaced.") var out: String
    @Option(
        help: "The folder of pipelines; default: ../share/hspsam/pipelines from the program's folder, else ./pipelines."
    ) var pipelines: String?
    @Option(help: "Only this pipeline, whatever its selection says; never past a refusal.") var pipeline: String?
    @Option(help: "A file of study keys, one a line: a study whose result they name is skipped.") var known: String?
    @Option(help: "Arithmetic: fp32, bf16, int8 or auto; default: what each pipeline says.") var precision:
        PrecisionChoice?
    @Option(help: "Also writes masks (PNG) or nifti; may be given twice.") var also: [MaskFiles] = []
    @Option(help: "Only part I/N of the studies, as 2/8: for N machines, each with an --out of its own.") var shard:
        Shard?
    @Option(help: ThreadCount.help) var threads = ThreadCount.allCores
    @Flag(help: "Progress as JSON, one object a line. Ends with the pipe on standard input, if there is one.")
    var json = false

    func run() throws {
        ThreadPool.start(threads: threads.count)
        let program = ProgramIdentity(
            version: HSPSAMCommand.version, instructionSet: InstructionSet.current, precision: "",
            threads: ThreadPool.threads)
        let folder = try PipelineDirectory.folder(named: pipelines, program: HSPSAMCommand.executable)
        var options = Run.Options(inputs: input, out: out, pipelines: folder, pipeline: pipeline, program: program)
        options.precision = precision
        options.also = Set(also)
        options.shard = shard
        if let known {
            do { try options.addKnown(file: known) } catch let failure as StorageFailure {
                throw FailureRecord(kind: .usage, code: failure.code, message: failure.message)
            }
        }
        let display: any RunDisplay = json ? JSONLines() : TextLines()
        let record: RunRecord
        do {
            let stop = StopRequest()
            StopRequest.listen()
            StopRequest.listenToHangups()
            record = try Run.run(options) { event in
                if stop.isAsked { throw Interruption() }
                try display.show(event)
            }
        } catch is Interruption {
            throw ExitStatus.interrupted
        }
        try display.end(record, inputs: input, out: out)
        if record.exitStatus != .done { throw record.exitStatus }
    }
}

extension MaskFiles: ExpressibleByArgument {}

extension Shard: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}
