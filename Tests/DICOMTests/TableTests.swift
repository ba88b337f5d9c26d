import DICOM
import Foundation
import Testing

/// The tables of attributes and SOP classes against what others know of the standard.
struct TableTests {
    /// DCMTK's dictionary: tag, VR, keyword and VM of each attribute.
    private static let dictionary: [String: (vr: String, keyword: String, vm: String)] = {
        let folders = ["/usr/share/libdcmtk17", "/usr/share/dcmtk", "/usr/share/dcmtk-3.6.7"]
        let text =
            folders.lazy.compactMap { folder -> String? in
                guard let data = FileManager.default.contents(atPath: "\(folder)/dicom.dic") else { return nil }
                return String(decoding: data, as: UTF8.self)
            }.first ?? ""
        var rows: [String: (vr: String, keyword: String, vm: String)] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("(") {
            let fields = line.split(separator: "\t").map(String.init)
            guard fields.count >= 4 else { continue }
            // Retired attributes are still read; DCMTK marks their keywords.
            let keyword = fields[2].hasPrefix("RETIRED_") ? String(fields[2].dropFirst(8)) : fields[2]
            rows[fields[0].uppercased()] = (fields[1], keyword, fields[3])
        }
        return rows
    }()

    @Test(
        "every attribute has tag, keyword, value representations and multiplicity of the standard",
        arguments: Attribute.allCases)
    func attribute(attribute: Attribute) throws {
        let row = try #require(Self.dictionary[attribute.tag.description])
        #expect(attribute.keyword == row.keyword)
        let representations: [VR] =
            switch row.vr {
            case "xs": [.US, .SS]
            case "ox", "px": [.OB, .OW]
            case "lt": [.US, .OW]
            default: VR(rawValue: row.vr).map { [$0] } ?? []
            }
        #expect(attribute.definition.representations == representations)
        let bounds = row.vm.split(separator: "-").map { Int($0) ?? .max }
        #expect(attribute.definition.multiplicity == bounds[0]...(bounds.last ?? bounds[0]))
        #expect(Attribute.of(attribute.tag) == attribute)
    }

    @Test("an attribute is found by its tag, whether the table has it or not")
    func byTag() {
        #expect(Attribute.of(Tag(0x0010, 0x0020)) == .patientID)
        #expect(Attribute.of(Tag(0x0009, 0x1001)) == nil)
        #expect(Tag(0x7FE0, 0x0010) == .pixelData && Tag(0x7FE0, 0x0008) != .pixelData)
    }

    @Test(
        "a SOP class is the row of its UID, else of its family",
        arguments: [
            ("1.2.840.10008.5.1.4.1.1.2", SOPClass.ctImageStorage),
            ("1.2.840.10008.5.1.4.1.1.66.4", .segmentationStorage),
            ("1.2.840.10008.5.1.4.1.1.66", .derivedObjects), ("1.2.840.10008.5.1.4.1.1.66.99", .derivedObjects),
            ("1.2.840.10008.5.1.4.1.1.88.11", .structuredReports),
            ("1.2.840.10008.5.1.4.1.1.77.1.6", .vlWholeSlideMicroscopyImageStorage),
            ("1.2.840.10008.5.1.4.1.1.2.3", nil), ("1.2.840.10008.5.1.4.1.1.881", nil), ("1.2.3", nil), ("", nil),
        ])
    func sopClass(uid: String, expected: SOPClass?) { #expect(SOPClass.of(uid) == expected) }

    @Test("selection rules name classes of images only")
    func names() {
        #expect(SOPClass.uidsByName["CT"] == "1.2.840.10008.5.1.4.1.1.2")
        #expect(SOPClass.uidsByName.count == 27)
    }
}
