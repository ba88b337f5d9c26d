import DICOM
import Failures
import Foundation
import Testing

@Suite("docs/dicom-support.md")
struct SupportPageTests {
    private static let page: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return (try? String(contentsOf: root.appendingPathComponent("docs/dicom-support.md"), encoding: .utf8)) ?? ""
    }()

    @Test("names every transfer syntax with what becomes of it")
    func syntaxes() throws {
        for syntax in TransferSyntax.all where syntax.pixels != .video {
            let row = try #require(
                Self.page.split(separator: "\n").first { $0.hasPrefix("| \(syntax.uid) | \(syntax.name) |") },
                "\(syntax.uid)")
            var refusal: String?
            do { try syntax.checkSupported() } catch { refusal = error.code }
            #expect(row.contains("refused, `\(refusal ?? "?")`") == (refusal != nil), "\(syntax.uid)")
        }
    }

    @Test("names every code")
    func codes() {
        let failures: [DICOMFailure] = [
            .notDICOM(""), .notImage(""), .own(""), .localizer(""), .mosaic(""), .slide(""), .corrupt(""),
            .limit(""),
            .unsupportedSyntax(""), .videoSyntax(""), .referencedSyntax(""), .pixelSize(""), .pixelsTruncated(""),
            .fragments(""),
            .photometric(""), .bits(""), .codec(""), .ambiguous(""), .identity(""), .duplicateConflict(""), .shape(""),
            .position(""), .unlike(""), .values(""), .changed(""), .unreadable(""), .installation(""),
        ]
        for failure in failures { #expect(Self.page.contains("`\(failure.code)`"), "\(failure.code)") }
    }
}
