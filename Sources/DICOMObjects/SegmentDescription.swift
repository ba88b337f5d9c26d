import DICOM

/// What one segment is, in a pipeline's words and codes.
package struct SegmentDescription: Sendable, Hashable {
    /// Short, stable, unique in its pipeline.
    package var key: String
    /// For people; at most 64 characters, unique.
    package var label: String
    /// Segment Description (0062,0006).
    package var description: String?
    /// Segmented Property Category: what kind of thing.
    package var category: Code
    /// Segmented Property Type: which thing.
    package var type: Code
    /// Segmented Property Type Modifiers: its side, for example.
    package var modifiers: [Code]
    /// Where, when the type itself is no anatomy (a mass, a lesion).
    package var region: Code?
    /// The side of `region`.
    package var regionModifier: Code?
    /// sRGB
    package var color: [UInt8]

    /// A colour has three parts.
    package init(
        key: String, label: String, description: String? = nil, category: Code, type: Code, modifiers: [Code] = [],
        region: Code? = nil, regionModifier: Code? = nil, color: [UInt8]
    ) {
        precondition(color.count == 3, "SegmentDescription: a colour has three parts, not \(color.count)")
        self.key = key
        self.label = label
        self.description = description
        self.category = category
        self.type = type
        self.modifiers = modifiers
        self.region = region
        self.regionModifier = regionModifier
        self.color = color
    }
}

extension SegmentDescription {
    /// The item of a sequence that holds the type, with its modifiers under `attribute`, which each class of objects names otherwise.
    func typeItem(_ attribute: Attribute) -> DataSet {
        var item = type.item
        if !modifiers.isEmpty { item.put(attribute, items: modifiers.map(\.item)) }
        return item
    }

    /// The item of an Anatomic Region Sequence: the region with its side.
    var regionItem: DataSet? {
        guard var item = region?.item else { return nil }
        if let regionModifier { item.put(.anatomicRegionModifierSequence, item: regionModifier.item) }
        return item
    }

    /// Everything in it that a person wrote.
    var texts: [String] {
        let codes = [category, type] + modifiers + [region, regionModifier].compactMap { $0 }
        return [label, description ?? ""] + codes.flatMap { [$0.value, $0.scheme, $0.meaning] }
    }
}

extension Producer {
    /// Everything in it that a person wrote.
    var texts: [String] { [manufacturer, version, modelName, modelVersion, pipelineName, pipelineVersion] }
}

/// Who made a result: program, model and pipeline with the digests that identify them.
package struct Producer: Sendable, Hashable {
    /// Manufacturer (0008,0070) of our equipment.
    package var manufacturer: String
    /// Of the program, `0.1.0`.
    package var version: String
    /// Algorithm Name of each segment.
    package var modelName: String
    /// Algorithm Version of each segment.
    package var modelVersion: String
    /// 64 hexadecimal digits each.
    package var modelDigest: String
    /// In Series Description and Content Description.
    package var pipelineName: String
    /// In Content Description.
    package var pipelineVersion: String
    /// 64 hexadecimal digits; the first 16 are our Device Serial Number.
    package var pipelineDigest: String
    /// What the network's products were computed in, where that is not float32: in Software Versions.
    package var arithmetic: String?
    /// What pictures were segmented as besides as they are, in Algorithm Parameters; nil: nothing.
    package var augmentation: String?

    /// Texts that are too long for their attributes are cut.
    package init(
        manufacturer: String, version: String, modelName: String, modelVersion: String, modelDigest: String,
        pipelineName: String,
        pipelineVersion: String, pipelineDigest: String, arithmetic: String? = nil, augmentation: String? = nil
    ) {
        self.augmentation = augmentation
        self.arithmetic = arithmetic
        self.manufacturer = manufacturer
        self.version = version
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.modelDigest = modelDigest
        self.pipelineName = pipelineName
        self.pipelineVersion = pipelineVersion
        self.pipelineDigest = pipelineDigest
    }
}
