import DICOM
import Testing

@Suite("UIDs and texts")
struct UIDAndTextTests {
    @Test(
        "UIDs that archives accept are taken as they stand",
        arguments: ["1.02.3", "1.2.003.4", "9999.1.2", "0.1", "1.2.840.10008.5.00", "2.25.0123"])
    func accepted(_ uid: String) throws {
        #expect(UID.isAccepted(uid))
        var image = TestImage()
        (image.instance, image.series, image.frameOfReference) = (uid, uid + ".1", uid + ".2 ")
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        #expect(volume.first.sopInstanceUID == uid && volume.seriesInstanceUID == uid + ".1")
        #expect(volume.kind == .spatial && volume.frameOfReferenceUID == uid + ".2")
    }

    @Test(
        "what is no UID is refused", arguments: ["", "1.2.a", "urn:1", ".", String(repeating: "1", count: 65), "1,2"])
    func refused(_ uid: String) throws {
        #expect(!UID.isAccepted(uid))
        var image = TestImage()
        image.instance = uid
        #expect(code { _ = try image.source() } == "IN-CORRUPT")
    }

    @Test(
        "a Frame of Reference UID that is none is refused: a result would name another; an empty one is none at all",
        arguments: [
            ("1.2.a", true), (String(repeating: "1", count: 65), true), ("1.2.3\\1.2.4", true), ("1.2.3\\", true),
            ("", false), ("1.2.03", false), ("1..2", false), (String(repeating: "1", count: 64), false),
        ])
    func frameOfReference(_ uid: String, _ isRefused: Bool) throws {
        var image = TestImage()
        image.frameOfReference = uid
        #expect(code { _ = try image.source() } == (isRefused ? "IN-CORRUPT" : "none"))
        guard !isRefused else { return }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.frameOfReferenceUID == (uid.isEmpty ? nil : uid))
    }

    @Test("two UIDs where there is one are none", arguments: ["1.2.3\\1.2.4", "1.2.3\\", "\\1.2.3"])
    func several(_ uid: String) throws {
        var image = TestImage()
        image.series = uid
        #expect(code { _ = try image.source() } == "IN-CORRUPT")
    }

    @Test("the standard's own form is asked of UIDs that we make")
    func wellFormed() {
        #expect(UID.isWellFormed("1.2.840.0") && UID.isWellFormed("2.25.12"))
        for uid in ["1.02", "3.1", "1", "1..2", "1.2.", "9999.1", ""] { #expect(!UID.isWellFormed(uid)) }
    }

    private static let latin: [UInt8] = Array("Gr".utf8) + [0xF6] + Array("n".utf8)
    private static let korean: [UInt8] = [0xB1, 0xE8, 0x5E, 0xC8, 0xF1, 0xC1, 0xDF]

    @Test(
        "a character set written otherwise is known where its meaning is certain",
        arguments: [
            ("ISO_IR 100", latin, "Grön"), ("ISO-IR 100", latin, "Grön"), ("ISO IR 100", latin, "Grön"),
            ("ISO_IR100", latin, "Grön"),
            ("iso_ir 100", latin, "Grön"), ("ISO 8859-1", latin, "Grön"), ("ISO 2022 IR 100", latin, "Grön"),
            ("UTF-8", Array("Grön".utf8), "Grön"), ("ISO IR 192", Array("Grön".utf8), "Grön"),
            ("ISO_IR 149", korean, "김^희중"),
            ("\\ISO 2022 IR 149", korean, "김^희중"), ("\\ISO_IR 149", korean, "김^희중"),
            ("ISO_IR 6", Array("Doe".utf8), "Doe"),
        ])
    func characterSet(_ term: String, _ bytes: [UInt8], _ expected: String) throws {
        let value = try #require(try text(term, bytes))
        #expect(value.isDecodable && value.text == expected)
    }

    @Test(
        "text that its character set does not explain is told apart, with its bytes",
        arguments: ["", "ISO_IR 192", "ISO_IR 999", "private"])
    func undecodable(_ term: String) throws {
        let value = try #require(try text(term, Self.latin))
        #expect(!value.isDecodable && value.bytes == Self.latin && value.characterSet == term)
        #expect(value.text == "Gr\u{FFFD}n")
    }

    private func text(_ term: String, _ bytes: [UInt8]) throws -> TextValue? {
        var file = TestFile()
        file.add(0x0008, 0x0005, "CS", text: term)
        file.add(0x0010, 0x0010, "PN", bytes.count % 2 == 0 ? bytes : bytes + [0x20])
        return try DICOMFile(bytes: file.bytes).dataSet.textValue(.patientName)
    }
}
