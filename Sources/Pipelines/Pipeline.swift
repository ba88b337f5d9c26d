package import DICOMObjects
package import ImageFiles
package import Imaging
package import SegmentAnything

/// What one pipeline does, from its `pipeline.yaml`.
///
/// *Source*: `docs/formats.md`, "A pipeline".
package struct Pipeline: Sendable, Equatable {
    package enum Aspect: String, Sendable, CaseIterable {
        /// Pixels that are not square are shown to the network in their true proportions.
        case isotropic
        /// Spacing is ignored.
        case grid
    }

    /// How much of a picture the network sees at a time.
    package enum Scale: Sendable, Equatable {
        /// All of it, resized to the network's input as SAM does: the larger the picture, the smaller what it shows.
        case whole
        /// Overlapping tiles, so that things keep the size that they have in the source.
        case tiles(Tiles)

        /// Nil where pictures are taken whole.
        var tile: TileSide? { if case .tiles(let tiles) = self { tiles.side } else { nil } }
    }

    package struct Tiles: Sendable, Equatable {
        package var side: TileSide
        /// What neighbours share at least, in the unit of `side`.
        package var overlap: Double
        /// A picture whose known scale is unlike the model's is cut into larger or smaller tiles.
        package var resamples: Bool

        package init(side: TileSide, overlap: Double, resamples: Bool) {
            self.side = side
            self.overlap = overlap
            self.resamples = resamples
        }
    }

    /// Pixels that cannot be decoded.
    package enum Tolerance: String, Sendable, CaseIterable {
        /// One frame refuses its volume.
        case none
        /// Such frames are left out.
        case frame
    }

    package var name: String
    package var version: String
    package var selection: [SelectionRule]
    /// Which planes of a TIFF with channels, slices or times it takes.
    package var tiff = TIFFSelection()
    package var aspect: Aspect
    package var scale: Scale
    package var windowing: Windowing
    /// The arithmetic of the network.
    package var precision: PrecisionChoice
    /// What pictures, or their tiles, are segmented as, besides as they are.
    package var augmentation: TestTimeAugmentation
    package var postprocess: [PostprocessStep]
    package var segments: [SegmentDescription]
    package var outputs: Outputs
    package var tolerates = Tolerance.none
    package var limits = ReadingLimits()
}
