import ArgumentParser
import Failures
import Foundation
import Processes
import Tensors

/// The program: one file a command beside this one.
@main
struct HSPSAMCommand: ParsableCommand {
    static let version = "0.1.0"

    /// This program's own file.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

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
            RunCommand.self, InspectCommand.self, TrainCommand.self, EvaluateCommand.self, ModelCommand.self,
            PhantomCommand.self, WatchCommand.self, BatchCommand.self, StatusCommand.self, JobsCommand.self,
            ShowCommand.self, RetryCommand.self, CancelCommand.self, SettleCommand.self, QuarantineCommand.self,
            PauseCommand.self, ResumeCommand.self, DoctorCommand.self, LedgerCommand.self, ConfigCommand.self,
            DeliverCommand.self, ReceiveCommand.self, BenchCommand.self, ConformanceCommand.self, ArrayTaskCommand.self,
        ])

    /// One place decides how every command ends.
    static func main() {
        StandardOutput.prepare()
        MemoryBlock.whenExhausted { bytes in end(outOfMemory(bytes).description, .of(.failed)) }
        do {
            try answer()
            leave(.done)
        } catch is OutputClosed {
            // Nobody reads any more, so nobody is told.
            leave(.interrupted)
        } catch let failure as any Failure {
            end(failure.description, ExitStatus.of(failure.kind))
        } catch let status as ExitStatus {
            leave(status)
        } catch {
            // ArgumentParser's own: a wrong command line.
            if exitCode(for: error) == .validationFailure { end(fullMessage(for: error), .couldNotStart) }
            end(FailureRecord(error).description, .internalDefect)
        }
    }

    /// Does what the command line asks; help and version are answers too.
    private static func answer() throws {
        try checkInstructionSet()
        try RepeatedOptions.check(Array(CommandLine.arguments.dropFirst()))
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch  where !(error is ExitStatus) && exitCode(for: error) == .success {
            try StandardOutput.line(fullMessage(for: error))
        }
    }

    private static func end(_ text: String, _ status: ExitStatus) -> Never {
        StandardError.line(text)
        leave(status)
    }

    /// Ends at once. `exit` would let libraries clear themselves away under threads that are still at work, a model's digest for
    /// example: OpenSSL's locks were gone when it asked for them, and a refusal ended as a crash.
    private static func leave(_ status: ExitStatus) -> Never {
        fflush(nil)
        _exit(status.rawValue)
    }

    private static func outOfMemory(_ bytes: Int) -> FailureRecord {
        FailureRecord(
            kind: .failed, code: "MEMORY",
            message: FailureMessage(
                "there is no memory for another \((bytes + 999_999) / 1_000_000) MB of the network's numbers, so this was given up.",
                cure: "Allow more memory, or ask for less at once: a smaller batch, input size or model, fewer threads."
            ))
    }

    private static func checkInstructionSet() throws {
        guard let name = ProcessInfo.processInfo.environment["HSPSAM_ISA"] else { return }
        if !InstructionSet.available.contains(name) {
            throw FailureRecord(
                kind: .usage, code: "USE-ISA",
                message: FailureMessage(
                    "this CPU or program has no such instruction set.",
                    cure: "Use one of \(InstructionSet.available.joined(separator: ", ")), or unset it.",
                    subject: "HSPSAM_ISA=\(name)"))
        }
    }
}

extension ExitStatus: Error {}
