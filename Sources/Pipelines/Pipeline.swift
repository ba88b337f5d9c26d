package import DICOMObjects
package import ImageFiles
package import Imaging
package import SegmentAnything

/// What one pipeline does, from its `pipeline.yaml`.
///
/// *Source*: the design page on DICOM, section 10; `docs/formats.md`.
package struct Pipeline: Sendable, Equatable {
    package enum Aspect: String, Sendable, CaseIterable {
        /// Pixels that are not square are shown to the network in their true proportions.
        case isotropic
        /// Spacing is ignored.
        case grid
    }

    package var name: String
    package var version: String
    package var selection: [SelectionRule]
    /// Which planes of a TIFF with channels, slices or times it takes.
    package var tiff = TIFFSelection()
    package var aspect: Aspect
    package var windowing: Windowing
    /// The arithmetic of the network.
    package var precision: PrecisionChoice
    package var postprocess: [PostprocessStep]
    package var segments: [SegmentDescription]
    package var outputs: Outputs
}
