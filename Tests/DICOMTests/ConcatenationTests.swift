import DICOM
import Failures
import Testing

/// Enhanced objects that are cut into several.
@Suite("concatenations")
struct ConcatenationTests {
    /// Two frames of an enhanced object that is cut into several.
    private static func part(_ number: Int, of total: Int?, hasUID: Bool = true) -> TestImage {
        var image = TestImage(
            sopClass: "1.2.840.10008.5.1.4.1.1.2.1", instance: "1.2.3.\(number)", number: number, position: nil,
            frames: 2)
        image.spacing = ""
        image.more = { file in
            if hasUID { file.add(0x0020, 0x9161, "UI", text: "1.2.3.77") }
            file.add(0x0020, 0x9162, us: UInt16(number))
            if let total { file.add(0x0020, 0x9163, us: UInt16(total)) }
            file.add(0x0020, 0x9228, "UL", TestFile.little(UInt32(2 * (number - 1))))
            file.add(
                0x5200, 0x9229,
                items: [
                    {
                        $0.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
                        $0.add(0x0028, 0x9110, items: [{ $0.add(0x0028, 0x0030, "DS", text: "0.7\\0.7") }])
                    }
                ])
            file.add(
                0x5200, 0x9230,
                items: (0..<2).map { frame in
                    {
                        let z = 3 * (2 * number + frame)
                        $0.add(0x0020, 0x9113, items: [{ $0.add(0x0020, 0x0032, "DS", text: "1\\2\\\(z)") }])
                    }
                })
        }
        return image
    }

    @Test(
        "an enhanced object that is cut into several is read where all of them are there",
        arguments: [([1, 2, 3], 3), ([1, 2], 3), ([1, 3], 3), ([2, 3], 2), ([1], 3), ([1], 1)])
    func concatenation(_ numbers: [Int], _ total: Int) throws {
        let result = try volumes(numbers.map { Self.part($0, of: total) })
        let isWhole = numbers == Array(1...numbers.count) && numbers.count == total
        #expect(result.volumes.map(\.frames.count) == (isWhole ? [2 * numbers.count] : []))
        #expect(
            result.leftOut.map(\.failure.code)
                == (isWhole ? [] : [String](repeating: "VOL-PARTS", count: numbers.count)))
    }

    @Test("an object that an archive made of some frames of another one says that it lacks the others")
    func extracted() throws {
        var image = Self.part(1, of: 1)
        #expect(try volumes([image]).volumes.map { $0.findings.filter { $0.code == "VOL-PARTS" }.count } == [0])
        image.beforePlace = { file in
            file.add(0x0008, 0x1164, items: [{ $0.add(0x0008, 0x1167, "UI", text: "1.2.3.99") }])
        }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.findings.contains { $0.code == "VOL-PARTS" && $0.severity == .warning })
    }

    @Test(
        "parts whose Concatenation UID was taken away are still parts",
        arguments: [([1, 2, 3], 3), ([1, 2], 3), ([2, 3], 3), ([1], 2), ([1], 1)])
    func noUID(_ numbers: [Int], _ total: Int) throws {
        let result = try volumes(numbers.map { Self.part($0, of: total, hasUID: false) })
        let isWhole = numbers.count == total
        #expect(result.volumes.map(\.frames.count) == (isWhole ? [2 * numbers.count] : []))
        #expect(result.leftOut.map(\.failure.code) == (isWhole ? [] : numbers.map { _ in "VOL-PARTS" }))
    }

    @Test(
        "parts that do not say how many they are make a volume in whose end a person has to trust",
        arguments: [[1, 2], [1], [1, 3], [2]])
    func openEnd(_ numbers: [Int]) throws {
        let result = try volumes(numbers.map { Self.part($0, of: nil) })
        let isWhole = numbers == Array(1...numbers.count)
        #expect(result.volumes.map(\.frames.count) == (isWhole ? [2 * numbers.count] : []))
        #expect(result.leftOut.map(\.failure.code) == (isWhole ? [] : numbers.map { _ in "VOL-PARTS" }))
        let parts = result.volumes.flatMap(\.findings).filter { $0.code == "VOL-PARTS" }
        #expect(parts.map(\.severity) == (isWhole ? [.warning] : []))
    }
}
