import DICOM
import Failures
import Foundation
import Imaging
import Phantoms
import Testing

@Suite("Phantoms")
struct PhantomTests {
    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "hspsam-phantom-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func contents(_ path: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            if let data = FileManager.default.contents(atPath: path + "/" + name) { files[name] = data }
        }
        return files
    }

    @Test("the same seed gives the same bytes, another seed another study", arguments: PhantomStudy.Kind.allCases)
    func repeatable(kind: PhantomStudy.Kind) throws {
        let base = try folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        for (name, seed) in [("a", 3), ("b", 3), ("c", 4)] {
            try PhantomStudy(kind, seed: UInt64(seed)).write(to: base + "/" + name)
        }
        #expect(try contents(base + "/a") == contents(base + "/b"))
        #expect(try contents(base + "/a.truth") == contents(base + "/b.truth"))
        #expect(try contents(base + "/a") != contents(base + "/c"))
        #expect(try contents(base + "/a").keys.allSatisfy { !$0.hasPrefix(".") })
    }

    @Test("a body is read as one oblique volume whose slices lie where the truth says")
    func body() throws {
        let base = try folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        try PhantomStudy(.body, seed: 2).write(to: base + "/s")
        let names = try FileManager.default.contentsOfDirectory(atPath: base + "/s")
        let instances = try names.map { try SourceInstance(DICOMFile(path: "\(base)/s/\($0)")) }
        let volumes = VolumeBuilder.volumes(of: instances).volumes
        let volume = try #require(volumes.first)
        #expect(volumes.count == 1 && volume.kind == .spatial && volume.findings.isEmpty)
        let phantom = BodyPhantom(seed: 2)
        #expect(volume.frames.count == phantom.planes.count)
        for (frame, plane) in zip(volume.frames, phantom.planes) {
            let found = try #require(frame.plane)
            #expect((found.position - plane.position).length < 1e-6)
            #expect((found.normal - plane.normal).length < 1e-9)
        }
        #expect(abs((volume.sliceSpacing ?? 0) - phantom.sliceSpacing) < 1e-6)
        #expect(volume.first.dataSet.string(.seriesDescription)?.hasPrefix("hspsam phantom") == true)
    }

    @Test(
        "a body is whole in its stack, and no flip, turn or transposition of it looks alike",
        arguments: [1, 2, 3, 40, 500] as [UInt64])
    func asymmetric(seed: UInt64) {
        let body = BodyPhantom(seed: seed)
        let (rows, columns, count) = (body.matrix.rows, body.matrix.columns, body.truth.count)
        #expect(body.truth.first?.isEmpty == true && body.truth.last?.isEmpty == true)
        #expect((25...110).contains(body.volumeML))
        var inside: [(Int, Int, Int)] = []
        for (slice, mask) in body.truth.enumerated() {
            for index in 0..<rows * columns where mask[index] {
                inside.append((slice, index / columns, index % columns))
            }
        }
        #expect(inside.allSatisfy { $0.1 > 0 && $0.1 < rows - 1 && $0.2 > 0 && $0.2 < columns - 1 })
        // Each turned around its own centre.
        let centre = (
            inside.reduce(0) { $0 + $1.0 } * 2 / inside.count, inside.reduce(0) { $0 + $1.1 } * 2 / inside.count,
            inside.reduce(0) { $0 + $1.2 } * 2 / inside.count
        )
        for flips in 1..<8 {
            let common = inside.count { point in
                let slice = flips & 1 > 0 ? centre.0 - point.0 : point.0
                let row = flips & 2 > 0 ? centre.1 - point.1 : point.1
                let column = flips & 4 > 0 ? centre.2 - point.2 : point.2
                guard (0..<count).contains(slice), (0..<rows).contains(row), (0..<columns).contains(column) else {
                    return false
                }
                return body.truth[slice][row, column]
            }
            #expect(Double(common) / Double(inside.count) < 0.97, "flip \(flips)")
        }
    }

    @Test(
        "a lesion and nuclei cover a part of the picture and stand out from the ground",
        arguments: [1, 2, 9] as [UInt64])
    func contrast(seed: UInt64) {
        let skin = DermoscopyPhantom(seed: seed)
        let part = Double(skin.truth.count) / Double(skin.truth.rows * skin.truth.columns)
        #expect((0.02...0.5).contains(part))
        func mean(_ value: (Int) -> Double, _ mask: Mask, inside: Bool) -> Double {
            let chosen = (0..<mask.rows * mask.columns).filter { mask[$0] == inside }
            return chosen.reduce(0) { $0 + value($1) } / Double(max(chosen.count, 1))
        }
        let green = { (index: Int) in Double(skin.picture.pixels[index * 3 + 1]) }
        #expect(mean(green, skin.truth, inside: false) - mean(green, skin.truth, inside: true) > 25)
        let cells = FluorescencePhantom(seed: seed, bits: 16)
        #expect(cells.nuclei > 10)
        let light = { (index: Int) in Double(cells.values[index]) / 65535 }
        #expect(mean(light, cells.truth, inside: true) > 3 * mean(light, cells.truth, inside: false))
    }

    @Test("training pairs have as many pictures as masks, under the same names")
    func pairs() throws {
        let base = try folder()
        defer { try? FileManager.default.removeItem(atPath: base) }
        try PhantomPairs.writeBodies(11, seed: 70, to: base)
        let images = try FileManager.default.contentsOfDirectory(atPath: base + "/images").sorted()
        #expect(images.count == 11)
        #expect(try FileManager.default.contentsOfDirectory(atPath: base + "/masks").sorted() == images)
    }

    @Test(
        "random numbers are the recorded ones: phantoms, samples and training pairs stay as they are",
        arguments: [
            (
                1, 0x836a_4f5a_b531_5c36, 0.8753189484262961, 2.7412675799932007, 5, 0.024103246101422362,
                -0.390119679837608
            ),
            (
                1000, 0x360e_8866_8ce6_acdf, 0.9967923448368394, -2.508299409430361, 9, 1.129575371024991,
                -0.9013109928902638
            ),
        ] as [(UInt64, UInt64, Double, Double, Int, Double, Double)])
    func random(
        _ seed: UInt64, _ word: UInt64, _ unit: Double, _ uniform: Double, _ integer: Int, _ normal: Double, _ y: Double
    ) {
        var random = PhantomRandom(seed: seed)
        #expect(random.next() == word)
        _ = random.next()
        #expect(random.unit() == unit)
        #expect(random.uniform(-3, 5) == uniform)
        #expect(random.integer(2...9) == integer)
        #expect(random.normal() == normal)
        #expect(random.direction().y == y)
    }
}
