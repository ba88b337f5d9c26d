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
        body += studies(cards)
        body += inputs(record, [.skipped], title: "Skipped")
        return ReportStyle.page(title: "hspsam run", body: body + "</main>", script: script).markup
    }

    /// Every result as a row, those that a person should look at first; behind them studies without any.
    private static func studies(_ cards: [RunIndexCard]) -> HTML {
        guard !cards.isEmpty else { return .empty }
        var text: HTML = """
            <section><h2>Results</h2>
            <p><label>Show only <input type="search" data-filter="results" placeholder="name, series, pipeline, finding"></label></p>
            <div class="scroll"><table class="sortable stack" id="results"><thead><tr>\(["Study", "Series", "Pipeline", "Found", "Warnings"].map { "<th><button type=\"button\">\($0)</button></th>" as HTML })</tr></thead><tbody>

            """
        let rows = cards.flatMap { card in card.rows.map { (card, $0) } }
            .enumerated().sorted { ($1.element.1.rank, $0.offset) < ($0.element.1.rank, $1.offset) }
        for (_, (card, row)) in rows {
            let picture: HTML =
                row.picture.map {
                    "<img class=\"thumb\" alt=\"\(card.title), with the segments drawn on\" src=\"\($0)\">"
                } ?? .empty
            let warnings: HTML =
                row.warnings == 0
                ? "–" : "<span class=\"status failed\">\(NumberText.plural(row.warnings, "warning"))</span>"
            text += "<tr><td data-sort=\"\(card.title)\"><a href=\"\(card.link)\">\(picture)\(card.title)</a></td>"
            text += "<td data-label=\"Series\" data-sort=\"\(row.series)\">\(row.series)</td>"
            text += "<td data-label=\"Pipeline\" data-sort=\"\(row.pipeline)\">\(row.pipeline)</td>"
            text += "<td data-label=\"Found\" data-sort=\"\(row.found)\">\(row.found)</td>"
            text +=
                "<td data-label=\"Warnings\" data-sort=\"\(row.warnings)\"><span>\(warnings) <span class=\"code\">\(row.codes)</span></span></td></tr>\n"
        }
        return text + "</tbody></table></div></section>\n"
    }

    /// Sorts the table by its heads and shows the rows that hold a text.
    private static let script = #"""
        "use strict";
        for (const table of document.querySelectorAll("table.sortable")) {
          const body = table.tBodies[0];
          table.querySelectorAll("th button").forEach((button, column) => button.addEventListener("click", () => {
            const head = button.parentElement, up = head.getAttribute("aria-sort") !== "ascending";
            for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
            head.setAttribute("aria-sort", up ? "ascending" : "descending");
            const value = row => row.cells[column].dataset.sort;
            const order = (a, b) => isNaN(value(a)) || isNaN(value(b)) ? (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) : value(a) - value(b);
            [...body.rows].sort((a, b) => up ? order(a, b) : order(b, a)).forEach(row => body.append(row));
          }));
          const filter = document.querySelector("[data-filter='" + table.id + "']");
          filter.addEventListener("input", () => {
            const words = filter.value.toLowerCase();
            for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(words);
          });
        }
        """#

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
    /// One of its results.
    struct Row: Sendable {
        var series: String
        var pipeline: String
        var found: String
        var warnings: Int
        /// Of its warnings.
        var codes: String
        /// Data URI; nil when there is no picture.
        var picture: String?

        /// The higher, the sooner a person should look at it. Of a study without a result the inputs tell why.
        var rank: Int { pipeline.isEmpty ? -1 : warnings }
    }

    /// Relative link to the report.
    var link: String
    var title: String
    var rows: [Row]

    init(_ report: StudyReport) {
        link = "\(report.record.study)/report.html"
        title = report.record.identity.readableName ?? report.record.study
        rows = report.results.map { Row($0) }
        if rows.isEmpty {
            rows = [Row(series: "", pipeline: "", found: "nothing was segmented", warnings: 0, codes: "", picture: nil)]
        }
    }
}

extension RunIndexCard.Row {
    init(_ result: StudyReport.Result) {
        let found = result.measurements.filter { $0.pixels > 0 }.map { segment in
            let size =
                segment.volumeML.map { NumberText.volume(ml: $0) }
                ?? segment.areaMM2.map { NumberText.area(mm2: $0) }
                ?? "\(NumberText.grouped(segment.pixels)) pixels"
            return "\(segment.record.countedLabel) \(size)"
        }
        let source = result.record.source
        let warnings = result.record.findings.filter { $0.severity == .warning }
        self.init(
            series: source.description.isEmpty ? source.modality : source.description,
            pipeline: result.record.pipeline,
            found: found.isEmpty ? "nothing found" : found.joined(separator: ", "),
            warnings: warnings.count, codes: warnings.map(\.code).joined(separator: " "),
            picture: result.pictures.thumbnail.isEmpty ? nil : result.pictures.thumbnail)
    }
}
