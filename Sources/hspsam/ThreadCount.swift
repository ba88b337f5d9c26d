import ArgumentParser
import Tensors

/// `--threads`: how many, 0 for all cores.
struct ThreadCount: ExpressibleByArgument, CustomStringConvertible {
    let count: Int

    static let allCores = ThreadCount(count: 0)
    static let help: ArgumentHelp = "Threads, at most \(ThreadPool.counts.upperBound); 0: all cores."

    private init(count: Int) { self.count = count }

    init?(argument: String) {
        guard let count = Int(argument), ThreadPool.counts.contains(count) else { return nil }
        self.count = count
    }

    var description: String { "\(count)" }
}
