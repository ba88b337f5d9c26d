import DICOM
import Failures
import Testing

/// What the images of one series say of it, and of what kind they are.
@Suite("one series")
struct SeriesConsistencyTests {
    @Test(
        "an object of a class of CT, MR or PET images with the modality of another of them is refused, one that is less precise is not",
        arguments: [
            ("1.2.840.10008.5.1.4.1.1.4", "CT", false), ("1.2.840.10008.5.1.4.1.1.128", "CT", false),
            ("1.2.840.10008.5.1.4.1.1.130", "MR", false), ("1.2.840.10008.5.1.4.1.1.128.1", "CT", false),
            ("1.2.840.10008.5.1.4.1.1.2", "MR", false), ("1.2.840.10008.5.1.4.1.1.4", "MR", true),
            ("1.2.840.10008.5.1.4.1.1.2", "OT", true), ("1.2.840.10008.5.1.4.1.1.7", "CT", true),
        ])
    func classAndModality(_ sopClass: String, _ modality: String, _ isRead: Bool) throws {
        let result = try volumes(
            (1...3).map { number in
                var image = slice(number)
                (image.sopClass, image.modality) = (sopClass, modality)
                return image
            })
        #expect(result.volumes.map(\.frames.count) == (isRead ? [3] : []))
        #expect(result.leftOut.map(\.failure.code) == (isRead ? [] : ["GRP-IDENTITY", "GRP-IDENTITY", "GRP-IDENTITY"]))
    }

