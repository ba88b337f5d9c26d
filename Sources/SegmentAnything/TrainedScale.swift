import Numbers

/// How large the training's pictures were: from it the network knows how large things are.
///
/// *Source*: `docs/model.md`, the key `trained_input.scale` of `config.json`.
package struct TrainedScale: Sendable, Equatable {
    /// The longer side of a picture in its own pixels: the median of the training's pictures.
    package var pixels: Int
    /// Of one of those pixels, mm: the median; nil where the pictures do not say.
    package var pixelMM: Double?

    package init(pixels: Int, pixelMM: Double? = nil) {
        self.pixels = pixels
        self.pixelMM = pixelMM
    }

    /// Of training pictures: the longer side of each, and its pixel where it is known; nil for none. A pixel size counts only when
    /// every picture has one.
    package init?(_ pictures: [(side: Int, pixelMM: Double?)]) {
        guard !pictures.isEmpty else { return nil }
        pixels = pictures.map(\.side).sorted()[pictures.count / 2]
        let known = pictures.compactMap(\.pixelMM).sorted()
        pixelMM = known.count == pictures.count ? known[known.count / 2] : nil
    }

    /// What lay in the network's input, mm; nil where pixels have no size.
    package var fieldMM: Double? { pixelMM.map { $0 * Double(pixels) } }

    /// By how much a length may differ from the training's before a result is doubted, as a factor.
    package static let tolerance = 1.5

    /// Whether two lengths differ by no more than the tolerance.
    package static func areAlike(_ a: Double, _ b: Double) -> Bool { max(a / b, b / a) <= tolerance }

    /// Whether tiles of a side show things about as large as they were in training. Of a side in µm nothing can be said when the
    /// training's pixels have no size.
    func allows(_ side: TileSide) -> Bool {
        switch side {
        case .pixels(let side): Self.areAlike(Double(side), Double(pixels))
        case .micrometres(let side): fieldMM.map { Self.areAlike(side / 1000, $0) } ?? true
        }
    }

    /// For messages.
    package var words: String {
        "pictures of \(pixels) pixels a side" + (pixelMM.map { ", \(NumberText.short($0 * 1000)) µm each" } ?? "")
    }
}

/// The side of a tile as a pipeline gives it.
package enum TileSide: Sendable, Equatable {
    /// Of the source.
    case pixels(Int)
    case micrometres(Double)

    /// For messages.
    package var words: String {
        switch self {
        case .pixels(let side): "tiles of \(side) pixels a side"
        case .micrometres(let side): "tiles of \(NumberText.short(side)) µm a side"
        }
    }
}
