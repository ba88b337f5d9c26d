import Foundation
import ImageFiles
import Imaging
import Mutations
import Testing

/// What programs write into TIFFs means what it meant to them.
@Suite("TIFF conventions")
struct ConventionTests {
    /// The planes that a selection takes, decoded, by their first values.
    private func firsts(_ file: RawTIFF, _ selection: TIFFSelection = TIFFSelection()) throws -> [[UInt16]] {
        try opened(file) { file in
            try file.contents().pictures.map { picture in
                try picture.planes(selection, path: "").map {
                    try file.page($0, of: picture, survey: try file.survey($0)).values[0]
                }
            }
        }
    }

    /// A 3 × 5 page whose every value is `value`.
    private func page(_ value: Int, description: String? = nil) -> RawTIFF.Page {
        var page = RawTIFF.Page(rows: 3, columns: 5, data: [UInt8](repeating: UInt8(value), count: 15))
        page.description = description
        return page
    }

    private static let hyperstack = "ImageJ=1.53t\nimages=12\nchannels=2\nslices=3\nframes=2\nhyperstack=true\n"

    @Test("an ImageJ hyperstack's axes are channel, slice and time; the first channel is taken and the other one named")
    func hyperstackAxes() throws {
        let pages = (0..<12).map { page($0, description: $0 == 0 ? Self.hyperstack : nil) }
        #expect(try firsts(RawTIFF(pages)) == [[0, 2, 4, 6, 8, 10]])
        var selection = TIFFSelection()
        selection.channel = .number(1)
        selection.slice = .middle
        #expect(try firsts(RawTIFF(pages), selection) == [[3, 9]])
        selection.slice = .number(3)
        #expect { try firsts(RawTIFF(pages), selection) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
        let findings = try opened(RawTIFF(pages)) { try $0.contents().pictures[0].findings(TIFFSelection()) }
        #expect(findings.count == 1 && findings[0].isWarning && findings[0].kind == .channel)
    }

    @Test("pages behind the one picture that an ImageJ description tells of are frames, not slices in space")
    func onePicture() throws {
        for more in ["", "images=1\n"] {
            let text = "ImageJ=1.53t\n\(more)unit=um\nspacing=3.0\n"
            var pages = (0..<3).map { page($0, description: $0 == 0 ? text : nil) }
            for index in pages.indices { pages[index].resolution = (2, 2, 1) }
            let pictures = try opened(RawTIFF(pages)) { try $0.contents().pictures }
            #expect(pictures.map(\.times) == [3] && !pictures[0].isVolume)
            #expect(try firsts(RawTIFF(pages)) == [[0, 1, 2]])
        }
    }

    @Test(
        "uncompressed strips whose byte count is a row or more from the page's sides are refused, those with padding are read"
    )
    func stripCounts() throws {
        func file(_ data: Int, rows: Int = 4, rowsPerStrip: Int? = nil, fill: UInt8 = 0, bits: Int = 8) -> RawTIFF {
            var page = RawTIFF.Page(rows: rows, columns: 6)
            page.bits = bits
            page.data =
                [UInt8](repeating: 7, count: min(data, 6 * rows))
                + [UInt8](repeating: fill, count: max(0, data - 6 * rows))
            page.rowsPerStrip = rowsPerStrip
            return RawTIFF([page])
        }
        // As they are, padded to four bytes, the one strip as long as its Rows Per Strip, and a long one, which libtiff cuts.
        let all = Int(UInt32.max)
        for legitimate in [
            file(24), file(25), file(28), file(48, rowsPerStrip: 8), file(24_000, rows: 4000),
            file(24_000, rows: 4000, rowsPerStrip: all), file(24_000, rows: 4000, rowsPerStrip: 4000),
        ] {
            #expect(try firsts(legitimate) == [[7]])
        }
        let wrong = [
            (file(48), "IN-CORRUPT"), (file(30), "IN-CORRUPT"), (file(48, rowsPerStrip: 8, fill: 1), "IN-CORRUPT"),
            (file(24, bits: 4), "IN-CORRUPT"), (file(18), "PIX-TRUNCATED"),
        ]
        for (file, code) in wrong {
            #expect { try firsts(file) } throws: { ($0 as? ImageFilesFailure)?.code == code }
        }
    }

