import Imaging
import Testing

@Suite("Metrics")
struct MetricsTests {
    private static func mask(_ picture: String) -> Mask {
        let lines = picture.split(separator: "\n")
        return Mask(rows: lines.count, columns: lines[0].count, flags: lines.joined().map { $0 == "#" })
    }

    private static func random(_ rows: Int, _ columns: Int, seed: UInt64, share: UInt64) -> Mask {
        var state = seed
        let flags = (0..<rows * columns).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33 % 100 < share
        }
        return Mask(rows: rows, columns: columns, flags: flags)
    }

    @Test("distances are those of trying every pixel, on square and oblong grids", arguments: [1, 10, 60] as [UInt64])
    func distanceTransform(share: UInt64) {
        let spacing = PixelSpacing(row: 0.7, column: 1.9)
        let mask = Self.random(23, 31, seed: share, share: share)
        let field = DistanceTransform.squared(to: mask, spacing: spacing)
        let set = (0..<23 * 31).filter { mask[$0] }
        for i in 0..<23 * 31 {
            let tried = set.map { j in
                let (dy, dx) = (Double(i / 31 - j / 31) * 0.7, Double(i % 31 - j % 31) * 1.9)
                return dy * dy + dx * dx
            }
            let best = tried.min() ?? .infinity
            #expect(field[i] == best || abs(field[i] - best) < 1e-9)
        }
    }

    @Test("a shifted square has the Dice, IoU and distances of the shift")
    func shifted() {
        let a = Self.mask(
            """
            ......
            .##...
            .##...
            ......
            """)
        let b = Self.mask(
            """
            ......
            ..##..
            ..##..
            ......
            """)
        let metrics = Metrics(prediction: a, truth: b, spacing: PixelSpacing(row: 1, column: 3))
        #expect(metrics == Metrics(dice: 0.5, iou: 1.0 / 3, hd: 3, hd95: 3))
    }

    @Test("two empty masks agree; one empty mask is a diagonal away")
    func empty() {
        let none = Mask(rows: 3, columns: 4)
        var one = none
        one[1, 1] = true
        #expect(Metrics(prediction: none, truth: none) == Metrics(dice: 1, iou: 1, hd: 0, hd95: 0))
        #expect(Metrics(prediction: none, truth: one) == Metrics(dice: 0, iou: 0, hd: 5, hd95: 5))
    }

    @Test("the mean is over all files")
    func mean() {
        #expect(Metrics.mean([]) == nil)
        let mean = Metrics.mean([Metrics(dice: 1, iou: 0, hd: 2, hd95: 3), Metrics(dice: 0, iou: 1, hd: 4, hd95: 5)])
        #expect(mean == Metrics(dice: 0.5, iou: 0.5, hd: 3, hd95: 4))
    }
}
