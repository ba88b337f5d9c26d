internal import Foundation
internal import Numbers
internal import Pages

/// `outbox/index.html`: the night at a glance, for the person who comes in the morning. What needs them stands first.
///
/// One file that loads nothing and runs nothing; it shows digest names, codes and measurements, never a value of a patient.
struct OutboxPage {
    private let overview: Overview
    private let version: String
    private let now: Int64

    init(_ overview: Overview, version: String, now: Int64) {
        self.overview = overview
        self.version = version
        self.now = now
    }

    var html: String {
        Page(title: "\(headline) · hspsam", style: Self.style, body: body, refreshSeconds: 60).html
    }

    private var body: HTML {
        let since: HTML? = overview.startedAt.map { " · service up since \(time($0))" }
        return """
            <header class="\(overview.needsPerson ? "attention" : "calm")">
            <div><p class="brand">hspsam outbox</p>
            <h1>\(headline)</h1>
            <p class="when">\(time(now)) UTC\(since)</p></div>
            </header>
            <main>
            \(figures)
            \(needs)
            \(results)
            </main>
            <footer>hspsam \(version) · research software, not a medical device · times are UTC</footer>
            """
    }

    private var headline: String {
        let count = overview.troubles.count + (overview.unreadable > 0 ? 1 : 0) + (overview.paused != nil ? 1 : 0)
        return switch count {
        case 0: "All is well"
        case 1: "One thing needs you"
        default: "\(count) things need you"
        }
    }

    // MARK: figures

    private var figures: HTML {
        let waiting = count(.queued) + count(.retry)
        let tiles = [
            (
                value: "\(overview.publishedToday)", label: "results in 24 h",
                note: overview.lastSuccess.map { "last: \(ago($0))" } ?? "none yet"
            ),
            (
                value: "\(waiting)", label: "waiting",
                note: overview.oldestWaiting.map { "oldest: \(ago($0))" } ?? "nothing waits"
            ),
            (value: "\(count(.running) + count(.publishing))", label: "in work", note: "\(overview.settling) settling"),
            (
                value: "\(count(.quarantined))", label: "in quarantine",
                note: count(.quarantined) == 0 ? "none" : "see below"
            ),
        ]
        let items: [HTML] = tiles.map {
            "<li><strong>\($0.value)</strong><span>\($0.label)</span><small>\($0.note)</small></li>"
        }
        return "<ul class=\"figures\">\(items)</ul>"
    }

    private func count(_ state: Job.State) -> Int { overview.jobs[state] ?? 0 }

    // MARK: what needs a person

    private var needs: HTML {
        var cards: [HTML] = []
        if let paused = overview.paused {
            cards.append(card("bad", "QUEUE RESTS", paused, "Work goes on by itself once the cause is gone."))
        }
        if overview.unreadable > 0 {
            cards.append(
                card(
                    "bad", "INBOX",
                    "\(overview.unreadable) \(overview.unreadable == 1 ? "drop" : "drops") in the inbox cannot be read.",
                    "Give the service the right to read them: setfacl -R -m u:hspsam:rwX on the drop."))
        }
        for trouble in overview.troubles {
            let place: HTML =
                trouble.kind == .partial
                ? "Part of it was processed and published. Job <code>\(trouble.job)</code>"
                : "Input and reason: <code>quarantine/\(trouble.job)</code>. When the cause is gone, move its input back into the inbox and remove the folder"
            let tries = trouble.attempts > 1 ? " · \(trouble.attempts) attempts" : ""
            cards.append(
                """
                <li class="card \(trouble.kind == .partial ? "warn" : "bad")"><h3>\(trouble.code)</h3>
                <p>\(trouble.text)</p><p class="meta">\(time(trouble.at))\(tries) · \(place).</p></li>
                """)
        }
        guard !cards.isEmpty else { return .empty }
        return "<section><h2>Needs you</h2><ul class=\"cards\">\(cards.joined(by: "\n"))</ul></section>"
    }

    private func card(_ tone: String, _ title: String, _ text: String, _ cure: String) -> HTML {
        "<li class=\"card \(tone)\"><h3>\(title)</h3><p>\(text)</p><p class=\"meta\">\(cure)</p></li>"
    }

    // MARK: results

    private var results: HTML {
        guard !overview.lines.isEmpty else {
            return
                "<section><h2>Results</h2><p class=\"empty\">Nothing yet. What is dropped into the inbox appears here.</p></section>"
        }
        return """
            <section><h2>Results</h2><table>
            <thead><tr><th>Done</th><th>Study</th><th>Findings</th><th class="number">Files</th><th class="number">Time</th></tr></thead>
            <tbody>
            \(overview.lines.map(row).joined(by: "\n"))
            </tbody></table></section>
            """
    }

