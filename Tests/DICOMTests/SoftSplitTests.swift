import DICOM
import Imaging
import Testing

/// Frames of one series that lie at the same places, or between each other.
@Suite("volumes of one series")
struct SoftSplitTests {
    @Test("frames that share positions are split by the first attribute that tells them apart")
    func softSplit() throws {
        let images = (0..<8).map { index in
            slice(at: Double(index / 2) * 3, number: index + 1) { image in
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
                slice(at: Double(position) * 3, number: position * kernels.count + index + 1) { image in
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

    @Test("thin and thick slices of one series that share places are two volumes")
    func thinAndThick() throws {
        let places = (0..<9).map { (Double($0), "1") } + (0..<3).map { (Double($0) * 4, "4") }
        let images = places.enumerated().map { index, place in
            slice(at: place.0, number: index + 1) { image in
                image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: place.1) }
            }
        }
        #expect(try volumes(images).volumes.map(\.frames.count) == [9, 3])
    }

    @Test("a kernel that changes on the way through a volume does not tear it apart")
    func kernelChanges() throws {
        let half = try volumes(Self.kernels([["B30"], ["B30"], ["B80"], ["B80"]]))
        #expect(half.volumes.map(\.frames.count) == [4])
        let shifted = try volumes(
            (0..<8).map { index in
                let pass = index / 4
                return slice(at: Double(index % 4) * 5 + Double(pass) * 2, number: index + 1) { image in
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
            slice(at: Double(index / 2) * 3, number: index + 1) { image in
                image.more = { $0.add(group, element, "IS", text: index % 2 == 0 ? "0" : "1000") }
            }
        }
        #expect(try volumes(images).volumes.map(\.frames.count) == [3, 3])
    }

    @Test("frames that nothing tells apart are refused as ambiguous")
    func ambiguous() throws {
        let result = try volumes([slice(at: 0, number: 1), slice(at: 0, number: 2), slice(at: 3, number: 3)])
        #expect(result.volumes.isEmpty)
        #expect(result.leftOut.map(\.failure.code) == ["GRP-AMBIGUOUS", "GRP-AMBIGUOUS", "GRP-AMBIGUOUS"])
    }

    @Test(
        "volumes that were numbered one after the other, or position by position, are told apart by that order alone",
        arguments: [true, false])
    func numbered(volumeAfterVolume: Bool) throws {
        let images = (0..<6).map { index in
            slice(at: Double(volumeAfterVolume ? index % 3 : index / 2) * 3, number: index + 1)
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
            slice(at: Double(position) * 3, number: isRepeated ? index % 3 + 1 : index + 1) {
                $0.instance = "1.2.3.\(index + 1)"
            }
        }
        let result = try volumes(images)
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "GRP-AMBIGUOUS", count: 6))
    }

    @Test("images that all say one place and differ in nothing but their numbers are refused")
    func onePlace() throws {
        let result = try volumes((0..<6).map { slice(at: 0, number: $0 + 1) })
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "GRP-AMBIGUOUS", count: 6))
        // Moments tell them apart.
        let dynamic = try volumes(
            (0..<6).map { index in slice(at: 0, number: index + 1) { $0.contentTime = "12000\(index)" } })
        #expect(dynamic.volumes.map(\.frames.count) == [1, 1, 1, 1, 1, 1])
    }

