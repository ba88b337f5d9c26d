package import DICOM

/// A coded concept: value, scheme, meaning (PS3.3 8.8).
package struct Code: Sendable, Hashable {
    /// Unique within its scheme.
    package let value: String
    /// `SCT`, `DCM`, `UCUM`, `99…`
    package let scheme: String
    /// For people.
    package let meaning: String

    /// In the order of the standard's tables.
    package init(_ value: String, _ scheme: String, _ meaning: String) {
        self.value = value
        self.scheme = scheme
        self.meaning = meaning
    }

    /// As the item of a code sequence; values longer than 16 characters become Long Code Value.
    package var item: DataSet {
        DataSet(composing: {
            $0.put(value.unicodeScalars.count > 16 ? .longCodeValue : .codeValue, value)
            $0.put(.codingSchemeDesignator, scheme)
            $0.put(.codeMeaning, meaning)
        })
    }

    static let segmentation = Code("113076", "DCM", "Segmentation")
    static let sourceImage = Code("121322", "DCM", "Source Image for Image Processing Operation")
    static let acquisitionEquipment = Code("109101", "DCM", "Acquisition Equipment")
    static let processingEquipment = Code("109102", "DCM", "Processing Equipment")
    static let background = Code("125040", "DCM", "Background")
    static let artificialIntelligence = Code("123110", "DCM", "Artificial Intelligence")
}
