import ArgumentParser
import Failures
import Foundation
import Tensors

/// The program: one file a command beside this one.
@main
struct HSPSAMCommand: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "hspsam",
        abstract: "Segments DICOM and TIFF studies without prompts and writes DICOM SEG with a QC report.",
        discussion: """
            First steps:
              hspsam run STUDY_FOLDER --out RESULTS
              hspsam train --config train.yaml --out MODEL
            Not a medical device.
            """,
        version: version,
        subcommands: [
            RunCommand.self, TrainCommand.self, EvaluateCommand.self, ModelCommand.self, PhantomCommand.self,
            WatchCommand.self,
            BatchCommand.self, StatusCommand.self, BenchCommand.self,
        ])

    /// One place decides how every command ends.
    static func main() {
        do {
            try selectInstructionSet()
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as any Failure {
            end(failure.description, ExitStatus.of(failure.kind))
        } catch let status as ExitStatus {
            Foundation.exit(status.rawValue)
        } catch {
            // ArgumentParser's own: help and version end with 0, a wrong command line with 2.
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code == .success {
                print(text)
                Foundation.exit(0)
            }
            if code == .validationFailure { end(text, .couldNotStart) }
            end(FailureRecord(error).description, .internalDefect)
        }
    }

    private static func end(_ text: String, _ status: ExitStatus) -> Never {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        Foundation.exit(status.rawValue)
    }

    private static func selectInstructionSet() throws {
        guard let name = ProcessInfo.processInfo.environment["HSPSAM_ISA"] else { return }
        if !InstructionSet.select(name) {
            throw FailureRecord(
                kind: .usage, code: "USE-ISA",
                text:
                    "HSPSAM_ISA=\(name): this CPU or program has no such instruction set. Use one of \(InstructionSet.available.joined(separator: ", ")), or unset it."
            )
        }
    }
}

extension ExitStatus: Error {}
