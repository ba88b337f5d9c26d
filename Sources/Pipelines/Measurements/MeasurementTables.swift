import DICOM
import DICOMObjects
import Imaging
import Numbers
import Records
import Storage

/// `measurements.csv`, a row for each segment of each volume, and `objects.csv`, a row for each object where a pipeline counts
/// them. The columns stand in `docs/formats.md`; rows follow the order of results, segments and first pixels.
struct MeasurementTables {
    static let fileName = "measurements.csv"
    static let objectsFileName = "objects.csv"

    private(set) var measurements = CSV([
        "study", "series", "pipeline", "pipeline_version", "segment", "label", "type_code", "type_scheme", "frames",
        "frames_found", "pixels", "area_mm2", "volume_ml", "longest_diameter_mm", "perpendicular_mm", "mean", "sd",
        "value_unit", "objects", "confidence", "file", "object_size_unit", "object_size_mean", "object_size_median",
        "object_size_sd", "objects_per_mm2",
    ])
    /// Nil where no pipeline counts objects.
    private(set) var objects: CSV?

    private static let emptyObjects = CSV([
        "study", "series", "pipeline", "segment", "label", "object", "frame", "row", "column", "x_mm", "y_mm", "z_mm",
        "pixels", "area_mm2", "volume_ml", "longest_diameter_mm", "perpendicular_mm", "mean", "confidence",
        "instance", "at_edge",
    ])

    /// Of one result: `records` and `found` one a segment of the pipeline.
    ///
    /// - Parameter hasInstances: each object is a segment of a segmentation, numbered through all of the pipeline's segments.
    init(
        _ volume: Volume, _ pipeline: Pipeline, study: String, file: String?, _ records: [SegmentRecord],
        _ measured: [SegmentMeasurement], _ found: [SegmentObjects], hasInstances: Bool
    ) {
        let series = StudyNames.volume(volume)
        for (index, record) in records.enumerated() {
            let type = pipeline.segments[index].type
            let identity: [String?] = [
                study, series, pipeline.name, pipeline.version, "\(record.number)", record.label, type.value,
                type.scheme,
            ]
            let counts = [volume.frames.count, measured[index].frames, record.pixels].map { String?("\($0)") }
            let sizes = [
                record.areaMM2, record.volumeML, record.longestDiameterMM, record.perpendicularMM, record.mean,
                record.standardDeviation,
            ].map(Self.text)
            let rest: [String?] = [
                record.valueUnit, record.objects.map { "\($0)" }, Self.text(record.confidence), file,
            ]
            let objects = record.objectSizes
            let figures: [Double?] = [objects?.mean, objects?.median, objects?.standardDeviation, objects?.perMM2]
            var row = identity + counts + sizes + rest
            row.append(objects?.unit.rawValue)
            row += figures.map(Self.text)
            measurements.add(row)
        }
        guard pipeline.outputs.countsObjects else { return }
        var table = Self.emptyObjects
        var instance = 0
        for (index, segment) in found.enumerated() {
            for (number, object) in segment.objects.enumerated() {
                instance += 1
                let names: [String?] = [
                    study, series, pipeline.name, "\(index + 1)", records[index].label, "\(number + 1)",
                ]
                var row = names + Self.cells(object, volume, of: records[index])
                row += [hasInstances ? "\(instance)" : nil, object.isCut ? "1" : "0"]
                table.add(row)
            }
        }
        objects = table
    }

    /// Of several results in one table each.
    init(_ parts: [MeasurementTables]) {
        for part in parts {
            measurements.add(rowsOf: part.measurements)
            guard let more = part.objects else { continue }
            if objects == nil { objects = Self.emptyObjects }
            objects?.add(rowsOf: more)
        }
    }

    /// - Parameter segment: the object's: where it has no area or volume in mm, neither has the object.
    private static func cells(
        _ object: SegmentObjects.Object, _ volume: Volume, of segment: SegmentRecord
    ) -> [String?] {
        let spacing = segment.areaMM2 == nil ? nil : volume.pixelSpacing
        let place: [Double?] =
            volume.hasPlace
            ? [object.positionMM.x, object.positionMM.y, object.positionMM.z]
            : [spacing.map { object.column * $0.column }, spacing.map { object.row * $0.row }, nil]
        // Of pictures an object lies in one; else between slices.
        let picture = volume.reachesOverSlices ? nil : Int(rounding: object.frame)
        let frame = picture.map { Double(volume.number(ofPicture: $0)) } ?? object.frame + 1
        let center: [String?] = [
            NumberText.fixed(frame, 2), NumberText.fixed(object.row, 3), NumberText.fixed(object.column, 3),
        ]
        let sizes: [Double?] = [
            spacing.map { (Double(object.largestFramePixels) * $0.row * $0.column).withoutNoise },
            segment.volumeML.map { _ in (object.volumeMM3 / 1000).withoutNoise },
            spacing == nil ? nil : object.diameters.flatMap { SegmentRecord.length(mm: $0.longest) },
            spacing == nil ? nil : object.diameters.flatMap { SegmentRecord.length(mm: $0.perpendicular) },
            object.meanValue.flatMap(SegmentRecord.value), object.confidence?.rounded(decimals: 4),
        ]
        let pixels: [String?] = ["\(object.pixels)"]
        return center + place.map { text($0?.withoutNoise) } + pixels + sizes.map(text)
    }

    /// Writes both, the second one where a pipeline counts objects.
    ///
    /// *Throws* `StorageFailure`.
    func write(to folder: String) throws(StorageFailure) {
        try DurableFile.write(measurements.text, to: Folder.join(folder, Self.fileName), mode: 0o640)
        guard let objects else { return }
        try DurableFile.write(objects.text, to: Folder.join(folder, Self.objectsFileName), mode: 0o640)
    }

    /// As JSON writes it.
    private static func text(_ value: Double?) -> String? {
        value.flatMap { value in
            guard value.isFinite else { return nil }
            let text = "\(value)"
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
    }
}
