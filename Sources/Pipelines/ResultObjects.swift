import DICOM
import DICOMObjects
import Imaging
import Numbers
import Records
import Storage

/// Writes the DICOM objects of one result, each verified by reading it back.
struct ResultObjects {
    let task: VolumeTask
    /// The program's version, for the objects.
    let version: String
    let folder: RunFolder

    struct Written {
        /// Segmentations first.
        var objects: [ObjectRecord] = []
        /// What could not be copied of the source.
        var notes: [String] = []
        /// What could not be written of what was found.
        var findings: [Finding] = []
    }

    /// What was written. No segmentation when nothing was found and the
    /// pipeline wants no object of that; the report tells what was searched all the same.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    func write(
        _ segmentation: VolumeSegmentation, _ records: [SegmentRecord], clock: inout StepClock
    ) throws -> Written {
        let volume = task.volume
        // A slide's mask is one picture, and its segmentation lies on the slide's own tiles.
        let masks =
            volume.slide.map { slide in
                segmentation.masks.map { slide.cut($0[0], tileRows: volume.rows, tileColumns: volume.columns) }
            } ?? segmentation.masks
        let content = Segmentation.Content(masks: masks, probabilities: segmentation.probabilities)
        let producer = task.pipeline.producer(version: version)
        let pipeline = task.pipeline.pipeline
        var result = Written()
        var main: Segmentation?
        let segmentations = try task.segmentations()
        for (kind, options) in segmentations {
            let object = try clock.time("compose") {
                try Segmentation(
                    volume, content, segments: pipeline.segments, producer: producer, options: options)
            }
            guard let object else { continue }
            result.objects.append(try written(kind, task.file(kind), &clock) { try object.write(to: $0) })
            result.notes += object.notes.filter { !result.notes.contains($0) }
            if main == nil { main = object }
        }
        guard let options = segmentations.first?.options else { return result }
        if pipeline.outputs.report {
            let groups = zip(pipeline.segments, records).map {
                MeasurementReport.Group($0, Self.measurements($1, volume))
            }
            result.objects.append(
                try written(.report, task.file(.report), &clock) { path in
                    try MeasurementReport(
                        volume, groups, of: main, producer: producer, options: options,
                        seriesNumber: task.number(.report)
                    ).write(to: path)
                })
        }
        if pipeline.outputs.structures {
            let structures = try clock.time("compose") {
                try StructureSet(
                    volume, masks: masks, segments: pipeline.segments, producer: producer, options: options,
                    seriesNumber: task.number(.structures))
            }
            if let structures {
                result.objects.append(
                    try written(.structures, task.file(.structures), &clock) { try structures.write(to: $0) })
            }
        }
        result.objects += try annotations(segmentation, options, &clock)
        try addInstances(segmentation, to: &result, &clock)
        return result
    }

    /// Writes an object and says which it is.
    private func written(
        _ kind: Outputs.Kind, _ file: String, _ clock: inout StepClock, _ write: (_ path: String) throws -> Void
    ) throws -> ObjectRecord {
        try clock.time("write and verify") { try write(Folder.join(folder.path, file)) }
        return ObjectRecord(kind: kind.rawValue, file: file)
    }

    /// Where the pipeline wants them and an object can number them.
    private func addInstances(
        _ segmentation: VolumeSegmentation, to result: inout Written, _ clock: inout StepClock
    ) throws {
        guard let options = task.instances, let objects = segmentation.objects else { return }
        let count = objects.joined().reduce(0) { $0 + $1.count }
        guard count <= InstanceSegmentation.largestCount else {
            result.findings.append(
                Finding(
                    "QC-INSTANCES", .warning,
                    "\(NumberText.grouped(count)) objects are more than the \(NumberText.grouped(InstanceSegmentation.largestCount)) segments that one segmentation can number: none is written in which each is a segment."
                ))
            return
        }
        let pipeline = task.pipeline
        let made = try clock.time("compose") {
            try InstanceSegmentation(
                task.volume, objects, segments: pipeline.pipeline.segments,
                producer: pipeline.producer(version: version), options: options)
        }
        guard let made else { return }
        result.objects.append(
            try written(.instances, task.file(.instances), &clock) { try made.write(to: $0) })
    }

    /// One object for each picture in which something was found; none where the pipeline wants none.
    private func annotations(
        _ segmentation: VolumeSegmentation, _ options: Segmentation.Options, _ clock: inout StepClock
    ) throws -> [ObjectRecord] {
        let pipeline = task.pipeline.pipeline
        guard let graphic = pipeline.outputs.annotations else { return [] }
        var objects: [ObjectRecord] = []
        for picture in 0..<task.volume.pictures.count {
            let number = objects.count + 1
            let made = try clock.time("compose") {
                try BulkAnnotations(
                    task.volume, picture: picture, masks: segmentation.masks.map { $0[picture] },
                    objects: segmentation.objects?.map { $0[picture] }, segments: pipeline.segments, graphic,
                    producer: task.pipeline.producer(version: version),
                    options: options, seriesNumber: task.number(.annotations), number: number)
            }
            guard let made else { continue }
            let file = task.file(.annotations, number: number)
            objects.append(try written(.annotations, file, &clock) { try made.write(to: $0) })
        }
        return objects
    }

    /// Which frames are shown in pictures with the segments burnt in: those where something was found, evenly thinned; none where the
    /// pipeline wants none.
    func captured(_ segmentation: VolumeSegmentation) -> [Int] {
        let (volume, outputs) = (task.volume, task.pipeline.pipeline.outputs)
        let isWanted =
            switch outputs.captures {
            case .off: false
            case .auto: !volume.hasPlace || volume.columns % 8 != 0
            case .always: true
            }
        guard isWanted, segmentation.masks.allSatisfy({ $0.count == volume.frames.count }) else { return [] }
        let found = volume.frames.indices.filter { frame in segmentation.masks.contains { !$0[frame].isEmpty } }
        guard found.count > outputs.captureLimit else { return found }
        guard outputs.captureLimit > 1 else { return [found[found.count / 2]] }
        return (0..<outputs.captureLimit).map { found[$0 * (found.count - 1) / (outputs.captureLimit - 1)] }
    }

    /// Writes one of them, the `place`-th from 1.
    func capture(
        _ frame: Frame, at index: Int, place: Int, _ segmentation: VolumeSegmentation
    ) throws -> ObjectRecord {
        let window =
            frame.samples == 3
            ? DisplayWindow(from: 0, to: 255)
            : segmentation.displayWindow
                ?? segmentation.windowing.window(for: frame, task.volume.frames[index].voi)
        let (number, count) = (task.volume.number(ofPicture: index), task.volume.numberedPictures)
        return try capture(
            window.image(frame), at: index, place: place, segmentation,
            spacing: task.volume.spacing(of: segmentation.masks.map { $0[index] }),
            words: count > 1 ? " frame \(number) of \(count)" : "")
    }

    /// The whole slide, small, where a picture is made of every image and something was found; nil elsewhere.
    func captureOfSlide(_ segmentation: VolumeSegmentation) throws -> ObjectRecord? {
        guard task.volume.slide != nil, task.pipeline.pipeline.outputs.captures == .always,
            segmentation.masks.contains(where: { !$0[0].isEmpty }), let image = segmentation.kept.image(0)
        else { return nil }
        let whole = task.volume.pictures
        let spacing = task.volume.pixelSpacing.map {
            PixelSpacing(
                row: $0.row * Double(whole.rows) / Double(image.rows),
                column: $0.column * Double(whole.columns) / Double(image.columns))
        }
        return try capture(image, at: 0, place: 1, segmentation, spacing: spacing, words: " whole slide")
    }

    /// - Parameters:
    ///   - index: of the picture that is shown, or of which a smaller copy is.
    ///   - words: what is shown, for the title.
    private func capture(
        _ image: DisplayImage, at index: Int, place: Int, _ segmentation: VolumeSegmentation, spacing: PixelSpacing?,
        words: String
    ) throws -> ObjectRecord {
        let pipeline = task.pipeline.pipeline
        guard let options = task.mainOptions else {
            preconditionFailure("ResultObjects: no segmentation is planned")
        }
        let picture = CapturePicture(
            image, masks: segmentation.masks.map { $0[index] }, objects: segmentation.objects?.map { $0[index] },
            segments: pipeline.segments, spacing: spacing, title: "hspsam \(pipeline.name) \(pipeline.version)\(words)")
        let file = task.file(.captures, number: place)
        try SecondaryCapture(
            task.volume, frame: index, picture.image, spacing: picture.spacing, segments: pipeline.segments,
            producer: task.pipeline.producer(version: version), options: options,
            seriesNumber: task.number(.captures), number: place
        ).write(to: Folder.join(folder.path, file))
        return ObjectRecord(kind: Outputs.Kind.captures.rawValue, file: file)
    }

    /// The numbers of `report.json` as a structured report tells them.
    static func measurements(_ record: SegmentRecord, _ volume: Volume) -> [MeasurementReport.Measurement] {
        guard record.pixels > 0 else { return [] }
        var found: [MeasurementReport.Measurement] = []
        func add(_ concept: Code, _ value: Double?, _ unit: Code, _ derivation: Code? = nil) {
            if let value { found.append(.init(concept, value, unit, derivation: derivation)) }
        }
        add(.volume, record.volumeMM3, .cubicMillimetre)
        if record.areaMM2 != nil {
            add(.area, record.areaMM2, .squareMillimetre)
        } else if volume.frames.count == 1 {
            add(.area, Double(record.pixels), .pixels)
        }
        add(.longAxis, record.longestDiameterMM, .millimetre)
        add(.shortAxis, record.perpendicularMM, .millimetre)
        let isAttenuation = record.valueUnit == "HU"
        if isAttenuation || volume.modality == "MR" {
            let concept: Code = isAttenuation ? .attenuation : .signalIntensity
            let unit: Code = isAttenuation ? .hounsfield : .noUnits
            add(concept, record.mean, unit, .mean)
            add(concept, record.standardDeviation, unit, .standardDeviation)
        }
        add(.objectCount, record.objects.map { Double($0) }, .noUnits)
        if let sizes = record.objectSizes {
            let (concept, unit): (Code, Code) =
                switch sizes.unit {
                case .pixels: (.objectArea, .pixels)
                case .squareMicrometres: (.objectArea, .squareMicrometre)
                case .cubicMillimetres: (.objectVolume, .cubicMillimetre)
                }
            add(concept, sizes.mean, unit, .mean)
            add(concept, sizes.median, unit, .median)
            add(concept, sizes.standardDeviation, unit, .standardDeviation)
            add(.objectDensity, sizes.perMM2, .perSquareMillimetre)
        }
        add(.meanProbability, record.confidence, .noUnits)
        return found
    }
}
