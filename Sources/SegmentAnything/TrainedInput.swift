package import Imaging
import Numbers

/// How pictures were shown to the network while it was trained: a model has to meet in use what it met then.
///
/// *Source*: `docs/model.md`, the key `trained_input` of `config.json`.
package struct TrainedInput: Sendable, Equatable {
    /// How the values of a picture became the display's 0…255, each picture by itself.
    package enum Windowing: Sendable, Equatable {
        /// Pictures of 8 bits as they are, grey or colour; more bits by their whole range.
        case asIs
        /// Colour pictures as they are, and no grey ones.
        case color
        /// Pictures made beforehand with this window, LINEAR. *Units*: the modality's, HU for CT.
        case fixed(center: Double, width: Double)
        /// Grey between two percentiles of the picture; colour as it is.
        case percentile(low: Double, high: Double)
        /// Grey from the smallest to the largest value of the picture; colour as it is.
        case minmax
    }

    /// The proportions in which pixels were shown.
    package enum Aspect: String, Sendable, CaseIterable {
        /// Their true ones.
        case isotropic
        /// As squares, whatever their spacing.
        case grid
        /// Varied at random, so that the model knows both.
        case varied
    }

    package var windowing: Windowing
    package var aspect: Aspect
    /// How large the pictures were; nil where nothing says so.
    package var scale: TrainedScale?

    package init(windowing: Windowing = .asIs, aspect: Aspect = .isotropic, scale: TrainedScale? = nil) {
        self.windowing = windowing
        self.aspect = aspect
        self.scale = scale
    }
}

/// A rule of a pipeline that is not what its model was trained with; both values in words for a message.
package struct Contradiction: Sendable, Equatable {
    /// The key of `pipeline.yaml`: `windowing`, `preprocess.aspect`, `preprocess.scale` or `segments`.
    package let key: String
    package let trained: String
    package let asked: String
}

extension ModelDescription {
    /// Everything in which a pipeline contradicts what this model was trained with; empty when it may be used.
    ///
    /// A model that does not say what it was trained with (an imported one) contradicts nothing; nor do segments that it has only
    /// numbered.
    ///
    /// - Parameters:
    ///   - aspect: `isotropic` or `grid`, as `preprocess.aspect` of `pipeline.yaml`.
    ///   - tile: the side of the tiles that `preprocess.scale` asks for; nil where pictures are taken whole.
    ///   - segmentKeys: the `key` of each segment of the pipeline, in order.
    package func contradictions(
        windowing asked: Imaging.Windowing, aspect: String, tile: TileSide? = nil, segmentKeys: [String]
    ) -> [Contradiction] {
        var found: [Contradiction] = []
        if let trained = trainedInput {
            if !trained.windowing.allows(asked) {
                found.append(
                    Contradiction(key: "windowing", trained: trained.windowing.words, asked: asked.words))
            }
            if trained.aspect != .varied, trained.aspect.rawValue != aspect {
                found.append(
                    Contradiction(key: "preprocess.aspect", trained: trained.aspect.rawValue, asked: aspect))
            }
            if let tile, let scale = trained.scale, !scale.allows(tile) {
                found.append(Contradiction(key: "preprocess.scale", trained: scale.words, asked: tile.words))
            }
        }
        if segmentLabels != Self.numberedLabels(segmentLabels.count), segmentLabels != segmentKeys {
            found.append(
                Contradiction(
                    key: "segments", trained: segmentLabels.joined(separator: ", "),
                    asked: segmentKeys.joined(separator: ", ")))
        }
        return found
    }
}

extension TrainedInput.Windowing {
    /// Whether grey frames windowed by `asked` look as the training's pictures did. Of colour, which no window touches, there is
    /// nothing to ask.
    fileprivate func allows(_ asked: Imaging.Windowing) -> Bool {
        switch (self, asked.mode) {
        case (.color, _): true
        // Display levels of unknown windows: what a display would show is like them, what is stretched is not.
        case (.asIs, .fixed), (.asIs, .dicom): true
        case (.fixed(let center, let width), .fixed(let askedCenter, let askedWidth)):
            center == askedCenter && width == askedWidth
        case (.percentile(let low, let high), .percentile(let askedLow, let askedHigh)):
            low == askedLow && high == askedHigh && asked.scope == .frame
        case (.minmax, .minmax): asked.scope == .frame
        default: false
        }
    }

    /// Whether pictures in colour, or grey ones, were among the training's: a window's numbers mean nothing in colour.
    package func allows(color: Bool) -> Bool {
        switch self {
        case .color: color
        case .fixed: !color
        case .asIs, .percentile, .minmax: true
        }
    }

    /// For messages: the mode's name in `pipeline.yaml` with its numbers.
    package var words: String {
        switch self {
        case .asIs: "grey pictures as they are (a window of the files, or none: mode dicom)"
        case .color: "color as it is"
        case .fixed(let center, let width): "fixed, window [\(text(center)), \(text(width))]"
        case .percentile(let low, let high): "percentile \(text(low)) to \(text(high)), scope frame"
        case .minmax: "minmax, scope frame"
        }
    }
}

extension Imaging.Windowing {
    fileprivate var words: String {
        switch mode {
        case .fixed(let center, let width): "fixed, window [\(text(center)), \(text(width))]"
        case .dicom: "dicom, scope \(scope.rawValue)"
        case .percentile(let low, let high): "percentile \(text(low)) to \(text(high)), scope \(scope.rawValue)"
        case .minmax: "minmax, scope \(scope.rawValue)"
        }
    }
}

/// Up to three decimals, and all of a number that has more: what differs reads otherwise.
private func text(_ number: Double) -> String {
    let short = NumberText.fixed(number, 3)
    return Double(short) == number ? short : "\(number)"
}
