import DICOM

/// Who made the object and who contributed to it (C.7.5.1, C.7.5.2, C.12.1.1.5).
enum Equipment {
    static func put(_ producer: Producer, into dataSet: inout DataSet) {
        dataSet.put(.manufacturer, Segmentation.line(producer.manufacturer))
        dataSet.put(.manufacturerModelName, "hspsam")
        dataSet.put(.deviceSerialNumber, String(producer.pipelineDigest.prefix(16)))
        dataSet.put(.softwareVersions, versions(producer))
    }

    private static func versions(_ producer: Producer) -> [String] {
        [
            "hspsam \(producer.version)", Segmentation.line("\(producer.modelName) \(producer.modelVersion)"),
            "weights \(producer.modelDigest.prefix(16))",
        ]
    }

    /// The source's contributions, the equipment that acquired it, and us.
    static func contributions(_ source: DataSet, _ producer: Producer, _ time: JobTime) -> [DataSet] {
        var items: [DataSet] = []
        let attribute = Attribute.contributingEquipmentSequence
        if let element = source[attribute.tag],
            case .items(let earlier)? = SourceCopy.legal(element, as: .SQ, in: source)?.value
        {
            items += earlier
        }
        var acquisition = DataSet()
        var copy = SourceCopy(source)
        let attributes: [Attribute] = [
            .manufacturer, .manufacturerModelName, .deviceSerialNumber, .softwareVersions, .institutionName,
            .stationName,
        ]
        // Type 3 never throws.
        try? copy.copy(attributes, .type3, into: &acquisition)
        if acquisition.string(.manufacturer) != nil {
            acquisition.put(.purposeOfReferenceCodeSequence, item: Code.acquisitionEquipment.item)
            items.append(acquisition)
        }
        items.append(
            DataSet(composing: {
                $0.put(.purposeOfReferenceCodeSequence, item: Code.processingEquipment.item)
                $0.put(.manufacturer, Segmentation.line(producer.manufacturer))
                $0.put(.manufacturerModelName, "hspsam")
                $0.put(.softwareVersions, versions(producer))
                $0.put(.contributionDateTime, time.dateTime)
                $0.put(
                    .contributionDescription,
                    "\(producer.modelName) \(producer.modelVersion), weights \(producer.modelDigest), pipeline \(producer.pipelineDigest); not for diagnosis without review"
                )
            }))
        return items
    }
}
