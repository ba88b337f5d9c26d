import Failures
import Foundation
import Processes
import Training

/// What `train` and `evaluate` have in common: where data lies, and how its problems are told.
enum DataOptions {
    /// Of `--data NAME=FOLDER` and of the environment's HSPSAM_DATA.
    static func folders(_ options: [String]) throws -> DataFolders {
        var folders: [String: String] = [:]
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw FailureRecord(
                    kind: .usage, code: "USE-DATA",
                    message: FailureMessage(
                        "this is no NAME=FOLDER.", cure: "Write for example --data isic2017=/data/isic.",
                        subject: "--data \(option)"))
            }
            guard folders.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw FailureRecord(
                    kind: .usage, code: "USE-DATA",
                    message: FailureMessage(
                        "the name stands twice.", cure: "Give each name one folder.", subject: "--data \(option)"))
            }
        }
        let root = ProcessInfo.processInfo.environment["HSPSAM_DATA"]
        return DataFolders(folders: folders, root: root?.isEmpty == false ? root : nil)
    }

    /// Runs what looks at data: several problems become a line each, and nothing was done.
    static func listingProblems<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try beforeTheStart(body)
        } catch let found as DataProblems {
            let limit = 50
            for problem in found.problems.prefix(limit) { StandardError.line("\(problem)") }
            if found.problems.count > limit {
                StandardError.line("and \(found.problems.count - limit) more problems")
            }
            throw ExitStatus.couldNotStart
        }
    }
}
