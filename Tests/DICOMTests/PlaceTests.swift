import DICOM
import Imaging
import Testing

/// Where frames lie and how large their pixels are, where a file says it in several ways.
@Suite("places and distances")
struct PlaceTests {
    // MARK: Functional groups

    private typealias Fill = @Sendable (inout TestFile) -> Void

    private static let enhancedCT = "1.2.840.10008.5.1.4.1.1.2.1"

    private static func place(_ z: Int) -> Fill {
        { $0.add(0x0020, 0x9113, items: [{ $0.add(0x0020, 0x0032, "DS", text: "1\\2\\\(z)") }]) }
    }

    private static let orientation: Fill = {
        $0.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
    }

    private static func measures(_ spacing: String?, thickness: String? = nil) -> Fill {
        { file in
            file.add(
                0x0028, 0x9110,
                items: [
                    { item in
                        if let thickness { item.add(0x0018, 0x0050, "DS", text: thickness) }
                        if let spacing { item.add(0x0028, 0x0030, "DS", text: spacing) }
                    }
                ])
        }
    }

    private static func window(_ center: String) -> Fill {
        { file in
            file.add(
                0x0028, 0x9132,
                items: [
                    { item in
                        item.add(0x0028, 0x1050, "DS", text: center)
                        item.add(0x0028, 0x1051, "DS", text: "400")
                    }
                ])
        }
    }

    private static func rescale(_ intercept: String, _ slope: String = "1") -> Fill {
        { file in
            file.add(
                0x0028, 0x9145,
                items: [
                    { item in
                        item.add(0x0028, 0x1052, "DS", text: intercept)
                        item.add(0x0028, 0x1053, "DS", text: slope)
                    }
                ])
        }
    }

    /// Two frames, or as many as are asked for; `own` makes the group of each of them.
    private static func enhanced(
        _ sopClass: String = enhancedCT, imageType: String = "ORIGINAL\\PRIMARY\\AXIAL", position: String? = nil,
        frames: Int = 2, groups: Int = 2, top: String = "", shared: [Fill], own: @escaping @Sendable (Int) -> [Fill]
    ) -> TestImage {
        let modality = [enhancedMR: "MR", legacyPET: "PT"][sopClass] ?? "CT"
        var image = TestImage(
            sopClass: sopClass, modality: modality, imageType: imageType, position: position, frames: frames)
        image.spacing = top
        image.more = { file in
            file.add(0x5200, 0x9229, items: [{ item in for fill in shared { fill(&item) } }])
            file.add(
                0x5200, 0x9230,
                items: (0..<groups).map { index in { item in for fill in own(index) { fill(&item) } } })
        }
        return image
    }

    private static let twice: [(shared: [Fill], own: Fill, code: String?)] = [
        ([orientation, measures("0.7\\0.7")], measures("1.4\\1.4"), "VOL-PLACE"),
        ([orientation, measures("0.7\\0.7")], measures("0.70\\0.70"), nil),
        // What the frame's own item leaves out or empty stands in the shared one.
        ([orientation, measures("0.7\\0.7")], measures(nil, thickness: "2"), nil),
        ([orientation, measures("0.7\\0.7")], measures("", thickness: "2"), nil),
        ([orientation, measures("0.7\\0.7", thickness: "3")], measures("0.7\\0.7", thickness: "2"), "VOL-PLACE"),
        ([orientation, measures("0.7\\0.7"), rescale("-1024")], rescale("0"), "PIX-VALUES"),
        ([orientation, measures("0.7\\0.7"), rescale("-1024")], rescale("-1024.0", "1.0"), nil),
        ([orientation, measures("0.7\\0.7"), window("40")], window("300"), "PIX-VALUES"),
        ([place(0), orientation, measures("0.7\\0.7")], { _ in }, "VOL-PLACE"),
    ]

    @Test("a macro that stands among the shared and the frames' groups has to say the same in both", arguments: 0..<9)
    func both(_ index: Int) throws {
        let (shared, own, code) = Self.twice[index]
        let result = try volumes([Self.enhanced(shared: shared) { [Self.place($0 * 2), own] }])
        #expect(result.leftOut.map(\.failure.code) == (code.map { [$0] } ?? []))
        guard code == nil else { return }
        let volume = try #require(result.volumes.first)
        #expect(volume.kind == .spatial && volume.sliceSpacing == 2)
        #expect(volume.pixelSpacing == PixelSpacing(row: 0.7, column: 0.7))
    }

