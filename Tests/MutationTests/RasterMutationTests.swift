import Failures
import Foundation
import ImageFiles
import Mutations
import Testing

/// A folder of its own, gone with the test.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "mutations-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// What reading the bytes as an image file leads to: nil, or the failure.
    func failure(_ bytes: [UInt8], _ limits: ImageLimits = .standard) throws -> FailureRecord? {
        let file = path + "/image"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        do {
            _ = try ImageFile.read(file, limits: limits)
            return nil
        } catch {
            return FailureRecord(error)
        }
    }
}

private func seeds(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
    let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fuzz/Seeds/\(folder)")
    return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted().map {
        ($0, [UInt8](try Data(contentsOf: url.appending(path: $0))))
    }
}

@Suite("wrong image files")
struct RasterMutationTests {
    /// Values that a tag's number, type, count or value is replaced by.
    private static let values: [UInt32] = [0, 1, 2, 7, 255, 65_535, 65_536, 1 << 20, 1 << 31, .max - 1, .max]

    @Test("each tag of a TIFF, each of its four fields wrong in each way, ends in a picture or a refusal with a code")
    func tags() throws {
        let folder = try Folder()
        for (name, good) in try seeds("tiff") {
            #expect(try folder.failure(good) == nil || name == "bilevel", "\(name)")
            let first = Int(good[4]) | Int(good[5]) << 8
            let count = Int(good[first])
            for tag in 0..<count {
                let at = first + 2 + 12 * tag
                for value in Self.values {
                    for (offset, size) in [(0, 2), (2, 2), (4, 4), (8, 4)] {
                        var wrong = good
                        wrong.replaceSubrange(at + offset..<at + offset + size, with: little(value)[..<size])
                        try check(folder, wrong, "\(name) tag \(tag) field \(offset) = \(value)")
                    }
                }
                // Twice, and not at all (an unknown tag stands in its place).
                var wrong = good
                wrong.replaceSubrange(at..<at + 2, with: little(UInt16(0xFFFE)))
                try check(folder, wrong, "\(name) without tag \(tag)")
                if tag > 0 {
                    wrong = good
                    wrong.replaceSubrange(at..<at + 12, with: good[at - 12..<at])
                    try check(folder, wrong, "\(name) tag \(tag - 1) twice")
                }
            }
            for length in stride(from: 0, to: good.count, by: 7) {
                try check(folder, Array(good[..<length]), "\(name) cut to \(length)")
            }
        }
    }

    @Test(
        "PNG and JPEG, each byte of their headers wrong and cut anywhere, end in a picture or a refusal",
        arguments: ["png", "jpeg-picture"])
    func pictures(_ kind: String) throws {
        let folder = try Folder()
        for (name, good) in try seeds(kind) {
            #expect(try folder.failure(good) == nil, "\(name)")
            for at in 0..<min(good.count, 200) {
                for byte: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                    var wrong = good
                    wrong[at] = byte
                    try check(folder, wrong, "\(name) byte \(at) = \(byte)")
                }
            }
            for length in stride(from: 0, to: good.count, by: 5) {
                try check(folder, Array(good[..<length]), "\(name) cut to \(length)")
            }
        }
    }

    private func check(_ folder: Folder, _ bytes: [UInt8], _ what: String) throws {
        var limits = ImageLimits(maxSide: 4096, maxSamples: 1 << 20, maxPages: 20)
        limits.maxSeconds = 5
        guard let failure = try folder.failure(bytes, limits) else { return }
        #expect(
            failure.kind != .internalDefect && failure.code != "INTERNAL" && failure.code != "OUT-IO",
            "\(what): \(failure)")
    }

    @Test("a JBIG strip that claims another size than its page never reaches the decoder, which would end the program")
    func jbig() throws {
        let folder = try Folder()
        var file = try #require(try seeds("tiff").first { $0.name == "bilevel" }).bytes
        let first = Int(file[4]) | Int(file[5]) << 8
        var strip = 0
        for tag in 0..<Int(file[first]) {
            let at = first + 2 + 12 * tag
            let number = Int(file[at]) | Int(file[at + 1]) << 8
            if number == 259 { file.replaceSubrange(at + 8..<at + 10, with: little(UInt16(34661))) }
            if number == 273 { strip = (0..<4).reversed().reduce(0) { $0 << 8 | Int(file[at + 8 + $1]) } }
            if number == 279 { file.replaceSubrange(at + 8..<at + 12, with: little(UInt32(24))) }
        }
        file = Array(file[..<strip]) + [0, 0, 1, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 1, 8, 0, 3, 0, 0, 0, 0, 0]
        #expect(try folder.failure(file)?.code == "IN-CORRUPT")
    }

    @Test("memory, scans and time of a picture are refused by their limits, each named")
    func limits() throws {
        let folder = try Folder()
        let progressive = try #require(try seeds("jpeg-picture").first { $0.name == "grey-prog" }).bytes
        var limits = ImageLimits()
        limits.maxScans = 2
        let scans = try #require(try folder.failure(progressive, limits))
        #expect(scans.code == "IN-LIMIT" && scans.message.text.contains("more than 2 scans"))
        limits = ImageLimits()
        limits.maxBytes = 1000
        for kind in ["png", "jpeg-picture", "tiff"] {
            for (name, bytes) in try seeds(kind) where name == "rgb" {
                let memory = try #require(try folder.failure(bytes, limits))
                #expect(memory.code == "IN-LIMIT" && memory.message.text.contains("memory"), "\(kind): \(memory)")
            }
        }
        limits = ImageLimits()
        limits.maxSeconds = -1
        for (kind, name) in [("png", "rgb"), ("jpeg-picture", "grey-prog"), ("tiff", "rgb")] {
            let bytes = try #require(try seeds(kind).first { $0.name == name }).bytes
            let time = try #require(try folder.failure(bytes, limits))
            #expect(time.code == "IN-LIMIT" && time.message.text.contains("processor time"), "\(kind): \(time)")
        }
    }

    @Test("a JPEG with arithmetic coding is refused")
    func arithmetic() throws {
        let folder = try Folder()
        var bytes = try #require(try seeds("jpeg-picture").first { $0.name == "grey" }).bytes
        let at = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        bytes[at + 1] = 0xC9
        #expect(try folder.failure(bytes)?.code == "PIX-PHOTOMETRIC")
    }
}
