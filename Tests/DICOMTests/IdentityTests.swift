import DICOM
import Failures
import Identification
import Testing

@Suite("identity")
struct IdentityTests {
    private struct Spelling: Sendable {
        var attribute: Attribute
        var fuller: String
        var other: String
    }

    private static let sameMeaning = [
        Spelling(attribute: .patientName, fuller: "Doe^J", other: "Doe^J^^^"),
        Spelling(attribute: .patientName, fuller: "Doe^J", other: "DOE^J"),
        Spelling(attribute: .patientName, fuller: "Doe^J=X^Y", other: "Doe^J"),
        Spelling(attribute: .patientName, fuller: "Doe^J", other: ""),
        Spelling(attribute: .patientBirthDate, fuller: "19700101", other: ""),
        Spelling(attribute: .patientBirthDate, fuller: "19700101", other: "1970.01.01"),
        Spelling(attribute: .patientSex, fuller: "F", other: ""),
        Spelling(attribute: .issuerOfPatientID, fuller: "CLINIC", other: " CLINIC"),
        Spelling(attribute: .accessionNumber, fuller: "A1", other: ""),
        Spelling(attribute: .studyID, fuller: "7", other: ""),
    ]

    @Test(
        "a file whose meta information names another class than what is in it is refused, and another instance is not")
    func fileMeta() throws {
        func outcome(_ element: UInt16, _ uid: String) -> String {
            var meta = TestFile(.explicitLittle)
            meta.add(0x0002, element, "UI", text: uid)
            var bytes = TestImage().bytes
            bytes.insert(contentsOf: meta.body, at: 132)
            return code { _ = try SourceInstance(try DICOMFile(bytes: bytes)) }
        }
        #expect(outcome(0x0002, "1.2.840.10008.5.1.4.1.1.2") == "none")
        for other in ["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.66.4"] {
            #expect(outcome(0x0002, other) == "IN-CORRUPT")
        }
        // What archives and anonymizers give a new UID keeps the old one there.
        #expect(outcome(0x0003, "1.2.3.99") == "none")
    }

    @Test("what identifies stands in the table of attributes, by its keyword and with a representation of its kind")
    func table() {
        for one in IdentifyingAttribute.allCases {
            #expect(one.attribute.keyword == one.keyword)
            #expect(IdentityValue.Kind(one.attribute.vr) == one.kind)
        }
    }

    @Test("values that mean the same are a finding, and results have the fullest", arguments: sameMeaning.indices)
    func spelling(_ index: Int) throws {
        let spelling = Self.sameMeaning[index]
        let add: @Sendable (String) -> (@Sendable (inout TestFile) -> Void) = { text in
            {
                $0.add(
                    spelling.attribute.tag.group, spelling.attribute.tag.element, spelling.attribute.vr.rawValue,
                    text: text)
            }
        }
        let orders = [
            [spelling.fuller, spelling.other, spelling.other], [spelling.other, spelling.fuller, spelling.fuller],
        ]
        for texts in orders {
            let result = try volumes(texts.enumerated().map { slice($0, add($1)) })
            let volume = try #require(result.volumes.first)
            #expect(volume.frames.count == 3)
            #expect(volume.findings.map(\.code) == ["GRP-SPELLING"])
            #expect(volume.findings.first?.text.contains(spelling.attribute.keyword) == true)
            let used = volume.patientAndStudy.text(spelling.attribute)
            // Of two spellings of equal fullness either may be used, but the same in every order.
            let again = try volumes(texts.reversed().enumerated().map { slice($0, add($1)) }).volumes.first
            #expect(used == again?.patientAndStudy.text(spelling.attribute))
            if spelling.other.isEmpty || spelling.fuller.contains("=") { #expect(used == spelling.fuller) }
        }
    }

    @Test("padding is no spelling")
    func padding() throws {
        let result = try volumes([
            slice(1) { $0.add(0x0010, 0x0010, "PN", text: "Doe^J") },
            slice(2) { $0.add(0x0010, 0x0010, "PN", text: "Doe^J ") },
        ])
        #expect(result.volumes.map(\.findings) == [[]])
    }

    @Test(
        "values that contradict each other refuse the study, naming the attribute and no value",
        arguments: [
            (Attribute.patientName, "Doe^J", "Roe^J"), (.patientName, "Doe^John", "Doe^John^Q"),
            (.patientName, "Doe^J=X^Y", "Doe^J=X^Z"), (.patientBirthDate, "19700101", "19700102"),
            (.patientSex, "M", "F"),
            (.issuerOfPatientID, "EAST", "WEST"), (.studyDate, "20240101", "20240102"), (.studyID, "71", "72"),
            (.accessionNumber, "A1", "A2"), (.patientID, "0815", "815"),
        ])
    func contradiction(_ attribute: Attribute, _ one: String, _ two: String) throws {
        let images = [one, one, two].enumerated().map { number, text in
            var image = slice(number) {
                if attribute != .patientID {
                    $0.add(attribute.tag.group, attribute.tag.element, attribute.vr.rawValue, text: text)
                }
            }
            if attribute == .patientID { image.patient = text }
            return image
        }
        for order in [images, images.reversed()] {
            let result = try volumes(order)
            #expect(result.volumes.isEmpty)
            #expect(result.leftOut.map(\.failure.code) == ["GRP-IDENTITY", "GRP-IDENTITY", "GRP-IDENTITY"])
            let text = result.leftOut[0].failure.message.text
            #expect(text.contains(attribute.keyword) && !text.contains(one) && !text.contains(two))
        }
    }

    @Test("two series of one study are of one patient, or both are refused")
    func series() throws {
        var other = slice(2)
        other.series = "1.2.9"
        #expect(try volumes([slice(1), other]).volumes.count == 2)
        other.patient = "Q"
        #expect(try volumes([slice(1), other]).leftOut.map(\.failure.code) == ["GRP-IDENTITY", "GRP-IDENTITY"])
    }

    @Test("a study described differently by its series is processed with a note")
    func description() throws {
        let result = try volumes(
            ["Head", "Skull"].enumerated().map { number, text in
                slice(number) { $0.add(0x0008, 0x1030, "LO", text: text) }
            })
        #expect(result.volumes.map { $0.findings.map(\.code) } == [["GRP-STUDY"]])
    }
}
