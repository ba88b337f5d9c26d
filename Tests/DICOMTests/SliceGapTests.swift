import DICOM
import Imaging
import Testing

/// Slices that are missing, uneven, or said to lie elsewhere than they do by what they say of their distances and numbers.
@Suite("gaps between slices")
struct SliceGapTests {
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
        let images = places.enumerated().map { slice(at: $1, number: $0 + 1, y: $1 * drift) }
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
        let images = stack(places) { index, image in
            image.beforePlace = { file in
                if let thickness = thicknesses.count > 1 ? thicknesses[index] : thicknesses.first {
                    file.add(0x0018, 0x0050, "DS", text: "\(thickness)")
                }
                if let stated { file.add(0x0018, 0x0088, "DS", text: "\(stated)") }
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
            slice(at: place, number: number) { image in
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
            slice(at: Double(index) * gap, number: number) { image in
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
            slice(at: Double(index / 2) * 3, number: index + 1) { $0.echoTime = index % 2 == 0 ? "4.6" : "9.2" }
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
            let own = (0..<4).map { slice(at: Double($0) * 3, number: 2 * $0 + 1) }
            let others = numbers.enumerated().map { index, number in
                slice(at: Double(index) * 3 + offset, number: number) {
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

    @Test("what Instance Numbers say of slices stays when a frame that cannot be decoded is left out")
    func decodable() throws {
        let images = (0..<6).map { index in
            slice(at: Double(index) * 3, number: 2 * index + 1) { image in
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
}
