import DICOMObjects
import ImageFiles
import Imaging
package import SegmentAnything
package import Storage

/// What identifies a pipeline. Words of the encoding are chosen here and never change: a renamed case changes no digest.
extension Pipeline {
    /// Of every setting that can change a result, defaults filled in, with the model's digest. What chooses the input
    /// (`selection`) is no part of it.
    ///
    /// - Parameter precision: as resolved for the model. float32 leaves no trace: digests of results that were made before there was
    ///   a choice stay as they are.
    package func digest(model: String, precision: PrecisionChoice = .fp32) -> FileDigest {
        var fields = CanonicalEncoding("hspsam pipeline 1")
        fields.add("name", name)
        fields.add("version", version)
        fields.add("model", model)
        // The default leaves no trace: digests of results that were made before there was a choice stay as they are.
        if tiff != TIFFSelection() { tiff.add(to: &fields) }
        fields.add("aspect", aspect.canonical)
        scale.add(to: &fields)
        windowing.add(to: &fields)
        fields.list("postprocess", postprocess) { $1.add(to: &$0) }
        fields.list("segments", segments) { $1.add(to: &$0) }
        fields.add("manufacturer", outputs.manufacturer)
        fields.add("content_label", outputs.segmentations.label)
        fields.add("synthetic_geometry", outputs.syntheticGeometry)
        fields.add("series_number", outputs.seriesNumbers[.binary] ?? 0)
        fields.add("uid_salt", outputs.uidSalt)
        outputs.addChosen(to: &fields)
        // Since pieces below it are no objects: results from before count others.
        if outputs.asksForObjects, outputs.separation != .some(.none), postprocess.asksForSize {
            fields.add("objects_have_size", true)
        }
        if tolerates != .none { fields.add("tolerate", tolerates.rawValue) }
        if precision != .fp32 { fields.add("precision", precision.canonical) }
        switch augmentation {
        case .none: break
        case .flip: fields.add("tta", "flip")
        }
        return fields.digest
    }

    /// Of the rules by which volumes are chosen.
    package var selectionDigest: FileDigest {
        var fields = CanonicalEncoding("hspsam selection 1")
        fields.list("rules", selection) { $1.add(to: &$0) }
        return fields.digest
    }
}

extension PrecisionChoice {
    fileprivate var canonical: String {
        switch self {
        case .fp32: "fp32"
        case .bf16: "bf16"
        case .int8: "int8"
        case .auto: "auto"
        }
    }
}

extension TIFFSelection {
    fileprivate func add(to fields: inout CanonicalEncoding) {
        switch channel {
        case nil: fields.add("tiff_channel", "first")
        case .number(let number): fields.add("tiff_channel", number)
        case .name(let name): fields.add("tiff_channel_name", name)
        }
        fields.add("tiff_z", slice.canonical)
        fields.add("tiff_t", time.canonical)
    }
}

extension TIFFSelection.Part {
    fileprivate var canonical: String {
        switch self {
        case .all: "all"
        case .middle: "middle"
        case .number(let number): String(number)
        }
    }
}

extension Pipeline.Aspect {
    fileprivate var canonical: String {
        switch self {
        case .isotropic: "isotropic"
        case .grid: "grid"
        }
    }
}

extension Pipeline.Scale {
    /// Whole pictures leave no trace: digests of results that were made before there was a choice stay as they are.
    fileprivate func add(to fields: inout CanonicalEncoding) {
        guard case .tiles(let tiles) = self else { return }
        switch tiles.side {
        case .pixels(let side): fields.add("tile_pixels", side)
        case .micrometres(let side): fields.add("tile_um", side)
        }
        fields.add("tile_overlap", tiles.overlap)
        fields.add("tile_resample", tiles.resamples)
    }
}

extension Windowing {
    fileprivate func add(to fields: inout CanonicalEncoding) {
        switch mode {
        case .fixed(let center, let width):
            fields.add("window", "fixed")
            fields.add("center", center)
            fields.add("width", width)
        case .dicom(let index, let name, let usesTable):
            fields.add("window", "dicom")
            fields.add("index", index)
            fields.add("name", optional: name) { $0.add("value", $1) }
            fields.add("table", usesTable)
        case .percentile(let low, let high):
            fields.add("window", "percentile")
            fields.add("low", low)
            fields.add("high", high)
        case .minmax: fields.add("window", "minmax")
        }
        switch scope {
        case .volume: fields.add("scope", "volume")
        case .frame: fields.add("scope", "frame")
        }
    }
}

