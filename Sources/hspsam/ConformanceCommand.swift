import ArgumentParser
import DICOMObjects
import Processes

/// Prints the tables of `docs/conformance.md`.
struct ConformanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Prints the tables of the DICOM conformance statement: what is read and written, with all attributes."
    )

    func run() throws { try StandardOutput.write(ConformanceTables.text) }
}
