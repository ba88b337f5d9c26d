/// The program that ran, for records and reports.
package struct ProgramIdentity: Sendable, Equatable, Codable {
    package var name: String
    package var version: String
    package var instructionSet: String
    package var precision: String
    package var threads: Int

    package init(
        name: String = "hspsam", version: String, instructionSet: String, precision: String, threads: Int
    ) {
        self.name = name
        self.version = version
        self.instructionSet = instructionSet
        self.precision = precision
        self.threads = threads
    }

    private enum CodingKeys: String, CodingKey {
        case name, version, precision, threads
        case instructionSet = "instruction_set"
    }
}
