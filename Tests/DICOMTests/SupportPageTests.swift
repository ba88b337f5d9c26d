import DICOM
import Failures
import Foundation
import Mutations
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

    /// What becomes of the corpus' images, counted by transfer syntax and photometric interpretation.
    private static func table() async -> String {
        let found = await concurrentMap(Corpus.dicom) {
            entry -> (syntax: TransferSyntax, photometric: String, outcome: String)? in
            guard let file = try? DICOMFile(path: entry.absolutePath),
                let photometric = file.dataSet.string(.photometricInterpretation)
            else { return nil }
            var outcome = "read"
            do throws(DICOMFailure) {
                let pixels = try PixelDescription(file.dataSet)
                let reader = try PixelReader(file, pixels)
                for number in 1...pixels.frames { _ = try reader.frame(number) }
            } catch {
                outcome = error.code
            }
            // Descriptions without pixels.
            return outcome == "IN-NOTIMAGE" ? nil : (file.transferSyntax, photometric, outcome)
        }.compactMap { $0 }
        var table = OutcomeTable("transfer syntax")
        for (syntax, photometric, outcome) in found { table.add(syntax.name, photometric, outcome) }
        return table.markdown
    }

    @Test(
        "holds what becomes of the corpus by transfer syntax and photometric interpretation",
        .enabled(if: Corpus.isPresent))
    func corpus() async {
        let table = await Self.table()
        #expect(Self.page.contains("<!-- corpus -->\n\n\(table)\n\n<!-- end -->"), "\(table)")
    }
}
