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
        [PostprocessStep.minSizePixels(4)].apply(&masks, isSpatial: isSpatial, voxelMM3: nil)
        #expect(masks[0].map(\.count) == expected)
    }
}