    @Test(
        "an object with more or fewer groups than frames is refused, one frame included",
        arguments: [(1, 1, true), (2, 2, true), (1, 2, false), (2, 1, false), (2, 3, false)])
    func groupCount(_ frames: Int, _ groups: Int, _ isKept: Bool) throws {
        let result = try volumes([
            Self.enhanced(frames: frames, groups: groups, shared: [Self.orientation, Self.measures("0.7\\0.7")]) {
                [Self.place($0 * 2)]
            }
        ])
        #expect(result.volumes.map(\.frames.count) == (isKept ? [frames] : []))
        #expect(result.leftOut.map(\.failure.code) == (isKept ? [] : ["VOL-PLACE"]))
    }

    @Test(
        "a Pixel Spacing or a place at the top of an enhanced object has to be that of one of its frames",
        arguments: [
            ("0.7\\0.7", nil, true), ("0.5\\0.5", nil, false), ("", nil, true), ("0\\0", nil, true),
            ("", "1\\2\\2", true), ("", "1\\2\\40", false),
            // A rounded copy.
            ("0.698\\0.698", nil, true), ("0.68\\0.68", nil, false), ("", "1\\2.04\\2", true), ("", "1\\2.3\\2", false),
        ] as [(String, String?, Bool)])
    func top(_ spacing: String, _ position: String?, _ isKept: Bool) throws {
        let result = try volumes([
            Self.enhanced(position: position, top: spacing, shared: [Self.orientation, Self.measures("0.7\\0.7")]) {
                [Self.place($0 * 2)]
            }
        ])
        #expect(result.volumes.map(\.pixelSpacing) == (isKept ? [PixelSpacing(row: 0.7, column: 0.7)] : []))
        #expect(result.leftOut.map(\.failure.code) == (isKept ? [] : ["VOL-PLACE"]))
    }

    @Test(
        "frames that do not lie in the order of their In-Stack Position Numbers ask a person",
        arguments: [
            ([1, 2, 3, 4, 5, 6], false), ([6, 5, 4, 3, 2, 1], false), ([1, 2, 4, 3, 5, 6], true),
            ([1, 3, 5, 2, 4, 6], false),
        ])
    func inStackPositions(_ numbers: [Int], _ isTold: Bool) throws {
        let result = try volumes([
            Self.enhanced(frames: 6, groups: 6, shared: [Self.orientation, Self.measures("0.7\\0.7")]) { index in
                [
                    { file in
                        file.add(
                            0x0020, 0x9111,
                            items: [{ $0.add(0x0020, 0x9057, "UL", TestFile.little(UInt32(numbers[index]))) }])
                    },
                    Self.place(index * 2),
                ]
            }
        ])
        let volume = try #require(result.volumes.first)
        let told = volume.findings.filter { $0.code == "VOL-PLACE" }
        #expect(told.map(\.severity) == (isTold ? [.warning] : []))
        #expect(told.allSatisfy { $0.text.contains("In-Stack") && $0.text.contains("frames 3, 4") })
    }

