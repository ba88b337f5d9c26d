import DICOM
import Foundation
import Imaging
import Pipelines
import Testing

@Suite("frames of one pass")
struct FrameStreamTests {
    private static func volume() throws -> Volume {
        let names = try FileManager.default.contentsOfDirectory(atPath: "samples/body").filter { $0.hasSuffix(".dcm") }
        let instances = try names.map { try SourceInstance(try DICOMFile(path: "samples/body/" + $0)) }
        return try #require(VolumeBuilder.volumes(of: instances).volumes.first)
    }

    @Test(
        "frames are the same, whether they are kept from the pass that finds the window or decoded again",
        arguments: [
            Windowing(mode: .percentile(low: 0.5, high: 99.5)), Windowing(mode: .minmax),
            Windowing(mode: .percentile(low: 1, high: 99), scope: .frame),
            Windowing(mode: .fixed(center: 40, width: 400)),
        ])
    func budgets(windowing: Windowing) throws {
        let volume = try Self.volume()
        let decoding = FrameDecoding()
        let common =
            windowing.scope == .frame
            ? nil : try windowing.window(for: volume.frames.map(\.voi)) { try decoding.frame(volume.frames[$0]) }
        for budget in [0, 3 * volume.rows * volume.columns * 4, FrameStream.budget] {
            let stream = FrameStream(volume, windowing, budget: budget)
            #expect(try stream.window() == common)
            for source in volume.frames {
                let frame = try decoding.frame(source)
                let window = common ?? windowing.window(for: frame, source.voi)
                #expect(try stream.next() == window.image(frame))
            }
            #expect(try stream.findings() == decoding.findings)
        }
    }

    @Test("a volume of which the network is shown one grey is refused behind its last frame")
    func blank() throws {
        let volume = try Self.volume()
        for (center, isBlank) in [(100.0, false), (30_000, true), (-30_000, true)] {
            let stream = FrameStream(volume, Windowing(mode: .fixed(center: center, width: 600)))
            _ = try stream.window()
            for _ in volume.frames { _ = try stream.next() }
            do throws(DICOMFailure) {
                _ = try stream.findings()
                #expect(!isBlank)
            } catch {
                #expect(isBlank && error.code == "PIX-VALUES")
            }
        }
    }

    @Test("a stream that is left early ends its thread", .timeLimit(.minutes(60)))
    func abandoned() throws {
        let volume = try Self.volume()
        for _ in 0..<50 { _ = try FrameStream(volume, Windowing(mode: .minmax)).window() }
    }

    private static func image(_ value: UInt8) -> DisplayImage {
        DisplayImage(rows: 10, columns: 10, pixels: [UInt8](repeating: value, count: 300))
    }

    @Test("frames for the report are thinned evenly to their budget; the fullest and the middle one stay")
    func kept() {
        var kept = KeptFrames(of: 200, budget: 1000)
        for frame in 0..<200 {
            // Something in frames 20 to 179, most in frame 63.
            let pixels = (20..<180).contains(frame) ? (frame == 63 ? 90 : 10 + frame % 7) : 0
            kept.add(frame, Self.image(UInt8(frame)), pixels: pixels, heatMaps: [])
        }
        let frames = kept.frames
        #expect(frames.count <= 10 && frames.count > 4 && frames.contains(63) && frames.contains(100))
        let thinned = frames.filter { $0 != 63 && $0 != 100 }
        #expect(Set(zip(thinned, thinned.dropFirst()).map { $1 - $0 }).count == 1)
        #expect(frames.allSatisfy { kept.image($0) == Self.image(UInt8($0)) } && kept.image(0) == nil)
        #expect(kept.heatMapFrame == 63)
    }

    @Test("of a volume in which nothing is found the middle frame is kept, of one frame that one")
    func nothing() {
        var kept = KeptFrames(of: 9)
        for frame in 0..<9 { kept.add(frame, Self.image(1), pixels: 0, heatMaps: []) }
        #expect(kept.frames == [4] && kept.heatMapFrame == 4)
        var single = KeptFrames(of: 1, budget: 1)
        single.add(0, Self.image(1), pixels: 5, heatMaps: [])
        #expect(single.frames == [0])
    }
}
