import DICOM
import Imaging
import Testing

/// What the slices of a volume say of their values, and of each other.
@Suite("values of one volume")
struct ValueEvidenceTests {
    @Test(
        "slices of PET whose values are of several kinds are refused",
        arguments: [
            (0x1001, "BQML", "CNTS", "PIX-VALUES"), (0x1001, "BQML", "bqml", nil), (0x1001, "BQML", "", nil),
            (0x1006, "BW", "LBM", "PIX-VALUES"), (0x1006, "BW", "", nil),
            (0x1102, "START", "ADMIN", "PIX-VALUES"), (0x1102, "START", "START", nil),
            (0x0051, "DECY\\ATTN", "DECY", "PIX-VALUES"), (0x0051, "DECY\\ATTN", "ATTN\\DECY\\SCAT", nil),
            (0x0051, "DECY\\ATTN", "", nil),
        ] as [(UInt16, String, String, String?)])
    func positrons(_ element: UInt16, _ usual: String, _ odd: String, _ code: String?) throws {
        let images = stack([0, 3, 6, 9]) { index, image in
            (image.sopClass, image.modality) = ("1.2.840.10008.5.1.4.1.1.128", "PT")
            let value = index == 2 ? odd : usual
            image.more = { $0.add(element == 0x0051 ? 0x0028 : 0x0054, element, "CS", text: value) }
        }
        let result = try volumes(images)
        #expect(Set(result.leftOut.map(\.failure.code)) == Set([code].compactMap { $0 }))
        #expect(result.volumes.map(\.frames.count) == (code == nil ? [4] : []))
    }

    @Test(
        "slices of PET of two tracers are refused",
        arguments: [("FDG", "Choline", "PIX-VALUES"), ("FDG", "fdg", nil), ("FDG", nil, nil)]
            as [(String, String?, String?)])
    func tracers(_ usual: String, _ odd: String?, _ code: String?) throws {
        let images = stack([0, 3, 6, 9]) { index, image in
            (image.sopClass, image.modality) = ("1.2.840.10008.5.1.4.1.1.128", "PT")
            guard let tracer = index == 2 ? odd : usual else { return }
            image.more = { $0.add(0x0054, 0x0016, items: [{ $0.add(0x0018, 0x0031, "LO", text: tracer) }]) }
        }
        let result = try volumes(images)
        #expect(Set(result.leftOut.map(\.failure.code)) == Set([code].compactMap { $0 }))
        #expect(result.volumes.map(\.frames.count) == (code == nil ? [4] : []))
    }

    /// Stored values of a picture of 64 × 64 pixels, none of which is its neighbour's.
    private static func noise(_ seed: Int, least: Int = 0) -> [UInt8] {
        (0..<64 * 64).flatMap { TestFile.little(UInt16(least + ($0 * 37 + $0 * $0 % 11 * seed) % 900)) }
    }

    private static func findings(_ pictures: [[UInt8]], _ change: (inout TestImage) -> Void = { _ in }) throws
        -> [Finding]
    {
        let images = stack(pictures.indices.map { Double($0) * 3 }) { index, image in
            (image.rows, image.columns, image.pixels) = (64, 64, pictures[index])
            image.hasScale = false
            image.more = { file in
                file.add(0x0028, 0x1052, "DS", text: "-1024")
                file.add(0x0028, 0x1053, "DS", text: "1")
            }
            change(&image)
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.frames.count == pictures.count)
        let decoding = FrameDecoding()
        var census = PictureCensus(volume)
        for (index, frame) in volume.frames.enumerated() { census.add(index, try decoding.frame(frame)) }
        return census.findings
    }

    @Test("one picture at two places asks a person: what lies at one of them is missing")
    func copies() throws {
        let told = try Self.findings([1, 2, 3, 2].map { Self.noise($0) })
        #expect(told.map(\.code) == ["VOL-PLACE"] && told[0].severity == .warning)
        #expect(told[0].text.contains("slice 4 of 4") && told[0].text.contains("slice 2,"))
        #expect(try Self.findings([1, 2, 3, 4].map { Self.noise($0) }).isEmpty)
        // Nothing is shown beside the patient, and masks repeat themselves.
        let flat = (0..<64 * 64).flatMap { TestFile.little(UInt16($0 / 2048 * 500)) }
        #expect(try Self.findings([flat, flat, Self.noise(3)]).isEmpty)
        #expect(try Self.findings([1, 1, 1].map { Self.noise($0) }) { $0.imageType = "DERIVED\\SECONDARY" }.isEmpty)
        // What was computed between slices repeats its neighbours at most.
        let again = try Self.findings([1, 2, 3, 1, 2, 3].map { Self.noise($0) }) { $0.imageType = "DERIVED\\SECONDARY" }
        #expect(again.map(\.code) == ["VOL-PLACE"] && again[0].text.contains("2 more"))
    }

