import ImageFiles
import Imaging
import Mutations
import Testing

/// What programs write into TIFFs means what it meant to them.
@Suite("TIFF conventions")
struct ConventionTests {
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

    @Test("an ImageJ description that its pages contradict is refused", arguments: [11, 13, 6])
    func contradiction(count: Int) {
        let pages = (0..<count).map { page($0, description: $0 == 0 ? Self.hyperstack : nil) }
        #expect { try firsts(RawTIFF(pages)) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
    }

    @Test("a MetaMorph stack is as many pictures as it says")
    func metaMorph() throws {
        var page = page(0)
        page.data = (0..<3).flatMap { [UInt8](repeating: UInt8($0), count: 15) }
        page.raw = [(33_628, 5, [UInt8](repeating: 0, count: 16)), (33_629, 5, [UInt8](repeating: 0, count: 24))]
        #expect(try firsts(RawTIFF([page])) == [[0, 1, 2]])
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
