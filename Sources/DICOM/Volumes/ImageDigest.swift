internal import Identification
package import Storage

/// What an image is as far as it reaches a result: the SHA-256 of every attribute that `InstanceComparison` compares, by its meaning,
/// and of the pixel data.
///
/// Two files of equal digests are the same image. A file that was sent again with other private attributes, other dates of creation,
/// another character set or transfer syntax of native pixels has the same digest; one with another patient, another geometry or other pixels has not.
/// Pixels that were compressed otherwise have another one too: nothing is decoded for it.
enum ImageDigest {
    /// *Throws* `changed`, `unreadable`, `limit`, `corrupt`. *Cost*: pixels that stayed in the file were digested when it was read.
    static func of(_ instance: SourceInstance) throws(DICOMFailure) -> FileDigest {
        let reader = Reader(file: instance.file, limits: instance.limits)
        let pixels = instance.pixels
        var fields = CanonicalEncoding("hspsam image 1")
        for attribute in StudyConsistency.identifying {
            if let value = IdentityValue(instance.dataSet, attribute) { fields.add(attribute.keyword, value.parts) }
        }
        try reader.add(instance.dataSet, Row.ofImages, to: &fields)
        for tag in DiffusionTags.all {
            if let element = instance.dataSet[tag] { fields.add("\(tag)", try reader.digest(element)) }
        }
        fields.add("photometric", pixels.photometric.rawValue)
        fields.add("planar", pixels.isPlanar)
        guard let element = instance.dataSet[pixels.attribute] else { return fields.digest }
        if case .fragments(let table, let items) = element.value {
            fields.add("syntax", instance.file.transferSyntax.uid)
            // Where a frame has several fragments the table says which.
            if items.count != pixels.frames { fields.add("table", FileDigest(of: table).hex) }
            fields.add("lengths", items.map(\.count))
        }
        fields.add("pixels", try reader.pixels(element))
        return fields.digest
    }

    /// Of the pixels alone, as they stand in the file; nil where there are none or they cannot be read.
    static func pixels(of instance: SourceInstance) -> String? {
        guard let element = instance.dataSet[instance.pixels.attribute] else { return nil }
        return try? Reader(file: instance.file, limits: instance.limits).pixels(element)
    }

    /// An attribute that is compared.
    private struct Row {
        let attribute: Attribute
        let name: String
        let vr: VR

        static let ofImages = rows(InstanceComparison.compared)
        static let ofItems = rows(InstanceComparison.comparedInItems)

        private static func rows(_ attributes: [Attribute]) -> [Tag: Row] {
            Dictionary(
                uniqueKeysWithValues: attributes.map {
                    ($0.tag, Row(attribute: $0, name: $0.keyword, vr: $0.vr))
                })
        }
    }

    /// The bytes of values, in memory or where they stayed.
    private struct Reader {
        let file: DICOMFile
        let limits: DICOMLimits

        /// Values that are there, by what they mean; a missing one and an empty one are the same.
        ///
        /// *Cost*: by the elements that are there: a slide has a hundred thousand items.
        func add(
            _ dataSet: DataSet, _ rows: [Tag: Row], to fields: inout CanonicalEncoding
        ) throws(DICOMFailure) {
            for element in dataSet.elements {
                guard let row = rows[element.tag] else { continue }
                switch element.value {
                case .items(let items):
                    var digests: [String] = []
                    for item in items {
                        var nested = CanonicalEncoding("hspsam image item 1")
                        try add(item, Row.ofItems, to: &nested)
                        digests.append(nested.digest.hex)
                    }
                    if !digests.isEmpty { fields.add(row.name, digests) }
                case .bytes(let bytes):
                    if bytes.isEmpty || (row.vr.isText && bytes.withoutPadding.isEmpty) { continue }
                    let numbers = [.DS, .IS].contains(row.vr) ? dataSet.doubles(row.attribute) : []
                    if !numbers.isEmpty, numbers.allSatisfy(\.isFinite) {
                        fields.add(row.name, numbers)
                    } else if row.vr.isText, dataSet.isDecodable(row.attribute),
                        let text = dataSet.text(row.attribute)
                    {
                        fields.add(row.name, text)
                    } else {
                        fields.add(row.name, try digest(element))
                    }
                case .inFile, .fragments: fields.add(row.name, try digest(element))
                }
            }
        }

        /// Of the element that holds the pixels.
        func pixels(_ element: Element) throws(DICOMFailure) -> String {
            if let known = file.digests.pixels { return known.hex }
            return try digest(element)
        }

        /// Of the bytes of a value that is no sequence.
        func digest(_ element: Element) throws(DICOMFailure) -> String {
            if let bytes = PixelBytes(element, isBigEndian: file.transferSyntax.isBigEndian) {
                return try bytes.digest(file.source.opened(limits)).hex
            }
            guard case .bytes(let bytes) = element.value else { return FileDigest(of: []).hex }
            return FileDigest(of: bytes).hex
        }
    }
}

extension SourceInstance {
    /// What the image is as far as it reaches a result: `ImageDigest`.
    ///
    /// *Throws* `changed`, `unreadable`, `limit`, `corrupt`. *Cost*: as there.
    package func imageDigest() throws(DICOMFailure) -> FileDigest { try ImageDigest.of(self) }
}
