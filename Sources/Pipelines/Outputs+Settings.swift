import DICOM
import DICOMObjects
import Imaging
import Settings

extension Outputs {
    private enum Annotations: String, CaseIterable { case off, polygon, point }

    /// - Parameter segments: how many the pipeline has.
    init(_ section: Section, segments: Int) throws {
        self.init(
            manufacturer: try Self.manufacturer(try section.section("equipment")),
            syntheticGeometry: try section.bool("synthetic_geometry", default: false),
            uidSalt: try section.section("uids").string("salt", default: ""))
        segmentations = try Segmentations(try section.section("seg"), segments: segments)
        report = try section.section("sr").bool("enabled", default: false)
        let pictures = try section.section("sc")
        captures = try pictures.choice("mode", default: .off)
        try pictures.refuse(
            idle: "max", if: captures == .off, "no pictures are made (mode: off).",
            cure: "Write mode: auto or always beside it, or take max out.")
        captureLimit = try pictures.int("max", in: 1...10_000, default: 64)
        structures = try section.bool("rtstruct", default: false)
        annotations =
            switch try section.choice("annotations", default: Annotations.off) {
            case .off: nil
            case .polygon: .polygon
            case .point: .point
            }
        countsObjects = try section.bool("objects", default: false)
        instances = try section.bool("instances", default: false)
        separation = try Self.separation(section)
        if let separation, separation != .none, !asksForObjects {
            throw section.failure(
                "SET-CHOICE", at: "separate", "objects are told apart, and nothing is written of objects.",
                cure: "Add objects: true, instances: true or annotations, or take separate out.")
        }
        if structures, annotations != nil {
            throw section.failure(
                "PIPE-OUTPUTS", at: "annotations",
                "contours (rtstruct) are made of slices that lie in the patient, annotations of slides and pictures that do not: every image would be refused.",
                cure: "Take one of the two out.")
        }
        let numbers = try section.section("series_number")
        let keys: [(String, Kind)] = [
            ("seg", .binary), ("labelmap", .labelmap), ("fractional", .fractional), ("sr", .report), ("sc", .captures),
            ("rtstruct", .structures), ("annotations", .annotations), ("regular", .regular),
            ("instances", .instances),
        ]
        for (key, kind) in keys {
            guard let number = try numbers.optionalInt(key, in: 1...999_999) else { continue }
            try numbers.refuse(
                idle: key, if: number != seriesNumbers[kind] && !kinds.contains(kind),
                "outputs ask for no such object.",
                cure: "Take it out, or ask for the object.")
            seriesNumbers[kind] = number
        }
    }

    /// Manufacturer (0008,0070) of a result is LO, and has a value (PS3.3 C.7.5.2).
    private static func manufacturer(_ section: Section) throws -> String {
        let text = try section.string("manufacturer", default: "hspsam")
        if ValueRules.violation(of: text, as: .LO) != nil || text.unicodeScalars.count > 64 {
            throw section.failure(
                "PIPE-TEXT", at: "manufacturer", found: text,
                "a manufacturer has 1 to 64 characters, no backslash and no control characters, and is not blank.",
                cure: "Correct it, or leave it out: then it is hspsam.")
        }
        return text
    }

    private enum Separation: String, CaseIterable { case none, distance, boundary }

    /// Keys `separate` and, of a distance, `separate_depth`.
    private static func separation(_ section: Section) throws -> ObjectSeparation? {
        let name = try section.optionalChoice("separate", Separation.self)
        try section.refuse(
            idle: "separate_depth", if: name != .distance, "it says how deep separate: distance cuts.",
            cure: "Write separate: distance beside it, or take it out.")
        guard let name else { return nil }
        return switch name {
        case .none: ObjectSeparation.none
        case .distance:
            .distance(depth: try section.double("separate_depth", in: 0...1, default: ObjectSeparation.depth))
        case .boundary: .boundary
        }
    }
}

extension Outputs.Segmentations {
    private enum EmptySegments: String, CaseIterable { case omit, keep }
    private enum Nothing: String, CaseIterable { case none, object }
    private enum Compatibility: String, CaseIterable { case `default`, strict }
    private enum Resampling: String, CaseIterable { case none, regular }
    private enum TypeName: String, CaseIterable { case binary, labelmap }

    /// - Parameter segments: how many the pipeline has.
    init(_ section: Section, segments: Int) throws {
        switch try section.choice("type", default: TypeName.binary) {
        case .binary: type = .binary
        case .labelmap: type = .labelmap
        }
        binaryTwin = try section.bool("binary_twin", default: true)
        guard binaryTwin || type == .labelmap else {
            throw section.failure(
                "SET-CHOICE", at: "binary_twin", "a BINARY object is not to be written, and type: binary asks for it.",
                cure: "Write type: labelmap, or take binary_twin out.")
        }
        isResampled = try section.choice("resample", default: Resampling.none) == .regular
        probabilities = try section.bool("probabilities", default: false)
        let stated = try section.optionalChoice("empty_frames", FrameSelection.EmptyFrames.self)
        keepsEmptySegments = try section.choice("empty_segments", default: EmptySegments.omit) == .keep
        try section.refuse(
            idle: "empty_segments", if: keepsEmptySegments && segments == 1,
            "the one segment is found or nothing is, of which when_nothing says what is written.",
            cure: "Write when_nothing: object, or take empty_segments out.")
        writesNothing = try section.choice("when_nothing", default: Nothing.none) == .object
        avoidsPadding = try section.choice("viewer_compat", default: Compatibility.default) == .default
        try section.refuse(
            idle: "viewer_compat", if: !avoidsPadding && stated != nil && !binaryTwin && type == .labelmap,
            "a LABELMAP has no packed pixels, and empty_frames is said.", cure: "Take viewer_compat out.")
        emptyFrames = stated ?? (avoidsPadding ? .span : .omit)
        label = try section.string("label", default: "HSPSAM")
        // Content Label (0070,0080) is CS, and has a value (PS3.3 C.8.20.2).
        guard ValueRules.violation(of: label, as: .CS) == nil, label.utf8.count <= 16 else {
            throw section.failure(
                "PIPE-LABEL", at: "label", found: label,
                "a content label has 1 to 16 of A-Z, 0-9, _ and space, and is not blank.", cure: "Correct it.")
        }
    }
}
