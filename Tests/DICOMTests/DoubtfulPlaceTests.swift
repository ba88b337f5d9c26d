import DICOM
import Imaging
import Testing

/// Places that can be read and may be wrong: off a grid, out of an order, on another side or in another unit.
@Suite("doubtful places")
struct DoubtfulPlaceTests {
    @Test(
        "a slice off the even steps of all others asks a person; stacks that begin anew and thicker slices do not",
        arguments: [
            ([0.0, 3, 6, 10.3, 12, 15], 3, true), ([0, 3, 6, 9, 12, 16.2], 3, true),
            ([0, 4.2, 7.2, 10.2, 13.2], 3, true),
            ([0, 3, 6, 9, 13.2, 16.2], 3, false), ([0, 3, 6, 10.2], 3, false), ([0, 3, 6, 9.5, 12, 15.4], 3, false),
            ([0, 3, 6, 9, 12, 16.2], 6, false),
        ] as [([Double], Double, Bool)])
    func offGrid(_ places: [Double], _ lastThickness: Double, _ isTold: Bool) throws {
        let images = stack(places) { index, image in
            let thickness = index == places.count - 1 ? lastThickness : 3
            image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: "\(thickness)") }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == ["VOL-UNEVEN"] + (isTold ? ["VOL-PLACE"] : []))
    }

    @Test(
        "slices that lie at other distances by their positions than by all else ask a person; a tilt and Slice Location alone do not",
        arguments: [
            (3, 10, 10, nil, true), (3, -10, 10, nil, true), (3, 10, 3, "10", true), (10, 3, 3, nil, true),
            (3, 10, 3, nil, false), (3, 3, 10, nil, false), (3, 10, 10, "3", false), (4.5, 5, 5, nil, false),
            (3, 0, 3, nil, false),
        ] as [(Double, Double, Double, String?, Bool)])
    func locations(_ gap: Double, _ step: Double, _ thickness: Double, _ between: String?, _ isTold: Bool) throws {
        func warnings(_ type: String) throws -> Int {
            let images = stack((0..<6).map { Double($0) * gap }) { index, image in
                image.imageType = type
                image.beforePlace = { file in
                    file.add(0x0018, 0x0050, "DS", text: "\(thickness)")
                    if let between { file.add(0x0018, 0x0088, "DS", text: between) }
                }
                image.afterPlace = { $0.add(0x0020, 0x1041, "DS", text: "\(Double(index) * step - 7)") }
            }
            let volume = try #require(try volumes(images).volumes.first)
            return volume.findings.count { $0.code == "VOL-PLACE" && $0.severity == .warning }
        }
        #expect(try warnings("ORIGINAL\\PRIMARY\\AXIAL") == (isTold ? 1 : 0))
        #expect(try warnings("DERIVED\\SECONDARY\\AXIAL") == 0)
    }

    @Test(
        "two slices that have each other's place ask a person; slices acquired by turns, again or backwards do not",
        arguments: [
            ([1, 2, 5, 4, 3, 6], true), ([6, 5, 3, 4, 2, 1], true), ([1, 2, 3, 8, 5, 6, 7, 4], true),
            ([1, 2, 3, 4, 5, 6], false), ([6, 5, 4, 3, 2, 1], false), ([1, 4, 2, 5, 3, 6], false),
            ([4, 1, 5, 2, 6, 3], false), ([1, 2, 7, 3, 4, 5, 6], false), ([1, 1, 1, 1, 1, 1], false),
            ([1, 3, 2, 4], false), ([1, 2, 4, 5, 9, 12], false),
        ] as [([Int], Bool)])
    func exchanged(_ numbers: [Int], _ isTold: Bool) throws {
        let images = numbers.enumerated().map { index, number in
            slice(at: Double(index) * 3, number: number) { $0.instance = "1.2.3.\(index + 1)" }
        }
        for order in [images, images.reversed()] {
            let volume = try #require(try volumes(order).volumes.first)
            #expect(volume.findings.map(\.code) == (isTold ? ["VOL-PLACE"] : []))
            #expect(volume.findings.allSatisfy { $0.severity == .warning })
        }
    }

    /// Slices that lie in this order of their numbers, each of one grey value: that of its number, or of its place.
    private static func graded(_ numbers: [Int], byNumber: Bool) -> [TestImage] {
        numbers.enumerated().map { index, number in
            slice(at: Double(index) * 3, number: number) { image in
                let value = UInt16(100 * (byNumber ? number : index))
                image.instance = "1.2.3.\(index + 1)"
                image.pixels = (0..<64).flatMap { _ in TestFile.little(value) }
            }
        }
    }

    @Test(
        "a few slices out of the order of their numbers ask a person where the pictures follow the numbers",
        arguments: [
            // Three by turns, four backwards, two pairs, all moved on by one.
            ([1, 2, 3, 5, 6, 4, 7, 8, 9, 10], true, true), ([1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11, 12], true, true),
            ([12, 11, 9, 10, 8, 7, 5, 6, 4, 3, 2, 1], true, true), ([2, 3, 4, 5, 6, 7, 8, 1], true, true),
            // Acquired again, and where their pictures say so too.
            ([1, 2, 3, 5, 6, 4, 7, 8, 9, 10], false, false), ([1, 2, 7, 3, 4, 5, 6], false, false),
            ([2, 3, 4, 5, 6, 7, 8, 1], false, false),
            // All by chance.
            ([4, 9, 1, 7, 3, 10, 6, 2, 8, 5], true, true), ([4, 9, 1, 7, 3, 10, 6, 2, 8, 5], false, false),
            // Acquired by turns, and too few to tell.
            ([1, 5, 2, 6, 3, 7, 4, 8], true, false), ([2, 3, 1], true, false),
        ])
    func displaced(_ numbers: [Int], _ byNumber: Bool, _ isTold: Bool) throws {
        let images = Self.graded(numbers, byNumber: byNumber)
        for order in [images, images.reversed()] {
            let volume = try #require(try volumes(order).volumes.first)
            #expect(volume.findings.map(\.code) == (isTold ? ["VOL-PLACE"] : []))
            #expect(volume.findings.allSatisfy { $0.severity == .warning })
        }
    }

    @Test(
        "Patient Orientation that names other sides than the directions do asks a person",
        arguments: [
            ("L\\P", "1\\0\\0\\0\\1\\0", false), ("R\\P", "1\\0\\0\\0\\1\\0", true),
            ("L\\F", "1\\0\\0\\0\\1\\0", true), ("LA\\FP", "0.8\\-0.6\\0\\0\\0\\-1", false),
            ("A\\F", "0.8\\-0.6\\0\\0\\0\\-1", false), ("P\\F", "0.8\\-0.6\\0\\0\\0\\-1", true),
            ("", "1\\0\\0\\0\\1\\0", false), ("LEFT\\PX", "1\\0\\0\\0\\1\\0", false),
        ])
    func sides(_ stated: String, _ orientation: String, _ isTold: Bool) throws {
        let images = stack([0, 3, 6]) { index, image in
            image.orientation = orientation
            if orientation.hasSuffix("-1") { image.position = "\(-1.8 * Double(index))\\\(-2.4 * Double(index))\\0" }
            image.beforePosition = { $0.add(0x0020, 0x0020, "CS", text: stated) }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.frames.count == 3)
        #expect(volume.findings.contains { $0.code == "VOL-PLACE" && $0.severity == .warning } == isTold)
    }

    @Test(
        "slices ten times as thick as they lie apart have their places in cm; overlapping, slabs and reformatted ones have not",
        arguments: [
            (0.5, 5, 12, "ORIGINAL\\PRIMARY\\AXIAL", true), (0.5, 2.5, 12, "ORIGINAL\\PRIMARY\\AXIAL", false),
            (0.5, 8, 12, "ORIGINAL\\PRIMARY\\AXIAL", false), (1, 10, 10, "ORIGINAL\\PRIMARY\\M", false),
            (1, 10, 12, "DERIVED\\SECONDARY\\AXIAL", false), (5, 5, 12, "ORIGINAL\\PRIMARY\\AXIAL", false),
        ] as [(Double, Double, Int, String, Bool)])
    func centimetres(_ gap: Double, _ thickness: Double, _ count: Int, _ type: String, _ isTold: Bool) throws {
        let images = stack((0..<count).map { Double($0) * gap }) { _, image in
            image.imageType = type
            image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: "\(thickness)") }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-PLACE"] : []))
        #expect(volume.findings.allSatisfy { $0.severity == .warning })
    }

    @Test(
        "slices that lie in another unit than mm ask a person",
        arguments: [(0.003, true), (0.04, false), (3, false), (50, false), (60, true)])
    func otherUnits(_ gap: Double, _ isTold: Bool) throws {
        for type in ["ORIGINAL\\PRIMARY\\AXIAL", "DERIVED\\SECONDARY\\AXIAL"] {
            let images = stack((0..<6).map { Double($0) * gap }) { $1.imageType = type }
            let volume = try #require(try volumes(images).volumes.first)
            #expect(volume.frames.count == 6)
            #expect(volume.findings.map(\.code) == (isTold && type.hasPrefix("ORIGINAL") ? ["VOL-PLACE"] : []))
        }
    }

    @Test(
        "stacks that do not lie behind each other ask a person; tilted ones and positions that wander do not",
        arguments: [
            ([0.0, 0, 0, 0, 40, 40, 40, 40], true), ([0, 0, 0, 0, 0, 40, 40, 40], true),
            ([0, 1, 2, 3, 44, 45, 46, 47], true), ([0, 1, 2, 3, 4, 5, 6, 7], false),
            ([0, 1, 0, 1, 0, 1, 0, 1], false),
        ])
    func besideEachOther(_ offsets: [Double], _ isTold: Bool) throws {
        let images = offsets.enumerated().map { slice(at: Double($0) * 3, number: $0 + 1, y: $1) }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.frames.count == 8)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-PLACE", "VOL-TILT"] : ["VOL-TILT"]))
    }

    @Test("slices side by side whose directions wander are no volume and ask a person; slabs that turn do not")
    func wandering() throws {
        func severities(degrees: Double) throws -> [[Finding.Severity]] {
            // Sine and cosine of a small turn from slice to slice.
            let turns = [0.0, 1, 2, 3].map { $0 * degrees * 0.017453 }
            let images = turns.enumerated().map { index, turn in
                slice(at: Double(index) * 3, number: index + 1) {
                    let (sine, cosine) = (turn - turn * turn * turn / 6, 1 - turn * turn / 2)
                    $0.orientation = "1\\0\\0\\0\\\(cosine)\\\(sine)"
                }
            }
            let result = try volumes(images)
            #expect(result.volumes.map(\.frames.count) == [1, 1, 1, 1])
            return result.volumes.map { $0.findings.filter { $0.code == "VOL-PLACE" }.map(\.severity) }
        }
        #expect(try severities(degrees: 0.2) == [[.warning], [.warning], [.warning], [.warning]])
        #expect(try severities(degrees: 10) == [[], [], [], []])
    }
}