    @Test("two passes shifted against each other are two even volumes")
    func shifted() throws {
        let images = (0..<8).map { index in
            let pass = index / 4
            return slice(at: Double(index % 4) * 5 + Double(pass) * 2, number: index + 1) { image in
                image.more = { $0.add(0x0020, 0x0012, "IS", text: "\(pass + 1)") }
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.sliceSpacing) == [5, 5])
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == ["VOL-PARTS"] })
    }

    @Test(
        "passes that do not show the same ask a person: which slices belong together is unknown",
        arguments: [(4, 1.2, Finding.Severity.note), (4, 10.5, .warning), (3, 4.5, .warning), (8, -4, .warning)])
    func partlyShifted(_ count: Int, _ shift: Double, _ severity: Finding.Severity) throws {
        let first = (0..<5).map { Double($0) * 3 }
        let second = (0..<count).map { Double($0) * 3 + shift }
        let result = try volumes(
            stack(first + second) { index, image in
                image.more = { $0.add(0x0020, 0x0012, "IS", text: index < 5 ? "1" : "2") }
            })
        #expect(result.volumes.map(\.frames.count) == [5, count])
        #expect(
            result.volumes.allSatisfy {
                $0.findings.map(\.code) == ["VOL-PARTS"] && $0.findings[0].severity == severity
            })
    }

    @Test(
        "scans whose slices lie between each other and overlap are taken apart and ask a person; what is acquired by turns touches at most",
        arguments: [
            (0x0012, 3.0, [6, 6], ["VOL-PARTS"]), (0x0012, 1.5, [12], []), (0x0012, 1, [12], []),
            // Two kernels, voltages, flip angles, or water and fat, of which an archive kept one at each position.
            (0x1210, 3, [6, 6], ["VOL-PARTS"]), (0x0060, 2, [6, 6], ["VOL-PARTS"]),
            (0x1210, 1.5, [6, 6], ["VOL-PARTS"]), (0x1314, 1.5, [6, 6], ["VOL-PARTS"]),
            (0x0008, 1.5, [6, 6], ["VOL-PARTS"]),
            // Before and with contrast; two moments, two coils.
            (0x0010, 1.5, [6, 6], ["VOL-PARTS"]), (0x0100, 1.5, [6, 6], ["VOL-PARTS"]),
            (0x1250, 1.5, [6, 6], ["VOL-PARTS"]),
        ] as [(UInt16, Double, [Int], [String])])
    func interleaved(_ element: UInt16, _ thickness: Double, _ counts: [Int], _ codes: [String]) throws {
        let images = stack((0..<12).map { Double($0) * 1.5 }) { index, image in
            let value = index % 2 == 0 ? "80" : "140"
            image.beforePlace = { file in
                file.add(0x0018, 0x0050, "DS", text: "\(thickness)")
                if element == 0x0010, index % 2 == 1 { file.add(0x0018, element, "LO", text: "Iohexol") }
                if element == 0x0060 { file.add(0x0018, element, "DS", text: value) }
                if [0x1210, 0x1250].contains(element) { file.add(0x0018, element, "SH", text: value) }
                if element == 0x1314 { file.add(0x0018, element, "DS", text: value) }
            }
            if element == 0x0008 { image.imageType += "\\\(value)" }
            if [0x0012, 0x0100].contains(element) { image.more = { $0.add(0x0020, element, "IS", text: value) } }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == counts)
        #expect(result.volumes.allSatisfy { $0.findings.map(\.code) == codes })
        #expect(result.volumes.allSatisfy { $0.findings.allSatisfy { $0.severity == .warning } })
    }

    @Test(
        "what was set otherwise for a part of the way, or for each slice, is one volume",
        arguments: [
            ["B30", "B30", "B30", "B30", "B30", "B30", "B80", "B80", "B80", "B80", "B80", "B80"],
            ["B30", "B30", "B30", "B30", "B80", "B80", "B80", "B80", "B30", "B30", "B30", "B30"],
            (0..<12).map { "K\($0)" },
        ])
    func settings(_ kernels: [String]) throws {
        let images = stack(kernels.indices.map { Double($0) * 3 }) { index, image in
            image.beforePlace = { $0.add(0x0018, 0x1210, "SH", text: kernels[index]) }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [12] && result.volumes[0].findings.isEmpty)
    }

    @Test("rotations behind each other are one volume, however much their slices overlap")
    func rotations() throws {
        let images = stack((0..<12).map { Double($0) * 1.5 }) { index, image in
            image.beforePlace = { $0.add(0x0018, 0x0050, "DS", text: "3") }
            image.more = { $0.add(0x0020, 0x0012, "IS", text: "\(index / 4)") }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [12] && result.volumes[0].findings.isEmpty)
    }

    @Test("two stacks behind each other are one volume with a gap, whatever else tells them apart")
    func stations() throws {
        let images = (0..<8).map { index in
            let pass = index / 4
            return slice(at: Double(index + 2 * pass) * 5, number: index + 1) { image in
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
            slice(at: place.0, number: [3, 5, 1, 2, 6, 4][index]) { image in
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
        let images = [(0.0, 1), (3, 1), (6, 1), (6, 2), (9, 2)].enumerated().map { index, given in
            slice(at: given.0, number: index + 1) { image in
                image.more = { $0.add(0x0020, 0x0012, "IS", text: "\(given.1)") }
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == [3, 2])
        #expect(
            result.volumes.allSatisfy { $0.findings.contains { $0.code == "VOL-PARTS" && $0.severity == .warning } })
    }

    @Test(
        "the order of numbers puts no images together that their times tell apart",
        arguments: [
            ([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], [6, 6]), ([1, 1, 1, 1, 1, 1, 2, 1, 2, 2, 2, 2], []),
            ([1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2], []), ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [6, 6]),
            // Each image has its own.
            ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13], [6, 6]), ([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], [6, 6]),
        ])
    func numbersAndTimes(_ times: [Int], _ counts: [Int]) throws {
        let images = times.enumerated().map { index, time in
            slice(at: Double(index % 6) * 3, number: index + 1) { image in
                image.afterPlace = { $0.add(0x0020, 0x0100, "IS", text: "\(time)") }
            }
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == counts)
        #expect(Set(result.leftOut.map(\.failure.code)) == (counts.isEmpty ? ["GRP-AMBIGUOUS"] : []))
    }

    /// Ten slices with these echo times.
    private static func echoes(_ times: [String]) -> [TestImage] {
        times.enumerated().map { index, time in
            slice(at: Double(index) * 3, number: index + 1) { image in
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

    @Test(
        "so are those of two sequences by turns; a gated run's times follow the heart",
        arguments: [
            (0x0080, "DS", ["500", "3000"], [4, 4]), (0x0080, "DS", ["857", "1150"], [8]),
            (0x0080, "DS", ["500", ""], [8]), (0x0020, "CS", ["SE", "GR"], [4, 4]),
            (0x0021, "CS", ["SK", "SP"], [4, 4]), (0x0022, "CS", ["FS", ""], [4, 4]),
            (0x0022, "CS", ["FS\\PFP", "PFP"], [4, 4]), (0x0085, "SH", ["1H", "23Na"], [4, 4]),
            (0x0050, "DS", ["3", "5"], [4, 4]), (0x0050, "DS", ["3", "3.2"], [8]), (0x0050, "DS", ["3", ""], [8]),
            (0x0024, "SH", ["*fl2d1", "*se2d1"], [4, 4]), (0x0024, "SH", ["*fl2d1", "*fl2d1"], [8]),
        ] as [(UInt16, String, [String], [Int])])
    func mixedSequences(_ element: UInt16, _ vr: String, _ values: [String], _ counts: [Int]) throws {
        for isByTurns in [true, false] {
            let images = Self.echoes((0..<8).map { _ in "5" }).enumerated().map { index, image in
                var image = image
                let value = values[isByTurns ? index % 2 : index / 4]
                image.beforePlace = { $0.add(0x0018, element, vr, text: value) }
                return image
            }
            let result = try volumes(images)
            #expect(result.volumes.map(\.frames.count) == (isByTurns ? counts : [8]))
            for volume in result.volumes {
                let parts = volume.findings.filter { $0.code == "VOL-PARTS" }
                #expect(parts.map(\.severity) == (isByTurns && counts.count > 1 ? [.warning] : []))
            }
        }
    }

    @Test("one slice of another sequence among others is taken apart", arguments: [(4, [7, 1]), (7, [8])])
    func oddSequence(_ odd: Int, _ counts: [Int]) throws {
        let images = Self.echoes((0..<8).map { _ in "5" }).enumerated().map { index, image in
            var image = image
            image.beforePlace = { $0.add(0x0018, 0x0020, "CS", text: index == odd ? "GR" : "SE") }
            return image
        }
        #expect(try volumes(images).volumes.map(\.frames.count) == counts)
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
}
