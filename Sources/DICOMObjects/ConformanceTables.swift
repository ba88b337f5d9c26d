import DICOM

/// The tables of the conformance statement, generated from the tables that the program itself works by: what is read, what is written, and
/// which attributes every written object has. `hspsam conformance` prints them; `docs/conformance.md` holds them.
package enum ConformanceTables {
    /// Markdown.
    package static var text: String {
        var text = "### SOP classes that are read\n\n| SOP class | UID |\n|---|---|\n"
        for sopClass in SOPClass.allCases where sopClass.isImage {
            text += "| \(name(sopClass)) | \(sopClass.uid) |\n"
        }
        text += "\n### Transfer syntaxes that are read\n\n| transfer syntax | UID |\n|---|---|\n"
        for syntax in TransferSyntax.all where (try? syntax.checkSupported()) != nil {
            text += "| \(syntax.name) | \(syntax.uid) |\n"
        }
        text += "\n### SOP classes that are written\n\n"
        let (native, runs) = (TransferSyntax.explicitLittleEndian, TransferSyntax.rleLossless)
        text += "All in \(native.name) (\(native.uid)), "
        text += "label maps in \(runs.name) (\(runs.uid)).\n\n"
        text += "| SOP class | UID |\n|---|---|\n"
        for sopClass in written { text += "| \(name(sopClass)) | \(sopClass.uid) |\n" }
        for sopClass in written {
            text += "\n### Attributes of \(name(sopClass))\n\n"
            text +=
                "Always there; Type 1 with a value. `>` is an item of the sequence above. *Source*: PS3.3 2024e.\n\n"
            text += "| attribute | tag | VR | type |\n|---|---|---|---|\n"
            text += rows(merged(.common, .of(sopClass)), depth: 0)
        }
        return text
    }

    private static let written: [SOPClass] = [
        .segmentationStorage, .labelMapSegmentationStorage, .comprehensive3DSRStorage, .secondaryCaptureImageStorage,
        .rtStructureSetStorage, .microscopyBulkSimpleAnnotationsStorage,
        .multiFrameGrayscaleByteSecondaryCaptureImageStorage, .multiFrameGrayscaleWordSecondaryCaptureImageStorage,
        .multiFrameTrueColorSecondaryCaptureImageStorage, .vlPhotographicImageStorage, .vlMicroscopicImageStorage,
        .vlWholeSlideMicroscopyImageStorage,
    ]

    private static func merged(_ one: RequiredAttributes, _ other: RequiredAttributes) -> RequiredAttributes {
        RequiredAttributes(
            type1: one.type1 + other.type1, type2: one.type2 + other.type2,
            items: one.items.merging(other.items) { $1 })
    }

    private static func rows(_ rules: RequiredAttributes, depth: Int) -> String {
        var text = ""
        let first = Set(rules.type1)
        let all = first.union(rules.type2).union(rules.items.keys)
        for attribute in all.sorted(by: { $0.rawValue < $1.rawValue }) {
            let mark = String(repeating: ">", count: depth) + (depth > 0 ? " " : "")
            let type = first.contains(attribute) ? "1" : rules.type2.contains(attribute) ? "2" : "where it applies"
            text += "| \(mark)\(attribute.keyword) | \(attribute.tag) | \(attribute.vr.rawValue) | \(type) |\n"
            if let items = rules.items[attribute] { text += rows(items, depth: depth + 1) }
        }
        return text
    }

    /// `Segmentation Storage`, of the keyword in lower camel case.
    private static func name(_ sopClass: SOPClass) -> String {
        let acronyms = ["ct", "mr", "rt", "vl"]
        let letters = Array(String(describing: sopClass))
        var words: [String] = []
        for (index, letter) in letters.enumerated() {
            // A capital begins a word, but inside of an acronym, behind which the next word begins with its own.
            let isInAcronym =
                index > 0 && letters[index - 1].isUppercase
                && !(index + 1 < letters.count && letters[index + 1].isLowercase)
            let isBehindNumber = index > 0 && letters[index - 1].isNumber
            if words.isEmpty || letter.isUppercase && !isInAcronym && !isBehindNumber {
                words.append(String(letter))
            } else {
                words[words.count - 1].append(letter)
            }
        }
        return words.map { acronyms.contains($0) ? $0.uppercased() : $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined(separator: " ").replacing("X Ray", with: "X-Ray")
    }
}
