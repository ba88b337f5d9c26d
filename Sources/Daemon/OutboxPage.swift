internal import Numbers
internal import Pages

/// `outbox/index.html`: the night at a glance, for the person who comes in the morning. What needs them stands first.
///
/// One file that loads nothing and runs nothing; it shows digest names, codes and measurements, never a value of a patient.
///
/// The same facts give the same page: it shows when it was written and no time that passes by itself.
struct OutboxPage: Equatable {
    private let overview: Overview
    private let version: String
    private let written = Moment.now
    /// What people who may know it call a study, by the folder of its result.
    private let names: [String: String]

    init(_ overview: Overview, version: String, names: [String: String] = [:]) {
        self.overview = overview
        self.version = version
        self.names = names
    }

    /// Whether both show the same.
    static func == (a: OutboxPage, b: OutboxPage) -> Bool {
        a.overview == b.overview && a.version == b.version && a.names == b.names
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
            <p class="when">as of \(time(written)) UTC\(since)</p></div>
            </header>
            <main>
            \(figures)
            \(needs)
            \(NightPage.table(overview.nights, from: "\(Night.folder)/"))
            \(results)
            </main>
            <footer>hspsam \(version) · research software, not a medical device · times are UTC</footer>
            """
    }

    private var headline: String {
        // Quarantine folders that the ledger does not know count too.
        let shown = overview.troubles.count { $0.state == .quarantined }
        let unknown = max(0, count(.quarantined) - shown)
        let things =
            overview.troubles.count + unknown + overview.notes.count + (overview.unreadable > 0 ? 1 : 0)
            + (overview.paused != nil ? 1 : 0) + (overview.held != nil ? 1 : 0)
        return switch things {
        case 0: "All is well"
        case 1: "One thing needs you"
        default: "\(things) things need you"
        }
    }

    // MARK: figures

    private var figures: HTML {
        let waiting = count(.queued) + count(.retry)
        let tiles = [
            (
                value: "\(overview.publishedToday)", label: "results in 24 h",
                note: overview.lastSuccess.map { "last: \(time($0))" } ?? "none yet"
            ),
            (
                value: "\(waiting)", label: "waiting",
                note: overview.oldestWaiting.map { "oldest: \(time($0))" } ?? "nothing waits"
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
        let cluster: HTML? = overview.cluster.map { "<p class=\"quiet\">Cluster: \($0.summary).</p>" }
        return "<ul class=\"figures\">\(items)</ul>\(cluster)"
    }

    private func count(_ state: Job.State) -> Int { overview.jobs[state] ?? 0 }

    // MARK: what needs a person

    private var needs: HTML {
        var cards: [HTML] = []
        if let paused = overview.paused {
            cards.append(card("bad", "QUEUE RESTS", paused, "Work goes on by itself once the cause is gone."))
        }
        if let held = overview.held {
            cards.append(
                card("warn", "QUEUE HELD", "A person has stopped the queue at \(time(held)).", "hspsam resume"))
        }
        cards += overview.notes.map { card("bad", $0.code, $0.text, $0.cure) }
        if overview.unreadable > 0 {
            cards.append(
                card(
                    "bad", "INBOX",
                    "\(overview.unreadable) \(overview.unreadable == 1 ? "drop" : "drops") in the inbox cannot be read.",
                    "Give the service the right to read them (setfacl -R -m u:hspsam:rwX on the drop)."
                ))
        }
        cards += overview.troubles.map(card)
        guard !cards.isEmpty else { return .empty }
        return "<section><h2>Needs you</h2><ul class=\"cards\">\(cards.joined(by: "\n"))</ul></section>"
    }

    private func card(_ trouble: Overview.Trouble) -> HTML {
        let place: HTML =
            switch trouble.state {
            case .published, .done, .cancelled:
                "Part of it was processed and published. When the rest is dealt with: <code>hspsam settle \(trouble.job)</code>"
            case .quarantined:
                "Input and reason: <code>quarantine/\(trouble.job)</code>. When the cause is gone: <code>hspsam retry \(trouble.job)</code>; when it can never work: <code>hspsam quarantine drop \(trouble.job)</code>"
            case .queued, .running, .retry, .publishing:
                "It goes on by itself once the cause is gone. Job <code>\(trouble.job)</code>"
            }
        let tries = trouble.attempts > 1 ? " · \(trouble.attempts) attempts" : ""
        let tone = trouble.reason.kind == .partial ? "warn" : "bad"
        return """
            <li class="card \(tone)"><h3>\(trouble.reason.code)</h3>
            <p>\(trouble.reason.text)</p><p class="meta">\(time(trouble.at))\(tries) · \(place).</p></li>
            """
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
            let known: HTML? = names[path].map { "<p>\($0)</p>" }
            study = "<a href=\"\(path)/report.html\">\(name)</a>\(known)"
        } else {
            study = "<span class=\"quiet\">no result</span>"
        }
        var findings = line.findings.map { "<p>\($0)</p>" as HTML }.joined(by: .empty)
        if let newer = line.supersededBy {
            findings +=
                "<p class=\"mark\">superseded by <a href=\"\(newer)/report.html\">a result of more images</a></p>"
        } else if line.study != nil, !line.complete || line.reason?.kind == .partial {
            let code = line.reason.map { $0.kind == .partial ? ": \($0.code)" : "" } ?? ""
            findings += "<p class=\"mark\">incomplete\(code)</p>"
        }
        if line.study == nil, let reason = line.reason {
            findings += "<p class=\"quiet\">\(reason.code): \(reason.text)</p>"
        }
        return """
            <tr><td data-label="Done">\(time(line.at))</td><td data-label="Study" class="study">\(study)</td>\
            <td data-label="Findings">\(findings)</td><td data-label="Files" class="number">\(line.files)</td>\
            <td data-label="Time" class="number">\(line.seconds.map(seconds) ?? "")</td></tr>
            """
    }

    // MARK: words

    private func time(_ milliseconds: Int64) -> String { Self.time(milliseconds) }

    /// To the minute.
    static func time(_ milliseconds: Int64) -> String {
        let text = Moment.text(milliseconds)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
    }

    private func seconds(_ value: Double) -> String {
        value < 120 ? "\(NumberText.fixed(value, 1)) s" : "\(NumberText.fixed(value / 60, 0)) min"
    }
}
