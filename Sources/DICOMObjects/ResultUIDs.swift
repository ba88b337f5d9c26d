import DICOM
import Storage

/// UIDs of one result: derived from everything that decides what it will say, so the same work gives the same UIDs.
struct ResultUIDs {
    /// Of the object, a part of the work; nil when no source has a date.
    let time: JobTime?
    private let salt: String
    /// The digest of the sources, of who segments them and how.
    private let work: String
    /// The same whatever object says it: what a segment is of in a BINARY object, in its LABELMAP twin and in the report.
    private let tracked: String

    init(
        _ volume: Volume, _ segments: [SegmentDescription], _ producer: Producer, _ options: Segmentation.Options
    ) {
        time = options.time ?? JobTime.latest(of: volume.instances.map(\.dataSet))
        salt = options.salt
        var fields = CanonicalEncoding("hspsam segmentation")
        fields.add("writer revision", DataSetEncoder.writerRevision)
        fields.add("study", volume.studyInstanceUID)
        fields.add("series", volume.seriesInstanceUID)
        fields.add("volume", volume.digest)
        // Volumes of one multi-frame object have one digest.
        fields.list("frames", volume.frames) {
            $0.add("instance", $1.instance.sopInstanceUID)
            $0.add("number", $1.number)
        }
        fields.add("time", optional: time) { $0.add("time", $1.dateTime) }
        fields.add("manufacturer", producer.manufacturer)
        fields.add("version", producer.version)
        fields.add("model name", producer.modelName)
        fields.add("model version", producer.modelVersion)
        fields.add("model", producer.modelDigest)
        fields.add("pipeline name", producer.pipelineName)
        fields.add("pipeline version", producer.pipelineVersion)
        fields.add("pipeline", producer.pipelineDigest)
        fields.list("segments", segments) { $1.add(to: &$0) }
        tracked = fields.digest.hex
        fields.add("type", options.type.rawValue)
        fields.add("empty frames", options.emptyFrames.rawValue)
        fields.add("empty segments", options.keepsEmptySegments)
        fields.add("nothing", options.writesNothing)
        fields.add("no padding", options.avoidsPadding)
        fields.add("synthetic geometry", options.syntheticGeometry)
        fields.add("label", options.label)
        fields.add("series number", options.seriesNumber)
        fields.add("may overlap", options.mayOverlap)
        // The source's own grid leaves no trace: UIDs from before there was a choice stay as they are.
        if options.isRegular { fields.add("regular grid", true) }
        if options.isOfObjects { fields.add("objects", true) }
        work = fields.digest.hex
    }

    var series: String { uid(.segmentationSeries) }
    var dimensions: String { uid(.segmentationDimensions) }
    var syntheticFrameOfReference: String { uid(.syntheticFrameOfReference) }
    func tracking(_ segment: SegmentDescription) -> String {
        DerivedUID.uid(.segmentationTracking, salt: salt, [tracked, segment.key])
    }

    /// SOP Instance UID of an object with these contents: two contents never share one.
    func instance(_ kind: DerivedUID.Kind, _ attributes: [UInt8], pixels: [UInt8] = []) -> String {
        uid(kind, DerivedUID.digest(attributes), DerivedUID.digest(pixels))
    }

    /// Of something else that belongs to the same work.
    func uid(_ kind: DerivedUID.Kind, _ more: String...) -> String {
        DerivedUID.uid(kind, salt: salt, [work] + more)
    }
}

extension SegmentDescription {
    fileprivate func add(to fields: inout CanonicalEncoding) {
        fields.add("key", key)
        fields.add("label", label)
        fields.add("description", optional: description) { $0.add("text", $1) }
        for (name, codes) in [
            ("category", [category]), ("type", [type]), ("modifiers", modifiers), ("region", region.map { [$0] } ?? []),
            ("region modifier", regionModifier.map { [$0] } ?? []),
        ] {
            fields.list(name, codes) {
                $0.add("value", $1.value)
                $0.add("scheme", $1.scheme)
                $0.add("meaning", $1.meaning)
            }
        }
        fields.add("color", color.map(Int.init))
    }
}