extension Outputs {
    /// What differs from the defaults; these leave no trace, so that digests from before there was a choice stay as they are.
    fileprivate func addChosen(to fields: inout CanonicalEncoding) {
        let (seg, standard) = (segmentations, Segmentations())
        if seg.type != standard.type { fields.add("seg_type", seg.type.rawValue) }
        if seg.binaryTwin != standard.binaryTwin { fields.add("seg_binary_twin", seg.binaryTwin) }
        if seg.probabilities { fields.add("seg_probabilities", true) }
        if seg.emptyFrames != standard.emptyFrames { fields.add("seg_empty_frames", seg.emptyFrames.rawValue) }
        if seg.keepsEmptySegments { fields.add("seg_empty_segments", "keep") }
        if seg.writesNothing { fields.add("seg_nothing", "object") }
        if seg.isResampled { fields.add("seg_resample", "regular") }
        if !seg.avoidsPadding { fields.add("seg_viewer_compat", "strict") }
        if report { fields.add("sr", true) }
        if captures != .off {
            fields.add("sc", captures.rawValue)
            fields.add("sc_max", captureLimit)
        }
        if structures { fields.add("rtstruct", true) }
        if let annotations { fields.add("annotations", annotations.rawValue) }
        if countsObjects { fields.add("objects", true) }
        if instances { fields.add("instances", true) }
        switch separation {
        case nil: break
        case .some(.none): fields.add("separate", "none")
        case .distance(let depth): fields.add("separate_depth", depth)
        case .boundary: fields.add("separate", "boundary")
        }
        for kind in Kind.allCases where kind != .binary && seriesNumbers[kind] != Self.seriesNumbers[kind] {
            fields.add("series_number_\(kind.rawValue)", seriesNumbers[kind] ?? 0)
        }
    }
}

extension PostprocessStep {
    fileprivate func add(to fields: inout CanonicalEncoding) {
        switch self {
        case .largestComponent(let segments): fields.add("largest_component", segments)
        case .fillHoles(let segments): fields.add("fill_holes", segments)
        case .minSizeMM3(let size): fields.add("min_size_mm3", size)
        case .minSizePixels(let count): fields.add("min_size_pixels", count)
        }
    }
}

extension SegmentDescription {
    fileprivate func add(to fields: inout CanonicalEncoding) {
        fields.add("key", key)
        fields.add("label", label)
        fields.add("description", optional: description) { $0.add("value", $1) }
        fields.add("category", category)
        fields.add("type", type)
        fields.list("modifiers", modifiers) { $0.add("code", $1) }
        fields.add("region", optional: region) { $0.add("code", $1) }
        fields.add("color", color.map { Int($0) })
    }
}

extension CanonicalEncoding {
    fileprivate mutating func add(_ name: String, _ code: Code) {
        add(name, [code.value, code.scheme, code.meaning])
    }
}

extension SelectionRule {
    fileprivate func add(to fields: inout CanonicalEncoding) {
        fields.add("modality", modality)
        fields.add("sop_class", sopClass)
        fields.add("body_part", bodyPart)
        fields.add(
            "origin",
            origin.map {
                switch $0 {
                case .dicom: "dicom"
                case .tiff: "tiff"
                }
            })
        fields.add("series_description", optional: seriesDescription) { $0.add("value", $1.text) }
        fields.add("exclude_description", optional: excludeDescription) { $0.add("value", $1.text) }
        fields.add("image_type_all", imageTypeAll)
        fields.add("image_type_none", imageTypeNone)
        fields.add("min_frames", optional: minFrames) { $0.add("value", $1) }
        fields.add("max_slice_mm", optional: maxSliceMM) { $0.add("value", $1) }
        // Defaults leave no trace: digests of rules without a choice stay as they were.
        switch frames {
        case .all: break
        case .first: fields.add("frames", "first")
        case .every(let step): fields.add("frames_every", step)
        case .list(let numbers): fields.add("frames_list", numbers)
        }
        if pick != .all { fields.add("pick", pick == .thinnest ? "thinnest" : "largest") }
    }
}
