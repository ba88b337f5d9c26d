import DICOM
import DICOMObjects
import Foundation
import Testing

@Suite("docs/conformance.md")
struct ConformanceTests {
    @Test("holds the tables that the program prints")
    func tables() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/conformance.md"), encoding: .utf8)
        let parts = page.components(separatedBy: "<!-- printed by hspsam conformance -->\n")
        #expect(parts.count == 2)
        #expect(
            parts.last?.trimmingCharacters(in: .newlines)
                == ConformanceTables.text.trimmingCharacters(in: .newlines),
            "run: hspsam conformance")
    }

    @Test("the tables name every object that is written, its UID and its attributes in the order of their tags")
    func contents() {
        let text = ConformanceTables.text
        for uid in ["66.4", "66.7", "88.34", "7 ", "7.4", "77.1.4"] {
            #expect(text.contains("1.2.840.10008.5.1.4.1.1.\(uid)"), "\(uid)")
        }
        #expect(text.contains("| SegmentSequence | (0062,0002) | SQ | 1 |"))
        #expect(text.contains("| > SegmentNumber | (0062,0004) | US | 1 |"))
        #expect(text.contains("Comprehensive 3D SR Storage") || text.contains("Comprehensive3D"))
    }
}
