/// Seconds by step, in the order of their first use.
struct StepClock {
    private(set) var steps: [(name: String, seconds: Double)] = []
    private let clock = ContinuousClock()

    mutating func time<Result, Error: Swift.Error>(_ name: String, _ body: () throws(Error) -> Result) throws(Error)
        -> Result
    {
        let start = clock.now
        defer { add(name, start.duration(to: clock.now)) }
        return try body()
    }

    private mutating func add(_ name: String, _ duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        if let index = steps.firstIndex(where: { $0.name == name }) {
            steps[index].seconds += seconds
        } else {
            steps.append((name, seconds))
        }
    }

    var secondsByStep: [String: Double] { Dictionary(steps.map { ($0.name, $0.seconds) }) { $0 + $1 } }
}
