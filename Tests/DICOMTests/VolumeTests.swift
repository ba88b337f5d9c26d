import DICOM
import Imaging
import Testing

@Suite("volumes")
struct VolumeTests {
    @Test("slices are ordered by position, never by instance number")
    func order() throws {
        let result = try volumes([slice(at: 6, number: 1), slice(at: 0, number: 2), slice(at: 3, number: 3)])
        let volume = try #require(result.volumes.first)
        #expect(result.volumes.count == 1)
        #expect(volume.kind == .spatial)
        #expect(volume.frames.map { $0.instance.sopInstanceUID } == ["1.2.3.2", "1.2.3.3", "1.2.3.1"])
        #expect(volume.sliceSpacing == 3)
        #expect(volume.sliceWeights == [3, 3, 3])
        #expect(volume.findings.isEmpty)
        #expect(volume.pixelSpacing == PixelSpacing(row: 0.5, column: 0.5))
        #expect(volume.frames[0].imagePositionPatient == ["0", "0.0", "0.0"])
    }

    @Test("order and digest do not depend on the order of the files")
    func stability() throws {
        let images = [slice(at: 6, number: 1), slice(at: 0, number: 2), slice(at: 3, number: 3)]
        let one = try volumes(images).volumes.map(\.digest)
        #expect(one == (try volumes(images.reversed()).volumes.map(\.digest)))
        #expect(one != (try volumes(Array(images.dropLast())).volumes.map(\.digest)))
    }

    private static let differences: [@Sendable (inout TestImage) -> Void] = [
        { $0.orientation = "0\\1\\0\\0\\0\\-1" }, { $0.spacing = "0.6\\0.5" }, { $0.frameOfReference = "1.2.5" },
        { $0.rows = 9 }, { $0.imageType = "DERIVED\\PRIMARY\\AXIAL" },
    ]

    @Test(
        "orientation, spacing, Frame of Reference, size and image type split a series", arguments: differences.indices)
    func hardSplit(_ difference: Int) throws {
        let change = Self.differences[difference]
        let result = try volumes([
            slice(at: 0, number: 1), slice(at: 3, number: 2), slice(at: 30, number: 3, change),
        ])
        #expect(result.volumes.map(\.frames.count) == [2, 1])
        #expect(result.volumes.map(\.part) == [1, 2])
        #expect(result.volumes.allSatisfy { $0.partCount == 2 })
    }

    @Test("slices that lie somewhere and do not say how large their pixels are ask a person", arguments: ["", "0\\0"])
    func noSpacing(_ spacing: String) throws {
        let volume = try #require(
            try volumes((0..<3).map { slice(at: Double($0) * 3, number: $0 + 1) { $0.spacing = spacing } }).volumes
                .first)
        #expect(volume.kind == .spatial && volume.pixelSpacing == nil)
        #expect(volume.findings.map(\.code) == ["VOL-PLACE"] && volume.findings[0].severity == .warning)
    }

    @Test("images without a place or with impossible directions are volumes of their own, and each says so")
    func frames() throws {
        let images = [
            slice(at: 0, number: 2) { $0.position = nil },
            slice(at: 0, number: 3) { $0.orientation = "1\\0\\0\\1\\0\\0" },
        ]
        let result = try volumes(images)
        #expect(result.volumes.map(\.kind) == [.frames, .frames])
        #expect(result.volumes.map(\.sliceWeights) == [[], []])
        #expect(result.volumes.allSatisfy { $0.findings.contains { $0.code == "VOL-PLACE" } })
    }

    @Test("slices with positions are a volume without a Frame of Reference too")
    func noReference() throws {
        let images = (0..<3).map { slice(at: Double($0) * 3, number: $0 + 1) { $0.frameOfReference = nil } }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [3])
        #expect(result.volumes.first?.sliceSpacing == 3)
        #expect(result.volumes.first?.findings.map(\.code) == ["VOL-REFERENCE"])
    }

    @Test("an image too small or too narrow is refused")
    func shape() throws {
        for (rows, columns) in [(4, 8), (8, 400)] {
            let image = slice(at: 0, number: 1) {
                $0.rows = UInt16(rows)
                $0.columns = UInt16(columns)
            }
            #expect(try volumes([image]).leftOut.map(\.failure.code) == ["GEO-SHAPE"])
        }
    }
}
