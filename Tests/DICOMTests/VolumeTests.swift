import DICOM
import Imaging
import Testing

@Suite("volumes")
struct VolumeTests {
    /// A slice at `z` mm with its own UID; `number` is its Instance Number.
    private static func slice(_ z: Double, number: Int, y: Double = 0, _ change: (inout TestImage) -> Void = { _ in })
        -> TestImage
    {
        var image = TestImage(instance: "1.2.3.\(number)", number: number, position: "0\\\(y)\\\(z)")
        change(&image)
        return image
    }

    @Test("slices are ordered by position, never by instance number")
    func order() throws {
        let result = try volumes([Self.slice(6, number: 1), Self.slice(0, number: 2), Self.slice(3, number: 3)])
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
        let images = [Self.slice(6, number: 1), Self.slice(0, number: 2), Self.slice(3, number: 3)]
        let one = try volumes(images).volumes.map(\.digest)
        #expect(one == (try volumes(images.reversed()).volumes.map(\.digest)))
        #expect(one != (try volumes(Array(images.dropLast())).volumes.map(\.digest)))
    }

    @Test(
        "gaps, uneven steps and tilt are findings, and weights follow",
        arguments: [
            ([0.0, 2, 4, 8, 10], 0.0, ["VOL-GAP"], [2.0, 2, 2, 2, 2]),
            ([0, 2, 4, 7, 10], 0, ["VOL-UNEVEN"], [2, 2, 2.5, 3, 3]),
            // Two stacks: none of their slices stands for what lies between them.
            ([0, 2, 4, 6, 109, 111, 113], 0, ["VOL-GAP", "VOL-UNEVEN"], [2, 2, 2, 2, 2, 2, 2]),
            ([0, 2, 4, 6, 8], 0.3, ["VOL-TILT"], [2, 2, 2, 2, 2]),
            ([0, 2, 4.01, 6, 8], 0, [], [2, 2, 2, 2, 2]),
        ] as [([Double], Double, [String], [Double])])
    func gaps(_ places: [Double], _ drift: Double, _ codes: [String], _ weights: [Double]) throws {
        let images = places.enumerated().map { Self.slice($1, number: $0 + 1, y: $1 * drift) }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == codes)
        #expect(volume.sliceWeights == weights)
    }

    @Test(
        "slices are missing where all gaps are multiples of the smallest, or of Spacing Between Slices; what lies between their faces, and thicker slices, are no gap",
        arguments: [
            ([0.0, 2, 6], nil, [], ["VOL-GAP"], [2.0, 2, 2]),
            ([0, 4, 8, 12, 14], nil, [], ["VOL-GAP"], [2, 2, 2, 2, 2]),
            // Positions that wander are no multiples of how far they do.
            ([0, 5, 10.1, 10.2, 15.2], nil, [], ["VOL-UNEVEN"], nil),
            ([0, 4, 10], 2, [2], ["VOL-GAP"], [2, 2, 2]),
            ([0, 4, 8, 12], 2, [2], ["VOL-GAP"], [2, 2, 2, 2]),
            ([0, 4, 8], 2, [], ["VOL-GAP"], [2, 2, 2]),
            ([0, 4, 8], 2, [1.5], ["VOL-GAP"], [2, 2, 2]),
            ([0, 14], 2, [2], ["VOL-GAP"], [2, 2]),
            // They touch each other, whatever the tag says.
            ([0, 4, 8, 12], 2, [4], ["VOL-SPACING-TAG"], [4, 4, 4, 4]),
            // The tag says what lies between the faces of two slices.
            ([0, 5, 10, 15], 1, [4], ["VOL-SPACING-TAG"], [5, 5, 5, 5]),
            ([0, 5, 10, 15], 5, [3], [], [5, 5, 5, 5]),
            ([0, 4, 8], 3, [2], ["VOL-SPACING-TAG"], [4, 4, 4]),
            // Thin slices below, thick ones above; and one of the thin ones is lost.
            ([0, 5, 10, 15, 25, 35], nil, [5, 5, 5, 5, 10, 10], ["VOL-UNEVEN"], [5, 5, 5, 7.5, 10, 10]),
            ([0, 5, 15, 20, 30], nil, [5, 5, 5, 5, 10], ["VOL-GAP"], [5, 5, 5, 5, 5]),
            ([0, 1, 2, 3, 4, 9, 14], nil, [1, 1, 1, 1, 1, 5, 5], ["VOL-UNEVEN"], [1, 1, 1, 1, 3, 5, 5]),
        ] as [([Double], Double?, [Double], [String], [Double]?)])
    func missing(
        _ places: [Double], _ stated: Double?, _ thicknesses: [Double], _ codes: [String], _ weights: [Double]?
    ) throws {
        let images = places.enumerated().map { index, place in
            Self.slice(place, number: index + 1) { image in
                image.beforePlace = { file in
                    if let thickness = thicknesses.count > 1 ? thicknesses[index] : thicknesses.first {
                        file.add(0x0018, 0x0050, "DS", text: "\(thickness)")
                    }
                    if let stated { file.add(0x0018, 0x0088, "DS", text: "\(stated)") }
                }
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == codes)
        if let weights { #expect(volume.sliceWeights == weights) }
        // Results say how far apart even slices lie, whatever is missing between them.
        if Set(zip(places.dropFirst(), places).map { $0 - $1 }).count == 1 {
            #expect(volume.sliceSpacing == places[1] - places[0])
        }
    }

    @Test(
        "a slice off the even steps of all others asks a person; stacks that begin anew and thicker slices do not",
        arguments: [
            ([0.0, 3, 6, 10.3, 12, 15], 3, true), ([0, 3, 6, 9, 12, 16.2], 3, true),
            ([0, 4.2, 7.2, 10.2, 13.2], 3, true),
            ([0, 3, 6, 9, 13.2, 16.2], 3, false), ([0, 3, 6, 10.2], 3, false), ([0, 3, 6, 9.5, 12, 15.4], 3, false),
            ([0, 3, 6, 9, 12, 16.2], 6, false),
        ] as [([Double], Double, Bool)])
    func offGrid(_ places: [Double], _ lastThickness: Double, _ isTold: Bool) throws {
        let images = places.enumerated().map { index, place in
            Self.slice(place, number: index + 1) { image in
                let thickness = index == places.count - 1 ? lastThickness : 3
                image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: "\(thickness)") }
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == ["VOL-UNEVEN"] + (isTold ? ["VOL-PLACE"] : []))
    }

    @Test(
        "a Spacing Between Slices that fits between the slices asks a person, unless thickness, spacing or Instance Numbers explain it",
        arguments: [
            ([0.0, 4, 8, 12], 2, 4, [1, 3, 4, 8], .warning), ([0, 4, 8, 12], 2, 6, [1, 3, 2, 4], .warning),
            ([0, 6, 12], 2, 6, [1, 4, 7], .warning), ([0, 6, 12], 2, 6, [1, 2, 4], .warning),
            // A rest of thinner slices, none of which was lost on its way.
            ([0, 5, 10, 15], 1, 5, [1, 2, 3, 4], .note), ([0, 4, 8, 12], 2, 6, [9, 8, 7, 6], .note),
            ([0, 5, 10, 15], 1, 4, [1, 3, 4, 8], .note), ([0, 4, 8], 3, 4, [1, 2, 4], .note),
            ([0, 4, 8], -4, 4, [1, 2, 4], .note),
        ] as [([Double], Double, Double, [Int], Finding.Severity)])
    func doubtfulSpacing(
        _ places: [Double], _ stated: Double, _ thickness: Double, _ numbers: [Int], _ severity: Finding.Severity
    ) throws {
        let images = zip(places, numbers).map { place, number in
            Self.slice(place, number: number) { image in
                image.beforePlace = { file in
                    file.add(0x0018, 0x0050, "DS", text: "\(thickness)")
                    file.add(0x0018, 0x0088, "DS", text: "\(stated)")
                }
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == ["VOL-SPACING-TAG"])
        #expect(volume.findings.map(\.severity) == [severity])
    }

    @Test(
        "even slices whose Instance Numbers leave out as many between each two may lack slices",
        arguments: [
            ([1, 3, 5, 7], 3, 3, true), ([8, 6, 4, 2], 3, 3, true), ([10, 13, 16, 19], 3, 3, true),
            ([1, 2, 3, 4], 3, 3, false), ([1, 3, 5, 8], 3, 3, false), ([1, 3, 2, 4], 3, 3, false),
            // Few slices tell by their thickness.
            ([1, 3], 3, 1.5, true), ([9, 15], 3, 0.5, true), ([1, 3], 3, 3, false), ([1, 3, 5], 3, 1, false),
        ] as [([Int], Double, Double, Bool)])
    func numbersInSteps(_ numbers: [Int], _ gap: Double, _ thickness: Double, _ isTold: Bool) throws {
        let images = numbers.enumerated().map { index, number in
            Self.slice(Double(index) * gap, number: number) { image in
                image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: "\(thickness)") }
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-GAP"] : []))
        #expect(volume.findings.allSatisfy { $0.severity == .warning })
        #expect(volume.sliceWeights == numbers.map { _ in gap })
    }

    @Test("other images of the series explain what Instance Numbers leave out")
    func numbersOfOthers() throws {
        let images = (0..<8).map { index in
            Self.slice(Double(index / 2) * 3, number: index + 1) { $0.echoTime = index % 2 == 0 ? "4.6" : "9.2" }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [4, 4])
        #expect(result.volumes.allSatisfy { $0.findings.isEmpty })
    }

    @Test(
        "a series that has the other numbers at the same places explains them; one at other places, or with all of them, does not"
    )
    func numbersOfOtherSeries() throws {
        func findings(_ numbers: [Int], offset: Double = 0) throws -> [[String]] {
            let own = (0..<4).map { Self.slice(Double($0) * 3, number: 2 * $0 + 1) }
            let others = numbers.enumerated().map { index, number in
                Self.slice(Double(index) * 3 + offset, number: number) {
                    $0.instance = "1.2.9.\(number)"
                    $0.series = "1.2.9"
                }
            }
            return try volumes(own + others).volumes.map { $0.findings.map(\.code) }
        }
        #expect(try findings([2, 4, 6, 8]) == [[], []])
        #expect(try findings([2, 4, 6, 8], offset: 1.5) == [["VOL-GAP"], ["VOL-GAP"]])
        #expect(try findings([1, 2, 3, 4]) == [["VOL-GAP"], []])
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
            Self.slice(Double(index) * 3, number: number) { $0.instance = "1.2.3.\(index + 1)" }
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
            slice(Double(index) * 3, number: number) { image in
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

    @Test("what Instance Numbers say of slices stays when a frame that cannot be decoded is left out")
    func decodable() throws {
        let images = (0..<6).map { index in
            Self.slice(Double(index) * 3, number: 2 * index + 1) { image in
                guard index == 5 else { return }
                (image.syntax, image.fragments) = (.rle, [[UInt8](repeating: 0, count: 64)])
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == ["VOL-GAP"])
        let (kept, lost) = try volume.decodable()
        #expect(lost.map(\.number) == [6] && kept.frames.count == 5)
        #expect(kept.findings.map(\.code) == ["VOL-GAP", "PIX-FRAME"])
        #expect(kept.findings[0] == volume.findings[0])
    }

    /// Ten slices with these echo times.
    private static func echoes(_ times: [String]) -> [TestImage] {
        times.enumerated().map { index, time in
            slice(Double(index) * 3, number: index + 1) { image in
                (image.sopClass, image.modality, image.echoTime) = ("1.2.840.10008.5.1.4.1.1.4", "MR", time)
            }
        }
    }

    @Test(
        "slices of two echoes, one at each position, are two volumes that lack slices",
        arguments: [
            (["5", "9", "5", "9", "5", "9", "5", "9"], [4, 4]), (["5", "9", "9", "5", "5", "9", "5", "9"], [4, 4]),
            (["5", "9", "9", "9", "9", "9", "9", "5"], [2, 6]),
            // Two stations, one echo written in two ways or rounded, and what is no echo of a volume.
            (["5", "5", "5", "5", "9", "9", "9", "9"], [8]), (["5", "5.0", "5", "5.0", "5", "5.0", "5", "5.0"], [8]),
            (["4.99", "5", "4.99", "5", "4.99", "5", "4.99", "5"], [8]),
            (["1", "2", "3", "4", "5", "6", "7", "8"], [8]), (["5", "", "5", "", "5", "", "5", ""], [8]),
        ] as [([String], [Int])])
    func mixed(_ times: [String], _ counts: [Int]) throws {
        let result = try volumes(Self.echoes(times))
        #expect(result.volumes.map(\.frames.count) == counts)
        for volume in result.volumes {
            let parts = volume.findings.filter { $0.code == "VOL-PARTS" }
            #expect(parts.map(\.severity) == (counts.count > 1 ? [.warning] : []))
        }
    }

    @Test(
        "slices of two times, one at each position, are two volumes that lack slices; a time for each slice is none of volumes"
    )
    func mixedTimes() throws {
        func counts(_ times: [Int]) throws -> [Int] {
            let images = zip(Self.echoes(times.map { _ in "5" }), times).map { image, time in
                var image = image
                image.afterPlace = { $0.add(0x0020, 0x0100, "IS", text: "\(time)") }
                return image
            }
            return try volumes(images).volumes.map(\.frames.count)
        }
        #expect(try counts([1, 2, 1, 2, 1, 2]) == [3, 3])
        #expect(try counts([1, 2, 2, 1, 1, 2]) == [3, 3])
        #expect(try counts([1, 2, 3, 4, 5, 6]) == [6])
        #expect(try counts([1, 1, 1, 2, 2, 2]) == [6])
    }

    @Test("so are those of two diffusion weightings, which classic images say at their top, no weighting being one")
    func mixedWeightings() throws {
        let images = Self.echoes((0..<8).map { _ in "5" }).enumerated().map { index, image in
            var image = image
            let weighting = index.isMultiple(of: 2) ? 0.0 : 1000
            image.beforePlace = { $0.add(0x0018, 0x9087, "FD", TestFile.little(weighting.bitPattern)) }
            return image
        }
        #expect(try volumes(images).volumes.map(\.frames.count) == [4, 4])
    }

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
        var image = slice(Double(index) * 3, number: number ?? index + 1)
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

    @Test(
        "original slices that are not as wide as they were reconstructed may have been scaled",
        arguments: [
            ("4", "ORIGINAL\\PRIMARY\\AXIAL", false), ("4.1", "ORIGINAL\\PRIMARY\\AXIAL", false),
            ("8", "ORIGINAL\\PRIMARY\\AXIAL", true), ("2", "ORIGINAL\\PRIMARY\\AXIAL", true),
            ("8", "DERIVED\\SECONDARY\\AXIAL", false), ("", "ORIGINAL\\PRIMARY\\AXIAL", false),
            ("0", "ORIGINAL\\PRIMARY\\AXIAL", false),
        ])
    func diameter(_ diameter: String, _ type: String, _ isTold: Bool) throws {
        let images = (1...3).map { number in
            Self.slice(Double(3 * number), number: number) { image in
                image.imageType = type
                image.beforePlace = { $0.add(0x0018, 0x1100, "DS", text: diameter) }
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-SCALE"] : []))
        #expect(volume.findings.allSatisfy { $0.severity == .warning })
    }

    @Test(
        "a Pixel Aspect Ratio that is not 1 : 1 and contradicts the distances of the pixels asks a person",
        arguments: [
            ("2\\1", "0.5\\0.5", true), ("1\\1", "1\\0.5", false), ("2\\1", "1\\0.5", false),
            ("21\\10", "1\\0.5", false), ("1\\2", "1\\0.5", true), ("2\\1", "", false), ("0\\1", "1\\0.5", false),
        ])
    func aspect(_ ratio: String, _ spacing: String, _ isTold: Bool) throws {
        var image = Self.slice(0, number: 1)
        (image.position, image.spacing) = (nil, spacing)
        image.more = { $0.add(0x0028, 0x0034, "IS", text: ratio) }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.findings.contains { $0.code == "VOL-SCALE" && $0.severity == .warning } == isTold)
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
        let images = (1...3).map { number in
            var image = Self.slice(Double(3 * number), number: number)
            image.orientation = orientation
            if orientation.hasSuffix("-1") { image.position = "\(-1.8 * Double(number))\\\(-2.4 * Double(number))\\0" }
            image.beforePosition = { $0.add(0x0020, 0x0020, "CS", text: stated) }
            return image
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
        let images = (0..<count).map { index in
            Self.slice(Double(index) * gap, number: index + 1) { image in
                image.imageType = type
                image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: "\(thickness)") }
            }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-PLACE"] : []))
        #expect(volume.findings.allSatisfy { $0.severity == .warning })
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
            Self.slice(0, number: 1), Self.slice(3, number: 2), Self.slice(30, number: 3, change),
        ])
        #expect(result.volumes.map(\.frames.count) == [2, 1])
        #expect(result.volumes.map(\.part) == [1, 2])
        #expect(result.volumes.allSatisfy { $0.partCount == 2 })
    }

    @Test("frames that share positions are split by the first attribute that tells them apart")
    func softSplit() throws {
        let images = (0..<8).map { index in
            Self.slice(Double(index / 2) * 3, number: index + 1) { image in
                image.echoTime = index % 2 == 0 ? "4.6" : "9.2"
                // Different in every slice: it must not be taken.
                image.contentTime = "12000\(index)"
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [4, 4])
        #expect(
            result.volumes.map { $0.frames.map { $0.instance.dataSet.string(.echoTime) } } == [
                [String?](repeating: "4.6", count: 4), [String?](repeating: "9.2", count: 4),
            ])
    }

    /// Four positions with an image of each of two kernels; which of them has the lower Instance Number changes.
    private static func kernels(_ order: [[String]]) -> [TestImage] {
        order.enumerated().flatMap { position, kernels in
            kernels.enumerated().map { index, kernel in
                slice(Double(position) * 3, number: position * kernels.count + index + 1) { image in
                    image.beforePlace = { $0.add(0x0018, 0x1210, "SH", text: kernel) }
                }
            }
        }
    }

    @Test("images of two kernels at each position are two volumes, whatever their Instance Numbers say")
    func twoKernels() throws {
        let result = try volumes(Self.kernels([["B30", "B80"], ["B80", "B30"], ["B30", "B80"], ["B80", "B30"]]))
        let kernels = result.volumes.map { Set($0.frames.map { $0.instance.dataSet.string(.convolutionKernel) }) }
        #expect(kernels == [["B30"], ["B80"]])
        #expect(result.volumes.allSatisfy { $0.frames.count == 4 && $0.findings.isEmpty })
        // Two of each at a position: their numbers would mix the kernels.
        let mixed = try volumes(Self.kernels([["B30", "B30", "B80", "B80"], ["B30", "B80", "B30", "B80"]]))
        #expect(mixed.leftOut.map(\.failure.code) == [String](repeating: "GRP-AMBIGUOUS", count: 8))
    }

    @Test("a kernel that changes on the way through a volume does not tear it apart")
    func kernelChanges() throws {
        let half = try volumes(Self.kernels([["B30"], ["B30"], ["B80"], ["B80"]]))
        #expect(half.volumes.map(\.frames.count) == [4])
        let shifted = try volumes(
            (0..<8).map { index in
                let pass = index / 4
                return Self.slice(Double(index % 4) * 5 + Double(pass) * 2, number: index + 1) { image in
                    image.beforePlace = { $0.add(0x0018, 0x1210, "SH", text: "B\(pass)") }
                }
            })
        #expect(shifted.volumes.map { $0.findings.map(\.code) } == [["VOL-UNEVEN"]])
    }

    @Test(
        "vendors' private b-values tell volumes apart",
        arguments: [(0x0019, 0x100C), (0x0043, 0x1039), (0x2001, 0x1003)])
    func privateBValues(_ group: UInt16, _ element: UInt16) throws {
        let images = (0..<6).map { index in
            Self.slice(Double(index / 2) * 3, number: index + 1) { image in
                image.more = { $0.add(group, element, "IS", text: index % 2 == 0 ? "0" : "1000") }
            }
        }
        #expect(try volumes(images).volumes.map(\.frames.count) == [3, 3])
    }

    @Test("frames that nothing tells apart are refused as ambiguous")
    func ambiguous() throws {
        let result = try volumes([Self.slice(0, number: 1), Self.slice(0, number: 2), Self.slice(3, number: 3)])
        #expect(result.volumes.isEmpty)
        #expect(result.leftOut.map(\.failure.code) == ["GRP-AMBIGUOUS", "GRP-AMBIGUOUS", "GRP-AMBIGUOUS"])
    }

    @Test(
        "volumes that were numbered one after the other, or position by position, are told apart by that order alone",
        arguments: [true, false])
    func numbered(volumeAfterVolume: Bool) throws {
        let images = (0..<6).map { index in
            Self.slice(Double(volumeAfterVolume ? index % 3 : index / 2) * 3, number: index + 1)
        }
        for order in [images, images.reversed()] {
            let result = try volumes(order)
            let numbers = result.volumes.map { $0.frames.map { $0.instance.dataSet.int(.instanceNumber) } }
            #expect(numbers == (volumeAfterVolume ? [[1, 2, 3], [4, 5, 6]] : [[1, 3, 5], [2, 4, 6]]))
            #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == ["VOL-PARTS"] })
        }
    }

    @Test(
        "numbers in no order, or the same twice, tell no volumes apart",
        arguments: [[0, 1, 1, 0, 2, 2], [0, 1, 2, 0, 1, 2]])
    func unordered(_ positions: [Int]) throws {
        let isRepeated = positions == [0, 1, 2, 0, 1, 2]
        let images = positions.enumerated().map { index, position in
            Self.slice(Double(position) * 3, number: isRepeated ? index % 3 + 1 : index + 1) {
                $0.instance = "1.2.3.\(index + 1)"
            }
        }
        let result = try volumes(images)
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "GRP-AMBIGUOUS", count: 6))
    }

    @Test("images that all say one place and differ in nothing but their numbers are refused")
    func onePlace() throws {
        let result = try volumes((0..<6).map { Self.slice(0, number: $0 + 1) })
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "GRP-AMBIGUOUS", count: 6))
        // Moments tell them apart.
        let dynamic = try volumes(
            (0..<6).map { index in Self.slice(0, number: index + 1) { $0.contentTime = "12000\(index)" } })
        #expect(dynamic.volumes.map(\.frames.count) == [1, 1, 1, 1, 1, 1])
    }

    @Test("slices side by side whose directions wander are no volume and ask a person; slabs that turn do not")
    func wandering() throws {
        func severities(degrees: Double) throws -> [[Finding.Severity]] {
            // Sine and cosine of a small turn from slice to slice.
            let turns = [0.0, 1, 2, 3].map { $0 * degrees * 0.017453 }
            let images = turns.enumerated().map { index, turn in
                Self.slice(Double(index) * 3, number: index + 1) {
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

    @Test("slices that lie somewhere and do not say how large their pixels are ask a person", arguments: ["", "0\\0"])
    func noSpacing(_ spacing: String) throws {
        let volume = try #require(
            try volumes((0..<3).map { Self.slice(Double($0) * 3, number: $0 + 1) { $0.spacing = spacing } }).volumes
                .first)
        #expect(volume.kind == .spatial && volume.pixelSpacing == nil)
        #expect(volume.findings.map(\.code) == ["VOL-PLACE"] && volume.findings[0].severity == .warning)
    }

    @Test("images without a place or with impossible directions are volumes of their own, and each says so")
    func frames() throws {
        let images = [
            Self.slice(0, number: 2) { $0.position = nil },
            Self.slice(0, number: 3) { $0.orientation = "1\\0\\0\\1\\0\\0" },
        ]
        let result = try volumes(images)
        #expect(result.volumes.map(\.kind) == [.frames, .frames])
        #expect(result.volumes.map(\.sliceWeights) == [[], []])
        #expect(result.volumes.allSatisfy { $0.findings.contains { $0.code == "VOL-PLACE" } })
    }

    @Test("slices with positions are a volume without a Frame of Reference too")
    func noReference() throws {
        let images = (0..<3).map { Self.slice(Double($0) * 3, number: $0 + 1) { $0.frameOfReference = nil } }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [3])
        #expect(result.volumes.first?.sliceSpacing == 3)
        #expect(result.volumes.first?.findings.map(\.code) == ["VOL-REFERENCE"])
    }

    @Test("two passes shifted against each other are two even volumes")
    func shifted() throws {
        let images = (0..<8).map { index in
            let pass = index / 4
            return Self.slice(Double(index % 4) * 5 + Double(pass) * 2, number: index + 1) { image in
                image.more = { $0.add(0x0020, 0x0012, "IS", text: "\(pass + 1)") }
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.sliceSpacing) == [5, 5])
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == ["VOL-PARTS"] })
    }

    @Test("two stacks behind each other are one volume with a gap, whatever else tells them apart")
    func stations() throws {
        let images = (0..<8).map { index in
            let pass = index / 4
            return Self.slice(Double(index + 2 * pass) * 5, number: index + 1) { image in
                image.more = { $0.add(0x0020, 0x0012, "IS", text: "\(pass + 1)") }
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [8])
        #expect(result.volumes.first?.findings.map(\.code) == ["VOL-GAP"])
    }

    @Test("passes are told apart by their moments over midnight too")
    func midnight() throws {
        let moments = [("20260101", "235950"), ("20260101", "235955"), ("20260102", "000001"), ("20260102", "000007")]
        // The first pass ends before midnight at one position and after it at the other.
        let places = [(0.0, 0), (5.0, 1), (0.0, 1), (5.0, 2), (0.0, 3), (5.0, 3)]
        let images = places.enumerated().map { index, place in
            Self.slice(place.0, number: [3, 5, 1, 2, 6, 4][index]) { image in
                (image.contentDate, image.contentTime) = moments[place.1]
            }
        }
        let result = try volumes(images)
        #expect(
            result.volumes.map { $0.frames.map { $0.instance.dataSet.int(.instanceNumber) } } == [
                [1, 2], [3, 5], [6, 4],
            ])
    }

    @Test("parts that lack slices say so")
    func incomplete() throws {
        let images = [(0.0, 1), (3, 1), (6, 1), (6, 2), (9, 2)].enumerated().map { index, slice in
            Self.slice(slice.0, number: index + 1) { image in
                image.more = { $0.add(0x0020, 0x0012, "IS", text: "\(slice.1)") }
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [3, 2])
        #expect(
            result.volumes.allSatisfy { $0.findings.contains { $0.code == "VOL-PARTS" && $0.severity == .warning } })
    }

    /// An ultrasound picture of 8 × 8 pixels; regions as x0, y0, x1, y1 with the size of a pixel in cm.
    private static func ultrasound(_ regions: [(box: [UInt32], size: Double)], spacing: String = "1\\1") -> TestImage {
        var image = TestImage()
        (image.sopClass, image.modality) = ("1.2.840.10008.5.1.4.1.1.6.1", "US")
        (image.position, image.spacing) = (nil, spacing)
        image.beforePlace = { file in
            file.add(
                0x0018, 0x6011,
                items: regions.map { region in
                    { item in
                        item.add(0x0018, 0x6012, us: 1)
                        for (index, value) in region.box.enumerated() {
                            item.add(0x0018, 0x6018 + UInt16(index) * 2, "UL", TestFile.little(value))
                        }
                        item.add(0x0018, 0x6024, us: 3)
                        item.add(0x0018, 0x6026, us: 3)
                        for element in [0x602C, 0x602E] as [UInt16] {
                            item.add(0x0018, element, "FD", TestFile.little(region.size.bitPattern))
                        }
                    }
                })
        }
        return image
    }

    @Test("ultrasound regions of one calibration count before Pixel Spacing, and only within them")
    func regions() throws {
        let whole = try #require(
            try volumes([Self.ultrasound([([0, 0, 7, 7], 0.02)], spacing: "0.2\\0.2")]).volumes.first)
        #expect(whole.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2) && whole.calibratedRegions.isEmpty)
        #expect(whole.pictureSpacing == whole.pixelSpacing)
        // What is written beside all pixels has no scale of a part.
        let part = try #require(try volumes([Self.ultrasound([([0, 0, 3, 3], 0.02)])]).volumes.first)
        #expect(part.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2) && part.pictureSpacing == nil)
        #expect(whole.findings.isEmpty)
        // The last pixel may be counted as the one behind it.
        let counted = try #require(try volumes([Self.ultrasound([([0, 0, 8, 8], 0.02)])]).volumes.first)
        #expect(counted.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2) && counted.calibratedRegions.isEmpty)
        let two = try #require(
            try volumes([Self.ultrasound([([0, 0, 3, 7], 0.02), ([4, 1, 7, 6], 0.02)])]).volumes.first)
        #expect(two.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2))
        #expect(
            two.calibratedRegions == [
                PixelRectangle(rows: 0...7, columns: 0...3), PixelRectangle(rows: 1...6, columns: 4...7),
            ])
        #expect(two.findings.map(\.code) == ["VOL-CALIBRATION"])
        let different = try #require(
            try volumes([Self.ultrasound([([0, 0, 3, 7], 0.02), ([4, 0, 7, 7], 0.05)])]).volumes.first)
        #expect(different.pixelSpacing == nil)
        #expect(different.findings.map(\.code) == ["VOL-CALIBRATION"])
    }

    @Test(
        "an ultrasound picture of more than half a metre may have its distances in another unit",
        arguments: [(2, 1.0, false), (10, 1, true), (2, 100, false), (0, 1, false), (0, 100, true)])
    func ultrasoundDepth(_ size: Double, _ spacing: Double, _ isTold: Bool) throws {
        let regions: [(box: [UInt32], size: Double)] = size > 0 ? [([0, 0, 7, 7], size)] : []
        let volume = try #require(
            try volumes([Self.ultrasound(regions, spacing: "\(spacing)\\\(spacing)")]).volumes.first)
        #expect(volume.findings.contains { $0.code == "VOL-SCALE" && $0.severity == .warning } == isTold)
    }

    @Test(
        "an ultrasound region that is calibrated and cannot be read, or is of another picture, is refused; zero says that nothing is known",
        arguments: [
            ([5, 0, 3, 7], 0.02, ["VOL-PLACE"]), ([0, 0, 7, 7], .nan, ["VOL-PLACE"]), ([0, 0, 7, 7], 0, []),
            ([0, 0, 63, 63], 0.02, ["VOL-PLACE"]), ([0, 0, 7, 9], 0.02, ["VOL-PLACE"]),
            ([8, 0, 8, 7], 0.02, ["VOL-PLACE"]), ([20, 20, 30, 30], 0.02, ["VOL-PLACE"]),
        ] as [([UInt32], Double, [String])])
    func brokenRegion(_ box: [UInt32], _ size: Double, _ codes: [String]) throws {
        let result = try volumes([Self.ultrasound([(box, size)])])
        #expect(result.leftOut.map(\.failure.code) == codes)
        #expect(result.volumes.map(\.pixelSpacing) == (codes.isEmpty ? [PixelSpacing(row: 1, column: 1)] : []))
    }

    @Test("a projection without a magnification factor says that its distances are the detector's")
    func detector() throws {
        var image = TestImage()
        (image.sopClass, image.modality) = ("1.2.840.10008.5.1.4.1.1.1.1", "DX")
        (image.position, image.spacing) = (nil, "")
        image.beforePlace = { $0.add(0x0018, 0x1164, "DS", text: "0.2\\0.2") }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.pixelSpacing == PixelSpacing(row: 0.2, column: 0.2))
        #expect(volume.findings.map(\.code) == ["VOL-DETECTOR"])
    }

    @Test("an image too small or too narrow is refused")
    func shape() throws {
        for (rows, columns) in [(4, 8), (8, 400)] {
            let image = Self.slice(0, number: 1) {
                $0.rows = UInt16(rows)
                $0.columns = UInt16(columns)
            }
            #expect(try volumes([image]).leftOut.map(\.failure.code) == ["GEO-SHAPE"])
        }
    }

    @Test("the type of a frame is its own where an object has per-frame groups only")
    func frameType() throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.2.1", position: nil, frames: 4)
        image.spacing = ""
        image.more = { file in
            file.add(
                0x5200, 0x9230,
                items: (0..<4).map { index in
                    {
                        let type = "ORIGINAL\\PRIMARY\\VOLUME\\\(index < 2 ? "NONE" : "SUBTRACTION")"
                        $0.add(0x0018, 0x9329, items: [{ $0.add(0x0008, 0x9007, "CS", text: type) }])
                        $0.add(
                            0x0020, 0x9113, items: [{ $0.add(0x0020, 0x0032, "DS", text: "1\\2\\\(index % 2 * 3)") }])
                        $0.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
                        $0.add(0x0028, 0x9110, items: [{ $0.add(0x0028, 0x0030, "DS", text: "0.7\\0.7") }])
                    }
                })
        }
        let result = VolumeBuilder.volumes(of: [try image.source()])
        #expect(result.volumes.map { $0.frames.map(\.number) } == [[1, 2], [3, 4]])
    }

    @Test("an enhanced object's frames take their place and window from its functional groups")
    func enhanced() throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.2.1", position: nil, frames: 3)
        image.spacing = ""
        image.pixels = [UInt8](repeating: 0, count: 3 * 128)
        image.more = { file in
            file.add(
                0x5200, 0x9229,
                items: [
                    {
                        $0.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
                        $0.add(0x0028, 0x9110, items: [{ $0.add(0x0028, 0x0030, "DS", text: "0.7\\0.7") }])
                        $0.add(
                            0x0028, 0x9132,
                            items: [
                                {
                                    $0.add(0x0028, 0x1050, "DS", text: "40")
                                    $0.add(0x0028, 0x1051, "DS", text: "400")
                                }
                            ])
                    }
                ])
            file.add(
                0x5200, 0x9230, isOpen: true,
                items: [4.0, 0, 2].map { z in
                    {
                        $0.add(
                            0x0020, 0x9113, isOpen: true, items: [{ $0.add(0x0020, 0x0032, "DS", text: "1\\2\\\(z)") }])
                    }
                })
        }
        let volume = try #require(VolumeBuilder.volumes(of: [try image.source()]).volumes.first)
        #expect(volume.kind == .spatial)
        #expect(volume.frames.map(\.number) == [2, 3, 1])
        #expect(volume.sliceSpacing == 2)
        #expect(volume.frames[0].imagePositionPatient == ["1", "2", "0.0"])
        #expect(volume.frames[0].pixelSpacingStrings == ["0.7", "0.7"])
        #expect(volume.frames[2].voi.windows == [VOI.Window(center: 40, width: 400)])
    }

    @Test(
        "what an enhanced object says twice of a frame is refused; at its top may stand what one of its frames says",
        arguments: [
            ("1", "", nil), ("2", "", "PIX-VALUES"), ("", "two items", "VOL-PLACE"), ("", "two shared", "VOL-PLACE"),
        ])
    func saidTwice(_ top: String, _ group: String, _ code: String?) throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.2.1", position: nil, frames: 2)
        image.spacing = ""
        image.pixels = [UInt8](repeating: 0, count: 2 * 128)
        image.hasScale = false
        image.more = { file in
            if !top.isEmpty { file.add(0x0028, 0x1053, "DS", text: top) }
            let shared: (inout TestFile) -> Void = {
                $0.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
                $0.add(0x0028, 0x9110, items: [{ $0.add(0x0028, 0x0030, "DS", text: "0.7\\0.7") }])
                $0.add(0x0028, 0x9145, items: [{ $0.add(0x0028, 0x1053, "DS", text: "1") }])
            }
            file.add(0x5200, 0x9229, items: group == "two shared" ? [shared, shared] : [shared])
            file.add(
                0x5200, 0x9230,
                items: [0, 2].map { z in
                    {
                        let place: (inout TestFile) -> Void = { $0.add(0x0020, 0x0032, "DS", text: "1\\2\\\(z)") }
                        $0.add(0x0020, 0x9113, items: group == "two items" ? [place, place] : [place])
                    }
                })
        }
        let result = VolumeBuilder.volumes(of: [try image.source()])
        #expect(result.leftOut.map(\.failure.code) == (code.map { [$0] } ?? []))
        #expect(result.volumes.count == (code == nil ? 1 : 0))
    }
}
