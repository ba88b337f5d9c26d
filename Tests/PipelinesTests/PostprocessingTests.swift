import Imaging
import Pipelines
import Testing

@Suite("Masks after the network")
struct PostprocessingTests {
    /// 8 × 8 pixels of which the first `count` of row 0 are set.
    private func mask(_ count: Int) -> Mask { Mask(rows: 8, columns: 8, flags: (0..<64).map { $0 < count }) }

    @Test(
        "what is below min_size_pixels leaves each picture by itself, and a volume only where it is as small over all slices",
        arguments: [(false, [0, 4, 0]), (true, [3, 4, 0])])
    func minimum(isSpatial: Bool, expected: [Int]) {
        var masks = [[mask(3), mask(4), mask(0)]]
        [PostprocessStep.minSizePixels(4)].apply(&masks, isSpatial: isSpatial, .unknown)
        #expect(masks[0].map(\.count) == expected)
    }

    /// Three slices of which the last is four times as thick as the others: a part of 3 + 4 pixels on the thin ones, and one of 3 on the
    /// thick one, which do not touch.
    private var uneven: [Mask] {
        [mask(3), mask(4), Mask(rows: 8, columns: 8, flags: (0..<64).map { $0 >= 61 })]
    }

    @Test(
        "sizes in mm³, and which part is the largest, go by how thick slices are",
        arguments: [
            (PostprocessStep.minSizeMM3(8), [Double](), [0, 0, 0]), (.minSizeMM3(7), [], [3, 4, 0]),
            (.minSizeMM3(8), [1, 1, 4], [0, 0, 3]), (.minSizeMM3(12), [1, 1, 4], [0, 0, 3]),
            (.minSizeMM3(13), [1, 1, 4], [0, 0, 0]), (.largestComponent([1]), [], [3, 4, 0]),
            (.largestComponent([1]), [1, 1, 4], [0, 0, 3]), (.minSizePixels(4), [1, 1, 4], [3, 4, 0]),
        ])
    func unevenSlices(_ step: PostprocessStep, _ shares: [Double], _ expected: [Int]) {
        var masks = [uneven]
        [step].apply(&masks, isSpatial: true, VoxelSizes(mm3: 1, shares: shares))
        #expect(masks[0].map(\.count) == expected)
    }

    @Test("the least that an object of a picture has is the largest of the steps' sizes")
    func least() {
        let steps = [PostprocessStep.minSizePixels(4), .fillHoles([1]), .minSizeMM3(3)]
        #expect(steps.least(.unknown) == 4)
        #expect(abs(steps.least(VoxelSizes(mm3: 0.5)) - 6) < 1e-6)
        #expect([PostprocessStep.largestComponent([1])].least(.unknown) == 0)
    }
}
