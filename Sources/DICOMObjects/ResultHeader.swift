import DICOM

/// What every result has in common, whatever it is: patient and study as the source has them, who made it, and when.
///
/// *Source*: `docs/dicom-support.md`, "Whose a result is".
struct ResultHeader {
    /// The series of one object: each result stands in one of its own.
    struct Series {
        let modality: String
        let uid: String
        let number: Int
        /// What stands before the source's description: `AI SEG liver`.
        let title: String
    }

    let volume: Volume
    let producer: Producer
    /// Nil when no source has a date.
    let time: JobTime?
    let text: ResultText
    /// For the report: what could not be copied of the source, and what it lacks.
    private(set) var notes: [String]
    /// Attributes that stand as in the source, legal or not.
    private(set) var kept: Set<Tag>
    private let copied: DataSet
    private let contributions: [DataSet]

    /// - Parameters:
    ///   - texts: of the pipeline and the site that the object holds beside the producer's.
    ///   - more: copies what only this kind of object takes of its source.
    /// *Throws* `source` when the source lacks what a result must name, or holds what none can carry.
    init(
        _ volume: Volume, _ producer: Producer, time: JobTime?, texts: [String],
        copying more: (inout SourceCopy, inout DataSet) throws(ObjectFailure) -> Void = { _, _ in }
    ) throws(ObjectFailure) {
        self.volume = volume
        self.producer = producer
        self.time = time
        try Self.checkReferences(volume)
        let source = volume.patientAndStudy
        var copy = SourceCopy(source)
        var copied = DataSet()
        try copy.copyPatientAndStudy(into: &copied)
        try copy.copy([.timezoneOffsetFromUTC], .type3, into: &copied)
        try more(&copy, &copied)
        contributions = try Equipment.contributions(source, producer, time)
        var all = copied
        all.put(.contributingEquipmentSequence, items: contributions.dropLast())
        all[.seriesDescription] = source[.seriesDescription]
        text = ResultText(source: source, copied: all, own: producer.texts + texts)
        notes = copy.notes
        kept = copy.kept
        if let declared = text.declared {
            copied[declared.tag] = declared
            kept.insert(declared.tag)
        }
        self.copied = copied
        if producer.texts.contains(where: { text.main($0) != $0 }) {
            notes.append(
                "letters of the pipeline's own texts that the source's character set may not have are written as ?")
        }
        if time == nil { notes.append("no date in the source: Content Date of the result is 1970-01-01") }
    }

    /// The common part of an object: SOP Common, Series, Equipment, dates.
    func dataSet(_ sopClass: SOPClass, _ series: Series) -> DataSet {
        var dataSet = copied
        dataSet.put(.sopClassUID, sopClass.uid)
        dataSet.put(.instanceCreatorUID, InstanceCreator.results)
        dataSet.put(
            .contributingEquipmentSequence, items: contributions.dropLast() + contributions.suffix(1).map(text.item))
        dataSet.put(.modality, series.modality)
        dataSet.put(.seriesInstanceUID, series.uid)
        dataSet.put(.seriesNumber, series.number)
        let part = volume.partCount > 1 ? ", volume \(volume.part) of \(volume.partCount)" : ""
        dataSet[.seriesDescription] = text.line(
            series.title + part, then: .seriesDescription, of: volume.first.dataSet)
        if let time {
            dataSet.put(.instanceCreationDate, time.date)
            dataSet.put(.instanceCreationTime, time.time)
            dataSet.put(.seriesDate, time.date)
            dataSet.put(.seriesTime, time.time)
        }
        let content = time ?? .unknown
        dataSet.put(.contentDate, content.date)
        dataSet.put(.contentTime, content.time)
        Equipment.put(producer, text, into: &dataSet)
        dataSet.put(.instanceNumber, 1)
        return dataSet
    }

    /// The volume's instances, as `referencedSOPClassUID` and `referencedSOPInstanceUID`.
    var references: [DataSet] { volume.instances.map { .reference($0.sopClassUID, $0.sopInstanceUID) } }

    /// A result names its sources by their UIDs: one that is not legal cannot be named.
    private static func checkReferences(_ volume: Volume) throws(ObjectFailure) {
        for instance in volume.instances {
            let named: [(Attribute, String)] = [
                (.studyInstanceUID, instance.studyInstanceUID), (.seriesInstanceUID, instance.seriesInstanceUID),
                (.sopInstanceUID, instance.sopInstanceUID), (.sopClassUID, instance.sopClassUID),
                (.frameOfReferenceUID, instance.frameOfReferenceUID ?? instance.sopInstanceUID),
            ]
            for (attribute, uid) in named where !UID.isAccepted(uid) {
                throw .source(tag: attribute.tag, keyword: attribute.keyword, what: "no UID of digits and dots")
            }
        }
    }
}

extension DataSet {
    /// An item that names an instance (PS3.3 table 10-11).
    static func reference(_ sopClassUID: String, _ sopInstanceUID: String) -> DataSet {
        DataSet(composing: {
            $0.put(.referencedSOPClassUID, sopClassUID)
            $0.put(.referencedSOPInstanceUID, sopInstanceUID)
        })
    }

    /// An item that names a frame of the source; on a single-frame source a frame number would change the image's name in some viewers.
    static func reference(_ source: SourceFrame) -> DataSet {
        var item = reference(source.instance.sopClassUID, source.instance.sopInstanceUID)
        if source.instance.pixels.frames > 1 { item.put(.referencedFrameNumber, source.number) }
        return item
    }
}
