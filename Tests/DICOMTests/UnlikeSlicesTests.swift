import DICOM
import Failures
import Imaging
import Testing

/// One slice unlike its neighbours: a volume without it, or with it read wrongly, would look whole.
@Suite("one slice unlike its neighbours")
struct UnlikeSlicesTests {
    /// Six slices 3 mm apart of which one is changed.
    private static func series(odd: Int = 5, _ change: (inout TestImage) -> Void) throws -> VolumeBuilder.Result {
        let images = (0..<6).map { index in
            var image = slice(index + 1)
            if index == odd { change(&image) }
            return image
        }
        return try volumes(images)
    }

    @Test(
        "two series of one number that would be one evenly spaced volume ask a person",
        arguments: [
            ([0, 0, 0, 1, 1, 1], "7", "7", 0.0, true), ([0, 1, 0, 1, 0, 1], "7", "7", 0, true),
            ([0, 0, 0, 0, 0, 1], "7", "7", 0, true), ([0, 0, 0, 1, 1, 1], "7", "8", 0, false),
            ([0, 0, 0, 1, 1, 1], "", "", 0, false), ([0, 0, 0, 1, 1, 1], "70", "70", 0, false),
            ([0, 0, 0, 1, 1, 1], "7", "7", 6, false),
        ] as [([Int], String, String, Double, Bool)])
    func torn(_ series: [Int], _ one: String, _ other: String, _ shift: Double, _ isTold: Bool) throws {
        let images = stack(series.indices.map { Double($0) * 3 + Double(series[$0]) * shift }) { index, image in
            image.series = "1.2.\(3 + series[index])"
            let number = series[index] == 0 ? one : other
            // Numbers of more than one digit are those of series of other descriptions.
            image.beforePlace = { file in
                file.add(0x0008, 0x103E, "LO", text: number.count > 1 ? "\(series[index])" : "axial")
                file.add(0x0020, 0x0011, "IS", text: number)
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.count == 2)
        for volume in result.volumes {
            #expect(volume.findings.contains { $0.code == "VOL-PARTS" && $0.severity == .warning } == isTold)
        }
    }

    private static let changes: [(String, @Sendable (inout TestImage) -> Void)] = [
        ("Pixel Spacing", { $0.spacing = "0.7\\0.7" }), ("Pixel Spacing", { $0.spacing = "2\\2" }),
        ("Rows or Columns", { $0.rows = 10 }),
        ("Image Orientation (Patient)", { $0.orientation = "0.99939\\0.0349\\0\\-0.0349\\0.99939\\0" }),
        ("Image Orientation (Patient)", { $0.orientation = "0.866\\0\\0.5\\0\\1\\0" }),
        // Turned about its first pixel, so that its middle lies elsewhere.
        ("Image Orientation (Patient)", { $0.orientation = "-1\\0\\0\\0\\-1\\0" }),
        ("SOP Class", { $0.sopClass = "1.2.840.10008.5.1.4.1.1.7" }),
        ("Image Type", { $0.imageType = "DERIVED\\SECONDARY\\AXIAL" }),
        ("Frame of Reference UID", { $0.frameOfReference = nil }),
        ("Frame of Reference UID", { $0.frameOfReference = "1.2.5" }),
    ]

    @Test(
        "a slice at the end or in the middle of a volume that differs from it is refused with it, and the attribute is named",
        arguments: changes.indices, [0, 2, 5])
    func differs(_ change: Int, _ odd: Int) throws {
        let result = try Self.series(odd: odd, Self.changes[change].1)
        #expect(result.volumes.isEmpty)
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "VOL-UNLIKE", count: 6))
        #expect(result.leftOut.allSatisfy { $0.failure.message.explanation.contains(Self.changes[change].0) })
    }

    @Test(
        "one slice beside the line of the others is at a wrong place; a tilt, a stack moved against another one and a table that wanders are not",
        arguments: [
            ([0, 0, 0, 30, 0, 0], false), ([0, 0, 0, 0, 0, 30], false), ([30, 0, 0, 0, 0, 0], false),
            ([0, 1, 2, 30, 4, 5], false), ([0, 0, 0, 1.2, 0, 0], true), ([0, 1, 2, 3, 4, 5], true),
            ([0, 0, 0, 30, 30, 30], true), ([0, 5, -4, 6, -7, 3], true),
        ])
    func beside(_ offsets: [Double], _ isKept: Bool) throws {
        let images = offsets.enumerated().map { index, offset in
            var image = slice(index + 1)
            image.position = "\(offset)\\0\\\(3 * index)"
            return image
        }
        let result = try volumes(images)
        #expect((result.volumes.count == 1) == isKept)
        #expect(result.leftOut.map(\.failure.code) == (isKept ? [] : [String](repeating: "VOL-PLACE", count: 6)))
    }

    @Test("the slice that is unlike is named by its Instance Number, in three slices as in six, out of line as in it")
    func named() throws {
        let images = (1...3).map { number in
            var image = slice(number)
            if number == 3 { (image.spacing, image.position) = ("0.7\\0.7", "0\\0\\9.6") }
            return image
        }
        let result = try volumes(images)
        #expect(
            result.volumes.isEmpty && result.leftOut.map(\.failure.code) == ["VOL-UNLIKE", "VOL-UNLIKE", "VOL-UNLIKE"])
        #expect(
            result.leftOut.allSatisfy { $0.failure.message.explanation.contains("1 of 3 images (Instance Number 3)") })
        let unplaced = try Self.series(odd: 3) { $0.position = nil }
        #expect(unplaced.leftOut.allSatisfy { $0.failure.message.explanation.contains("(Instance Number 4)") })
    }

    @Test(
        "a slice that says it is a localizer is refused with its volume where it lies in line, and skipped elsewhere",
        arguments: [
            ("LOCALIZER", "0\\0\\18", "VOL-UNLIKE"), ("PROJECTION IMAGE", "0\\0\\18", "VOL-UNLIKE"),
            ("LOCALIZER", "0\\0\\60", "IN-LOCALIZER"),
        ])
    func planning(_ type: String, _ position: String, _ code: String) throws {
        let images = try (1...6).map { number in
            var image = slice(number)
            if number == 6 { (image.imageType, image.position) = ("ORIGINAL\\PRIMARY\\\(type)", position) }
            return try SourceInstance(try image.file(), keepsPlanning: true)
        }
        let result = VolumeBuilder.volumes(of: images)
        let isRefused = code == "VOL-UNLIKE"
        #expect(result.volumes.map(\.frames.count) == (isRefused ? [] : [5]))
        #expect(
            result.leftOut.map(\.failure.code)
                == (isRefused ? [String](repeating: code, count: 5) + ["IN-LOCALIZER"] : [code]))
    }

    @Test(
        "reformatted slices that continue the originals are not passed over: a few are refused, many are a volume of their own",
        arguments: [(11, "VOL-UNLIKE"), (8, "VOL-PARTS")])
    func reformattedBeside(_ first: Int, _ code: String) throws {
        let images = (1...12).map { number in
            var image = slice(number)
            if number > first { image.imageType = "DERIVED\\SECONDARY\\MPR" }
            return image
        }
        let result = try volumes(images)
        let isRefused = code == "VOL-UNLIKE"
        #expect(result.volumes.map(\.frames.count).sorted() == (isRefused ? [] : [4, 8]))
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == [code] })
        #expect(result.leftOut.map(\.failure.code) == (isRefused ? [String](repeating: code, count: 12) : []))
    }

    @Test(
        "a projection is no slice among others, and projections alone are no body, whatever else Image Type says",
        arguments: ["MIP", "MAX_IP", "MIN_IP", "MINIP", "MNIP"])
    func projections(_ term: String) throws {
        func result(_ isProjection: (Int) -> Bool) throws -> VolumeBuilder.Result {
            try volumes(
                (1...12).map { number in
                    var image = slice(number)
                    if isProjection(number) { image.imageType += "\\\(term)" }
                    return image
                })
        }
        #expect(try result { $0 == 5 }.leftOut.map(\.failure.code) == [String](repeating: "VOL-UNLIKE", count: 12))
        let all = try result { _ in true }
        #expect(all.volumes.map(\.frames.count) == [12])
        #expect(all.volumes[0].findings.map(\.code) == ["VOL-SCALE"])
        #expect(all.volumes[0].findings.map(\.severity) == [.warning])
        #expect(try result { _ in false }.volumes.map(\.findings.count) == [0])
    }

    @Test(
        "reformatted images that repeat the originals, half-way between them or half a slice beyond the last, are left out",
        arguments: [0.0, 1.5])
    func reformattedOverOriginals(_ shift: Double) throws {
        let images = (1...12).map { number in
            var image = slice(number)
            if number > 6 {
                (image.imageType, image.position) = (
                    "DERIVED\\SECONDARY\\MPR", "0\\0\\\(Double(3 * (number - 6)) + shift)"
                )
            }
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [6])
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "IN-LOCALIZER", count: 6))
    }

    @Test("two kinds of slices that take turns are two volumes, and say so")
    func interleaved() throws {
        let images = (1...12).map { number in
            var image = slice(number)
            if number % 2 == 0 { image.imageType = "DERIVED\\SECONDARY\\AXIAL" }
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.sliceSpacing) == [6, 6])
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == ["VOL-PARTS"] })
        #expect(result.volumes.allSatisfy { $0.findings.map(\.severity) == [.warning] })
    }

    @Test(
        "two volumes that would be one but for an attribute ask a person; those behind a gap or farther apart do not",
        arguments: [(3.0, 0.0, Finding.Severity.warning), (3.0, 1.0, .note), (3.2, 0.0, .note)])
    func wouldBeOne(_ step: Double, _ gap: Double, _ severity: Finding.Severity) throws {
        let images = (0..<12).map { index in
            var image = slice(index + 1)
            let place = index < 6 ? Double(index) * 3 : 18 + gap + Double(index - 6) * step
            (image.position, image.frameOfReference) = ("0\\0\\\(place)", index < 6 ? "1.2.4" : "1.2.5")
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [6, 6])
        #expect(result.volumes.allSatisfy { $0.findings.map(\.severity) == [severity] })
    }

    @Test("a picture that lies elsewhere, or in another direction, is a volume of its own")
    func elsewhere() throws {
        let away = try Self.series { ($0.position, $0.spacing) = ("0\\0\\60", "0.7\\0.7") }
        #expect(away.volumes.map(\.frames.count).sorted() == [1, 5])
        let across = try Self.series { ($0.position, $0.orientation) = ("2\\-2\\10", "0\\1\\0\\0\\0\\-1") }
        #expect(across.volumes.map(\.frames.count).sorted() == [1, 5])
    }

    @Test("two volumes that adjoin with different pixels are both made, and say so")
    func adjoining() throws {
        let images = (0..<12).map { index in
            var image = slice(index + 1)
            image.spacing = index < 6 ? "0.5\\0.5" : "0.6\\0.6"
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [6, 6])
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == ["VOL-PARTS"] })
    }

    @Test("a slice without a position among placed ones is refused with them", arguments: [0, 2, 5])
    func unplaced(_ odd: Int) throws {
        let result = try Self.series(odd: odd) { $0.position = nil }
        #expect(result.volumes.isEmpty && result.leftOut.allSatisfy { $0.failure.code == "VOL-PLACE" })
    }

    @Test("a modality of its own is refused")
    func modality() throws {
        let result = try Self.series { $0.modality = "MR" }
        #expect(result.volumes.isEmpty && result.leftOut.allSatisfy { $0.failure.code == "GRP-IDENTITY" })
    }

    /// Four slices of 12 bits in 16 of which one is a picture of 8 bits.
    private static func depths(slope: String, intercept: String, wide: UInt16 = 12) throws -> VolumeBuilder.Result {
        try volumes(
            (0..<4).map { index in
                var image = slice(index + 1)
                let isNarrow = index == 2
                image.bits = isNarrow ? (8, 8, 7) : (16, wide, wide - 1)
                image.pixelVR = isNarrow ? "OB" : "OW"
                (image.sopClass, image.modality) = ("1.2.840.10008.5.1.4.1.1.4", "MR")
                image.more = { file in
                    file.add(0x0028, 0x1052, "DS", text: isNarrow ? intercept : "-1024")
                    file.add(0x0028, 0x1053, "DS", text: isNarrow ? slope : "1")
                }
                return image
            })
    }

    @Test("a slice of 8 bits among others of more is refused unless its rescale has wider steps than theirs")
    func depth() throws {
        let refused = try Self.depths(slope: "1", intercept: "-1024")
        #expect(refused.leftOut.map(\.failure.code) == [String](repeating: "PIX-VALUES", count: 4))
        #expect(refused.leftOut.allSatisfy { $0.failure.message.explanation.contains("slice 3 of 4") })
        #expect(try Self.depths(slope: "16", intercept: "-1024").volumes.map(\.frames.count) == [4])
        // The same bits in a larger cell.
        #expect(try Self.depths(slope: "1", intercept: "-1024", wide: 8).volumes.map(\.frames.count) == [4])
        let stored = try Self.series { $0.bits = (16, 12, 11) }
        #expect(stored.volumes.map(\.frames.count) == [6])
    }

    @Test("a rescale of two values is none", arguments: [("0\\-1024", "1"), ("-1024", "1\\1")])
    func twoRescales(_ intercept: String, _ slope: String) throws {
        let result = try volumes(
            (1...3).map {
                slice($0) {
                    $0.add(0x0028, 0x1052, "DS", text: intercept)
                    $0.add(0x0028, 0x1053, "DS", text: slope)
                }
            })
        #expect(result.leftOut.map(\.failure.code) == ["PIX-VALUES", "PIX-VALUES", "PIX-VALUES"])
    }

    /// Air and tissue as Hounsfield units, stored with an offset.
    private static func stored(offset: Int) -> [UInt8] {
        (0..<64).flatMap { TestFile.little(UInt16(truncatingIfNeeded: ($0 < 32 ? -1000 : 50) + offset)) }
    }

    private static func scaled(_ image: inout TestImage, intercept: Int, storedOffset: Int, type: String? = nil) {
        image.pixels = stored(offset: storedOffset)
        image.isSigned = true
        image.more = { file in
            file.add(0x0028, 0x1052, "DS", text: "\(intercept)")
            file.add(0x0028, 0x1053, "DS", text: "1")
            if let type { file.add(0x0028, 0x1054, "LO", text: type) }
        }
    }

    @Test("a rescale that changes is taken where the stored values change with it, and refused where they do not")
    func rescale() throws {
        func series(_ storedOffset: Int) throws -> VolumeBuilder.Result {
            let images = (0..<4).map { index in
                var image = slice(index + 1)
                let isOdd = index == 2
                Self.scaled(&image, intercept: isOdd ? 0 : -1024, storedOffset: isOdd ? storedOffset : 1024)
                return image
            }
            return try volumes(images)
        }
        #expect(try series(0).volumes.map(\.frames.count) == [4])
        let wrong = try series(1024)
        #expect(wrong.volumes.isEmpty && wrong.leftOut.allSatisfy { $0.failure.code == "PIX-VALUES" })
    }

    @Test("a slice is looked at however often the rescale changed before")
    func manyChanges() throws {
        let images = (0..<40).map { index in
            var image = slice(index + 1)
            // Every other slice is stored another way; the last but one says so and is not.
            let (intercept, offset) = index % 2 == 0 ? (-1024, 1024) : (0, 0)
            Self.scaled(&image, intercept: intercept, storedOffset: index == 38 ? 0 : offset)
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.isEmpty && result.leftOut.allSatisfy { $0.failure.code == "PIX-VALUES" })
    }

    @Test("a slope of 0 in one slice is refused; in all of them the values are unknown")
    func zeroSlope() throws {
        func series(_ zeros: Set<Int>) throws -> VolumeBuilder.Result {
            try volumes(
                (0..<4).map { index in
                    var image = slice(index + 1)
                    image.more = { file in
                        file.add(0x0028, 0x1052, "DS", text: "0")
                        file.add(0x0028, 0x1053, "DS", text: zeros.contains(index) ? "0" : "2.5")
                    }
                    (image.modality, image.sopClass) = ("PT", "1.2.840.10008.5.1.4.1.1.128")
                    return image
                })
        }
        let refused = try series([2])
        #expect(refused.leftOut.map(\.failure.code) == [String](repeating: "PIX-VALUES", count: 4))
        #expect(
            refused.leftOut.allSatisfy { $0.failure.message.explanation.contains("slice 3 of 4 (Instance Number 3)") })
        #expect(try series([0, 1, 2, 3]).volumes.first?.findings.map(\.code) == ["VOL-VALUES"])
    }

    @Test("a unit that is not Hounsfield's leaves the values unknown, and two units in a volume are refused")
    func units() throws {
        func series(_ types: [String?]) throws -> VolumeBuilder.Result {
            let images = types.enumerated().map { index, type in
                var image = slice(index + 1)
                Self.scaled(&image, intercept: -1024, storedOffset: 1024, type: type)
                return image
            }
            return try volumes(images)
        }
        #expect(try series(["HU", "HU", nil]).volumes.first?.hasKnownValues == true)
        #expect(try series([nil, "US", "US"]).volumes.first?.hasKnownValues == false)
        #expect(try series(["US", "US", "US"]).volumes.first?.hasKnownValues == false)
        #expect(
            try series(["HU", "US", "HU"]).leftOut.map(\.failure.code) == ["PIX-VALUES", "PIX-VALUES", "PIX-VALUES"])
    }

    @Test(
        "a Pixel Spacing that is no two numbers, or that no picture of a body has, is refused",
        arguments: ["1,5\\1,5", "1.5", "1\\2\\3", "150000\\150000", "900\\900", "0.001\\0.001", "abc"])
    func spacing(_ text: String) throws {
        var image = TestImage()
        image.spacing = text
        let result = try volumes([image])
        #expect(result.leftOut.map(\.failure.code) == ["VOL-PLACE"])
    }

    @Test("an image whose pixel data is gone is refused, not passed over")
    func noPixels() throws {
        var file = TestFile()
        file.add(0x0008, 0x0016, "UI", text: "1.2.840.10008.5.1.4.1.1.2")
        file.add(0x0008, 0x0018, "UI", text: "1.2.3.1")
        file.add(0x0020, 0x000D, "UI", text: "1.2")
        file.add(0x0020, 0x000E, "UI", text: "1.2.3")
        file.add(0x0028, 0x0010, us: 8)
        file.add(0x0028, 0x0011, us: 8)
        #expect(code { _ = try SourceInstance(try DICOMFile(bytes: file.bytes)) } == "PIX-TRUNCATED")
    }
}
