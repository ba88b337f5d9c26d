import DICOM
import Imaging
import Testing

/// Distances that cannot be right, and whose they are.
@Suite("scale")
struct ScaleTests {
    @Test(
        "original slices that are not as wide as they were reconstructed may have been scaled",
        arguments: [
            ("4", "ORIGINAL\\PRIMARY\\AXIAL", false), ("4.1", "ORIGINAL\\PRIMARY\\AXIAL", false),
            ("8", "ORIGINAL\\PRIMARY\\AXIAL", true), ("2", "ORIGINAL\\PRIMARY\\AXIAL", true),
            ("8", "DERIVED\\SECONDARY\\AXIAL", false), ("", "ORIGINAL\\PRIMARY\\AXIAL", false),
            ("0", "ORIGINAL\\PRIMARY\\AXIAL", false),
        ])
    func diameter(_ diameter: String, _ type: String, _ isTold: Bool) throws {
        let images = stack([0, 3, 6]) { _, image in
            image.imageType = type
            image.beforePlace = { $0.add(0x0018, 0x1100, "DS", text: diameter) }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-SCALE"] : []))
        #expect(volume.findings.allSatisfy { $0.severity == .warning })
    }

    @Test(
        "a slice of CT that is no square and has the pixels of one that was reconstructed was cut out of it; others may have been scaled",
        arguments: [
            (12, 16, "16", "CT", false), (16, 12, "24", "CT", false), (12, 16, "19", "CT", true),
            (16, 16, "16", "CT", true), (12, 16, "16", "MR", true), (12, 16, "5.333", "CT", true),
        ] as [(UInt16, UInt16, String, String, Bool)])
    func cut(_ rows: UInt16, _ columns: UInt16, _ diameter: String, _ modality: String, _ isTold: Bool) throws {
        let images = stack([0, 3, 6]) { _, image in
            (image.rows, image.columns, image.modality) = (rows, columns, modality)
            if modality == "MR" { image.sopClass = "1.2.840.10008.5.1.4.1.1.4" }
            image.beforePlace = { $0.add(0x0018, 0x1100, "DS", text: diameter) }
        }
        let volume = try #require(try volumes(images).volumes.first)
        #expect(volume.findings.map(\.code) == (isTold ? ["VOL-SCALE"] : []))
    }

    @Test(
        "a Pixel Aspect Ratio that is not 1 : 1 and contradicts the distances of the pixels asks a person",
        arguments: [
            ("2\\1", "0.5\\0.5", true), ("1\\1", "1\\0.5", false), ("2\\1", "1\\0.5", false),
            ("21\\10", "1\\0.5", false), ("1\\2", "1\\0.5", true), ("2\\1", "", false), ("0\\1", "1\\0.5", false),
        ])
    func aspect(_ ratio: String, _ spacing: String, _ isTold: Bool) throws {
        var image = slice(at: 0, number: 1)
        (image.position, image.spacing) = (nil, spacing)
        image.more = { $0.add(0x0028, 0x0034, "IS", text: ratio) }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.findings.contains { $0.code == "VOL-SCALE" && $0.severity == .warning } == isTold)
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

    /// A picture of 0.2 mm pixels by its Pixel Spacing.
    private static func projection(
        _ more: [(element: UInt16, value: String)], spacing: String = "0.2\\0.2", calibration: String? = nil
    ) -> TestImage {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.1.1", modality: "DX", position: nil)
        image.spacing = spacing
        image.beforePlace = { file in for one in more { file.add(0x0018, one.element, "DS", text: one.value) } }
        image.more = { file in if let calibration { file.add(0x0028, 0x0A02, "CS", text: calibration) } }
        return image
    }

    @Test("a Pixel Spacing that repeats the detector's or the scanned film's is theirs unless it was calibrated")
    func uncalibrated() throws {
        let (imager, factor, nominal): (UInt16, UInt16, UInt16) = (0x1164, 0x1114, 0x2010)
        let (far, near): (UInt16, UInt16) = (0x1110, 0x1111)
        let same = "0.2\\0.2"
        // Smaller pictures are none of a body.
        let wide = "0.4\\0.4"
        let cases: [(image: TestImage, spacing: Double, codes: [String])] = [
            (Self.projection([(imager, same)]), 0.2, ["VOL-DETECTOR"]),
            (Self.projection([(factor, "1.25"), (imager, same)]), 0.16, []),
            (Self.projection([(imager, same)], calibration: "GEOMETRY"), 0.2, []),
            (Self.projection([(factor, "1.25"), (imager, "0.25\\0.25")]), 0.2, []),
            // Magnified by a factor that Pixel Spacing knows nothing of, or by none at all.
            (Self.projection([(factor, "1.8"), (imager, "0.25\\0.25")]), 0.2, ["VOL-SCALE"]),
            (Self.projection([(factor, "1"), (imager, "0.25\\0.25")]), 0.2, ["VOL-SCALE"]),
            (Self.projection([(factor, "1.8"), (imager, same)], calibration: "GEOMETRY"), 0.2, ["VOL-SCALE"]),
            (Self.projection([(factor, "1.8"), (imager, same)], calibration: "FIDUCIAL"), 0.2, []),
            (Self.projection([(factor, "1.8"), (imager, "0.25\\0.25")], calibration: "FIDUCIAL"), 0.2, []),
            (Self.projection([(factor, "1.3"), (imager, "0.25\\0.25")]), 0.2, []),
            (Self.projection([(factor, "0.5"), (imager, same)]), 0.2, ["VOL-SCALE"]),
            // The detector lies one and a half times as far from the source as the patient.
            (Self.projection([(far, "1200"), (near, "800"), (factor, "1.6"), (imager, same)]), 0.125, []),
            (
                Self.projection([(far, "1200"), (near, "800"), (factor, "2.5"), (imager, wide)], spacing: wide), 0.16,
                ["VOL-SCALE"]
            ),
            (Self.projection([(far, "1200"), (near, "0"), (factor, "2"), (imager, wide)], spacing: wide), 0.2, []),
            (Self.projection([(far, "1200"), (near, "800"), (imager, same)]), 0.2, ["VOL-DETECTOR"]),
            (Self.projection([(factor, "0"), (imager, same)]), 0.2, ["VOL-DETECTOR"]),
            (Self.projection([(imager, "0.2\\0.4")]), 0.2, ["VOL-SCALE"]),
            // No projection is smaller than what it shows, but for what was rounded.
            (Self.projection([(imager, "0.1\\0.1")]), 0.2, ["VOL-SCALE"]),
            (Self.projection([(imager, "0.1\\0.1")], calibration: "GEOMETRY"), 0.2, ["VOL-SCALE"]),
            (Self.projection([(imager, "0.199\\0.199")]), 0.2, []),
            (Self.projection([(nominal, same)]), 0.2, ["VOL-DETECTOR"]),
            (Self.projection([(nominal, same)], spacing: ""), 0.2, ["VOL-DETECTOR"]),
            (Self.projection([(nominal, "0.1\\0.1")]), 0.2, []),
            (Self.projection([]), 0.2, []),
        ]
        for (index, expected) in cases.enumerated() {
            let volume = try #require(try volumes([expected.image]).volumes.first, "\(index)")
            let spacing = try #require(volume.pixelSpacing)
            #expect(abs(spacing.row - expected.spacing) < 1e-9 && spacing.row == spacing.column, "\(index)")
            #expect(volume.findings.map(\.code) == expected.codes, "\(index)")
        }
    }

    @Test(
        "a mammogram that was magnified and does not say how much asks a person",
        arguments: [
            (nil, "R-102D6", 0.2, "VOL-SCALE"), (nil, "399163009", 0.2, "VOL-SCALE"),
            ("1", "399163009", 0.2, "VOL-SCALE"), ("1.25", "399163009", 0.16, nil),
            (nil, "399161006", 0.2, "VOL-DETECTOR"),
        ] as [(String?, String, Double, String?)])
    func magnifiedView(_ factor: String?, _ modifier: String, _ spacing: Double, _ code: String?) throws {
        let told = factor.map { [(element: UInt16(0x1114), value: $0)] } ?? []
        var image = Self.projection(told + [(element: 0x1164, value: "0.2\\0.2")])
        image.more = { file in
            file.add(
                0x0054, 0x0220,
                items: [{ $0.add(0x0054, 0x0222, items: [{ $0.add(0x0008, 0x0100, "SH", text: modifier) }]) }])
        }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(abs((volume.pixelSpacing?.row ?? 0) - spacing) < 1e-9)
        #expect(volume.findings.map(\.code) == [code].compactMap { $0 })
    }

    @Test("a slice that lies in the patient has the patient's distances, whatever its detector's are")
    func placedSlice() throws {
        var image = TestImage()
        image.beforePlace = { $0.add(0x0018, 0x1164, "DS", text: "0.5\\0.5") }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.pixelSpacing == PixelSpacing(row: 0.5, column: 0.5))
        #expect(!volume.findings.contains { $0.code == "VOL-DETECTOR" })
        // Where it does not say them, those of a detector or a film are not its own.
        for element: UInt16 in [0x1164, 0x2010] {
            image.spacing = ""
            image.beforePlace = { $0.add(0x0018, element, "DS", text: "0.5\\0.5") }
            let unknown = try #require(try volumes([image]).volumes.first)
            #expect(unknown.pixelSpacing == nil)
            #expect(unknown.findings.contains { $0.code == "VOL-PLACE" && $0.severity == .warning })
        }
    }
}
