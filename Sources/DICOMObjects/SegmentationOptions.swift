/// What a segmentation says of each pixel.
package enum SegmentationType: String, Sendable, CaseIterable {
    /// One bit a pixel and segment: every viewer reads it, and segments may overlap.
    case binary
    /// The probability of each segment, 0…255.
    case fractional
    /// The number of the pixel's one segment (Supplement 243): a fraction of the bytes, for newer viewers.
    case labelmap

    /// Segmentation Type (0062,0001).
    var definedTerm: String {
        switch self {
        case .binary: "BINARY"
        case .fractional: "FRACTIONAL"
        case .labelmap: "LABELMAP"
        }
    }
}

extension Segmentation {
    /// What a pipeline decides about its objects.
    package struct Options: Sendable {
        package var type = SegmentationType.binary
        /// What becomes of source frames in which a segment is empty.
        package var emptyFrames = FrameSelection.EmptyFrames.span
        /// Segments that were searched and not found are described too, without frames.
        package var keepsEmptySegments = false
        /// An object is written when nothing was found: every segment described, its frames empty.
        package var writesNothing = false
        /// Empty frames are added where the packed pixels would end in a pad byte, which some viewers do not expect.
        package var avoidsPadding = true
        /// Sources without Frame of Reference get an invented one, so that readers which insist on geometry open the result.
        package var syntheticGeometry = false
        /// Content Label (0070,0080): at most 16 capital letters, digits, spaces, underscores.
        package var label = "HSPSAM"
        /// Series Number (0020,0011).
        package var seriesNumber = 9000
        /// On a regular grid made of an uneven or tilted volume (`RegularGrid`), instead of the source's own.
        package var isRegular = false
        /// A LABELMAP in which each object is a segment (`InstanceSegmentation`).
        package var isOfObjects = false
        /// Segments may share pixels (sigmoid outputs); they are then counted.
        package var mayOverlap = false
        /// Makes all derived UIDs others.
        package var salt = ""
        /// Instead of the sources' own time.
        package var time: JobTime?

        /// The defaults.
        package init() {}
    }
}