    private func row(_ line: Overview.Line) -> HTML {
        let study: HTML
        if let name = line.study, let path = line.path {
            study = "<a href=\"\(path)/report.html\">\(name)</a>"
        } else {
            study = "<span class=\"quiet\">no result</span>"
        }
        var findings = HTML.empty
        if let text = line.findings {
            // The key in front ties the text to its result; a person has no use for it.
            let shown = text.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
            findings = shown.components(separatedBy: " · ").map { "<p>\($0)</p>" as HTML }.joined(by: .empty)
        }
        if let reason = line.reason, reason.kind != .partial || line.study == nil {
            findings += "<p class=\"quiet\">\(reason.code): \(reason.text)</p>"
        } else if line.reason != nil {
            findings += "<p class=\"mark\">incomplete: \(line.reason?.code ?? "")</p>"
        }
        return """
            <tr><td data-label="Done">\(time(line.at))</td><td data-label="Study" class="study">\(study)</td>\
            <td data-label="Findings">\(findings)</td><td data-label="Files" class="number">\(line.files)</td>\
            <td data-label="Time" class="number">\(line.seconds.map(seconds) ?? "")</td></tr>
            """
    }

    // MARK: words

    private func time(_ milliseconds: Int64) -> String {
        let text = Moment.text(milliseconds)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
    }

    private func ago(_ milliseconds: Int64) -> String {
        let minutes = max(0, now - milliseconds) / 60_000
        return switch minutes {
        case 0: "just now"
        case ..<120: "\(minutes) min ago"
        case ..<2880: "\(minutes / 60) h ago"
        default: "\(minutes / 1440) days ago"
        }
    }

    private func seconds(_ value: Double) -> String {
        value < 120 ? "\(NumberText.fixed(value, 1)) s" : "\(NumberText.fixed(value / 60, 0)) min"
    }

    private static let style = """
        :root { color-scheme: light dark; --ink: #16202b; --soft: #5b6875; --paper: #f5f7f9; --card: #fff; --line: #dfe5ea;
          --good: #0b6b57; --good-deep: #084c3e; --bad: #b3261e; --warn: #8a5a00; --link: #075e8a; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6ecf1; --soft: #9aa8b5; --paper: #10161c; --card: #19222b; --line: #2b3743;
          --good: #0d7a63; --good-deep: #0a4a3d; --bad: #ff8a80; --warn: #f2b84b; --link: #7cc7f2; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        header { padding: 2rem 1.25rem 4.25rem; color: #fff; } header div { max-width: 68rem; margin: 0 auto; }
        header.calm { background: linear-gradient(120deg, var(--good), var(--good-deep)); }
        header.attention { background: linear-gradient(120deg, #a8321f, #6f1d22); }
        header p { margin: 0; opacity: .85; } header h1 { margin: .1rem 0; font-size: clamp(1.7rem, 5vw, 2.6rem); line-height: 1.15; }
        .brand { letter-spacing: .06em; font-size: .85rem; text-transform: uppercase; } .when { font-variant-numeric: tabular-nums; }
        main { max-width: 70.5rem; margin: -2.75rem auto 0; padding: 0 1.25rem 2rem; }
        ul { list-style: none; margin: 0; padding: 0; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; }
        .figures li, .card, table { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; box-shadow: 0 1px 3px #0001; }
        .figures li { padding: .8rem 1rem; display: flex; flex-direction: column; }
        .figures strong { font-size: 1.8rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
        .figures small, .meta, .quiet, .empty, footer { color: var(--soft); }
        h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
        .cards { display: grid; gap: .75rem; } .card { padding: .9rem 1.1rem; border-left: .35rem solid var(--bad); }
        .card.warn { border-left-color: var(--warn); } .card h3 { margin: 0; font-size: 1rem; color: var(--bad); letter-spacing: .02em; }
        .card.warn h3 { color: var(--warn); } .card p { margin: .25rem 0 0; overflow-wrap: anywhere; } .meta { font-size: .875rem; }
        code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; overflow-wrap: anywhere; }
        table { width: 100%; border-collapse: separate; border-spacing: 0; overflow: hidden; }
        th, td { padding: .6rem .9rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
        tbody tr:last-child td { border-bottom: 0; } tbody tr:hover { background: color-mix(in srgb, var(--link) 6%, transparent); }
        th { font-size: .8rem; color: var(--soft); font-weight: 600; } td p { margin: 0; overflow-wrap: anywhere; }
        td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; } .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .study { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .95em; }
        a { color: var(--link); } .mark { color: var(--warn); font-weight: 600; }
        footer { text-align: center; padding: 0 1.25rem 2rem; font-size: .85rem; }
        @media (max-width: 42rem) {
          thead { display: none; } table, tbody, tr, td { display: block; width: 100%; }
          table { background: none; border: 0; box-shadow: none; } tr { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; margin-bottom: .75rem; padding: .4rem 0; }
          td { display: grid; grid-template-columns: 5.5rem 1fr; gap: .5rem; border: 0; padding: .3rem .9rem; text-align: left !important; white-space: normal !important; }
          td::before { content: attr(data-label); color: var(--soft); font-size: .85rem; } td > * { grid-column: 2; }
        }
        """
}
