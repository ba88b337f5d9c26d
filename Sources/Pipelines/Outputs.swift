package import DICOMObjects
package import Imaging

/// What is written of a result beside the report, as `outputs` of a pipeline says it.
package struct Outputs: Sendable, Equatable {
    /// Kinds of DICOM objects; each object stands in a series of its own.
    package enum Kind: String, Sendable, CaseIterable {
        case binary, labelmap, fractional, report, captures, structures, annotations, regular, instances

        /// The end of its file's name, behind `<volume>-<pipeline>`.
        var ending: String {
            switch self {
            case .binary: ".seg.dcm"
            case .labelmap: ".labelmap.seg.dcm"
            case .fractional: ".fractional.seg.dcm"
            case .report: ".sr.dcm"
            case .captures: ".sc.dcm"
            case .structures: ".rtstruct.dcm"
            case .annotations: ".ann.dcm"
            case .regular: ".regular.seg.dcm"
            case .instances: ".instances.seg.dcm"
            }
        }
    }

    /// Of segmentations.
    package struct Segmentations: Sendable, Equatable {
        package var type = SegmentationType.binary
        /// Beside a LABELMAP, which not every viewer knows.
        package var binaryTwin = true
        /// A FRACTIONAL object beside.
        package var probabilities = false
        /// Of an uneven or tilted volume another one on a regular grid beside.
        package var isResampled = false
        package var emptyFrames = FrameSelection.EmptyFrames.span
        package var keepsEmptySegments = false
        package var writesNothing = false
        package var avoidsPadding = true
        /// Content Label (0070,0080).
        package var label = "HSPSAM"
    }

    /// When pictures with the segments burnt in are made.
    package enum Captures: String, Sendable, CaseIterable {
        case off
        /// Where some viewers show no segmentation: without geometry, or columns that are no multiple of 8.
        case auto
        case always
    }

    package var manufacturer: String
    package var segmentations = Segmentations()
    /// A structured report of the measurements.
    package var report = false
    package var captures = Captures.off
    /// At most so many pictures a volume.
    package var captureLimit = 64
    /// Contours for planning systems.
    package var structures = false
    /// How the objects of slides and pictures are drawn in annotations; nil for none.
    package var annotations: BulkAnnotations.Graphic?
    /// A table with a row for each object.
    package var countsObjects = false
    /// A LABELMAP in which each object is a segment.
    package var instances = false
    /// How objects that touch are told apart; nil: as the model can.
    package var separation: ObjectSeparation?
    package var syntheticGeometry: Bool
    /// The first Series Number (0020,0011) of each kind.
    package var seriesNumbers = Self.seriesNumbers
    package var uidSalt: String

    package static let seriesNumbers: [Kind: Int] = [
        .binary: 9000, .labelmap: 9100, .fractional: 9200, .report: 9300, .captures: 9600, .structures: 9400,
        .annotations: 9500, .regular: 9700, .instances: 9800,
    ]

    package init(manufacturer: String, syntheticGeometry: Bool = false, uidSalt: String = "") {
        self.manufacturer = manufacturer
        self.syntheticGeometry = syntheticGeometry
        self.uidSalt = uidSalt
    }

    /// Anything that is written or counted of objects one by one.
    var asksForObjects: Bool { countsObjects || instances || annotations != nil }

    /// What is written of one volume, where it can be.
    package var kinds: Set<Kind> {
        var kinds = Set(segmentationKinds)
        if segmentations.isResampled { kinds.insert(.regular) }
        if report { kinds.insert(.report) }
        if captures != .off { kinds.insert(.captures) }
        if structures { kinds.insert(.structures) }
        if annotations != nil { kinds.insert(.annotations) }
        if instances { kinds.insert(.instances) }
        return kinds
    }

    /// Segmentations that are written of one volume, the one that every viewer reads first.
    var segmentationKinds: [Kind] {
        let main: [Kind] =
            segmentations.type == .labelmap
            ? (segmentations.binaryTwin ? [.binary, .labelmap] : [.labelmap]) : [.binary]
        return main + (segmentations.probabilities ? [.fractional] : [])
    }
}

extension Outputs.Kind {
    /// Of a segmentation; nil for what is none.
    var segmentationType: SegmentationType? {
        switch self {
        case .binary, .regular: .binary
        case .labelmap, .instances: .labelmap
        case .fractional: .fractional
        case .report, .captures, .structures, .annotations: nil
        }
    }
}
