package import DICOM
package import Imaging

/// A BINARY Segmentation object of one volume.
///
/// *Source*: PS3.3 A.51, C.8.20; the design page on DICOM, section 4.
package struct Segmentation: Sendable {
    package struct Options: Sendable {
        package var emptyFrames = FrameSelection.EmptyFrames.span
        /// Sources without Frame of Reference get an invented one, so that readers which insist on geometry open the result.
        package var syntheticGeometry = false
        /// Content Label (0070,0080): at most 16 capital letters, digits, spaces, underscores.
        package var label = "HSPSAM"
        package var seriesNumber = 9000
        /// Segments may share pixels (sigmoid outputs); they are then counted.
        package var mayOverlap = false
        package var salt = ""
        /// Used when no source carries a date.
        package var fallbackTime: JobTime
        /// Instead of the sources' own time.
        package var time: JobTime?

        package init(fallbackTime: JobTime) { self.fallbackTime = fallbackTime }
    }

    package let dataSet: DataSet
    package let sopInstanceUID: String
    package let seriesInstanceUID: String
    /// Segments that are in the object, and its frames.
    package let selection: FrameSelection
    /// Attributes of the source that could not be copied; for the report.
    package let notes: [String]

    /// Nil when no mask has a pixel: nothing was found, so no object is written.
    ///
    /// *Shape*: `masks[segment][frame]`, segments as described, frames in the volume's order, each on the source's grid.
    /// *Throws* `mismatch` when masks and volume differ, `source` when the source lacks what a result must name, `size`.
    package init?(
        _ volume: Volume, masks: [[Mask]], segments: [SegmentDescription], producer: Producer, options: Options
    ) throws(ObjectFailure) {
        guard masks.count == segments.count, masks.allSatisfy({ $0.count == volume.frames.count }) else {
            throw .mismatch(
                "masks of \(masks.count) segments for \(segments.count) descriptions and \(volume.frames.count) frames")
        }
        for mask in masks.joined() where mask.rows != volume.rows || mask.columns != volume.columns {
            throw .mismatch("a mask of \(mask.rows)×\(mask.columns) for frames of \(volume.rows)×\(volume.columns)")
        }
        let selection = FrameSelection(masks, emptyFrames: options.emptyFrames)
        guard !selection.frames.isEmpty else { return nil }
        guard selection.segments.count <= 65535, selection.frames.count <= Int(Int32.max) else {
            throw .size(
                "\(selection.segments.count) segments on \(selection.frames.count) frames: more than one object holds. Use fewer segments."
            )
        }
        try Self.checkReferences(volume)
        let time = options.time ?? JobTime.latest(of: volume.instances.map(\.dataSet)) ?? options.fallbackTime
        let pixels = BitPacking.pack(selection.frames.map { masks[selection.segments[$0.segment - 1]][$0.source] })
        let identity = Identity(volume, producer, options, time, pixels)
        let geometry =
            FrameGeometry(volume, salt: options.salt)
            ?? (options.syntheticGeometry
                ? FrameGeometry(synthetic: volume, frameOfReferenceUID: identity.uid(.syntheticFrameOfReference)) : nil)
        self.selection = selection
        sopInstanceUID = identity.instance
        seriesInstanceUID = identity.uid(.segmentationSeries)

        let groups = FunctionalGroups(
            volume: volume, selection: selection, geometry: geometry, dimensions: identity.uid(.segmentationDimensions))
        var copy = SourceCopy(volume.first.dataSet)
        var dataSet = DataSet()
        try copy.copyPatientAndStudy(into: &dataSet)
        // Not the series' side: beside most body parts the standard forbids it, and the type's modifier tells it.
        try copy.copy([.timezoneOffsetFromUTC, .bodyPartExamined], .type3, into: &dataSet)
        dataSet.put(.specificCharacterSet, "ISO_IR 192")
        dataSet.put(.sopClassUID, SOPClass.segmentationStorage.uid)
        dataSet.put(.sopInstanceUID, sopInstanceUID)
        dataSet.put(.instanceCreationDate, time.date)
        dataSet.put(.instanceCreationTime, time.time)
        dataSet.put(.instanceCreatorUID, InstanceCreator.results)
        dataSet.put(.modality, "SEG")
        dataSet.put(.seriesInstanceUID, seriesInstanceUID)
        dataSet.put(.seriesNumber, options.seriesNumber)
        let description = volume.first.dataSet.string(.seriesDescription) ?? ""
        dataSet.put(.seriesDescription, Self.line("AI SEG \(producer.pipelineName): \(description)"))
        dataSet.put(.seriesDate, time.date)
        dataSet.put(.seriesTime, time.time)
        if let geometry {
            dataSet.put(.frameOfReferenceUID, geometry.frameOfReferenceUID)
            dataSet.put(.positionReferenceIndicator, geometry.positionReferenceIndicator)
        } else {
            dataSet.putEmpty(.patientOrientation)
        }
        Equipment.put(producer, into: &dataSet)
        dataSet.put(
            .contributingEquipmentSequence, items: Equipment.contributions(volume.first.dataSet, producer, time))
        dataSet.put(.imageType, ["DERIVED", "PRIMARY"])
        dataSet.put(.instanceNumber, 1)
        dataSet.put(.contentDate, time.date)
        dataSet.put(.contentTime, time.time)
        dataSet.put(.burnedInAnnotation, "NO")
        Self.putReferences(volume, into: &dataSet)
        Lossy.put(volume.instances, into: &dataSet)
        dataSet.put(.segmentationType, "BINARY")
        dataSet.put(.segmentsOverlap, options.mayOverlap && Self.overlap(masks) ? "YES" : "NO")
        dataSet.put(.contentLabel, options.label)
        let synthetic = geometry?.isSynthetic == true ? " GEOMETRY SYNTHETIC" : ""
        dataSet.put(
            .contentDescription, Self.line("\(producer.pipelineName) \(producer.pipelineVersion)", ending: synthetic))
        dataSet.put(.contentCreatorName, "hspsam^automatic")
        let found = selection.segments.map { segments[$0] }
        dataSet.put(
            .segmentSequence,
            items: found.enumerated().map { index, segment in
                SegmentItem.item(
                    number: index + 1, segment, producer, trackingUID: identity.uid(.segmentationTracking, segment.key))
            })
        groups.put(into: &dataSet)
        dataSet.put(.samplesPerPixel, 1)
        dataSet.put(.photometricInterpretation, "MONOCHROME2")
        dataSet.put(.rows, volume.rows)
        dataSet.put(.columns, volume.columns)
        dataSet.put(.bitsAllocated, 1)
        dataSet.put(.bitsStored, 1)
        dataSet.put(.highBit, 0)
        dataSet.put(.pixelRepresentation, 0)
        dataSet.put(.numberOfFrames, selection.frames.count)
        dataSet.put(.pixelData, bytes: pixels)
        self.dataSet = dataSet
        notes = copy.notes
    }

    /// A result names its sources by their UIDs: one that is not legal cannot be named.
    private static func checkReferences(_ volume: Volume) throws(ObjectFailure) {
        for instance in volume.instances {
            let named: [(Attribute, String)] = [
                (.studyInstanceUID, instance.studyInstanceUID), (.seriesInstanceUID, instance.seriesInstanceUID),
                (.sopInstanceUID, instance.sopInstanceUID), (.sopClassUID, instance.sopClassUID),
            ]
            for (attribute, uid) in named where !ValueRules.isUID(uid) {
                throw .source(
                    tag: attribute.tag, keyword: attribute.keyword, what: "not a UID as the standard forms them")
            }
        }
    }

    /// Source Image Sequence and Referenced Series Sequence: viewers list a result by the latter.
    private static func putReferences(_ volume: Volume, into dataSet: inout DataSet) {
        let references = volume.instances.map { instance in
            DataSet(composing: {
                $0.put(.referencedSOPClassUID, instance.sopClassUID)
                $0.put(.referencedSOPInstanceUID, instance.sopInstanceUID)
            })
        }
        dataSet.put(.sourceImageSequence, items: references)
        dataSet.put(
            .referencedSeriesSequence,
            item: DataSet(composing: {
                $0.put(.seriesInstanceUID, volume.seriesInstanceUID)
                $0.put(.referencedInstanceSequence, items: references)
            }))
    }

    /// Any pixel of any frame in two segments.
    private static func overlap(_ masks: [[Mask]]) -> Bool {
        guard let frames = masks.first?.indices else { return false }
        return frames.contains { frame in
            var seen = [UInt8](repeating: 0, count: masks[0][frame].bits.count)
            for segment in masks {
                for (index, byte) in segment[frame].bits.enumerated() {
                    if seen[index] & byte != 0 { return true }
                    seen[index] |= byte
                }
            }
            return false
        }
    }

    /// A line of LO: backslashes and control characters replaced, cut so that it and its ending have 64 characters.
    static func line(_ text: String, ending: String = "") -> String {
        let clean = text.unicodeScalars.map {
            $0 == "\\" || $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? " " : $0
        }
        var kept = String.UnicodeScalarView()
        kept.append(contentsOf: clean.prefix(64 - ending.unicodeScalars.count))
        return String(kept) + ending
    }
}

/// What the UIDs of one result are derived from.
private struct Identity {
    let salt: String
    let parts: [String]
    /// The digest of the pixel data is a part, so that one UID never names two contents.
    let instance: String

    init(_ volume: Volume, _ producer: Producer, _ options: Segmentation.Options, _ time: JobTime, _ pixels: [UInt8]) {
        salt = options.salt
        parts = [
            volume.studyInstanceUID, volume.seriesInstanceUID, volume.digest, producer.modelDigest,
            producer.pipelineDigest,
            DataSetEncoder.writerRevision, time.dateTime, "seg",
        ]
        instance = DerivedUID.uid(.segmentationInstance, salt: salt, parts + [DerivedUID.digest(pixels)])
    }

    func uid(_ kind: DerivedUID.Kind, _ more: String...) -> String { DerivedUID.uid(kind, salt: salt, parts + more) }
}
