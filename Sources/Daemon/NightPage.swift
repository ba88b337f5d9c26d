internal import Failures
internal import Foundation
internal import Numbers
internal import Pages

/// `outbox/batches/ID.html`: one night, and how it compares with the last seven. What needs a person stands first.
///
/// Like the outbox's index it loads nothing, runs nothing and shows nothing of a patient.
struct NightPage {
    private let night: Night
    /// The newest first, this one included.
    private let nights: [Night]
    private let studies: [Night.Study]
    private let version: String

    private static let slowest = 10

    init(_ night: Night, among nights: [Night], studies: [Night.Study], version: String) {
        self.night = night
        self.nights = nights
        self.studies = studies
        self.version = version
    }

    var html: String {
        Page(title: "\(headline) · hspsam", style: OutboxPage.style, body: body).html
    }

    /// The same for machines.
    var json: String {
        struct Line: Encodable {
            let id: String
            let started: String
            let ended: String
            let counts: BatchOutcome
        }
        struct All: Encodable {
            let night: Line
            let before: [Line]
            let studies: [Night.Study]
        }
        func line(_ night: Night) -> Line {
            Line(
                id: night.id, started: Moment.text(night.started), ended: Moment.text(night.ended), counts: night.counts
            )
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let all = All(
            night: line(night), before: nights.filter { $0.id != night.id }.map(line), studies: studies)
        return (try? encoder.encode(all)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private var headline: String {
        let counts = night.counts
        let results = "\(counts.results) \(counts.results == 1 ? "result" : "results")"
        return counts.status == .done ? "\(results), all is well" : "\(results), and something needs you"
    }

    private var body: HTML {
        let calm = night.counts.status == .done
        return """
            <header class="\(calm ? "calm" : "attention")">
            <div><p class="brand">hspsam · one night</p>
            <h1>\(headline)</h1>
            <p class="when">\(OutboxPage.time(night.started)) to \(OutboxPage.time(night.ended)) UTC · <a href="../index.html">outbox</a></p></div>
            </header>
            <main>
            \(figures)
            \(needs)
            \(Self.table(nights, from: "", current: night.id))
            \(slow)
            \(results)
            </main>
            <footer>hspsam \(version) · research software, not a medical device · times are UTC</footer>
            """
    }

    private var figures: HTML {
        let before = nights.filter { $0.id != night.id }
        func usual(_ value: (BatchOutcome) -> Int) -> String {
            guard !before.isEmpty else { return "no night before" }
            let sorted = before.map { value($0.counts) }.sorted()
            return "usually \(sorted[sorted.count / 2])"
        }
        let counts = night.counts
        let unwanted = counts.unwanted > 0 ? "\(counts.unwanted) wanted by no pipeline" : usual(\.done)
        let tiles: [(value: Int, label: String, note: String)] = [
            (counts.results, "results", usual(\.results)), (counts.done, "drops done", unwanted),
            (counts.partial, "incomplete", usual(\.partial)), (counts.quarantined, "quarantined", usual(\.quarantined)),
        ]
        let items: [HTML] = tiles.map {
            "<li><strong>\($0.value)</strong><span>\($0.label)</span><small>\($0.note)</small></li>"
        }
        return "<ul class=\"figures\">\(items)</ul>"
    }

    private var needs: HTML {
        let counts = night.counts
        var lines: [HTML] = []
        func add(_ count: Int, _ what: String) {
            if count > 0 { lines.append("<li class=\"card\"><p>\(count) \(what)</p></li>") }
        }
        add(counts.quarantined, "put into quarantine: hspsam quarantine list")
        add(counts.partial, "incomplete: marked in the list below")
        add(counts.waiting, "left for the next night: hspsam jobs --state queued --state retry")
        add(counts.unsettled, "in the inbox did not settle or could not be taken")
        add(counts.unsent, "files were not sent to their destinations: hspsam deliver --status")
        for note in counts.notes { lines.append("<li class=\"card\"><p>\(note): hspsam status</p></li>") }
        if let paused = counts.paused { lines.append("<li class=\"card\"><p>the queue rested: \(paused)</p></li>") }
        guard !lines.isEmpty else { return .empty }
        return "<section><h2>Needs you</h2><ul class=\"cards\">\(lines)</ul></section>"
    }

    /// The last nights, each a line; for the outbox's index too.
    ///
    /// - Parameter from: what leads from the page to the folder of these pages.
    static func table(_ nights: [Night], from: String, current: String? = nil) -> HTML {
        guard !nights.isEmpty else { return .empty }
        let rows: [HTML] = nights.map { night in
            let counts = night.counts
            let when: HTML =
                night.id == current
                ? "<strong>\(OutboxPage.time(night.started))</strong>"
                : "<a href=\"\(from)\(night.id).html\">\(OutboxPage.time(night.started))</a>"
            let mark: HTML = counts.status == .done ? "well" : "<span class=\"mark\">needed somebody</span>"
            return """
                <tr><td data-label="Night">\(when)</td><td data-label="How">\(mark)</td>\
                <td data-label="Results" class="number">\(counts.results)</td>\
                <td data-label="Incomplete" class="number">\(counts.partial)</td>\
                <td data-label="Quarantined" class="number">\(counts.quarantined)</td>\
                <td data-label="Left" class="number">\(counts.waiting + counts.unsettled)</td>\
                <td data-label="Time" class="number">\(duration(Double(night.ended - night.started) / 1000))</td></tr>
                """
        }
        return """
            <section><h2>The last \(nights.count == 1 ? "night" : "\(nights.count) nights")</h2><table>
            <thead><tr><th>Night</th><th>How</th><th class="number">Results</th><th class="number">Incomplete</th>\
            <th class="number">Quarantined</th><th class="number">Left</th><th class="number">Time</th></tr></thead>
            <tbody>
            \(rows.joined(by: "\n"))
            </tbody></table></section>
            """
    }

    private var slow: HTML {
        let timed = studies.filter { $0.seconds != nil }.sorted {
            ($0.seconds ?? 0, $1.path) > ($1.seconds ?? 0, $0.path)
        }
        guard timed.count > 1 else { return .empty }
        let items: [HTML] = timed.prefix(Self.slowest).map {
            "<li><a href=\"../\($0.path)/report.html\">\($0.study)</a> \(Self.duration($0.seconds ?? 0)), \($0.files) files</li>"
        }
        return "<section><h2>The slowest</h2><ul>\(items)</ul></section>"
    }

    private var results: HTML {
        guard !studies.isEmpty else { return .empty }
        let rows: [HTML] = studies.map { study in
            var findings = study.findings.map { "<p>\($0)</p>" as HTML }.joined(by: .empty)
            if !study.complete { findings += "<p class=\"mark\">incomplete</p>" }
            return """
                <tr><td data-label="Done">\(study.at.dropFirst(11).prefix(5))</td>\
                <td data-label="Study" class="study"><a href="../\(study.path)/report.html">\(study.study)</a></td>\
                <td data-label="Findings">\(findings)</td><td data-label="Files" class="number">\(study.files)</td>\
                <td data-label="Time" class="number">\(study.seconds.map(Self.duration) ?? "")</td></tr>
                """
        }
        return """
            <section><h2>Results</h2><table>
            <thead><tr><th>Done</th><th>Study</th><th>Findings</th><th class="number">Files</th><th class="number">Time</th></tr></thead>
            <tbody>
            \(rows.joined(by: "\n"))
            </tbody></table></section>
            """
    }

    private static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(NumberText.fixed(seconds, 1)) s"
        case ..<7200: "\(NumberText.fixed(seconds / 60, 0)) min"
        default: "\(NumberText.fixed(seconds / 3600, 1)) h"
        }
    }
}
