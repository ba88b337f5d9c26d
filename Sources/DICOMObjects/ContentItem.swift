import DICOM

/// Items of a structured report's content tree (PS3.3 C.17.3): each gives the item that Content Sequence (0040,A730) holds.
enum ContentItem {
    enum Relationship: String {
        case contains = "CONTAINS"
        case hasObservationContext = "HAS OBS CONTEXT"
        case hasConceptModifier = "HAS CONCEPT MOD"
    }

    /// - Parameter template: of DCMR, that the container follows.
    static func container(_ concept: Code, template: String? = nil, _ children: [DataSet]) -> DataSet {
        DataSet(composing: { item in
            put(concept, "CONTAINER", .contains, into: &item)
            item.put(.continuityOfContent, "SEPARATE")
            if let template {
                item.put(
                    .contentTemplateSequence,
                    item: DataSet(composing: {
                        $0.put(.mappingResource, "DCMR")
                        $0.put(.templateIdentifier, template)
                    }))
            }
            if !children.isEmpty { item.put(.contentSequence, items: children) }
        })
    }

    static func code(_ concept: Code, _ value: Code, _ relationship: Relationship, _ children: [DataSet] = [])
        -> DataSet
    {
        DataSet(composing: {
            put(concept, "CODE", relationship, into: &$0)
            $0.put(.conceptCodeSequence, item: value.item)
            if !children.isEmpty { $0.put(.contentSequence, items: children) }
        })
    }

    static func text(_ concept: Code, _ value: String, _ relationship: Relationship) -> DataSet {
        DataSet(composing: {
            put(concept, "TEXT", relationship, into: &$0)
            $0.put(.textValue, value)
        })
    }

    static func uid(_ concept: Code, _ value: String, _ relationship: Relationship) -> DataSet {
        DataSet(composing: {
            put(concept, "UIDREF", relationship, into: &$0)
            $0.put(.uid, value)
        })
    }

    static func number(_ concept: Code, _ value: Double, _ unit: Code, _ children: [DataSet] = []) -> DataSet {
        DataSet(composing: { item in
            put(concept, "NUM", .contains, into: &item)
            item.put(
                .measuredValueSequence,
                item: DataSet(composing: {
                    $0.put(.measurementUnitsCodeSequence, item: unit.item)
                    $0.put(.numericValue, decimals: [value])
                    $0.put(.floatingPointValue, doubles: [value])
                }))
            if !children.isEmpty { item.put(.contentSequence, items: children) }
        })
    }

    static func image(_ concept: Code, _ reference: DataSet) -> DataSet {
        DataSet(composing: {
            put(concept, "IMAGE", .contains, into: &$0)
            $0.put(.referencedSOPSequence, item: reference)
        })
    }

    private static func put(
        _ concept: Code, _ valueType: String, _ relationship: Relationship, into item: inout DataSet
    ) {
        item.put(.relationshipType, relationship.rawValue)
        item.put(.valueType, valueType)
        item.put(.conceptNameCodeSequence, item: concept.item)
    }
}
