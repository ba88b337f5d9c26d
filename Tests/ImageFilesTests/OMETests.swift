import Foundation
import ImageFiles
import Imaging
import Mutations
import Testing

/// The descriptions that Bio-Formats and microscopes write.
@Suite("OME-TIFF")
struct OMETests {
    @Test("samples that use more bits than the description says (SignificantBits) ask for a person")
    func significantBits() throws {
        func warnings(_ value: Int, _ bits: String) throws -> [String] {
            let text = ome(c: 1, z: 1, more: bits.isEmpty ? "" : "SignificantBits=\"\(bits)\"")
            return try opened(RawTIFF([page(value, description: text)])) { file in
                let picture = try #require(try file.contents().pictures.first)
                return try file.page(picture.planes[0], of: picture, survey: SampleSurvey()).findings
                    .filter { $0.isWarning && $0.kind == .picture }.map(\.text)
            }
        }
        for (value, bits) in [(15, "4"), (255, "8"), (255, ""), (255, "x"), (255, "0")] {
            #expect(try warnings(value, bits).isEmpty)
        }
        #expect(try warnings(16, "4").first?.contains("SignificantBits") == true)
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

    @Test("pages whose samples are of another type than the OME description says are refused")
    func omeType() throws {
        let one = ome(c: 1, z: 1)
        let types = [("uint8", true), ("bit", true), ("uint16", true), ("int8", false), ("float", false)]
        for (type, isRead) in types {
            let file = RawTIFF([page(7, description: one.replacing("uint8", with: type))])
            guard isRead else {
                #expect { try firsts(file) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
                continue
            }
            #expect(try firsts(file) == [[7]])
        }
        var wide = RawTIFF.Page(rows: 3, columns: 5, data: [UInt8](repeating: 1, count: 30))
        (wide.bits, wide.description) = (16, one)
        #expect { try firsts(RawTIFF([wide])) } throws: { ($0 as? ImageFilesFailure)?.code == "RAS-AXES" }
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
}
