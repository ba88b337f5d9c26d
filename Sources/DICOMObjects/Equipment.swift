import DICOM

/// Who made the object and who contributed to it (C.7.5.1, C.7.5.2, C.12.1.1.5).
enum Equipment {
    static func put(_ producer: Producer, _ text: ResultText, into dataSet: inout DataSet) {
        dataSet.put(.manufacturer, text.main(Segmentation.line(producer.manufacturer)))
        dataSet.put(.manufacturerModelName, "hspsam")
        dataSet.put(.deviceSerialNumber, String(producer.pipelineDigest.prefix(16)))
        dataSet.put(.softwareVersions, versions(producer).map(text.main))
    }

    /// Of the algorithm: the same for every result of one model under one pipeline.
    static func deviceUID(_ producer: Producer) -> String {
        DerivedUID.uid(.device, [producer.modelDigest, producer.pipelineDigest])
    }

    private static func versions(_ producer: Producer) -> [String] {
        [
            Segmentation.line("hspsam \(producer.version)"),
            Segmentation.line("\(producer.modelName) \(producer.modelVersion)"),
            "weights \(producer.modelDigest.prefix(16))",
        ] + (producer.arithmetic.map { [Segmentation.line("arithmetic \($0)")] } ?? [])
    }

    /// The source's contributions, the equipment that acquired it, and, last, the algorithm, as IHE AI Results identifies it.
    static func contributions(
        _ source: DataSet, _ producer: Producer, _ time: JobTime?
    ) throws(ObjectFailure) -> [DataSet] {
        var earlier = DataSet()
        var copy = SourceCopy(source)
        try copy.copy([.contributingEquipmentSequence], .type3, into: &earlier)
        var items = earlier.items(.contributingEquipmentSequence)
        var acquisition = DataSet()
        try copy.copy(
            [
                .manufacturer, .manufacturerModelName, .deviceSerialNumber, .softwareVersions, .institutionName,
                .stationName,
            ], .type3, into: &acquisition)
        if acquisition.string(.manufacturer) != nil {
            acquisition.put(.purposeOfReferenceCodeSequence, item: Code.acquisitionEquipment.item)
            items.append(acquisition)
        }
        items.append(
            DataSet(composing: {
                $0.put(.purposeOfReferenceCodeSequence, item: Code.processingEquipment.item)
                $0.put(.manufacturer, Segmentation.line(producer.manufacturer))
                $0.put(.manufacturerModelName, Segmentation.line(producer.modelName))
                $0.put(.deviceUID, deviceUID(producer))
                $0.put(.softwareVersions, [Segmentation.line(producer.modelVersion)] + versions(producer))
                if let time { $0.put(.contributionDateTime, time.dateTime) }
                let model = Segmentation.line("\(producer.modelName) \(producer.modelVersion)")
                $0.put(
                    .contributionDescription,
                    "\(model), weights \(producer.modelDigest), pipeline \(producer.pipelineDigest); not for diagnosis without review"
                )
            }))
        return items
    }
}