    @Test(
        "what a page calls no measurement (GDAL_NODATA) is refused where it occurs, is padding in 32 bits, and a class in masks"
    )
    func noData() throws {
        func file(_ value: String, bits: Int = 8, format: Int = 1, samples: Int = 1, _ data: [UInt8]) -> RawTIFF {
            var page = RawTIFF.Page(rows: 1, columns: data.count / samples / (bits / 8), data: data)
            (page.bits, page.format, page.samples, page.photometric) = (bits, format, samples, samples == 3 ? 2 : 1)
            page.raw = [(42_113, 2, Array(value.utf8) + [0])]
            return RawTIFF([page])
        }
        let refused = [
            file("0", [7, 0, 9]), file("-1", bits: 16, format: 2, [255, 255, 1, 0]), file(" 255 ", [1, 2, 255]),
            file("0", samples: 3, [1, 2, 3, 0, 0, 0]),
        ]
        for file in refused {
            #expect { try firsts(file) } throws: { ($0 as? ImageFilesFailure)?.code == "PIX-VALUES" }
        }
        let read = [
            file("0", [7, 8, 9]), file("-9999", [7, 0, 9]), file("nan", [7, 0, 9]), file("", [7, 0, 9]),
            file("255", format: 2, [7, 255]), file("0", samples: 3, [7, 0, 3, 1, 0, 0]),
        ]
        for file in read { #expect(try firsts(file).first?.first != nil) }
        let floats = [Float(1), -9999, 2].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
        }
        for value in ["-9999", "-9999.0"] {
            let page = try opened(file(value, bits: 32, format: 3, floats)) { file in
                let picture = try file.contents().pictures[0], plane = picture.planes[0]
                return try file.page(plane, of: picture, survey: try file.survey(plane))
            }
            #expect(page.missing == 1 && page.values[1] == 0 && page.values[2] > page.values[0])
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("mask-\(UUID().uuidString).tif").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(file("0", [0, 1, 1]).bytes).write(to: URL(fileURLWithPath: path))
        #expect(try ImageFile.readStored(path).first?.values == [0, 1, 1])
    }

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

    @Test("pages of a stack that are numbered in another order than they stand in are refused; equal numbers are none")
    func pageNumbers() throws {
        func file(_ numbers: [Int?], _ text: String? = nil) -> RawTIFF {
            RawTIFF(
                numbers.enumerated().map { index, number in
                    var page = page(index, description: index == 0 ? text : nil)
                    if let number { page.numbers = [(297, [number, 3])] }
                    return page
                })
        }
        for text in [nil, "ImageJ=1.53t\nimages=3\nslices=3\n"] {
            for numbers in [[2, 1, 0], [0, 2, 1]] {
                #expect { try firsts(file(numbers, text)) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
            }
            for numbers in [[0, 1, 2], [3, 5, 9], [0, 0, 0], [0, 1, 0], [2, nil, 0]] {
                #expect(try firsts(file(numbers, text)) == [[0, 1, 2]])
            }
        }
    }

    @Test(
        "a tag that stands twice in a page with different values is refused; twice the same, and twice what nobody asks for, is read"
    )
    func tagsTwice() throws {
        for (tag, value, isSame) in [(256, 5, true), (256, 4, false), (262, 1, true), (262, 0, false), (305, 7, true)] {
            var page = page(7)
            page.numbers = [(UInt16(tag), [value])]
            if tag == 305 { page.numbers.append((305, [8])) }
            if isSame {
                #expect(try firsts(RawTIFF([page])) == [[7]])
            } else {
                #expect { try firsts(RawTIFF([page])) } throws: { ($0 as? ImageFilesFailure)?.code == "IN-CORRUPT" }
            }
        }
    }

    @Test("a palette picture without its colours is refused, not shown grey by its indices")
    func missingColours() throws {
        for isBigEndian in [false, true] {
            var page = page(7)
            page.photometric = 3
            #expect { try firsts(RawTIFF([page], isBigEndian: isBigEndian)) } throws: {
                ($0 as? ImageFilesFailure)?.code == "IN-CORRUPT"
            }
            page.numbers = [(320, [Int](repeating: 0x4000, count: 768))]
            #expect(try firsts(RawTIFF([page], isBigEndian: isBigEndian)) == [[0x40]])
        }
    }

