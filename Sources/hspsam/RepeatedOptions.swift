import ArgumentParser
import Failures
import Foundation

/// Options that are given twice: the parser takes the last, and which is meant nobody says.
///
/// Which options may be repeated, and which are no options but flags, the parser's own description of the commands tells.
enum RepeatedOptions {
    private struct Tool: Decodable {
        let command: Command
    }

    private struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable {
                let name: String
            }

            let kind: String
            let isRepeating: Bool
            let names: [Name]?
        }

        let commandName: String
        let subcommands: [Command]?
        let arguments: [Argument]?
    }

    /// - Parameter arguments: the command line without the program's name.
    /// *Throws* `USE-TWICE` for an option that stands there twice and takes one value.
    static func check(_ arguments: [String]) throws(FailureRecord) {
        guard let name = repeated(arguments).first(where: { takesOne($0, arguments) }) else { return }
        throw FailureRecord(
            kind: .usage, code: "USE-TWICE",
            message: FailureMessage(
                "the option is given more than once, and which is meant is not said.", cure: "Keep one of them.",
                subject: "--\(name)"))
    }

    /// The names that stand there more than once, in order.
    private static func repeated(_ arguments: [String]) -> [String] {
        // Behind "--" nothing is an option.
        let names = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
            .map { String($0.dropFirst(2).prefix { $0 != "=" }) }
        var seen = Set<String>()
        return names.filter { !seen.insert($0).inserted }
    }

    private static func takesOne(_ name: String, _ arguments: [String]) -> Bool {
        let description = Data(HSPSAMCommand._dumpHelp().utf8)
        guard var command = try? JSONDecoder().decode(Tool.self, from: description).command else { return false }
        for argument in arguments {
            guard let inner = command.subcommands?.first(where: { $0.commandName == argument }) else { break }
            command = inner
        }
        return command.arguments?.contains { argument in
            argument.kind == "option" && !argument.isRepeating
                && argument.names?.contains { $0.name == name } == true
        } ?? false
    }
}
