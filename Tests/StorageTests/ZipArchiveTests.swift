import Failures
import Foundation
import Storage
import Testing

@Suite("ZipArchive")
struct ZipArchiveTests {
    /// Made by Python's zipfile: a deflated, a stored and a Zip64 entry.
    private static let archive =
        "UEsDBBQAAAAIAAAAIVzBSEJZDAAAACwBAAAOAAAAYS9kZWZsYXRlZC50eHTLSM3JyVfIGCWJIAFQSwMEFAAAAAAAAAAhXIjizs4QAAAAEAAAAAoAAABzdG9yZWQu"
        + "YmluAAECAwQFBgcICQoLDA0OD1BLAwQtAAAAAAAAACFcaro3z///////////CAAUAHdpZGUudHh0AQAQAAUAAAAAAAAABQAAAAAAAAB6aXA2NFBLAQIUAxQAAAAI"
        + "AAAAIVzBSEJZDAAAACwBAAAOAAAAAAAAAAAAAACAAQAAAABhL2RlZmxhdGVkLnR4dFBLAQIUAxQAAAAAAAAAIVyI4s7OEAAAABAAAAAKAAAAAAAAAAAAAACAATgA"
        + "AABzdG9yZWQuYmluUEsBAi0DLQAAAAAAAAAhXGq6N88FAAAABQAAAAgAAAAAAAAAAAAAAIABcAAAAHdpZGUudHh0UEsFBgAAAAADAAMAqgAAAK8AAAAAAA=="

    private func open(_ change: (inout Data) -> Void = { _ in }) throws -> ZipArchive {
        var data = try #require(Data(base64Encoded: Self.archive))
        change(&data)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("zip-\(UUID().uuidString)").path
        try data.write(to: URL(fileURLWithPath: path))
        return try ZipArchive(try MappedFile(path))
    }

    private func text(_ archive: ZipArchive, _ name: String) throws -> String {
        String(decoding: try archive.bytes(of: try #require(archive.entry(name)), limit: 1000), as: UTF8.self)
    }

    @Test("stored, deflated and Zip64 entries are read")
    func reads() throws {
        let archive = try open()
        #expect(archive.entries.map(\.name) == ["a/deflated.txt", "stored.bin", "wide.txt"])
        #expect(try text(archive, "a/deflated.txt") == String(repeating: "hello ", count: 50))
        #expect(try archive.bytes(of: try #require(archive.entry("stored.bin")), limit: 16) == Array(0..<16))
        #expect(try text(archive, "wide.txt") == "zip64")
        #expect(archive.entry("none") == nil)
    }

    @Test("an archive that was cut off anywhere is refused", arguments: [1, 22, 100, 180])
    func truncated(missing: Int) {
        let failure = #expect(throws: ZipFailure.self) { try open { $0.removeLast(missing) } }
        #expect(failure?.code == "ZIP-TRUNCATED")
    }

    @Test("damaged bytes of an entry are noticed", arguments: [("stored.bin", 100), ("a/deflated.txt", 50)])
    func damaged(name: String, position: Int) throws {
        let archive = try open { $0[position] ^= 1 }
        #expect(throws: ZipFailure.self) { try text(archive, name) }
    }

    @Test("an entry beyond the limit, and a file that is no archive, are refused")
    func refused() throws {
        let archive = try open()
        let entry = try #require(archive.entry("a/deflated.txt"))
        #expect(throws: ZipFailure.self) { try archive.bytes(of: entry, limit: 299) }
        #expect(#expect(throws: ZipFailure.self) { try open { $0[0] = 0 } }?.code == "ZIP-FORMAT")
    }
}
