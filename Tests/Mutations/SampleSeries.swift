/// Small series of every arrangement that the program tells apart, each attribute of which can be made wrong.
package enum SampleSeries: String, CaseIterable, Sendable {
    /// CT slices, one file each.
    case slices
    /// One enhanced object with shared and per-frame functional groups.
    case enhanced
    /// An ultrasound loop in colour, with regions.
    case loop
    /// MR slices of two echoes with real world values, a modality and a VOI look-up table.
    case echoes
    /// A photograph whose pixels are entries of a palette.
    case palette

    package static let side: UInt16 = 10

    /// The objects, one a file.
    package var objects: [RawObject] {
        switch self {
        case .slices: (0..<4).map { Self.slice($0) }
        case .enhanced: [Self.enhancedObject()]
        case .loop: [Self.loopObject()]
        case .echoes: (0..<4).map { Self.echo($0) }
        case .palette: [Self.paletteObject()]
        }
    }

    /// The same objects under UIDs of their own, so that several may lie in one folder.
    package func objects(variant: Int) -> [RawObject] {
        objects.map { object in
            var object = object
            for path in object.paths {
                guard var element = object[path], element.vr == "UI", case .bytes(let bytes) = element.value else {
                    continue
                }
                let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
                guard text.hasPrefix(Self.root) else { continue }
                element = RawElement(element.group, element.element, "UI", "\(text).\(variant)")
                object.replace(path, with: [element])
            }
            return object
        }
    }

    private static let root = "1.2.826.0.1.3680043.10.1500."

    private static func uid(_ numbers: Int...) -> String { "\(root)\(numbers.map(String.init).joined(separator: "."))" }

    private static func head(_ sopClass: String, _ modality: String, _ number: Int, imageType: String) -> [RawElement] {
        [
            RawElement(0x0008, 0x0005, "CS", "ISO_IR 100"),
            RawElement(0x0008, 0x0008, "CS", imageType),
            RawElement(0x0008, 0x0016, "UI", sopClass),
            RawElement(0x0008, 0x0018, "UI", uid(3, number)),
            RawElement(0x0008, 0x0020, "DA", "20240102"),
            RawElement(0x0008, 0x0021, "DA", "20240102"),
            RawElement(0x0008, 0x0022, "DA", "20240102"),
            RawElement(0x0008, 0x0023, "DA", "20240102"),
            RawElement(0x0008, 0x0030, "TM", "030405"),
            RawElement(0x0008, 0x0031, "TM", "030405"),
            RawElement(0x0008, 0x0032, "TM", "0304\(10 + number).5"),
            RawElement(0x0008, 0x0033, "TM", "030405.25"),
            RawElement(0x0008, 0x0050, "SH", "A1"),
            RawElement(0x0008, 0x0060, "CS", modality),
            RawElement(0x0008, 0x0064, "CS", "DI"),
            RawElement(0x0008, 0x0070, "LO", "Example"),
            RawElement(0x0008, 0x0090, "PN", "Referrer^A"),
            RawElement(0x0008, 0x0201, "SH", "+0100"),
            RawElement(0x0008, 0x1030, "LO", "study"),
            RawElement(0x0008, 0x103E, "LO", "series"),
            RawElement(0x0010, 0x0010, "PN", "Phantom^One"),
            RawElement(0x0010, 0x0020, "LO", "P-1"),
            RawElement(0x0010, 0x0030, "DA", "19700101"),
            RawElement(0x0010, 0x0040, "CS", "O"),
            RawElement(0x0010, 0x1010, "AS", "054Y"),
            RawElement(0x0012, 0x0062, "CS", "YES"),
            RawElement(0x0018, 0x0015, "CS", "CHEST"),
        ]
    }

    private static func middle(_ number: Int) -> [RawElement] {
        [
            RawElement(0x0020, 0x000D, "UI", uid(1)),
            RawElement(0x0020, 0x000E, "UI", uid(2)),
            RawElement(0x0020, 0x0010, "SH", "1"),
            RawElement(0x0020, 0x0011, "IS", "4"),
            RawElement(0x0020, 0x0012, "IS", "1"),
            RawElement(0x0020, 0x0013, "IS", "\(number + 1)"),
        ]
    }

    private static func pixels(
        samples: UInt16 = 1, photometric: String = "MONOCHROME2", frames: Int? = nil, bits: UInt16 = 16,
        stored: UInt16 = 12, more: [RawElement] = []
    ) -> [RawElement] {
        let first = [RawElement(0x0028, 0x0002, us: samples), RawElement(0x0028, 0x0004, "CS", photometric)]
        let planar = samples > 1 ? [RawElement(0x0028, 0x0006, us: 0)] : []
        let count = frames.map { [RawElement(0x0028, 0x0008, "IS", "\($0)")] } ?? []
        return first + planar + count + [
            RawElement(0x0028, 0x0010, us: side), RawElement(0x0028, 0x0011, us: side),
            RawElement(0x0028, 0x0030, "DS", "0.5\\0.5"),
            RawElement(0x0028, 0x0100, us: bits), RawElement(0x0028, 0x0101, us: stored),
            RawElement(0x0028, 0x0102, us: stored - 1), RawElement(0x0028, 0x0103, us: 0),
        ] + more + [
            RawElement(
                0x7FE0, 0x0010, bits == 8 ? "OB" : "OW",
                .bytes(values(Int(side) * Int(side) * Int(samples) * (frames ?? 1), bytes: Int(bits) / 8)))
        ]
    }

    /// A gradient, with noise that is the same everywhere.
    private static func values(_ count: Int, bytes: Int) -> [UInt8] {
        (0..<count).flatMap { index -> [UInt8] in
            let value = UInt16((index * 37 + index * index % 11) % (bytes == 1 ? 256 : 4000))
            return bytes == 1 ? [UInt8(truncatingIfNeeded: value)] : little(value)
        }
    }

    private static func slice(_ index: Int) -> RawObject {
        RawObject(
            head("1.2.840.10008.5.1.4.1.1.2", "CT", index, imageType: "ORIGINAL\\PRIMARY\\AXIAL") + [
                RawElement(0x0018, 0x0050, "DS", "2.5"),
                RawElement(0x0018, 0x0060, "DS", "120"),
                RawElement(0x0018, 0x0088, "DS", "2.5"),
                RawElement(0x0018, 0x1120, "DS", "0"),
                RawElement(0x0018, 0x5100, "CS", "HFS"),
            ] + middle(index) + [
                RawElement(0x0020, 0x0032, "DS", "-10\\-20\\\(Double(index) * 2.5)"),
                RawElement(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
                RawElement(0x0020, 0x0052, "UI", uid(5)),
                RawElement(0x0020, 0x1040, "LO", ""),
                RawElement(0x0020, 0x1041, "DS", "\(Double(index) * 2.5)"),
            ]
                + pixels(more: [
                    RawElement(0x0028, 0x0120, us: 0),
                    RawElement(0x0028, 0x1050, "DS", "40\\400"),
                    RawElement(0x0028, 0x1051, "DS", "80\\1500"),
                    RawElement(0x0028, 0x1052, "DS", "-1024"),
                    RawElement(0x0028, 0x1053, "DS", "1"),
                    RawElement(0x0028, 0x1054, "LO", "HU"),
                    RawElement(0x0028, 0x1055, "LO", "WINDOW1\\WINDOW2"),
                    RawElement(0x0028, 0x1056, "CS", "LINEAR"),
                    RawElement(0x0028, 0x2110, "CS", "00"),
                ]))
    }

    private static func echo(_ index: Int) -> RawObject {
        func table(_ tag: UInt16) -> RawElement {
            RawElement(
                0x0028, tag, "SQ",
                .items([
                    [
                        RawElement(0x0028, 0x3002, us: 16, 0, 16),
                        RawElement(0x0028, 0x3003, "LO", "table"),
                        RawElement(0x0028, 0x3004, "LO", "US"),
                        RawElement(0x0028, 0x3006, "OW", .bytes((0..<16).flatMap { little(UInt16($0 * 4095)) })),
                    ]
                ]))
        }
        return RawObject(
            head("1.2.840.10008.5.1.4.1.1.4", "MR", 10 + index, imageType: "ORIGINAL\\PRIMARY\\M\\ND") + [
                RawElement(0x0018, 0x0050, "DS", "3"),
                RawElement(0x0018, 0x0081, "DS", index < 2 ? "10" : "80"),
                RawElement(0x0018, 0x0082, "DS", "900"),
                RawElement(0x0018, 0x0086, "IS", index < 2 ? "1" : "2"),
                RawElement(0x0018, 0x1060, "DS", "15"),
                RawElement(0x0018, 0x1314, "DS", "90"),
                RawElement(0x0018, 0x9087, "FD", .bytes(little((1000.0).bitPattern))),
            ] + middle(index) + [
                RawElement(0x0020, 0x0032, "DS", "0\\\(index % 2 * 3)\\0"),
                RawElement(0x0020, 0x0037, "DS", "1\\0\\0\\0\\0\\-1"),
                RawElement(0x0020, 0x0052, "UI", uid(5)),
                RawElement(0x0020, 0x0100, "IS", "1"),
                RawElement(0x0020, 0x0105, "IS", "1"),
            ]
                + pixels(more: [
                    RawElement(0x0028, 0x1054, "LO", "US"), table(0x3000), table(0x3010),
                    RawElement(
                        0x0040, 0x9096, "SQ",
                        .items([
                            [
                                RawElement(0x0040, 0x9211, us: 4095),
                                RawElement(0x0040, 0x9216, us: 0),
                                RawElement(0x0040, 0x9224, "FD", .bytes(little((0.0).bitPattern))),
                                RawElement(0x0040, 0x9225, "FD", .bytes(little((1.0).bitPattern))),
                            ]
                        ])),
                    RawElement(0x2050, 0x0020, "CS", "IDENTITY"),
                ]))
    }

    private static func enhancedObject() -> RawObject {
        func macro(_ group: UInt16, _ element: UInt16, _ attributes: RawElement...) -> RawElement {
            RawElement(group, element, "SQ", .items([attributes]))
        }
        let shared = [
            macro(
                0x0018, 0x9006, RawElement(0x0018, 0x9074, "DT", "20240102030405"),
                RawElement(0x0018, 0x9151, "DT", "20240102030405")),
            macro(0x0020, 0x9116, RawElement(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0")),
            macro(
                0x0028, 0x9110, RawElement(0x0018, 0x0050, "DS", "2.5"), RawElement(0x0018, 0x0088, "DS", "2.5"),
                RawElement(0x0028, 0x0030, "DS", "0.5\\0.5")),
            macro(
                0x0028, 0x9132, RawElement(0x0028, 0x1050, "DS", "40"), RawElement(0x0028, 0x1051, "DS", "400"),
                RawElement(0x0028, 0x1056, "CS", "LINEAR")),
            macro(
                0x0028, 0x9145, RawElement(0x0028, 0x1052, "DS", "-1024"), RawElement(0x0028, 0x1053, "DS", "1"),
                RawElement(0x0028, 0x1054, "LO", "HU")),
        ]
        let frames = (0..<3).map { frame in
            [
                macro(
                    0x0020, 0x9111, RawElement(0x0018, 0x9151, "DT", "2024010203040\(frame)"),
                    RawElement(0x0020, 0x9056, "SH", "1"),
                    RawElement(0x0020, 0x9057, "UL", .bytes(little(UInt32(frame + 1)))),
                    RawElement(0x0020, 0x9128, "UL", .bytes(little(UInt32(1)))),
                    RawElement(0x0020, 0x9157, "UL", .bytes(little(UInt32(1)) + little(UInt32(frame + 1))))),
                macro(0x0020, 0x9113, RawElement(0x0020, 0x0032, "DS", "0\\0\\\(frame * 3)")),
            ]
        }
        return RawObject(
            head("1.2.840.10008.5.1.4.1.1.2.1", "CT", 20, imageType: "ORIGINAL\\PRIMARY\\VOLUME\\NONE") + middle(20) + [
                RawElement(0x0020, 0x0052, "UI", uid(5)),
                RawElement(
                    0x0020, 0x9221, "SQ", .items([[RawElement(0x0020, 0x9164, "UI", uid(6))]])),
            ]
                + pixels(
                    frames: 3,
                    more: [
                        RawElement(0x5200, 0x9229, "SQ", .items([shared])),
                        RawElement(0x5200, 0x9230, "SQ", .items(frames)),
                    ]))
    }

    private static func loopObject() -> RawObject {
        let region = [
            RawElement(0x0018, 0x6012, us: 1), RawElement(0x0018, 0x6014, us: 1),
            RawElement(0x0018, 0x6016, "UL", .bytes(little(UInt32(2)))),
            RawElement(0x0018, 0x6018, "UL", .bytes(little(UInt32(0)))),
            RawElement(0x0018, 0x601A, "UL", .bytes(little(UInt32(0)))),
            RawElement(0x0018, 0x601C, "UL", .bytes(little(UInt32(9)))),
            RawElement(0x0018, 0x601E, "UL", .bytes(little(UInt32(9)))),
            RawElement(0x0018, 0x6024, us: 3), RawElement(0x0018, 0x6026, us: 3),
            RawElement(0x0018, 0x602C, "FD", .bytes(little((0.05).bitPattern))),
            RawElement(0x0018, 0x602E, "FD", .bytes(little((0.05).bitPattern))),
        ]
        return RawObject(
            head("1.2.840.10008.5.1.4.1.1.3.1", "US", 30, imageType: "ORIGINAL\\PRIMARY") + [
                RawElement(0x0018, 0x1063, "DS", "33.3"),
                RawElement(0x0018, 0x1065, "DS", "0\\33.3"),
                RawElement(0x0018, 0x6011, "SQ", .items([region])),
            ] + middle(30) + [RawElement(0x0020, 0x0020, "CS", "")]
                + pixels(
                    samples: 3, photometric: "RGB", frames: 2, bits: 8, stored: 8,
                    more: [RawElement(0x0028, 0x2110, "CS", "00")]))
    }

    private static func paletteObject() -> RawObject {
        RawObject(
            head("1.2.840.10008.5.1.4.1.1.77.1.4", "XC", 40, imageType: "ORIGINAL\\PRIMARY") + middle(40)
                + pixels(
                    photometric: "PALETTE COLOR", bits: 8, stored: 8,
                    more: [
                        RawElement(0x0028, 0x1101, us: 256, 0, 16), RawElement(0x0028, 0x1102, us: 256, 0, 16),
                        RawElement(0x0028, 0x1103, us: 256, 0, 16),
                    ]
                        + (0..<3).map { colour in
                            RawElement(
                                0x0028, 0x1201 + UInt16(colour), "OW",
                                .bytes((0..<256).flatMap { little(UInt16($0 * 257)) }))
                        } + [RawElement(0x0028, 0x0034, "IS", "1\\1")]))
    }
}
