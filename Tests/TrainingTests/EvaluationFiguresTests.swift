import Imaging
import Testing
import Training

/// Figures against values computed by hand from their definitions.
@Suite("Evaluation figures")
struct EvaluationFiguresTests {
    /// Pixels of a line of 50, by object.
    private func line(_ objects: [(Int32, Range<Int>)]) -> [Int32] {
        var labels = [Int32](repeating: 0, count: 50)
        for (number, pixels) in objects { for pixel in pixels { labels[pixel] = number } }
        return labels
    }

    @Test("an object found whole, one found in part, one missed and one invented")
    func objects() {
        let figures = InstanceFigures(
            prediction: line([(7, 0..<4), (8, 10..<16), (9, 40..<43)]),
            truth: line([(1, 0..<4), (2, 10..<20), (3, 30..<32)]))
        #expect(figures.found == 3 && figures.wanted == 3)
        // IoU 1 and 0.6: two of four objects are found up to 0.6, one of five from 0.65.
        #expect(figures.precision == [0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2])
        #expect(abs(figures.meanPrecision - 0.29) < 1e-12)
        // (4 + 6) shared of 4 + 10 joined, 2 missed and 3 invented.
        #expect(figures.aggregatedJaccard == 10.0 / 19)
    }

    @Test("one object over two counts as one found at one half, and nothing against nothing is perfect")
    func joined() {
        let figures = InstanceFigures(prediction: line([(1, 0..<10)]), truth: line([(4, 0..<5), (2, 5..<10)]))
        #expect(figures.precision[0] == 0.5 && figures.precision[1] == 0)
        #expect(figures.aggregatedJaccard == 0.5)
        let nothing = InstanceFigures(prediction: line([]), truth: line([]))
        #expect(nothing.meanPrecision == 1 && nothing.aggregatedJaccard == 1)
        #expect(InstanceFigures(prediction: line([]), truth: line([(1, 0..<3)])).meanPrecision == 0)
    }

    @Test(
        "an object whose IoU is exactly a threshold counts as found at it",
        arguments: Array(stride(from: 50, through: 95, by: 5)))
    func exact(_ hundredths: Int) {
        var prediction = [Int32](repeating: 1, count: 100)
        let truth = (0..<100).map { Int32($0 < hundredths ? 1 : 0) }
        let figures = InstanceFigures(prediction: prediction, truth: truth)
        #expect(figures.precision == InstanceFigures.thresholds.map { $0 <= hundredths ? 1 : 0 })
        // One pixel more on one side is less.
        prediction.append(1)
        #expect(
            InstanceFigures(prediction: prediction, truth: truth + [0]).precision
                == InstanceFigures.thresholds.map { $0 < hundredths ? 1 : 0 })
    }

    @Test("Dice over 256 thresholds")
    func thresholds() {
        var truth = Mask(rows: 1, columns: 3)
        truth[0, 0] = true
        // All marked at 0, two up to 127/255, one above.
        let wanted = (0.5 + 127 * 2.0 / 3 + 128) / 256
        #expect(abs(ThresholdDice.mean([1, 0.5, 0], truth) - wanted) < 1e-12)
        #expect(ThresholdDice.mean([0, 0, 0], Mask(rows: 1, columns: 3)) == 255.0 / 256)
    }

    @Test("the interval of a share is that of its standard error, and repeats")
    func interval() throws {
        let values = (0..<100).map { Double($0 % 2) }
        let interval = try #require(Bootstrap.interval(ofMean: values))
        // 0.5 ± 1.96 · 0.05
        #expect(abs(interval.lowerBound - 0.402) < 0.02 && abs(interval.upperBound - 0.598) < 0.02)
        #expect(Bootstrap.interval(ofMean: values) == interval)
        #expect(Bootstrap.interval(ofMean: [0.7, 0.7, 0.7]).map { abs($0.lowerBound - 0.7) < 1e-12 } == true)
        #expect(Bootstrap.interval(ofMean: [1]) == nil)
    }

    @Test("of two sets that have no image in common each is drawn by itself")
    func unpaired() throws {
        let (one, other) = ((0..<100).map { Double($0 % 2) }, (0..<50).map { Double($0 % 2) / 2 })
        let interval = try #require(Bootstrap.interval(ofDifference: one, other))
        // 0.25 ± 1.96 · √(0.05² + 0.0354²)
        #expect(abs(interval.lowerBound - 0.130) < 0.02 && abs(interval.upperBound - 0.370) < 0.02)
        #expect(Bootstrap.interval(ofDifference: one, other) == interval)
        #expect(Bootstrap.interval(ofDifference: [1], other) == nil)
        #expect(Bootstrap.interval(ofDifference: one, [1]) == nil)
    }

    @Test("five differences of one sign are as rare as two of thirty-two")
    func permutation() {
        #expect(abs(Bootstrap.permutation([1, 1, 1, 1, 1]) - 2.0 / 32) < 0.01)
        #expect(Bootstrap.permutation([0, 0, 0]) == 1)
        #expect(Bootstrap.permutation([1, -1]) == 1)
    }
}
