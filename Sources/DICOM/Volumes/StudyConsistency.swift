internal import Identification

/// Whether all instances of one study say alike whose it is and which study, and what they say together.
///
/// *Source*: PS3.3 2024e, C.7.1.1 and C.7.2.1: these attributes are the same in every object of a patient and study.
package struct StudyConsistency: Sendable {
    /// What differs in spelling or is missing in some instances; no values in it.
    package let findings: [Finding]
    /// The fullest element of each identifying attribute with the character set that it was written in.
    private let fullest: [Attribute: (element: Element, characterSet: String)]

    /// Two values of these are two patients or two studies.
    package static let identifying = IdentifyingAttribute.allCases.map(\.attribute)
    /// These are the study's too, but departments and devices write them each in its own way: each series keeps its own.
    private static let describing: [Attribute] = [.studyTime, .studyDescription, .referringPhysicianName]

    /// All instances are of one study; their order does not matter.
    ///
    /// *Throws* `identity` naming the attribute whose values contradict each other.
    package init(_ instances: [SourceInstance]) throws(DICOMFailure) {
        var findings: [Finding] = []
        var fullest: [Attribute: (element: Element, characterSet: String)] = [:]
        for attribute in Self.identifying {
            let summary = Summary(attribute, instances)
            guard !summary.isContradictory else {
                throw .identity(
                    "\(attribute.keyword) \(attribute.tag) has different values in the images of one study: whose images they are is uncertain.",
                    cure: "Correct the study at its source.")
            }
            fullest[attribute] = summary.fullest
            if summary.spellings > 1 || (summary.missing > 0 && summary.spellings > 0) {
                findings.append(
                    Finding(
                        "GRP-SPELLING", .note,
                        "\(attribute.keyword) is missing or written differently in some images of the study, and means the same. The fullest value is used."
                    ))
            }
        }
        for attribute in Self.describing where Summary(attribute, instances).isContradictory {
            findings.append(
                Finding(
                    "GRP-STUDY", .note,
                    "\(attribute.keyword) has different values in the images of the study. Each result has its own series' value."
                ))
        }
        self.findings = findings
        self.fullest = fullest
    }

    /// The data set with the study's fullest value of each identifying attribute. A value in another character set is not taken over:
    /// its bytes would mean something else there.
    package func completed(_ dataSet: DataSet) -> DataSet {
        var completed = dataSet
        for (attribute, found) in fullest {
            guard case .bytes(let bytes) = found.element.value else { continue }
            if dataSet[attribute]?.isEqual(to: found.element) == true { continue }
            if found.characterSet == dataSet.characterSet || CharacterSet.isPlain(bytes) {
                completed[attribute] = found.element
            }
        }
        return completed
    }

    /// One attribute over all instances.
    private struct Summary {
        var isContradictory = false
        /// Different value fields, padding aside; and instances without a value.
        var spellings = 0
        var missing = 0
        var fullest: (element: Element, characterSet: String)?

        init(_ attribute: Attribute, _ instances: [SourceInstance]) {
            var known: [String: (value: IdentityValue, element: Element, characterSet: String)] = [:]
            for instance in instances {
                let dataSet = instance.dataSet
                guard let value = IdentityValue(dataSet, attribute), let element = dataSet[attribute],
                    case .bytes(let bytes) = element.value
                else {
                    missing += 1
                    continue
                }
                // Latin-1 gives each byte a character: a key that is as unique as the bytes.
                let key =
                    dataSet.characterSet + "\n"
                    + String(String.UnicodeScalarView(bytes.withoutPadding.map { Unicode.Scalar($0) }))
                known[key] = (value, element, dataSet.characterSet)
            }
            spellings = known.count
            var merged: IdentityValue?
            // By value, not by instance: the result is the same in whatever order they were read.
            for key in known.keys.sorted() {
                guard let entry = known[key] else { continue }
                guard let together = merged?.merged(with: entry.value) ?? (merged == nil ? entry.value : nil) else {
                    isContradictory = true
                    return
                }
                merged = together
                if fullest == nil || entry.value.fullness > best {
                    (best, fullest) = (entry.value.fullness, (entry.element, entry.characterSet))
                }
            }
        }

        private var best = 0
    }
}
