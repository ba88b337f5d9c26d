import Numbers

/// Which images one epoch of one stage draws, in which order: a function of seed, stage and epoch alone, so that an interrupted run
/// goes on as if nothing had happened.
struct EpochOrder {
    struct Draw {
        /// The number of the data set, and of the image in it.
        let dataset, index: Int
    }

    let draws: [Draw]

    /// How many images of a data set an epoch draws.
    static func count(_ dataset: (images: Int, weight: Double)) -> Int {
        Int(rounding: Double(dataset.images) * dataset.weight, clampedTo: 0...Int(Int32.max))
    }

    /// Every image of a data set `weight` times, in an order of the epoch's own.
    init(_ datasets: [(images: Int, weight: Double)], seed: UInt64, stage: Int, epoch: Int) {
        var random = SplitMix64(seed: seed &+ UInt64(stage) &* 1_000_003 &+ UInt64(epoch) &* 7919)
        var draws: [Draw] = []
        for (number, dataset) in datasets.enumerated() {
            let wanted = Self.count(dataset)
            var drawn = 0
            while drawn < wanted {
                var indices = Array(0..<dataset.images)
                random.shuffle(&indices)
                let some = indices.prefix(wanted - drawn)
                draws += some.map { Draw(dataset: number, index: $0) }
                drawn += some.count
            }
        }
        random.shuffle(&draws)
        self.draws = draws
    }

    /// The random numbers of one draw's augmentation.
    static func random(seed: UInt64, stage: Int, epoch: Int, _ draw: Draw, position: Int) -> SplitMix64 {
        var random = SplitMix64(seed: seed)
        for part in [stage, epoch, draw.dataset, draw.index, position] {
            random.state = random.next() &+ UInt64(part)
        }
        return random
    }
}
