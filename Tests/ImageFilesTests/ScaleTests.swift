import ImageFiles
import Imaging
import Mutations
import Testing

/// How large pixels are, how far apart slices lie and how pages are held.
@Suite("TIFF scale")
struct ScaleTests {
    @Test(
        "slices that lie as far apart as none do are refused; of one slice it says nothing, and ImageJ's sign is passed over"
    )
    func sliceDistances() throws {
        func imageJ(_ spacing: String, slices: Int = 2) throws -> Double? {
            let text = "ImageJ=1.53t\nimages=\(slices)\nslices=\(slices)\nunit=um\nspacing=\(spacing)\n"
            var pages = (0..<slices).map { page($0, description: $0 == 0 ? text : nil) }
            pages[0].resolution = (2, 2, 1)
            return try opened(RawTIFF(pages)) { try $0.contents().pictures[0].calibration.sliceMM }
        }
        func omeSlice(_ size: String, slices: Int = 2) throws -> Double? {
            let text = ome(
                c: 1, z: slices, more: "PhysicalSizeX=\"1\" PhysicalSizeY=\"1\" PhysicalSizeZ=\"\(size)\"")
            let pages = (0..<slices).map { page($0, description: $0 == 0 ? text : nil) }
            return try opened(RawTIFF(pages)) { try $0.contents().pictures[0].calibration.sliceMM }
        }
        for size in ["0", "0.0", "nan", "1e9"] {
            #expect { try imageJ(size) } throws: { ($0 as? ImageFilesFailure)?.code == "VOL-PLACE" }
            #expect { try omeSlice(size) } throws: { ($0 as? ImageFilesFailure)?.code == "VOL-PLACE" }
            #expect(try imageJ(size, slices: 1) == nil && omeSlice(size, slices: 1) == nil)
        }
        #expect { try omeSlice("-2") } throws: { ($0 as? ImageFilesFailure)?.code == "VOL-PLACE" }
        for size in ["2", "-2"] { #expect(abs((try imageJ(size) ?? 0) - 0.002) < 1e-9) }
        #expect(abs((try omeSlice("2") ?? 0) - 0.002) < 1e-9)
    }

    private static let screens: [(Int, Int)] = [
        (72, 2), (96, 2), (150, 2), (254, 2), (300, 2), (600, 2), (100, 3), (118, 3), (28, 3), (1, 2), (1, 3), (10, 3),
    ]

    @Test("resolutions of screens and printers, and pixels that no picture has, are no scale", arguments: screens)
    func implausible(_ resolution: Int, _ unit: Int) throws {
        var page = page(1)
        page.resolution = (resolution, resolution, unit)
        let calibration = try opened(RawTIFF([page])) { try $0.contents().pictures[0].calibration }
        #expect(calibration.spacing == nil && calibration.findings.contains { $0.kind == .scale && $0.isWarning })
    }

    @Test(
        "a program's calibration comes before the resolution tags",
        arguments: [
            ("ImageJ=1.53t\nunit=\\u00B5m\n", 4, 2, 0.00025), ("ImageJ=1.53t\nunit=um\n", 4, 1, 0.00025),
            ("ImageJ=1.53t\nunit=micron\n", 2, 3, 0.0005), ("ImageJ=1.53t\nunit=mm\n", 20, 1, 0.05),
            ("ImageJ=1.53t\nunit=inch\n", 72, 2, nil), ("ImageJ=1.53t\nunit=furlong\n", 4, 2, nil),
            ("ImageJ=1.53t\nunit=pixel\n", 4, 2, nil),
            ("Aperio Image Library\n5x3 |AppMag = 20|MPP = 0.4990", 72, 2, 0.000499),
            ("no program", 40_000, 3, 0.00025), ("no program", 4, 1, nil),
        ] as [(String, Int, Int, Double?)])
    func calibrations(_ description: String, _ resolution: Int, _ unit: Int, _ expected: Double?) throws {
        var page = page(1, description: description)
        page.resolution = (resolution, resolution, unit)
        let spacing = try opened(RawTIFF([page])) { try $0.contents().pictures[0].calibration.spacing }
        #expect((spacing == nil) == (expected == nil))
        if let expected { #expect(abs((spacing?.row ?? 0) / expected - 1) < 1e-6) }
    }

    @Test(
        "Aperio's magnification and size of a pixel are those of one scanner, or neither is believed",
        arguments: [
            ("40", "0.25", false), ("20", "0.4990", false), ("63", "0.1", false), ("5", "2", false),
            ("40", "4.9", true),
            ("20", "0.05", true), ("x", "4.9", false), ("0", "0.25", false),
        ])
    func magnification(_ magnification: String, _ mpp: String, _ isTold: Bool) throws {
        let text = "Aperio Image Library\n5x3 |AppMag = \(magnification)|MPP = \(mpp)"
        let calibration = try opened(RawTIFF([page(1, description: text)])) {
            try $0.contents().pictures[0].calibration
        }
        #expect(calibration.saysTwoScales == isTold && (calibration.spacing == nil) == isTold)
    }

    @Test(
        "a description and resolution tags that are believed and say another size leave the picture without a scale",
        arguments: [
            // Pixels a centimetre (3) or an inch (2); mm a pixel, and whether two scales are said.
            (40_000, 3, 0.00025, false), (40_100, 3, 0.00025, false), (72, 2, 0.00025, false), (10, 3, 0.00025, false),
            (4, 1, 0.00025, false), (20_000, 3, nil, true), (4_000, 3, nil, true),
        ] as [(Int, Int, Double?, Bool)])
    func twoScales(_ resolution: Int, _ unit: Int, _ expected: Double?, _ isTold: Bool) throws {
        let descriptions = [
            ome(c: 1, z: 1, more: "PhysicalSizeX=\"0.25\" PhysicalSizeY=\"0.25\""),
            "Aperio Image Library\n5x3 |AppMag = 40|MPP = 0.2500",
        ]
        for description in descriptions {
            var page = page(1, description: description)
            page.resolution = (resolution, resolution, unit)
            let calibration = try opened(RawTIFF([page])) { try $0.contents().pictures[0].calibration }
            #expect(calibration.saysTwoScales == isTold && (calibration.spacing == nil) == (expected == nil))
            if let expected { #expect(abs((calibration.spacing?.row ?? 0) / expected - 1) < 1e-6) }
        }
    }

    @Test(
        "sizes of pixels that are no numbers, or said twice and differently, are no scale, whatever the resolution tags say",
        arguments: ["MPP = 0,2500", "MPP = 0.25|MPP = 0.5", "MPP = ", "MPP"])
    func noNumber(_ words: String) throws {
        let size = "PhysicalSizeX=\"0,25\" PhysicalSizeY=\"0,25\""
        for description in ["Aperio Image Library\n5x3 |\(words)", ome(c: 1, z: 1, more: size)] {
            var page = page(1, description: description)
            page.resolution = (20_000, 20_000, 3)
            let calibration = try opened(RawTIFF([page])) { try $0.contents().pictures[0].calibration }
            #expect(calibration.spacing == nil && calibration.findings.contains { $0.kind == .scale && $0.isWarning })
        }
    }

    @Test(
        "the distance of slices is in the unit of an ImageJ stack, also in centimetres and inches that are believed",
        arguments: [
            ("unit=um\nspacing=3.0", 4, 0.003), ("unit=cm\nspacing=0.0003", 40_000, 0.003),
            ("unit=inch\nspacing=0.001", 101_600, 0.0254), ("unit=cm\nspacing=3.0\nzunit=um", 40_000, 0.003),
            ("unit=inch\nspacing=0.001", 300, nil), ("unit=cm", 40_000, nil),
        ] as [(String, Int, Double?)])
    func sliceDistances(_ words: String, _ resolution: Int, _ expected: Double?) throws {
        var pages = [page(1, description: "ImageJ=1.53t\nimages=2\nslices=2\n\(words)\n"), page(2)]
        for index in pages.indices { pages[index].resolution = (resolution, resolution, 1) }
        let picture = try #require(try opened(RawTIFF(pages)) { try $0.contents().pictures }.first)
        #expect((picture.calibration.sliceMM == nil) == (expected == nil))
        if let expected { #expect(abs((picture.calibration.sliceMM ?? 0) / expected - 1) < 1e-9) }
        #expect((picture.calibration.spacing == nil) == (resolution == 300))
    }

    /// Two pages of one size with the resolutions given; nil: without.
    private func resolved(_ first: (Int, Int, Int)?, _ second: (Int, Int, Int)?, _ text: String? = nil) -> RawTIFF {
        var pages = [page(1, description: text), page(2)]
        pages[0].resolution = first.map { (across: $0.0, down: $0.1, unit: $0.2) }
        pages[1].resolution = second.map { (across: $0.0, down: $0.1, unit: $0.2) }
        return RawTIFF(pages)
    }

    @Test("pages of different resolutions are pictures of their own scales, those of one resolution are one stack")
    func resolutionsOfPages() throws {
        let others: [(Int, Int, Int)?] = [(20_000, 20_000, 3), (40_000, 40_000, 2), (40_000, 20_000, 3), nil]
        for other in others {
            let pictures = try opened(resolved((40_000, 40_000, 3), other)) { try $0.contents().pictures }
            #expect(pictures.map(\.slices) == [1, 1])
            #expect(abs((pictures[0].calibration.spacing?.row ?? 0) / 0.00025 - 1) < 1e-6)
            #expect(pictures[0].calibration.spacing != pictures[1].calibration.spacing)
        }
        // The same in other numbers, and pages of which neither has a scale.
        let same: [((Int, Int, Int)?, (Int, Int, Int)?)] = [
            ((40_000, 40_000, 3), (40_000, 40_000, 3)), ((40_000, 40_000, 3), (101_600, 101_600, 2)), (nil, nil),
            ((72, 72, 2), (300, 300, 2)), ((72, 72, 2), nil),
        ]
        for (first, second) in same {
            #expect(try opened(resolved(first, second)) { try $0.contents().pictures.map(\.slices) } == [2])
        }
    }

    @Test("a description of one stack whose pages have different resolutions is refused")
    func resolutionsOfStack() throws {
        let shaped = "{\"shape\": [2, 3, 5]}", imageJ = "ImageJ=1.53t\nimages=2\nslices=2\nunit=um\n"
        for text in [shaped, imageJ] {
            #expect { try firsts(resolved((40_000, 40_000, 3), (20_000, 20_000, 3), text)) } throws: {
                ($0 as? ImageFilesFailure)?.code == "RAS-AXES"
            }
            #expect(try firsts(resolved((40_000, 40_000, 3), (40_000, 40_000, 3), text)) == [[1, 2]])
        }
        // ImageJ's description speaks for pages that say nothing.
        #expect(try firsts(resolved((4, 4, 1), nil, imageJ)) == [[1, 2]])
    }

    @Test(
        "Aperio's MPP is that of a picture of the size that its description says: the scan or the part of it that was kept",
        arguments: [
            ("5x3 [0,0 5x3] (256x256) JPEG/RGB Q=30", true), ("9x7 [0,100 5x3] (256x256) JPEG/RGB Q=30", true),
            ("5x3 [0,0,5x3] (256x256) JPEG/YCC Q=91", true), ("JPEG/RGB", true),
            ("20x12 [0,0 20x12] (5x3) J2K", false), ("20x12 [0,0 20x12] (256x256) -> 5x3 JPEG/RGB Q=65", false),
            ("3x5", false),
        ])
    func aperioSizes(_ text: String, _ isOwn: Bool) throws {
        var page = page(1, description: "Aperio Image Library v12.0.15\r\n\(text)|AppMag = 20|MPP = 0.5")
        page.resolution = (20_000, 20_000, 3)
        let calibration = try opened(RawTIFF([page])) { try $0.contents().pictures[0].calibration }
        #expect(calibration.spacing == (isOwn ? PixelSpacing(row: 0.0005, column: 0.0005) : nil))
        #expect(calibration.findings.map(\.kind) == (isOwn ? [] : [.scale]))
    }

    @Test("a Resolution Unit is one of TIFF's three; where the tag is missing it is the inch")
    func resolutionUnits() throws {
        let units: [(Int?, Double?)] = [(nil, 25.4), (1, nil), (2, 25.4), (3, 10), (0, nil), (7, nil)]
        for (unit, millimetres) in units {
            var page = page(1)
            let rational = RawTIFF([]).number(10_000, 4) + RawTIFF([]).number(1, 4)
            page.raw = [(282, 5, rational), (283, 5, rational)]
            if let unit { page.numbers = [(296, [unit])] }
            let calibration = try opened(RawTIFF([page])) { try $0.contents().pictures[0].calibration }
            let row = calibration.spacing?.row
            #expect((row == nil) == (millimetres == nil))
            if let row, let millimetres { #expect(abs(row / (millimetres / 10_000) - 1) < 1e-6) }
            #expect(calibration.findings.contains { $0.kind == .scale && $0.isWarning } == [0, 7].contains(unit))
        }
    }

    @Test("OME's pixel sizes are read in their units, rows and columns apart; one alone is no scale")
    func omeScale() throws {
        let sizes = [
            (
                "PhysicalSizeX=\"0.25\" PhysicalSizeXUnit=\"µm\" PhysicalSizeY=\"0.5\"",
                PixelSpacing(row: 0.0005, column: 0.00025)
            ),
            (
                "PhysicalSizeX=\"250\" PhysicalSizeXUnit=\"nm\" PhysicalSizeY=\"250\" PhysicalSizeYUnit=\"nm\"",
                PixelSpacing(row: 0.00025, column: 0.00025)
            ),
            ("PhysicalSizeX=\"0.25\"", nil),
            ("PhysicalSizeX=\"1\" PhysicalSizeXUnit=\"pixel\" PhysicalSizeY=\"1\" PhysicalSizeYUnit=\"pixel\"", nil),
        ]
        for (more, expected) in sizes {
            let file = RawTIFF([page(1, description: ome(c: 1, z: 1, more: more))])
            let spacing = try opened(file) { try $0.contents().pictures[0].calibration.spacing }
            #expect((spacing == nil) == (expected == nil))
            if let expected, let spacing {
                #expect(abs(spacing.row / expected.row - 1) < 1e-9 && abs(spacing.column / expected.column - 1) < 1e-9)
            }
        }
    }
}