    @Test("pictures that stand in two volumes of a series ask a person: images that were sent twice under new UIDs")
    func repeated() throws {
        func severities(_ pictures: [[UInt8]], seconds: Int = 0) throws -> [[Finding.Severity]] {
            let images = pictures.enumerated().map { index, picture in
                slice(at: Double(index % 4) * 3, number: index + 1) { image in
                    (image.rows, image.columns, image.pixels) = (64, 64, picture)
                    image.more = { file in
                        file.add(0x0008, 0x0032, "TM", text: "1200\(10 + index / 4 * seconds)")
                        file.add(0x0020, 0x0012, "IS", text: "\(index / 4)")
                    }
                }
            }
            let result = try volumes(images)
            #expect(result.volumes.map(\.frames.count) == [4, 4])
            return result.volumes.map { $0.findings.filter { $0.code == "VOL-PARTS" }.map(\.severity) }
        }
        let flat = (0..<64 * 64).flatMap { TestFile.little(UInt16($0 / 2048 * 500)) }
        let noise = (1...8).map { Self.noise($0) }
        #expect(try severities([1, 2, 3, 4, 1, 2, 3, 4].map { Self.noise($0) }) == [[.warning], [.warning]])
        #expect(try severities(Array(noise[..<7]) + [noise[3]]) == [[.warning], [.warning]])
        // Two passes of something that does not move.
        #expect(try severities([1, 2, 3, 4, 1, 2, 3, 4].map { Self.noise($0) }, seconds: 3) == [[], []])
        #expect(try severities(noise) == [[], []])
        #expect(try severities(Array(noise[..<3]) + [flat] + noise[4..<7] + [flat]) == [[], []])
    }

    @Test(
        "a slice with rows of one value between slices that show something asks a person: pixels were lost",
        arguments: [
            // Whole slices, one, two and at an end; bands, a thin one, and one that all slices have.
            ([2], 0..<64, true), ([2, 3], 0..<64, true), ([0], 0..<64, false), ([6], 0..<64, false),
            ([2], 32..<64, true), ([2], 0..<8, true), ([6], 50..<64, true), ([0], 0..<20, true), ([2], 5..<7, false),
            ([0, 1, 2, 3, 4, 5, 6], 32..<64, false), ([3, 4, 5, 6], 0..<64, false),
        ] as [([Int], Range<Int>, Bool)])
    func lostRows(_ slices: [Int], _ rows: Range<Int>, _ isTold: Bool) throws {
        let pictures = (0..<7).map { index in
            var picture = Self.noise(index + 1)
            if slices.contains(index) {
                for byte in rows.lowerBound * 128..<rows.upperBound * 128 { picture[byte] = 0 }
            }
            return picture
        }
        let told = try Self.findings(pictures)
        #expect(told.map(\.code) == (isTold ? ["PIX-NOTE"] : []))
        #expect(told.allSatisfy { $0.severity == .warning })
    }

    @Test("a body that tapers off in the first slice, beside which nothing is, has lost no rows")
    func endOfBody() throws {
        // Seen from the front, as of MR whose background is 0: the first slice meets the belly only.
        let pictures = (0..<7).map { index -> [UInt8] in
            let noise = Self.noise(index + 1, least: 100)
            let (height, width) = index == 0 ? (12.0, 16.0) : (44.0, 30.0)
            return (0..<64 * 64).flatMap { pixel -> ArraySlice<UInt8> in
                let (row, column) = (Double(pixel / 64) - 50, Double(pixel % 64) - 31.5)
                let isInside = row * row / (height * height) + column * column / (width * width) < 1
                return isInside ? noise[2 * pixel..<2 * pixel + 2] : [0, 0]
            }
        }
        #expect(try Self.findings(pictures).isEmpty)
        var cut = pictures
        for byte in 48 * 128..<64 * 128 { cut[0][byte] = 0 }
        #expect(try Self.findings(cut).map(\.code) == ["PIX-NOTE"])
    }

    @Test(
        "a slice that is unlike both its neighbours, which are alike, asks a person; what changes by turns or everywhere does not",
        arguments: [([3], true), ([1], true), ([0], false), ([7], false), ([1, 3, 5], false), ([], false)])
    func strangers(_ odd: [Int], _ isTold: Bool) throws {
        func picture(_ index: Int, _ value: (Int) -> Int) -> [UInt8] {
            let noise = Self.noise(index + 1, least: 1000)
            return (0..<64 * 64).flatMap { pixel -> [UInt8] in
                let own = Int(noise[2 * pixel]) + 256 * Int(noise[2 * pixel + 1]) - 1000
                let (row, column) = (pixel / 64, pixel % 64)
                return TestFile.little(UInt16(value(200 + row * 20 + (column + index * 4) / 16 * 100 + own / 40)))
            }
        }
        let changes: [(Int) -> Int] = [{ 2600 - $0 }, { $0 / 2 }, { $0 + 800 }]
        for change in changes {
            let told = try Self.findings((0..<8).map { picture($0, odd.contains($0) ? change : { $0 }) })
            #expect(told.map(\.code) == (isTold ? ["PIX-NOTE"] : []))
            #expect(told.allSatisfy { $0.severity == .warning })
        }
        #expect(try Self.findings((0..<8).map { Self.noise($0 + 1) }).isEmpty)
        // From left to right there is a slice between two sides that mirror each other.
        let sides = try Self.findings((0..<8).map { picture($0, odd.contains($0) ? changes[0] : { $0 }) }) { image in
            image.orientation = "0\\1\\0\\0\\0\\-1"
            image.position = image.position.map { $0.split(separator: "\\").reversed().joined(separator: "\\") }
        }
        #expect(sides.isEmpty)
    }

