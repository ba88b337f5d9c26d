import DICOM
import Failures
import Numbers
import Pages
import Records

/// `index.html` of a run: every study with its picture, and what was not segmented, worst first.
enum RunIndexPage {
    static func html(_ record: RunRecord, cards: [RunIndexCard]) -> String {
        func count(_ status: Outcome) -> Int { record.count(status) }
        var body: HTML =
            "<main>\n<header><p class=\"soft small\">hspsam · run</p>\n<h1>\(NumberText.plural(cards.count, "study report"))</h1>\n"
        body += "<div class=\"totals\">"
        for status in Outcome.allCases {
            let tone = count(status) > 0 ? " \(status.rawValue)" : ""
            body +=
                "<span><b>\(NumberText.grouped(count(status)))</b> <span class=\"status\(tone)\">\(status.rawValue)</span></span>"
        }
        body +=
            "</div>\n<p class=\"soft small\">\(record.started) to \(record.finished) · \(record.program.name) \(record.program.version), \(record.program.precision), \(record.program.instructionSet), \(NumberText.plural(record.program.threads, "thread"))</p>\n"
        body +=
            "<p class=\"notice\">Made by a program. Not for diagnosis without review by a physician; no medical device. The pages carry patients' identity.</p></header>\n"
        body += inputs(record, [.failed, .refused], title: "Needs a person")
        if !cards.isEmpty {
            body += "<div class=\"cards\">\n"
            for card in cards { body += self.card(card) }
            body += "</div>\n"
        }
        body += inputs(record, [.skipped], title: "Skipped")
        return ReportStyle.page(title: "hspsam run", body: body + "</main>")
    }

    private static func card(_ card: RunIndexCard) -> HTML {
        var text: HTML = "<section>\n<a href=\"\(card.link)\">"
        if let picture = card.picture {
            text += "<img alt=\"\(card.title), with the segments drawn on\" src=\"\(picture)\">"
        }
        text += "<h2>\(card.title)</h2></a>\n"
        for line in card.lines { text += "<p class=\"small\">\(line)</p>\n" }
        if card.warnings > 0 {
            text +=
                "<p class=\"small\"><span class=\"status failed\">\(NumberText.plural(card.warnings, "warning"))</span></p>\n"
        }
        return text + "</section>\n"
    }

    /// One row a reason, with the files that it concerns.
    private static func inputs(_ record: RunRecord, _ statuses: [Outcome], title: String) -> HTML {
        let rows = record.inputs.filter { statuses.contains($0.status) }
        guard !rows.isEmpty else { return .empty }
        var order: [String] = []
        var groups: [String: [RunRecord.Input]] = [:]
        for row in rows {
            let key = "\(row.status.rawValue) \(row.code ?? "") \(row.subject ?? "") \(row.reason ?? "")"
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(row)
        }
        var text: HTML =
            "<section><h2>\(title)</h2>\n<div class=\"scroll\"><table class=\"stack\"><tr><th>Outcome</th><th>Why</th><th>Files</th></tr>\n"
        for key in order {
            guard let group = groups[key], let first = group.first else { continue }
            let paths = group.prefix(20).map { "\($0.path)" as HTML }.joined(by: "<br>")
            let rest: HTML =
                group.count > 20 ? "<br>and \(NumberText.grouped(group.count - 20)) more, in run.json" : .empty
            text += "<tr><td><span class=\"status \(first.status.rawValue)\">\(first.status.rawValue)</span></td>"
            text +=
                "<td><span class=\"code\">\(first.code ?? "")</span>\(first.subject.map { "\($0): " } ?? "")\(first.reason ?? "")</td>"
            text +=
                group.count == 1
                ? "<td class=\"small\">\(paths)</td></tr>\n"
                : "<td class=\"small\"><details><summary>\(NumberText.plural(group.count, "file"))</summary>\(paths)\(rest)</details></td></tr>\n"
        }
        return text + "</table></div></section>\n"
    }
}

/// One study on the run's page.
package struct RunIndexCard: Sendable {
    /// Relative link to the report.
    var link: String
    var title: String
    var lines: [String]
    var warnings: Int
    /// Data URI; nil when there is no picture.
    var picture: String?

    init(_ report: StudyReport) {
        link = "\(report.record.study)/report.html"
        let name = report.record.identity.patientName
        title = name.isEmpty ? report.record.study : ReportPage.personName(name)
        lines = report.results.map { result in
            let found = result.measurements.filter { $0.pixels > 0 }.map { segment in
                let size =
                    segment.volumeML.map { NumberText.volume(ml: $0) } ?? segment.areaMM2.map {
                        NumberText.area(mm2: $0)
                    }
                    ?? "\(NumberText.grouped(segment.pixels)) pixels"
                return "\(segment.label) \(size)"
            }
            let title =
                result.record.source.description.isEmpty
                ? result.record.source.modality : result.record.source.description
            return
                "\(title) · \(result.record.pipeline): \(found.isEmpty ? "nothing found" : found.joined(separator: ", "))"
        }
        if lines.isEmpty { lines = ["nothing was segmented"] }
        warnings = report.results.reduce(0) { $0 + $1.record.findings.count { $0.severity == .warning } }
        picture = (report.results.first { $0.record.file != nil } ?? report.results.first)?.pictures.thumbnail
    }
}