    @Test("a horizontal predictor of uncompressed samples is undone row by row; another one is refused")
    func predictor() throws {
        var page = RawTIFF.Page(rows: 2, columns: 4, data: [10, 20, 30, 250, 1, 1, 1, 1])
        page.raw = [(317, 3, [2, 0])]
        let values = try opened(RawTIFF([page])) { file in
            let picture = try file.contents().pictures[0]
            return try file.page(picture.planes[0], of: picture, survey: try file.survey(picture.planes[0])).values
        }
        #expect(values == [10, 30, 60, 54, 1, 2, 3, 4])
        page.raw = [(317, 3, [3, 0])]
        #expect { try firsts(RawTIFF([page])) } throws: { ($0 as? ImageFilesFailure)?.code == "PIX-CODEC" }
    }

    @Test("an ImageJ description that its pages contradict is refused", arguments: [11, 13, 6])
    func contradiction(count: Int) {
        let pages = (0..<count).map { page($0, description: $0 == 0 ? Self.hyperstack : nil) }
        #expect { try firsts(RawTIFF(pages)) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
    }

    @Test(
        "pictures behind the first without directories of their own are read, or said to be missing",
        arguments: [false, true],
        ["ImageJ=1.53t\nimages=4\nslices=4\n", "{\"shape\": [4, 3, 5], \"truncated\": true}"])
    func oneDirectory(isBigEndian: Bool, description: String) throws {
        var file = RawTIFF([], isBigEndian: isBigEndian)
        var page = RawTIFF.Page(rows: 3, columns: 5)
        page.bits = 16
        page.description = description
        page.data = (0..<4).flatMap { picture in (0..<15).flatMap { _ in file.number(1000 * picture + 7, 2) } }
        file.pages = [page]
        // The one strip counts the first picture alone, as these programs write it, or all of them.
        #expect(try firsts(file) == [[7, 1007, 2007, 3007]])
        file.pages[0].data.removeLast(100)
        #expect { try firsts(file) } throws: {
            ["PIX-TRUNCATED", "PIX-CODEC", "RAS-AXES"].contains(($0 as? ImageFilesFailure)?.code)
        }
    }

    @Test("grey samples beside the first are channels, alpha is none", arguments: [false, true])
    func sampleChannels(isPlanar: Bool) throws {
        var page = RawTIFF.Page(rows: 2, columns: 2)
        page.samples = 2
        page.isPlanar = isPlanar
        page.data = isPlanar ? [1, 1, 1, 1, 9, 9, 9, 9] : [1, 9, 1, 9, 1, 9, 1, 9]
        page.extraSamples = [0]
        var second = TIFFSelection()
        second.channel = .number(1)
        #expect(try firsts(RawTIFF([page])) == [[1]])
        #expect(try firsts(RawTIFF([page]), second) == [[9]])
        page.extraSamples = [2]
        #expect(try opened(RawTIFF([page])) { try $0.contents().pictures[0].channels } == 1)
    }

    @Test("a volume in one page (ImageDepth) has all of its slices, each from its place in the tiles")
    func volume() throws {
        var page = RawTIFF.Page(rows: 16, columns: 16)
        page.tile = (16, 16)
        page.tiles = (0..<3).map { tile in
            (0..<2).flatMap { [UInt8](repeating: UInt8(10 * tile + $0), count: 256) }
        }
        page.numbers = [(32_997, [5]), (32_998, [2])]
        #expect(try firsts(RawTIFF([page])) == [[0, 1, 10, 11, 20]])
    }

    @Test("a MetaMorph stack is as many pictures as it says")
    func metaMorph() throws {
        var page = page(0)
        page.data = (0..<3).flatMap { [UInt8](repeating: UInt8($0), count: 15) }
        page.raw = [(33_628, 5, [UInt8](repeating: 0, count: 16)), (33_629, 5, [UInt8](repeating: 0, count: 24))]
        #expect(try firsts(RawTIFF([page])) == [[0, 1, 2]])
    }

    @Test("samples of three bytes are the highest byte first, in files of either order, also behind the first picture")
    func threeBytes() throws {
        for isBigEndian in [false, true] {
            for description in [nil, "ImageJ=1.53t\nimages=2\nslices=2\n"] {
                var page = RawTIFF.Page(rows: 3, columns: 5)
                page.bits = 24
                page.description = description
                page.data = (0..<30).flatMap { [0, UInt8($0 / 15), UInt8($0)] }
                if description == nil { page.data.removeLast(45) }
                let sums = try opened(RawTIFF([page], isBigEndian: isBigEndian)) { file in
                    let picture = try file.contents().pictures[0]
                    return try picture.planes(TIFFSelection(), path: "").map { plane -> Double in
                        let page = try file.page(plane, of: picture, survey: try file.survey(plane))
                        let mapping = try #require(page.mapping)
                        return Double(page.values[14]) * mapping.slope + mapping.intercept
                    }
                }
                #expect(sums == (description == nil ? [14] : [14, 256 + 29]), "\(isBigEndian)")
            }
        }
    }

    @Test("pages that are no smaller than the picture are no copies of it, whatever their flag says")
    func flagged() throws {
        func flagged(_ value: Int, _ subfile: Int) -> RawTIFF.Page {
            var page = page(value)
            page.subfile = subfile
            return page
        }
        #expect(try firsts(RawTIFF([flagged(1, 0), flagged(2, 1), flagged(3, 1)])) == [[1, 2, 3]])
        #expect(try firsts(RawTIFF([flagged(1, 1), flagged(2, 1)])) == [[1, 2]])
        var small = RawTIFF.Page(rows: 2, columns: 3, data: [UInt8](repeating: 9, count: 6))
        small.subfile = 1
        #expect(try firsts(RawTIFF([small, flagged(2, 1)])) == [[2]])
    }

    @Test(
        "descriptions that are longer together than any program writes are refused before they are read again and again"
    )
    func longDescriptions() throws {
        let text = String(repeating: "x", count: 9 << 20)
        let pages = (0..<8).map { page($0, description: text) }
        #expect { try firsts(RawTIFF(pages)) } throws: { ($0 as? ImageFilesFailure)?.code == "IN-LIMIT" }
    }

    @Test("a LERC page is lossy when its blob says so, or when nobody can tell", arguments: [0.0, 0.5, 2.0])
    func lerc(_ error: Double) throws {
        // Version 2: magic, version, rows, columns, valid pixels, block, blob size, type (1: bytes), the largest error.
        func int32(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var blob = Array("Lerc2 ".utf8) + int32(2)
        for value in [3, 5, 15, 8, 100, 1] { blob += int32(value) }
        blob += (0..<8).map { UInt8(truncatingIfNeeded: error.bitPattern >> (8 * UInt64($0))) }
        blob += [UInt8](repeating: 0, count: 40)
        var page = RawTIFF.Page(rows: 3, columns: 5, data: blob)
        page.compression = 34_887
        #expect(try opened(RawTIFF([page])) { try $0.loss(of: .page(0)) != nil } == (error > 0.5))
        page.data = [UInt8](repeating: 1, count: 90)
        #expect(try opened(RawTIFF([page])) { try $0.loss(of: .page(0)) != nil })
    }

    // MARK: OME

    private func ome(
        order: String = "XYCZT", size: (Int, Int) = (5, 3), c: Int = 2, z: Int = 2, t: Int = 1, more: String = "",
        data: String = "<TiffData/>", own: String = ""
    ) -> String {
        let channels = ["DAPI", "GFP"].prefix(c).map { "<Channel Name=\"\($0)\" SamplesPerPixel=\"1\"/>" }.joined()
        return """
            <?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:\(own)">\
            <Image ID="Image:0"><Pixels DimensionOrder="\(order)" Type="uint8" SizeX="\(size.0)" SizeY="\(size.1)" \
            SizeC="\(c)" SizeZ="\(z)" SizeT="\(t)" \(more)>\(channels)\(data)</Pixels></Image></OME>
            """
    }

    @Test(
        "OME's axes are read in their own order",
        arguments: [("XYCZT", [UInt16]([0, 2])), ("XYZCT", [0, 1]), ("XYZTC", [0, 1])])
    func omeOrder(_ order: String, _ expected: [UInt16]) throws {
        let pages = (0..<4).map { page($0, description: $0 == 0 ? ome(order: order) : nil) }
        #expect(try firsts(RawTIFF(pages)) == [expected])
        var named = TIFFSelection()
        named.channel = .name("gfp")
        #expect(try firsts(RawTIFF(pages), named)[0] == (0..<4).map { UInt16($0) }.filter { !expected.contains($0) })
    }

    @Test("an OME description of other pages is refused")
    func omeContradiction() {
        let wrong = [
            (ome(size: (6, 3)), 4), (ome(), 3), (ome(data: "<TiffData IFD=\"2\" PlaneCount=\"3\"/>"), 4),
            (ome(order: "XYQ"), 4), (ome(), 5),
        ]
        for (description, count) in wrong {
            let pages = (0..<count).map { page($0, description: $0 == 0 ? description : nil) }
            #expect { try firsts(RawTIFF(pages)) } throws: {
                ["RAS-AXES", "PIX-TRUNCATED"].contains(($0 as? ImageFilesFailure)?.code)
            }
        }
    }

    @Test("an OME description that is cut off, or names a plane or a page twice, is refused")
    func omeDamage() {
        let whole = ome(), cut = String(whole.prefix(upTo: whole.range(of: "</Pixels>")?.lowerBound ?? whole.endIndex))
        let twice = ome(c: 1, z: 2, data: "<TiffData IFD=\"0\" FirstZ=\"0\"/><TiffData IFD=\"1\" FirstZ=\"0\"/>")
        let page2 = ome(c: 1, z: 2, data: "<TiffData IFD=\"0\" FirstZ=\"0\"/><TiffData IFD=\"0\" FirstZ=\"1\"/>")
        for (description, count, code) in [(cut, 4, "PIX-TRUNCATED"), (twice, 2, "RAS-AXES"), (page2, 2, "RAS-AXES")] {
            let pages = (0..<count).map { page($0, description: $0 == 0 ? description : nil) }
            #expect { try firsts(RawTIFF(pages)) } throws: { ($0 as? ImageFilesFailure)?.code == code }
        }
        // Blocks of all pages again and again end early.
        let block = "<TiffData IFD=\"0\" PlaneCount=\"4\"/>"
        let bomb = ome(data: String(repeating: block, count: 100_000))
        let pages = (0..<4).map { page($0, description: $0 == 0 ? bomb : nil) }
        #expect { try firsts(RawTIFF(pages)) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
    }

    @Test("files of an OME set name one another; a file whose planes nobody takes is skipped as a part")
    func omeSet() throws {
        func block(_ channel: Int, _ uuid: String) -> String {
            "<TiffData IFD=\"0\" FirstC=\"\(channel)\"><UUID FileName=\"\(uuid).tif\">urn:uuid:\(uuid)</UUID></TiffData>"
        }
        let data = block(0, "a") + block(1, "b")
        let first = RawTIFF([page(3, description: ome(z: 1, data: data, own: "a"))])
        let second = RawTIFF([page(4, description: ome(z: 1, data: data, own: "b"))])
        #expect(try opened(first) { try $0.contents().set } == (try opened(second) { try $0.contents().set }))
        #expect(try opened(first) { try $0.contents().set.count } == 2)
        #expect(try firsts(first) == [[3]])
        #expect { try firsts(second) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-PART" }
    }

    // MARK: Scale

    private static let screens: [(Int, Int)] = [
        (72, 2), (96, 2), (150, 2), (254, 2), (300, 2), (600, 2), (100, 3), (118, 3), (28, 3), (1, 2), (1, 3),
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
        "pages of different orientation are a picture each; an orientation that says nothing is that of the first row on top"
    )
    func orientationsOfPages() throws {
        for (orientation, slices) in [(6, [1, 1]), (3, [1, 1]), (1, [2]), (0, [2])] {
            var turned = page(2)
            turned.numbers = [(274, [orientation])]
            let found = try opened(RawTIFF([page(1), turned])) { try $0.contents().pictures.map(\.slices) }
            #expect(found == slices, "\(orientation)")
        }
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
        page.resolution = (5000, 5000, 3)
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

    // MARK: Values

    /// A page of floating point or signed numbers of 32 bits.
    private func wide(_ numbers: [Double], format: Int) -> RawTIFF {
        var page = RawTIFF.Page(rows: 1, columns: numbers.count)
        (page.bits, page.format) = (32, format)
        page.data = numbers.flatMap { number -> [UInt8] in
            let bits = format == 3 ? Float(number).bitPattern : UInt32(bitPattern: Int32(number))
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        }
        return RawTIFF([page])
    }

    /// What the held numbers of the file's one page mean; nil for padding.
    private func meant(_ file: RawTIFF, _ survey: SampleSurvey? = nil) throws -> [Double?] {
        try opened(file) { file in
            let picture = try file.contents().pictures[0]
            let plane = try picture.planes(TIFFSelection(), path: "")[0]
            let page = try file.page(plane, of: picture, survey: try survey ?? file.survey(plane))
            let mapping = page.mapping ?? ValueMapping(slope: 1, intercept: 0)
            return page.values.map {
                mapping.hasPadding && $0 == 0 ? nil : Double($0) * mapping.slope + mapping.intercept
            }
        }
    }

    @Test("signed and floating point samples keep their values")
    func values() throws {
        #expect(try meant(wide([-1000, 0, 40, 3071], format: 3)) == [-1000, 0, 40, 3071])
        #expect(try meant(wide([-1000, 0, 40, 3071], format: 2)) == [-1000, 0, 40, 3071])
        #expect(try meant(wide([.nan, -1000, 3.4e38, 40], format: 3)) == [nil, -1000, nil, 40])
        for (found, value) in zip(try meant(wide([-0.5, 0.25, 1.75], format: 3)), [-0.5, 0.25, 1.75]) {
            #expect(abs((found ?? 9) - value) < 1e-4)
        }
        var page = RawTIFF.Page(rows: 1, columns: 2, data: [0x18, 0xFC, 0x28, 0x00])
        (page.bits, page.format) = (16, 2)
        #expect(try meant(RawTIFF([page])) == [-1000, 40])
        // ImageJ's own way of signed 16 bits: moved up, and a line that takes it back.
        page.format = 1
        page.data = [0x18, 0x7C, 0x28, 0x80]
        page.description = "ImageJ=1.53t\ncf=0\nc0=-32768.0\nc1=1.0\n"
        #expect(try meant(RawTIFF([page])) == [-1000, 40])
    }

    @Test("a picture of nothing but NaN and infinities is refused, and so are colours with them; others are counted")
    func noValues() throws {
        #expect { try meant(wide([.nan, .infinity, -.infinity], format: 3)) } throws: {
            ($0 as? ImageFilesFailure)?.code == "PIX-VALUES"
        }
        var colours = wide([0.5, .nan, 1], format: 3).pages[0]
        (colours.columns, colours.samples, colours.photometric) = (1, 3, 2)
        #expect { try firsts(RawTIFF([colours])) } throws: { ($0 as? ImageFilesFailure)?.code == "PIX-BITS" }
        for (file, missing) in [(wide([1, .infinity, .nan, 3], format: 3), 2), (wide([1, 3], format: 3), 0)] {
            try opened(file) { file in
                let picture = try file.contents().pictures[0]
                let page = try file.page(picture.planes[0], of: picture, survey: try file.survey(picture.planes[0]))
                #expect(page.missing == missing)
                let text = page.findings.first { $0.kind == .depth }?.text
                #expect(text?.contains("but for those that are no finite numbers") == (missing > 0))
            }
        }
    }

    @Test(
        "masks of 32 bits whose white is 0 are turned round, as those of fewer bits; signed and floating point ones are refused"
    )
    func whiteMasks() throws {
        func stored(_ numbers: [UInt32], format: Int = 1, photometric: Int) throws -> [UInt16] {
            var page = RawTIFF.Page(rows: 1, columns: numbers.count)
            (page.bits, page.format, page.photometric) = (32, format, photometric)
            page.data = numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
            return try opened(RawTIFF([page])) { try ImageFile.readStored($0.path)[0].values }
        }
        #expect(try stored([0, 1, 7], photometric: 1) == [0, 1, 7])
        #expect(try stored([.max, .max - 1, .max - 7], photometric: 0) == [0, 1, 7])
        for (format, code) in [(1, "PIX-BITS"), (2, "PIX-PHOTOMETRIC"), (3, "PIX-PHOTOMETRIC")] {
            #expect { try stored([0, 1, 7], format: format, photometric: 0) } throws: {
                ($0 as? ImageFilesFailure)?.code == code
            }
        }
    }

    @Test(
        "masks of signed and floating point samples hold the numbers that they say; those that are no labels are refused"
    )
    func numberMasks() throws {
        func stored(_ bytes: [UInt8], _ bits: Int, format: Int, columns: Int = 3) throws -> [UInt16] {
            var page = RawTIFF.Page(rows: 1, columns: columns, data: bytes)
            (page.bits, page.format) = (bits, format)
            return try opened(RawTIFF([page])) { try ImageFile.readStored($0.path)[0].values }
        }
        func little(_ value: some FixedWidthInteger) -> [UInt8] {
            (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        func wide(_ numbers: [Double]) -> [UInt8] { numbers.flatMap { little($0.bitPattern) } }
        #expect(try stored([0, 1, 127], 8, format: 2) == [0, 1, 127])
        #expect(try stored([0, 0, 1, 0, 0xFF, 0x7F], 16, format: 2) == [0, 1, 32767])
        #expect(try stored([Int32(0), 1, 300].flatMap(little), 32, format: 2) == [0, 1, 300])
        #expect(try stored([Float(0), 1, 300].flatMap { little($0.bitPattern) }, 32, format: 3) == [0, 1, 300])
        #expect(try stored(wide([0, 1, 65535]), 64, format: 3) == [0, 1, 65535])
        for (bytes, bits, format) in [
            ([0, 1, 255], 8, 2), ([0, 0, 1, 0, 0xFF, 0xFF], 16, 2), (wide([0, 0.4, 0]), 64, 3),
            (wide([0, 0.7, 0]), 64, 3), (wide([0, -1, 1]), 64, 3), (wide([0, .nan, 1]), 64, 3),
            (wide([0, 65536, 1]), 64, 3),
        ] as [([UInt8], Int, Int)] {
            #expect { try stored(bytes, bits, format: format) } throws: {
                ($0 as? ImageFilesFailure)?.code == "PIX-BITS"
            }
        }
    }

    @Test("files that are looked at together hold one value as one number")
    func series() throws {
        let files = [wide([0, 1.5], format: 3), wide([100, 1.5], format: 3)]
        var survey = SampleSurvey()
        for file in files {
            try opened(file) { survey.add(try $0.survey(try $0.contents().pictures[0].planes[0])) }
        }
        let (first, second) = (try meant(files[0], survey)[1], try meant(files[1], survey)[1])
        #expect(first == second && abs((first ?? 0) - 1.5) < 0.01)
    }

    @Test("colours of 10, 12 and 16 used bits are shown by those", arguments: [10, 12, 16])
    func significantBits(_ bits: Int) throws {
        var page = RawTIFF.Page(rows: 1, columns: 2)
        (page.samples, page.bits, page.photometric) = (3, 16, 2)
        let top = (1 << bits) - 1
        page.data = [top, top / 2, 0, 0, 0, top].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let shown = try opened(RawTIFF([page])) { file in
            let picture = try file.contents().pictures[0]
            return try file.page(picture.planes[0], of: picture, survey: try file.survey(picture.planes[0]))
        }
        #expect(shown.bits == bits && shown.values8 == [255, 127, 0, 0, 0, 255])
        #expect(shown.findings.contains { $0.kind == .depth } == (bits < 16))
    }

    @Test("what may be shown in two ways is refused")
    func ambiguous() {
        var white = RawTIFF.Page(rows: 1, columns: 2, data: [1, 0, 2, 0])
        (white.bits, white.format, white.photometric) = (16, 2, 0)
        var colours = RawTIFF.Page(rows: 1, columns: 1)
        (colours.samples, colours.bits, colours.format, colours.photometric) = (3, 32, 3, 2)
        colours.data = [Float(300), 0, 1].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
        }
        for page in [white, colours] {
            #expect { try firsts(RawTIFF([page])) } throws: {
                ["PIX-PHOTOMETRIC", "PIX-CODEC", "PIX-BITS"].contains(($0 as? ImageFilesFailure)?.code)
            }
        }
    }

    @Test("docs/tiff-support.md holds the table that the decoder's own rules give")
    func supportPage() throws {
        let page = try String(contentsOfFile: "docs/tiff-support.md", encoding: .utf8)
        #expect(page.contains("<!-- table -->\n\n\(TIFFFormTable.table)\n\n<!-- end -->"), "\(TIFFFormTable.table)")
    }

    // MARK: Slides

    @Test("labels, macros, thumbnails and smaller copies of a slide are no pictures of their own")
    func slides() throws {
        func tiled(_ rows: Int, _ columns: Int, _ description: String?) -> RawTIFF.Page {
            var page = RawTIFF.Page(rows: rows, columns: columns)
            page.tile = (16, 16)
            page.tiles = (0..<((rows + 15) / 16) * ((columns + 15) / 16)).map { _ in [UInt8](repeating: 7, count: 256) }
            page.description = description
            return page
        }
        func strip(_ description: String, subfile: Int = 0) -> RawTIFF.Page {
            var page = page(1, description: description)
            page.subfile = subfile
            return page
        }
        let slides: [([RawTIFF.Page], [TIFFContents.Role])] = [
            (
                [
                    tiled(64, 96, "Aperio Image Library\n96x64 |MPP = 0.5"), strip("Aperio Image Library\n96x64"),
                    tiled(32, 48, "Aperio Image Library\n96x64"), strip("Aperio\nlabel 5x3", subfile: 1),
                    strip("Aperio\nmacro 5x3", subfile: 9),
                ], [.picture, .thumbnail, .smaller, .label, .macro]
            ),
            (
                [
                    strip("Label_Image"), strip("Probability_Image"), tiled(64, 96, "level=0 mag=40 quality=90"),
                    tiled(32, 48, "level=1 mag=20 quality=90"),
                ], [.label, .mask, .picture, .smaller]
            ),
            ([tiled(64, 96, nil), tiled(32, 48, nil), tiled(16, 24, nil)], [.picture, .smaller, .smaller]),
            // Far smaller pages in strips beside a pyramid in tiles are a label and an overview, whoever wrote them.
            (
                [tiled(64, 96, nil), tiled(32, 48, nil), page(1), page(1)], [.picture, .smaller, .macro, .macro]
            ),
            // Two pictures of two shapes are two pictures.
            ([tiled(64, 96, nil), tiled(32, 32, nil)], [.picture, .picture]),
        ]
        for (pages, roles) in slides {
            let contents = try opened(RawTIFF(pages)) { try $0.contents() }
            #expect(contents.roles == roles)
            #expect(contents.findings.contains { $0.kind == .pages } == roles.contains { $0 != .picture })
            #expect(contents.pictures.count == roles.count { $0 == .picture })
        }
    }
}
