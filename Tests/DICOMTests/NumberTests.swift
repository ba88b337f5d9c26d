import DICOM
import Failures
import Imaging
import Testing

@Suite("numbers of a file")
struct NumberTests {
    private static let impossible: [(name: String, code: String, change: @Sendable (inout TestImage) -> Void)] = [
        ("position 1e20", "VOL-PLACE", { $0.position = "0\\0\\1e20" }),
        ("position -1e20", "VOL-PLACE", { $0.position = "0\\-1e20\\9" }),
        ("position 999999", "VOL-PLACE", { $0.position = "0\\0\\999999" }),
        ("position 1e400", "VOL-PLACE", { $0.position = "0\\0\\1e400" }),
        ("far slice", "VOL-PLACE", { $0.position = "0\\0\\50000" }),
        ("no position", "VOL-PLACE", { $0.position = "0\\0\\NaN" }),
        ("no direction", "VOL-PLACE", { $0.orientation = "1\\0\\0\\1\\0\\0" }),
        ("spacing 1e-30", "VOL-PLACE", { $0.spacing = "1e-30\\1e-30" }),
        ("spacing 1e30", "VOL-PLACE", { $0.spacing = "0.5\\1e30" }),
        ("spacing below 0", "VOL-PLACE", { $0.spacing = "-0.5\\0.5" }),
        ("slope 1e16", "PIX-VALUES", { rescale(&$0, "1e16", "0") }),
        ("slope 1e-30", "PIX-VALUES", { rescale(&$0, "1e-30", "0") }),
        ("slope text", "PIX-VALUES", { rescale(&$0, "one", "0") }),
        ("intercept 1e20", "PIX-VALUES", { rescale(&$0, "1", "1e20") }),
        ("intercept comma", "PIX-VALUES", { rescale(&$0, "1", "-1024,0") }),
        ("intercept empty", "PIX-VALUES", { rescale(&$0, "1", "") }),
        (
            "no rescale", "PIX-VALUES",
            {
                $0.more = { _ in }
                $0.hasScale = false
            }
        ),
        ("signed", "PIX-VALUES", { $0.isSigned = true }),
        ("MONOCHROME1", "PIX-PHOTOMETRIC", { $0.photometric = "MONOCHROME1" }),
    ]

    private static func rescale(_ image: inout TestImage, _ slope: String, _ intercept: String) {
        image.more = {
            $0.add(0x0028, 0x1052, "DS", text: intercept)
            $0.add(0x0028, 0x1053, "DS", text: slope)
        }
    }

    private static func series() -> [TestImage] {
        (1...4).map {
            var image = slice($0)
            rescale(&image, "1", "-1024")
            return image
        }
    }

    @Test(
        "that one slice cannot have refuse its series with a message, and never end the program",
        arguments: impossible.indices)
    func refused(_ index: Int) throws {
        let impossible = Self.impossible[index]
        for number in [0, 2, 3] {
            var images = Self.series()
            impossible.change(&images[number])
            let result = try volumes(images)
            #expect(result.volumes.isEmpty, "\(impossible.name)")
            #expect(
                result.leftOut.map(\.failure.code) == [String](repeating: impossible.code, count: 4),
                "\(impossible.name)")
        }
        var all = Self.series()
        for number in all.indices { impossible.change(&all[number]) }
        _ = try volumes(all)
    }

    @Test("the slice and the attribute are named")
    func named() throws {
        var images = Self.series()
        images[2].more = { $0.add(0x0028, 0x1053, "DS", text: "1") }
        let text = try #require(try volumes(images).leftOut.first).failure.message.text
        #expect(text.contains("RescaleIntercept (0028,1052) is missing in slice 3 of 4"))
    }

    @Test("a window that cannot be one is not used, and said")
    func window() throws {
        for (center, width) in [("1e20", "400"), ("40", "1e-30"), ("40", "-1"), ("40", "x")] {
            let image = slice(1) {
                $0.add(0x0028, 0x1050, "DS", text: center)
                $0.add(0x0028, 0x1051, "DS", text: width)
            }
            let volume = try #require(try volumes([image]).volumes.first)
            let usable = volume.frames[0].voi.windows.filter(\.isUsable)
            #expect(usable.isEmpty)
            #expect(volume.findings.map(\.code) == ["VOL-WINDOW"])
        }
    }

    @Test("a thickness that no slice has is unknown")
    func thickness() throws {
        let volume = try #require(try volumes([slice(1) { $0.add(0x0018, 0x0050, "DS", text: "1e30") }]).volumes.first)
        #expect(volume.sliceWeights.isEmpty)
    }

    @Test("slices as close as microscopes make them are slices", arguments: [0.009, 0.005, 0.002, 0.0105, 1.25])
    func close(_ gap: Double) throws {
        let result = try volumes(
            (0..<10).map { number in
                var image = slice(number)
                image.position = "0\\0\\\((gap * Double(number) * 1e6).rounded() / 1e6)"
                return image
            })
        #expect(result.volumes.map(\.frames.count) == [10])
        let spacing = try #require(result.volumes.first?.sliceSpacing)
        #expect(abs(spacing - gap) < 0.02 * gap)
    }

    @Test("a spacing rounded otherwise in some slices does not split a volume")
    func rounded() throws {
        let result = try volumes(
            (0..<6).map { number in
                var image = slice(number)
                image.spacing = number % 2 == 0 ? "0.87\\0.87" : "0.8701\\0.8701"
                return image
            })
        #expect(result.volumes.map(\.frames.count) == [6])
    }
}
