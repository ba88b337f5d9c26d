import DICOM
import Failures
import Testing

@Suite("one SOP Instance UID twice")
struct DuplicateTests {
    private static func twin(_ change: (inout TestImage) -> Void) -> TestImage {
        var image = slice(1) {
            $0.add(0x0028, 0x1052, "DS", text: "-1024")
            $0.add(0x0028, 0x1053, "DS", text: "1")
        }
        change(&image)
        return image
    }

    private static let differences: [(name: String, code: String, change: @Sendable (inout TestImage) -> Void)] = [
        (
            "rescale intercept", "DUP-CONFLICT",
            {
                $0.more = {
                    $0.add(0x0028, 0x1052, "DS", text: "0")
                    $0.add(0x0028, 0x1053, "DS", text: "1")
                }
            }
        ),
        (
            "rescale slope", "DUP-CONFLICT",
            {
                $0.more = {
                    $0.add(0x0028, 0x1052, "DS", text: "-1024")
                    $0.add(0x0028, 0x1053, "DS", text: "2")
                }
            }
        ),
        (
            "window", "DUP-CONFLICT",
            { image in
                let more = image.more
                image.more = {
                    more(&$0)
                    $0.add(0x0028, 0x1050, "DS", text: "40")
                    $0.add(0x0028, 0x1051, "DS", text: "400")
                }
            }
        ),
        ("pixels", "DUP-CONFLICT", { $0.pixels = [UInt8](repeating: 9, count: 128) }),
        ("spacing", "DUP-CONFLICT", { $0.spacing = "0.6\\0.6" }),
        ("position", "DUP-CONFLICT", { $0.position = "0\\0\\4" }),
        ("orientation", "DUP-CONFLICT", { $0.orientation = "0\\1\\0\\1\\0\\0" }),
        ("photometric", "DUP-CONFLICT", { $0.photometric = "MONOCHROME1" }),
        ("signedness", "DUP-CONFLICT", { $0.isSigned = true }),
        ("Frame of Reference", "DUP-CONFLICT", { $0.frameOfReference = "1.2.5" }),
        ("series", "DUP-CONFLICT", { $0.series = "1.2.9" }), ("patient", "GRP-IDENTITY", { $0.patient = "Q" }),
    ]

    @Test(
        "is refused when anything differs that reaches a result, in whatever order they come",
        arguments: differences.indices)
    func difference(_ index: Int) throws {
        let difference = Self.differences[index]
        let images = [Self.twin { _ in }, Self.twin(difference.change), slice(2)]
        for order in [images, images.reversed()] {
            let result = try volumes(order)
            #expect(result.volumes.isEmpty, "\(difference.name)")
            #expect(
                result.leftOut.map(\.failure.code) == [String](repeating: difference.code, count: 3),
                "\(difference.name)")
        }
    }

    @Test("is one image when only the encoding differs")
    func copies() throws {
        let copies: [@Sendable (inout TestImage) -> Void] = [
            { _ in }, { $0.syntax = .implicitLittle }, { $0.syntax = .deflated }, { $0.syntax = .explicitBig },
            { image in
                let more = image.more
                image.more = {
                    more(&$0)
                    $0.add(0x0008, 0x0012, "DA", text: "20240101")
                }
            },
        ]
        for copy in copies {
            let images = [Self.twin { _ in }, Self.twin(copy), Self.twin { _ in }]
            let result = try volumes(images)
            #expect(result.volumes.map(\.frames.count) == [1])
            #expect(result.volumes.flatMap(\.findings).map(\.code) == ["DUP-COPY"])
            #expect(result.volumes.map(\.digest) == (try volumes(images.reversed())).volumes.map(\.digest))
        }
    }

    @Test("has one image digest when only the encoding or what reaches no result differs, and another one otherwise")
    func imageDigest() throws {
        let plain = try Self.twin { _ in }.source().imageDigest()
        let copies: [@Sendable (inout TestImage) -> Void] = [
            { _ in }, { $0.syntax = .implicitLittle }, { $0.syntax = .deflated }, { $0.spacing = "0.50\\0.500" },
            { $0.patient = "P " },
            { image in
                let more = image.more
                image.more = {
                    more(&$0)
                    $0.add(0x0008, 0x0012, "DA", text: "20240101")
                    $0.add(0x0008, 0x0013, "TM", text: "120000")
                    $0.add(0x0008, 0x0054, "AE", text: "ARCHIVE")
                    $0.add(0x0008, 0x0070, "LO", text: "")
                    $0.add(0x0009, 0x0010, "LO", text: "ARCHIVE 1.0")
                    $0.add(0x0009, 0x1001, "LO", text: "sent again")
                }
            },
        ]
        for (index, copy) in copies.enumerated() {
            #expect(try Self.twin(copy).source().imageDigest() == plain, "\(index)")
        }
        for difference in Self.differences {
            #expect(try Self.twin(difference.change).source().imageDigest() != plain, "\(difference.name)")
        }
        // The same bytes in fragments are other pixels until somebody decodes them.
        let compressed = try Self.twin { image in
            (image.syntax, image.fragments) = (.rle, [[UInt8](repeating: 0, count: 66)])
        }.source().imageDigest()
        #expect(compressed != plain)
    }

    @Test("an attribute that stands twice in a file with different values refuses it, naming the attribute")
    func repeated() throws {
        let cases: [(Attribute, String, String)] = [
            (.patientID, "LO", "Q"), (.pixelSpacing, "DS", "0.6\\0.6"), (.imagePositionPatient, "DS", "1\\0\\0"),
            (.rows, "US", ""),
            (.studyInstanceUID, "UI", "1.9"), (.photometricInterpretation, "CS", "MONOCHROME1"),
        ]
        for (attribute, vr, text) in cases {
            var image = slice(1)
            image.more = {
                if vr == "US" {
                    $0.add(attribute.tag.group, attribute.tag.element, us: 9)
                } else {
                    $0.add(attribute.tag.group, attribute.tag.element, vr, text: text)
                }
            }
            var failure: DICOMFailure?
            do throws(DICOMFailure) { _ = try SourceInstance(DICOMFile(bytes: image.bytes)) } catch { failure = error }
            #expect(failure?.code == "IN-CORRUPT")
            #expect(failure?.message.text.contains(attribute.keyword) == true)
            #expect(failure?.message.text.contains("0.6") == false)
        }
    }

    @Test("an attribute that stands twice with equal values, or that nothing reads, is tolerated with a note")
    func tolerated() throws {
        let equal = try slice(1) { $0.add(0x0010, 0x0020, "LO", text: "P ") }.source()
        #expect(equal.warnings.contains { $0.contains("stood there already") })
        _ = try slice(1) {
            $0.add(0x0009, 0x1001, "LO", text: "a")
            $0.add(0x0009, 0x1001, "LO", text: "b")
        }.source()
    }

    @Test("an attribute that stands twice in an item of a sequence that is read refuses the file")
    func nested() throws {
        #expect(
            code {
                _ = try slice(1) {
                    $0.add(
                        0x0028, 0x3000,
                        items: [
                            {
                                $0.add(0x0028, 0x3002, us: 2, 0, 16)
                                $0.add(0x0028, 0x3002, us: 2, 1, 16)
                            }
                        ])
                }.source()
            } == "IN-CORRUPT")
    }
}