    @Test(
        "an image of one side in a series of the other is refused",
        arguments: [
            ("R", "L", true), ("L", "r", true), ("R", "R", false), ("", "L", false), ("L", "", false),
            ("L", "B", false),
        ])
    func sides(_ series: String, _ own: String, _ isRefused: Bool) throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.1.2", modality: "MG", position: nil)
        image.beforePosition = { file in
            file.add(0x0020, 0x0060, "CS", text: series)
            file.add(0x0020, 0x0062, "CS", text: own)
        }
        #expect(try volumes([image]).leftOut.map(\.failure.code) == (isRefused ? ["GRP-IDENTITY"] : []))
    }

    @Test(
        "an image whose anatomic region, or whose frames, lie on the other side than it says is refused",
        arguments: [
            ("L", "24028007", nil, true), ("L", "G-A100", nil, true), ("R", "G-A100", nil, false),
            ("", "24028007", nil, false), ("L", "51440002", nil, false), ("L", "24028007 7771000", nil, false),
            ("L", "", "R", true), ("R", "", "R", false), ("", "", "R", false), ("L", "", "L R", false),
            ("", "", "L R", false), ("B", "", "R", false), ("", "7771000", "R", true),
        ] as [(String, String, String?, Bool)])
    func anatomy(_ side: String, _ modifiers: String, _ frames: String?, _ isRefused: Bool) throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.1.2", modality: "MG", position: nil)
        image.beforePosition = { file in
            let codes = modifiers.split(separator: " ").map(String.init)
            file.add(
                0x0008, 0x2218,
                items: codes.map { code in
                    { $0.add(0x0008, 0x2220, items: [{ $0.add(0x0008, 0x0100, "SH", text: code) }]) }
                })
            file.add(0x0020, 0x0062, "CS", text: side)
        }
        if let sides = frames?.split(separator: " ").map(String.init) {
            image.frames = sides.count
            image.more = { file in
                file.add(
                    0x5200, 0x9230,
                    items: sides.map { side in
                        { $0.add(0x0020, 0x9071, items: [{ $0.add(0x0020, 0x9072, "CS", text: side) }]) }
                    })
            }
        }
        #expect(try volumes([image]).leftOut.map(\.failure.code) == (isRefused ? ["GRP-IDENTITY"] : []))
    }

    private static let ofSeries: [(group: UInt16, element: UInt16, vr: String, one: String, other: String)] = [
        (0x0020, 0x0011, "IS", "3", "4"), (0x0008, 0x103E, "LO", "Head", "Thorax"),
        (0x0018, 0x1030, "LO", "A", "B"), (0x0018, 0x0015, "CS", "HEAD", "ABDOMEN"), (0x0020, 0x0060, "CS", "L", "R"),
        (0x0018, 0x5100, "CS", "HFS", "FFS"), (0x0008, 0x1090, "LO", "Scanner A", "Scanner B"),
        (0x0018, 0x1000, "LO", "17", "18"), (0x0018, 0x0087, "DS", "1.5", "3"),
        (0x0008, 0x0070, "LO", "Maker A", "Maker B"), (0x0010, 0x2210, "CS", "BIPED", "QUADRUPED"),
        (0x0010, 0x2201, "LO", "human", "dog"),
    ]

    /// Six slices of which the first `odd` say one thing of their series and the others another.
    private static func said(_ attribute: Int, _ one: String?, _ other: String?, odd: Int) throws
        -> VolumeBuilder.Result
    {
        let (group, element, vr, _, _) = ofSeries[attribute]
        return try volumes(
            (0..<6).map { index in
                var image = slice(index + 1)
                let text = index < odd ? one : other
                image.beforePlace = { if let text { $0.add(group, element, vr, text: text) } }
                return image
            })
    }

    @Test(
        "images of a volume that say different things of their series are refused, and the attribute is named",
        arguments: ofSeries.indices, [1, 3, 5])
    func ofOneSeries(_ attribute: Int, _ odd: Int) throws {
        let row = Self.ofSeries[attribute]
        let result = try Self.said(attribute, row.one, row.other, odd: odd)
        #expect(result.leftOut.map(\.failure.code) == [String](repeating: "GRP-IDENTITY", count: 6))
        let tag = Tag(row.group, row.element).description
        #expect(result.leftOut.allSatisfy { $0.failure.message.explanation.contains(tag) })
        // What is not said contradicts nothing.
        #expect(try Self.said(attribute, row.one, nil, odd: odd).volumes.map(\.frames.count) == [6])
        #expect(try Self.said(attribute, row.one, "", odd: odd).volumes.map(\.frames.count) == [6])
    }

    @Test(
        "age, size and weight in the images of one volume are those of one patient",
        arguments: [
            (0x1010, "AS", "040Y", "062Y", true), (0x1010, "AS", "040Y", "041Y", false),
            (0x1010, "AS", "001Y", "012M", false), (0x1010, "AS", "011Y", "011M", true),
            (0x1010, "AS", "040Y", "000Y", false), (0x1010, "AS", "040Y", "old", false),
            (0x1030, "DS", "70", "95", true), (0x1030, "DS", "70", "70.5", false), (0x1030, "DS", "70", "0", false),
            (0x1020, "DS", "1.75", "1.1", true), (0x1020, "DS", "1.75", "1.8", false),
        ] as [(UInt16, String, String, String, Bool)])
    func body(_ element: UInt16, _ vr: String, _ one: String, _ other: String, _ isRefused: Bool) throws {
        let images = (0..<6).map { index in
            var image = slice(index + 1)
            image.beforePlace = { $0.add(0x0010, element, vr, text: index == 4 ? other : one) }
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == (isRefused ? [] : [6]))
        #expect(Set(result.leftOut.map(\.failure.code)) == (isRefused ? ["GRP-IDENTITY"] : []))
    }

    @Test(
        "slices of one volume were acquired in one examination, which may go over midnight",
        arguments: [
            (["20250301"], ["20260301"], true), (["20260227"], ["20260301"], true),
            (["20260228"], ["20260301"], false), (["20240228"], ["20240301"], true),
            (["20251231"], ["20260101"], false),
            (["20260301", "235930"], ["20260302", "000110.5"], false),
            (["20260301", "080000"], ["20260302", "080000"], true),
            (["20260301", "060000"], ["20260301", "193000"], true),
            (["20260301", "060000"], ["20260301", "090000"], false), (["20260301", "080000"], ["20260302"], false),
            // What says no date, and dates as they once were written.
            (["20250301"], [""], false), (["", "080000"], ["", "220000"], false), (["2025.03.01"], ["20250301"], false),
            (["00000000"], ["20260301"], false),
        ])
    func examination(_ one: [String], _ other: [String], _ isRefused: Bool) throws {
        let images = (0..<6).map { index in
            var image = slice(index + 1)
            let moment = index < 3 ? one : other
            image.beforePlace = { file in
                file.add(0x0008, 0x0022, "DA", text: moment[0])
                if moment.count > 1 { file.add(0x0008, 0x0032, "TM", text: moment[1]) }
            }
            return image
        }
        let result = try volumes(images)
        #expect(result.volumes.map(\.frames.count) == (isRefused ? [] : [6]))
        #expect(Set(result.leftOut.map(\.failure.code)) == (isRefused ? ["GRP-IDENTITY"] : []))
        // The same as one moment.
        guard one.count == other.count, one.allSatisfy({ !$0.isEmpty && !$0.contains(".") }) else { return }
        let whole = try volumes(
            images.enumerated().map { index, image in
                var image = image
                let moment = (index < 3 ? one : other).joined()
                image.beforePlace = { $0.add(0x0008, 0x002A, "DT", text: moment) }
                return image
            })
        #expect(whole.volumes.map(\.frames.count) == (isRefused ? [] : [6]))
    }

    @Test("what means the same, and what another volume says, is no contradiction")
    func sameSeries() throws {
        #expect(try Self.said(0, "3", "03", odd: 2).volumes.map(\.frames.count) == [6])
        #expect(try Self.said(1, "Thorax", " THORAX ", odd: 2).volumes.map(\.frames.count) == [6])
        #expect(try Self.said(8, "3.0", "3", odd: 2).volumes.map(\.frames.count) == [6])
        let away = try volumes(
            (1...6).map { number in
                var image = slice(number)
                if number == 6 { (image.position, image.spacing) = ("0\\0\\60", "0.7\\0.7") }
                image.beforePlace = { $0.add(0x0008, 0x103E, "LO", text: number == 6 ? "Head" : "Thorax") }
                return image
            })
        #expect(away.volumes.map(\.frames.count) == [5, 1])
    }
}
