import DICOM

/// One item of the Segment Sequence (0062,0002).
///
/// *Source*: PS3.3 C.8.20.4.
enum SegmentItem {
    static func item(number: Int, _ segment: SegmentDescription, _ producer: Producer, trackingUID: String) -> DataSet {
        DataSet(composing: {
            $0.put(.segmentNumber, number)
            $0.put(.segmentLabel, segment.label)
            if let description = segment.description { $0.put(.segmentDescription, description) }
            $0.put(.segmentedPropertyCategoryCodeSequence, item: segment.category.item)
            $0.put(
                .segmentedPropertyTypeCodeSequence, item: segment.typeItem(.segmentedPropertyTypeModifierCodeSequence))
            if let region = segment.regionItem { $0.put(.anatomicRegionSequence, item: region) }
            $0.put(.segmentAlgorithmType, "AUTOMATIC")
            $0.put(.segmentAlgorithmName, Segmentation.line(producer.modelName))
            $0.put(.segmentationAlgorithmIdentificationSequence, item: algorithm(producer))
            $0.put(
                .recommendedDisplayCIELabValue,
                CIELab.value(red: segment.color[0], green: segment.color[1], blue: segment.color[2]))
            $0.put(.trackingID, trackingID(segment, trackingUID))
            $0.put(.trackingUID, trackingUID)
        })
    }

    /// For people; the same in segmentation and report.
    static func trackingID(_ segment: SegmentDescription, _ trackingUID: String) -> String {
        "\(segment.label)-\(DerivedUID.digest(Array(trackingUID.utf8)).prefix(8))"
    }

    /// Number 0 of a LABELMAP: what no segment is.
    static func background(_ producer: Producer) -> DataSet {
        DataSet(composing: {
            $0.put(.segmentNumber, 0)
            $0.put(.segmentLabel, "Background")
            $0.put(.segmentedPropertyCategoryCodeSequence, item: Code.background.item)
            $0.put(.segmentedPropertyTypeCodeSequence, item: Code.background.item)
            $0.put(.segmentAlgorithmType, "AUTOMATIC")
            $0.put(.segmentAlgorithmName, Segmentation.line(producer.modelName))
        })
    }

    /// Who found it (PS3.3 table 10-19).
    static func algorithm(_ producer: Producer) -> DataSet {
        DataSet(composing: {
            $0.put(.algorithmFamilyCodeSequence, item: Code.artificialIntelligence.item)
            $0.put(.algorithmName, "HSP-SAM")
            $0.put(.algorithmVersion, Segmentation.line(producer.modelVersion))
            $0.put(
                .algorithmParameters,
                "weights \(producer.modelDigest) pipeline \(producer.pipelineDigest)"
                    + (producer.augmentation.map { " tta \($0)" } ?? ""))
            $0.put(.algorithmSource, Segmentation.line(producer.manufacturer))
        })
    }
}
