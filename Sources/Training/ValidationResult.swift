import Imaging

/// What a validation says of some weights.
package struct ValidationResult: Sendable, Equatable {
    package let dice: Double
    /// The truth shows something, and no pixel of it is found.
    package let findsNothing: Bool
    /// Segments, from 0, that the truth shows and of which no pixel is found; ascending.
    package let missed: [Int]

    init(dice: Double, findsNothing: Bool, missed: [Int]) {
        (self.dice, self.findsNothing, self.missed) = (dice, findsNothing, missed)
    }

    package init(_ evaluation: Evaluation) {
        let counts = evaluation.segments.map(\.pooled)
        dice = evaluation.mean.dice
        missed = counts.indices.filter { counts[$0].truePositive == 0 && counts[$0].falseNegative > 0 }
        findsNothing = !missed.isEmpty && counts.allSatisfy { $0.truePositive == 0 }
    }

    /// By Dice. But each image without a segment counts as 1 where nothing is found: weights that find nothing at all are behind
    /// all others, however many such images there are.
    package func isBetter(than other: ValidationResult) -> Bool {
        findsNothing == other.findsNothing ? dice > other.dice : other.findsNothing
    }

    /// For the processes of an mpirun: as many numbers for a number of segments, whatever was found.
    func numbers(segments: Int) -> [Double] {
        [dice, findsNothing ? 1 : 0] + (0..<segments).map { missed.contains($0) ? 1 : 0 }
    }

    init(numbers: [Double]) {
        self.init(
            dice: numbers[0], findsNothing: numbers[1] == 1,
            missed: numbers.indices.dropFirst(2).filter { numbers[$0] == 1 }.map { $0 - 2 })
    }
}