    @Test("a tomogram of fewer slices than Number of Slices says asks a person", arguments: [(3, false), (4, true)])
    func fewerSlices(_ count: UInt16, _ isTold: Bool) throws {
        var image = Self.tomogram()
        let more = image.more
        image.more = { file in
            more(&file)
            file.add(0x0054, 0x0081, us: count)
        }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.findings.contains { $0.code == "VOL-GAP" && $0.severity == .warning } == isTold)
    }

    // MARK: Classic objects with functional groups

    /// Slices of CT or parts of another class, with groups that their class does not have.
    private static func classic(
        _ image: TestImage, shared: [[Fill]], own: [[Fill]] = []
    ) -> TestImage {
        var image = image
        image.more = { file in
            for (element, groups) in [(UInt16(0x9229), shared), (0x9230, own)] where !groups.isEmpty {
                file.add(0x5200, element, items: groups.map { fills in { item in for fill in fills { fill(&item) } } })
            }
        }
        return image
    }

    @Test(
        "a classic object lies where it says itself, whatever empty functional groups it has",
        arguments: [([0], [0]), ([1], []), ([], [1]), ([1], [1]), ([], [0, 0, 0])] as [([Int], [Int])])
    func strayGroups(_ shared: [Int], _ own: [Int]) throws {
        func groups(_ counts: [Int]) -> [[Fill]] { counts.map { $0 == 0 ? [] : [Self.window("40")] } }
        let result = try volumes(
            (1...4).map { number in
                // One of the slices has them, or all but one.
                let image = TestImage(instance: "1.2.3.\(number)", number: number, position: "0\\0\\\(3 * number)")
                return number == 2 ? image : Self.classic(image, shared: groups(shared), own: groups(own))
            })
        #expect(result.leftOut.isEmpty)
        let volume = try #require(result.volumes.first)
        #expect(result.volumes.count == 1 && volume.kind == .spatial && volume.frames.count == 4)
        #expect(volume.sliceSpacing == 3 && volume.pixelSpacing == PixelSpacing(row: 0.5, column: 0.5))
        #expect(volume.frames.map(\.imagePositionPatient) == [3, 6, 9, 12].map { ["0", "0", "\($0)"] })
    }

    @Test("a picture's distances and a tomogram's places are theirs beside empty functional groups")
    func strayGroupsOfPictures() throws {
        let radiograph = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.1", modality: "CR", position: nil)
        let picture = try #require(try volumes([Self.classic(radiograph, shared: [[]])]).volumes.first)
        #expect(picture.pixelSpacing == PixelSpacing(row: 0.5, column: 0.5))
        var tomogram = Self.tomogram()
        let more = tomogram.more
        tomogram.more = { file in
            more(&file)
            file.add(0x5200, 0x9229, items: [{ _ in }])
        }
        let volume = try #require(try volumes([tomogram]).volumes.first)
        #expect(volume.kind == .spatial && volume.sliceSpacing == 3)
    }

    private static let added: [(position: String?, groups: [Fill], code: String?)] = [
        (nil, [place(3), orientation], nil), ("0\\0\\3", [orientation, measures("0.50\\0.50")], nil),
        ("0\\0\\3", [place(3)], "VOL-PLACE"), ("0\\0\\3", [measures("0.7\\0.7")], "VOL-PLACE"),
    ]

    @Test("functional groups say what a classic object leaves out, and must not deny what it says", arguments: 0..<4)
    func groupsOfAClassicObject(_ index: Int) throws {
        let (position, groups, code) = Self.added[index]
        let result = try volumes([Self.classic(TestImage(position: position), shared: [groups])])
        #expect(result.leftOut.map(\.failure.code) == (code.map { [$0] } ?? []))
        if code == nil { #expect(result.volumes.map(\.kind) == [.spatial]) }
    }

    // MARK: Slices without a place

    private static let enhancedMR = "1.2.840.10008.5.1.4.1.1.4.1"
    private static let legacyPET = "1.2.840.10008.5.1.4.1.1.128.1"

    @Test(
        "an enhanced object of slices that says nowhere where they lie is refused where it has to say it, else warned of",
        arguments: [
            (enhancedCT, "ORIGINAL\\PRIMARY\\AXIAL", true), (enhancedMR, "MIXED\\PRIMARY\\AXIAL", true),
            (legacyPET, "DERIVED\\PRIMARY\\AXIAL", true), (enhancedMR, "DERIVED\\SECONDARY\\OTHER", false),
        ])
    func noPlaces(_ sopClass: String, _ imageType: String, _ isRefused: Bool) throws {
        let result = try volumes([
            Self.enhanced(sopClass, imageType: imageType, shared: [Self.orientation]) { _ in
                [Self.measures("0.7\\0.7")]
            }
        ])
        #expect(result.leftOut.map(\.failure.code) == (isRefused ? ["VOL-PLACE"] : []))
        guard !isRefused else { return }
        let volume = try #require(result.volumes.first)
        #expect(volume.kind == .frames && volume.frames.count == 2)
        #expect(volume.findings.contains { $0.code == "VOL-PLACE" && $0.severity == .warning })
    }

    @Test("an orientation at the top of an enhanced object is not one of its frames")
    func orientationAtTheTop() throws {
        let result = try volumes([
            Self.enhanced(position: "0\\0\\0", shared: [Self.measures("0.7\\0.7")]) { [Self.place($0 * 2)] }
        ])
        #expect(result.leftOut.map(\.failure.code) == ["VOL-PLACE"])
    }

    @Test("a loop of pictures needs no places")
    func loop() throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.3.1", modality: "US", position: nil, frames: 3)
        image.spacing = "0.5\\0.5"
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.kind == .frames && !volume.findings.contains { $0.code == "VOL-PLACE" })
    }

    // MARK: Nuclear medicine

    /// Three frames of 4 mm pixels, 3 mm apart; `detectors` are Image Positions (Patient), "" for an item without a place.
    private static func tomogram(
        _ vector: [UInt16] = [], detectors: [String] = ["0\\0\\10"], type: String = "RECON TOMO", step: String = "3"
    ) -> TestImage {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.20", modality: "NM", position: nil, frames: 3)
        image.imageType = "ORIGINAL\\PRIMARY\\\(type)\\EMISSION"
        image.spacing = "4\\4"
        image.beforePlace = { $0.add(0x0018, 0x0088, "DS", text: step) }
        image.more = { file in
            file.add(
                0x0054, 0x0022,
                items: detectors.map { position in
                    { item in
                        guard !position.isEmpty else { return }
                        item.add(0x0020, 0x0032, "DS", text: position)
                        item.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0")
                    }
                })
            if !vector.isEmpty { file.add(0x0054, 0x0080, "US", vector.flatMap { TestFile.little($0) }) }
        }
        return image
    }

    @Test(
        "slices of a tomogram that are much thicker or thinner than they lie apart ask a person",
        arguments: [("3", false), ("6", false), ("2", false), ("30", true), ("0.3", true), ("0", false)])
    func tomogramThickness(_ thickness: String, _ isTold: Bool) throws {
        var image = Self.tomogram()
        image.beforePlace = { file in
            file.add(0x0018, 0x0050, "DS", text: thickness)
            file.add(0x0018, 0x0088, "DS", text: "3")
        }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.sliceSpacing == 3)
        let told = volume.findings.filter { $0.code == "VOL-PLACE" }
        #expect(told.map(\.severity) == (isTold ? [.warning] : []))
    }

    @Test(
        "the Slice Vector says which slice of a reconstructed tomogram a frame is",
        arguments: [([], [1, 2, 3]), ([1, 2, 3], [1, 2, 3]), ([3, 2, 1], [3, 2, 1]), ([2, 3, 1], [3, 1, 2])]
            as [([UInt16], [Int])])
    func sliceVector(_ vector: [UInt16], _ order: [Int]) throws {
        let volume = try #require(try volumes([Self.tomogram(vector)]).volumes.first)
        #expect(volume.kind == .spatial && volume.sliceSpacing == 3)
        #expect(volume.frames.map(\.number) == order)
        #expect(volume.frames.map { $0.plane?.position.z } == [10, 13, 16])
    }

    @Test(
        "a Slice Vector that names a slice twice, not every frame's or not the first, and detectors that say two places, are refused",
        arguments: [
            ([1, 2, 1], ["0\\0\\10"], true), ([1, 2], ["0\\0\\10"], true),
            // The place is that of the first slice; some count from 0.
            ([3, 4, 5], ["0\\0\\10"], true), ([0, 1, 2], ["0\\0\\10"], false),
            ([], ["0\\0\\10", "0\\0\\40"], true), ([], ["0\\0\\10", "0\\0\\10.0"], false),
            ([], ["0\\0\\10", ""], false),
        ] as [([UInt16], [String], Bool)])
    func tomogramContradictions(_ vector: [UInt16], _ detectors: [String], _ isRefused: Bool) throws {
        let result = try volumes([Self.tomogram(vector, detectors: detectors)])
        #expect(result.leftOut.map(\.failure.code) == (isRefused ? ["VOL-PLACE"] : []))
        #expect(result.volumes.map(\.kind) == (isRefused ? [] : [.spatial]))
    }

    /// Two slices at three moments of a heart, the moments of a slice in a row or one moment after the other.
    @Test(
        "a place at the top of a tomogram has to be that of one of its slices",
        arguments: [
            ("0\\0\\10", "1\\0\\0\\0\\1\\0", true), ("0\\0\\16", "1\\0\\0\\0\\1\\0", true),
            ("0\\0.04\\10", "1\\0\\0\\0\\1\\0", true), ("0\\0\\50", "1\\0\\0\\0\\1\\0", false),
            ("0\\0\\19", "1\\0\\0\\0\\1\\0", false), ("0\\0\\7", "1\\0\\0\\0\\1\\0", false),
            ("5\\0\\10", "1\\0\\0\\0\\1\\0", false), ("0\\0\\10", "1\\0\\0\\0\\0\\-1", false),
        ])
    func tomogramTop(_ position: String, _ orientation: String, _ isKept: Bool) throws {
        var image = Self.tomogram()
        (image.position, image.orientation) = (position, orientation)
        let result = try volumes([image])
        #expect(result.volumes.map(\.frames.count) == (isKept ? [3] : []))
        #expect(result.leftOut.map(\.failure.code) == (isKept ? [] : ["VOL-PLACE"]))
    }

    @Test(
        "a tomogram of several energy windows, phases or times, or of more slices than it says, is refused",
        arguments: [
            (0x0010, [1, 2, 1], 0, true), (0x0010, [1, 1, 1], 0, false), (0x0030, [1, 2, 2], 0, true),
            (0x0060, [1, 1, 2], 0, true), (0x0070, [1, 1, 2], 0, true), (0x0070, [1, 1, 1], 0, false),
            (0x0100, [1, 2, 3], 0, true), (0, [], 3, false), (0, [], 2, true), (0, [], 1, true),
        ] as [(UInt16, [UInt16], UInt16, Bool)], [[], [1, 2, 3]] as [[UInt16]])
    func turns(_ given: (UInt16, [UInt16], UInt16, Bool), _ vector: [UInt16]) throws {
        var image = Self.tomogram(vector)
        let (element, values, slices, isRefused) = given
        let more = image.more
        image.more = { file in
            more(&file)
            if !values.isEmpty { file.add(0x0054, element, "US", values.flatMap { TestFile.little($0) }) }
            if slices > 0 { file.add(0x0054, 0x0081, us: slices) }
        }
        let result = try volumes([image])
        #expect(result.leftOut.map(\.failure.code) == (isRefused ? ["VOL-PLACE"] : []))
        #expect(result.volumes.map(\.frames.count) == (isRefused ? [] : [3]))
    }

    private static func gated(_ slices: [UInt16], _ slots: [UInt16]) -> TestImage {
        var image = tomogram(type: "RECON GATED TOMO")
        image.frames = slices.count
        let more = image.more
        image.more = { file in
            more(&file)
            file.add(0x0054, 0x0060, "US", slices.flatMap { _ in TestFile.little(UInt16(1)) })
            file.add(0x0054, 0x0070, "US", slots.flatMap { TestFile.little($0) })
            file.add(0x0054, 0x0080, "US", slices.flatMap { TestFile.little($0) })
        }
        return image
    }

    @Test(
        "a gated tomogram is a volume for each moment of the heart",
        arguments: [
            ([1, 2, 1, 2, 1, 2], [1, 1, 2, 2, 3, 3], [[1, 2], [3, 4], [5, 6]]),
            ([1, 1, 1, 2, 2, 2], [1, 2, 3, 1, 2, 3], [[1, 4], [2, 5], [3, 6]]),
            ([2, 1, 2, 1, 2, 1], [1, 1, 2, 2, 3, 3], [[2, 1], [4, 3], [6, 5]]),
        ] as [([UInt16], [UInt16], [[Int]])])
    func gated(_ slices: [UInt16], _ slots: [UInt16], _ frames: [[Int]]) throws {
        let result = try volumes([Self.gated(slices, slots)])
        #expect(result.volumes.map { $0.frames.map(\.number) } == frames)
        #expect(result.volumes.allSatisfy { $0.kind == .spatial && $0.sliceSpacing == 3 && $0.findings.isEmpty })
    }

    @Test("a gated tomogram that names a slice of a moment twice is refused")
    func gatedTwice() throws {
        let result = try volumes([Self.gated([1, 1, 1, 2], [1, 1, 2, 2])])
        #expect(result.leftOut.map(\.failure.code) == ["VOL-PLACE"])
    }

    @Test(
        "reconstructed slices without a place are pictures that say so, projections are pictures",
        arguments: [("RECON TOMO", "", true), ("RECON GATED TOMO", "3", true), ("TOMO", "3", false)])
    func tomogramWithoutPlaces(_ type: String, _ step: String, _ isTold: Bool) throws {
        let volume = try #require(try volumes([Self.tomogram(type: type, step: step)]).volumes.first)
        #expect(volume.kind == .frames && volume.frames.count == 3)
        #expect(volume.findings.contains { $0.code == "VOL-PLACE" } == isTold)
    }
}
