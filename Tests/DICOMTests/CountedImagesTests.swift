import DICOM
import Imaging
import Testing

/// Slices that are lost at an end, by what the others say of their number.
@Suite("how many images there are")
struct CountedImagesTests {
    private static let positron = "1.2.840.10008.5.1.4.1.1.128"

    @Test(
        "images that say how many they are ask a person where there are fewer, of originals",
        arguments: [
            // Number of Slices, of all times together too.
            (positron, "ORIGINAL\\PRIMARY", [("slices", 6)], "VOL-GAP"),
            (positron, "ORIGINAL\\PRIMARY", [("slices", 5)], nil),
            (positron, "ORIGINAL\\PRIMARY", [("slices", 3)], nil),
            (positron, "DERIVED\\PRIMARY", [("slices", 6)], nil),
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", [("slices", 6)], nil),
            // Images in Acquisition, Number of Series Related Instances.
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", [("acquisition", 7)], "VOL-GAP"),
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", [("acquisition", 5)], nil),
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", [("acquisition", 2)], nil),
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", [("acquisition", 0)], nil),
            ("1.2.840.10008.5.1.4.1.1.2", "DERIVED\\SECONDARY\\AXIAL", [("acquisition", 7)], nil),
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\SECONDARY\\AXIAL", [("acquisition", 7)], nil),
            (positron, "ORIGINAL\\SECONDARY", [("slices", 6)], nil),
            ("1.2.840.10008.5.1.4.1.1.2", "DERIVED\\SECONDARY\\AXIAL", [("series", 7)], "VOL-GAP"),
            ("1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL", [("series", 4)], nil),
        ] as [(String, String, [(String, Int)], String?)])
    func counted(_ sopClass: String, _ type: String, _ told: [(String, Int)], _ code: String?) throws {
        let images = (0..<5).map { index in Self.told(told, sopClass, type, at: index) }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == [code].compactMap { $0 })
        #expect(volume.findings.allSatisfy { $0.severity == .warning })
        #expect(volume.sliceWeights == [3, 3, 3, 3, 3])
    }

    /// A slice that says how many there are.
    private static func told(
        _ counts: [(what: String, count: Int)], _ sopClass: String, _ type: String, at index: Int, number: Int? = nil,
        series: String = "1.2.3"
    ) -> TestImage {
        var image = slice(at: Double(index) * 3, number: number ?? index + 1)
        (image.sopClass, image.imageType) = (sopClass, type)
        (image.instance, image.series) = ("\(series).\(number ?? index + 1)", series)
        image.modality = sopClass == positron ? "PT" : "CT"
        let counts = Dictionary(uniqueKeysWithValues: counts.map { ($0.what, $0.count) })
        image.afterPlace = { file in
            let elements: [(what: String, element: UInt16)] = [
                ("time", 0x0100), ("times", 0x0105), ("acquisition", 0x1002), ("series", 0x1209),
            ]
            for (what, element) in elements {
                if let count = counts[what] { file.add(0x0020, element, "IS", text: "\(count)") }
            }
        }
        image.more = { file in
            if let count = counts["slices"] { file.add(0x0054, 0x0081, us: UInt16(count)) }
        }
        return image
    }

    @Test("other series of the study that tell the same number explain it, and a copy that tells another is a copy")
    func countedElsewhere() throws {
        let ct = TestImage().sopClass
        func findings(_ others: Int) throws -> [[String]] {
            let images =
                (0..<5).map { Self.told([("acquisition", 8)], ct, "ORIGINAL\\PRIMARY\\AXIAL", at: $0) }
                + (0..<others).map {
                    Self.told([("acquisition", 8)], ct, "ORIGINAL\\PRIMARY\\AXIAL", at: $0, series: "1.2.9")
                }
            return try volumes(images).volumes.map { $0.findings.map(\.code) }
        }
        #expect(try findings(2) == [["VOL-GAP"], ["VOL-GAP"]])
        #expect(try findings(3) == [[], []])
        let copies = [5, 6].flatMap { count in
            (0..<5).map { Self.told([("series", count)], ct, "ORIGINAL\\PRIMARY\\AXIAL", at: $0) }
        }
        let result = try volumes(copies)
        #expect(result.leftOut.isEmpty && result.volumes.map(\.frames.count) == [5])
    }

    @Test(
        "time points that are missing ask a person where each image says which of how many it is of",
        arguments: [(4, true), (3, false), (2, false), (0, false)])
    func countedTimes(_ count: Int, _ isTold: Bool) throws {
        let images = (0..<3).flatMap { time in
            (0..<4).map { index in
                Self.told(
                    [("time", time + 1), ("times", count)], TestImage().sopClass, "ORIGINAL\\PRIMARY\\AXIAL", at: index,
                    number: 4 * time + index + 1)
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [4, 4, 4])
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == (isTold ? ["VOL-PARTS"] : []) })
    }
}