    @Test(
        "a CT that is denser or thinner than any body asks a person",
        arguments: [("16", 1), ("1", 0), ("0.0625", 0), ("0.5", 1), ("0.56", 1), ("0.6", 0)])
    func density(_ slope: String, _ count: Int) throws {
        func told(_ type: String, _ unit: String) throws -> [Finding] {
            try Self.findings((1...3).map { Self.noise($0) }) { image in
                image.imageType = type
                image.more = { file in
                    file.add(0x0028, 0x1052, "DS", text: slope == "0.0625" ? "40" : "-1024")
                    file.add(0x0028, 0x1053, "DS", text: slope)
                    file.add(0x0028, 0x1054, "LO", text: unit)
                }
            }.filter { !$0.text.contains("below 0") }
        }
        let original = try told("ORIGINAL\\PRIMARY\\AXIAL", "HU")
        #expect(original.map(\.code) == [String](repeating: "PIX-NOTE", count: count))
        #expect(original.allSatisfy { $0.severity == .warning })
        #expect(try told("DERIVED\\SECONDARY\\AXIAL", "HU").isEmpty)
        #expect(try told("ORIGINAL\\PRIMARY\\AXIAL", "US").isEmpty)
    }

    @Test("images that stand in two series of a study ask a person, where nothing but a number tells them apart")
    func repeatedSeries() throws {
        let noise = (1...4).map { Self.noise($0) }
        /// Notes of both series, the second of which was changed.
        func told(_ pictures: [[UInt8]], _ change: (inout TestImage) -> Void = { _ in }) throws -> [Int] {
            let first = stack(noise.indices.map { Double($0) * 3 }) { index, image in
                (image.rows, image.columns, image.pixels) = (64, 64, noise[index])
            }
            let second = pictures.enumerated().map { index, picture in
                slice(at: Double(index) * 3, number: index + 101) { image in
                    (image.rows, image.columns, image.pixels) = (64, 64, picture)
                    image.series = "1.2.99"
                    change(&image)
                }
            }
            let result = try volumes(first + second)
            #expect(result.volumes.map(\.frames.count) == [4, pictures.count])
            return result.volumes.map { volume in
                volume.findings.count { $0.code == "VOL-PARTS" && $0.severity == .note }
            }
        }
        #expect(try told(noise) == [1, 1])
        // A part of them is there twice; one other picture is another series.
        #expect(try told(Array(noise[..<3])) == [0, 1])
        #expect(try told(Array(noise[..<3]) + [Self.noise(9)]) == [0, 0])
        // Of another time, elsewhere, of another scale, or made for another window.
        let changes: [(inout TestImage) -> Void] = [
            { $0.contentTime = "120000" }, { $0.orientation = "0\\1\\0\\1\\0\\0" }, { $0.spacing = "0.7\\0.7" },
            { image in image.more = { $0.add(0x0028, 0x1050, "DS", text: "40") } },
            { $0.imageType = "DERIVED\\SECONDARY\\AXIAL" },
        ]
        for change in changes { #expect(try told(noise, change) == [0, 0]) }
    }

    @Test(
        "a CT in which nothing is less dense than water may lack its intercept",
        arguments: [("0", 0, true), ("0", 1, true), ("-1024", 0, false), ("-1", 0, false), ("24", 0, true)])
    func unshifted(_ intercept: String, _ least: Int, _ isTold: Bool) throws {
        let told = try Self.findings([1, 2, 3].map { Self.noise($0, least: least) }) { image in
            image.more = { file in
                file.add(0x0028, 0x1052, "DS", text: intercept)
                file.add(0x0028, 0x1053, "DS", text: "1")
            }
        }
        #expect(told.map(\.code) == (isTold ? ["PIX-NOTE"] : []))
        #expect(told.allSatisfy { $0.severity == .warning })
        // Signed values have their air.
        let signed = try Self.findings([1, 2].map { Self.noise($0, least: 64_600) }) { image in
            image.isSigned = true
            image.more = { file in
                file.add(0x0028, 0x1052, "DS", text: "0")
                file.add(0x0028, 0x1053, "DS", text: "1")
            }
        }
        #expect(signed.isEmpty)
    }
}
