import Failures
import Foundation
import ImageFiles
import Mutations
import Testing

/// The corpus of TIFF files in `HSPSAM_SHARED` (default `../shared`); without it these tests say so and do nothing.
@Suite("TIFF corpus")
struct CorpusTests {
    static let shared = ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared"
    static var isThere: Bool { FileManager.default.fileExists(atPath: shared + "/data/index.csv") }

    /// (path, SHA-256 of the stored samples of all pages as tifffile gives them or "").
    static func rows() throws -> [(path: String, sha256: String)] {
        let text = try String(contentsOfFile: shared + "/data/index.csv", encoding: .utf8)
        let lines = csv(text)
        let header = try #require(lines.first)
        let path = try #require(header.firstIndex(of: "path")),
            sha = try #require(header.firstIndex(of: "pixel_sha256"))
        return lines.dropFirst().filter { $0.count == header.count && $0[path].hasPrefix("tiff/") }.map {
            ($0[path], $0[sha])
        }
    }

    /// Of a form of 3369 rows in Group 4 imagecodecs, whose samples were recorded, decodes the first 235 and leaves the others white; libtiff and
    /// Pillow decode all.
    static let disputed: Set = ["tiff/libsdl-org_libtiff/testfax4.tiff"]

    @Test(
        "what is read equals tifffile's samples, bit for bit; nothing traps", .enabled(if: isThere),
        .timeLimit(.minutes(60)))
    func corpus() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tiff-corpus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var compared: [(path: String, sha256: String)] = [], refused: [String: Int] = [:]
        for row in try Self.rows() {
            let path = Self.shared + "/data/" + row.path
            do {
                let file = try TIFFFile(path)
                _ = try ImageFile.read(path)
                guard !row.sha256.isEmpty, !Self.disputed.contains(row.path) else { continue }
                var samples = Data()
                for index in 0..<file.pageCount {
                    let tags = try file.tags(index)
                    let interleaved = try file.storedSamples(index)
                    samples += tags.isPlanar ? Self.planes(interleaved, of: tags) : interleaved
                }
                try samples.write(to: folder.appendingPathComponent(String(format: "%04d", compared.count)))
                compared.append(row)
            } catch let failure as ImageFilesFailure {
                refused[failure.code, default: 0] += 1
                #expect(!failure.message.withoutSubject.contains(Self.shared))
            }
        }
        for (row, digest) in zip(compared, try Self.digests(in: folder)) {
            #expect(digest == row.sha256, "\(row.path)")
        }
        #expect(compared.count >= 120, "only \(compared.count) files were compared")
        #expect(refused["PIX-PHOTOMETRIC", default: 0] >= 10)
        #expect(refused["IN-CORRUPT", default: 0] >= 10)
        print("TIFF corpus: \(compared.count) compared, refused: \(refused)")
    }

    private static func layout(_ tags: TIFFFile.PageTags) -> String {
        if tags.depth > 1 { return "volume of slices" }
        return (tags.isTiled ? "tiles" : "strips")
            + (tags.samples == 1 ? "" : tags.isPlanar ? ", by plane" : ", by pixel")
    }

    @Test(
        "docs/tiff-support.md holds what becomes of the corpus by compression and layout, and by the program that wrote it",
        .enabled(if: isThere), .timeLimit(.minutes(60)))
    func page() throws {
        var layouts = OutcomeTable("compression")
        var programs = OutcomeTable("written by")
        for row in try Self.rows() {
            let path = Self.shared + "/data/" + row.path
            guard let file = try? TIFFFile(path), let tags = try? file.tags(0) else { continue }
            var outcome = "read"
            do { _ = try ImageFile.read(path) } catch { outcome = error.code }
            layouts.add(TIFFNames.compression(tags.compression), Self.layout(tags), outcome)
            // A description that its pages contradict is nobody's.
            guard let contents = try? file.contents() else { continue }
            let program = contents.program == .none ? "any other" : contents.program.rawValue
            let kind = contents.set.isEmpty ? file.pageCount == 1 ? "one page" : "several pages" : "part of a set"
            programs.add(program, kind, outcome)
        }
        let page = try String(contentsOfFile: "docs/tiff-support.md", encoding: .utf8)
        for table in [layouts.markdown, programs.markdown] {
            #expect(page.contains("<!-- corpus -->\n\n\(table)\n\n<!-- end -->"), "\(table)")
        }
    }

    /// tifffile gives planar pages plane by plane.
    private static func planes(_ interleaved: [UInt8], of tags: TIFFFile.PageTags) -> [UInt8] {
        let pixels = tags.rows * tags.columns
        let each = interleaved.count / (pixels * tags.samples)
        return (0..<tags.samples).flatMap { sample in
            (0..<pixels).flatMap { pixel -> ArraySlice<UInt8> in
                let start = (pixel * tags.samples + sample) * each
                return interleaved[start..<start + each]
            }
        }
    }

    /// SHA-256 of the folder's files in the order of their names.
    private static func digests(in folder: URL) throws -> [String] {
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        process.arguments = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        process.currentDirectoryURL = folder
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").map { String($0.prefix(64)) }
    }

    private static func csv(_ text: String) -> [[String]] {
        var lines: [[String]] = [], line: [String] = [], field = "", quoted = false
        for character in text {
            switch character {
            case "\"": quoted.toggle()
            case "," where !quoted: line.append(field); field = ""
            case "\n" where !quoted, "\r\n" where !quoted: line.append(field); lines.append(line); line = []; field = ""
            default: field.append(character)
            }
        }
        return lines
    }
}
