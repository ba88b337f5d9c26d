import DICOM
import Imaging
import Testing

/// What an enhanced object says of its frames in its functional groups.
@Suite("enhanced objects")
struct EnhancedTests {
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

    @Test(
        "planes that were bent, and projections, have no lengths of the patient; what a scanner did not correct was not bent",
        arguments: [
            (0x9206, "VOLUME", "DERIVED", false), (0x9206, "SAMPLED", "DERIVED", false),
            (0x9206, "DISTORTED", "DERIVED", true), (0x9206, "DISTORTED", "ORIGINAL", false),
            (0x9207, "NONE", "DERIVED", false), (0x9207, "MAX_IP", "DERIVED", true),
            (0x9207, "MIN_IP", "ORIGINAL", true), (0x9207, "VOLUME_RENDER", "DERIVED", true),
            // What the object calls itself, and its frames deny.
            (0x9007, "DERIVED\\PRIMARY\\VOLUME\\NONE", "DERIVED\\PRIMARY\\VOLUME\\MAX_IP", true),
        ] as [(UInt16, String, String, Bool)])
    func bent(_ element: UInt16, _ kind: String, _ type: String, _ isTold: Bool) throws {
        var image = TestImage(sopClass: "1.2.840.10008.5.1.4.1.1.2.1", position: nil, frames: 2)
        (image.spacing, image.imageType) = ("", "\(type)\\PRIMARY\\VOLUME")
        image.more = { file in
            file.add(
                0x5200, 0x9229,
                items: [
                    {
                        $0.add(0x0018, 0x9329, items: [{ $0.add(0x0008, element, "CS", text: kind) }])
                        $0.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
                        $0.add(0x0028, 0x9110, items: [{ $0.add(0x0028, 0x0030, "DS", text: "0.7\\0.7") }])
                    }
                ])
            file.add(
                0x5200, 0x9230,
                items: [0, 2].map { z in
                    { $0.add(0x0020, 0x9113, items: [{ $0.add(0x0020, 0x0032, "DS", text: "1\\2\\\(z)") }]) }
                })
        }
        let volume = try #require(try volumes([image]).volumes.first)
        #expect(volume.findings.contains { $0.code == "VOL-SCALE" && $0.severity == .warning } == isTold)
    }

    @Test(
        "an object that was converted of images which are here is left away, and one at their places that does not say so asks a person",
        arguments: [
            ("1.2.3", [1, 2, 3], true), ("1.2.9", [1, 2, 3], true), ("1.2.3", [1, 2, 7], false), ("1.2.3", [], false),
            ("1.2.9", [1, 2, 7], false),
        ])
    func converted(_ series: String, _ sources: [Int], _ isCopy: Bool) throws {
        var image = TestImage(
            sopClass: "1.2.840.10008.5.1.4.1.1.2.2", instance: "1.2.3.90", series: series, number: 90, position: nil,
            frames: 3)
        image.spacing = ""
        image.more = { file in
            file.add(
                0x5200, 0x9230,
                items: (0..<3).map { index in
                    { item in
                        if index < sources.count {
                            item.add(
                                0x0020, 0x9172,
                                items: [
                                    {
                                        $0.add(0x0008, 0x1150, "UI", text: "1.2.840.10008.5.1.4.1.1.2")
                                        $0.add(0x0008, 0x1155, "UI", text: "1.2.3.\(sources[index])")
                                    }
                                ])
                        }
                        item.add(
                            0x0020, 0x9113, items: [{ $0.add(0x0020, 0x0032, "DS", text: "0\\0\\\(index * 3)") }])
                        item.add(0x0020, 0x9116, items: [{ $0.add(0x0020, 0x0037, "DS", text: "1\\0\\0\\0\\1\\0") }])
                        item.add(0x0028, 0x9110, items: [{ $0.add(0x0028, 0x0030, "DS", text: "0.5\\0.5") }])
                    }
                })
        }
        let result = try volumes(stack([0, 3, 6]) { _, _ in } + [image])
        #expect(result.leftOut.isEmpty)
        #expect(result.volumes.map(\.frames.count) == (isCopy ? [3] : [3, 3]))
        for volume in result.volumes {
            let isAsked = volume.findings.contains { $0.code == "VOL-PARTS" && $0.severity == .warning }
            #expect(isAsked == (!isCopy && series == "1.2.3"))
            #expect(volume.frames[0].instance.sopClassUID != image.sopClass || !isCopy)
        }
        // Without the images nothing else shows what it shows.
        #expect(try volumes([image]).volumes.map(\.frames.count) == [3])
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
