import Foundation
import Numbers
import Pages
import Storage

/// How the pages of a run look: light and dark, wide and narrow, on paper.
enum ReportStyle {
    /// - Parameters:
    ///   - script: our own text.
    ///   - data: what it reads of the page as a whole.
    static func page(
        title: String, body: HTML, script: String? = nil, data: [(name: String, value: String)] = []
    ) -> HTML {
        let known = script.map {
            Page.Script(text: $0, digest: Data(FileDigest(of: $0).bytes).base64EncodedString())
        }
        var page = Page(title: title, style: css, body: body, script: known)
        page.data = data
        return page.content
    }

    /// `12.3 s`, `840 ms`
    static func seconds(_ value: Double) -> String {
        value < 1 ? "\(NumberText.fixed(value * 1000, 0)) ms" : "\(NumberText.fixed(value, 1)) s"
    }

    static let css = """
        :root { color-scheme: light dark; --ground: #f4f6f8; --card: #fff; --ink: #16202a; --soft: #5b6b7a; --line: #d9e0e6;
          --warn: #9a5b00; --warnground: #fff4e0; --bad: #a61b1b; --badground: #fdeaea; --good: #126b3a; --accent: #0b63a5; }
        @media (prefers-color-scheme: dark) { :root { --ground: #0e1318; --card: #171e25; --ink: #e6edf3; --soft: #93a4b3;
          --line: #2a343e; --warn: #f0b35a; --warnground: #2e2413; --bad: #ff9d9d; --badground: #351a1a; --good: #6fd39b; --accent: #74b9f0; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
        main { max-width: 1120px; margin: 0 auto; padding: 16px; }
        h1 { font-size: 1.45rem; line-height: 1.25; margin: 8px 0 4px; } h2 { font-size: 1.15rem; margin: 0 0 4px; } h3 { font-size: 1rem; margin: 20px 0 8px; }
        p { margin: 4px 0 10px; } a { color: var(--accent); } .soft { color: var(--soft); } .small { font-size: .87rem; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; margin: 16px 0; }
        .notice { border-left: 4px solid var(--warn); background: var(--warnground); color: var(--ink); padding: 8px 12px; border-radius: 6px; font-size: .9rem; margin: 12px 0; }
        dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; } dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { font-weight: 600; color: var(--soft); font-size: .85rem; white-space: nowrap; }
        td.n, th.n { text-align: right; white-space: nowrap; } tr:last-child td { border-bottom: 0; }
        .swatch { display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin-right: .5em; border: 1px solid rgba(128,128,128,.5); }
        ul.findings { list-style: none; padding: 0; margin: 8px 0; } ul.findings li { padding: 6px 10px; margin: 4px 0; border-radius: 6px; border-left: 4px solid var(--line); }
        .advice { color: var(--soft); display: block; font-size: .9rem; }
        .viewer { margin: 14px 0; outline-offset: 4px; border-radius: 6px; } .viewer .stage { display: block; width: 100%; height: min(68vh, 720px); background: #000; border-radius: 6px; touch-action: none; cursor: crosshair; }
        .bar { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; margin: 8px 0; } .bar label { display: inline-flex; align-items: center; gap: 6px; } .bar .grow { flex: 1 1 220px; } .bar .grow input { flex: 1; min-width: 80px; }
        .bar input[type=number] { width: 6.5em; } .bar input, .bar select, .bar button, textarea { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 3px 8px; } .bar select { max-width: 100%; }
        .bar button { cursor: pointer; min-height: 34px; } .bar button[aria-pressed=true] { border-color: var(--accent); color: var(--accent); font-weight: 600; } .bar input[type=range] { padding: 0; accent-color: var(--accent); } .bar input[type=checkbox] { width: 18px; height: 18px; accent-color: var(--accent); }
        .review { border-top: 1px solid var(--line); padding-top: 8px; } .review h3 { margin: 4px 0; } .review textarea { display: block; width: 100%; } .review[data-verdict=yes] [data-verdict-of=yes] { background: var(--good); border-color: var(--good); color: var(--card); } .review[data-verdict=no] [data-verdict-of=no] { background: var(--bad); border-color: var(--bad); color: var(--card); }
        ul.findings li.warning { border-left-color: var(--warn); background: var(--warnground); }
        .code { font: .78rem/1 ui-monospace, "DejaVu Sans Mono", monospace; color: var(--soft); margin-right: .5em; white-space: nowrap; }
        .digest { font: .82rem/1.4 ui-monospace, "DejaVu Sans Mono", monospace; word-break: break-all; }
        .pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
        figure { margin: 0; } figure.pair div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; background: #000; border-radius: 6px; overflow: hidden; }
        img { display: block; width: 100%; height: auto; background: #000; } figcaption { font-size: .85rem; color: var(--soft); padding: 4px 2px; }
        .maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(44%, 150px), 1fr)); gap: 10px; } .maps img { border-radius: 6px; }
        details { margin: 10px 0; } summary { cursor: pointer; color: var(--accent); padding: 4px 0; }
        .status { display: inline-block; white-space: nowrap; padding: 1px 8px; border-radius: 999px; font-size: .8rem; font-weight: 600; border: 1px solid var(--line); }
        .status.refused, .status.failed { color: var(--bad); background: var(--badground); border-color: transparent; } .status.processed { color: var(--good); } .status.skipped { color: var(--soft); }
        .thumb { display: block; width: 120px; max-width: 100%; height: auto; border-radius: 6px; margin-bottom: 4px; } th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; } th[aria-sort=ascending] button::after { content: " ▲"; } th[aria-sort=descending] button::after { content: " ▼"; } tr[hidden] { display: none; }
        input[type=search] { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 4px 8px; max-width: 100%; }
        .totals { display: flex; flex-wrap: wrap; gap: 8px 24px; margin: 12px 0; } .totals b { font-size: 1.3rem; }
        @media (max-width: 560px) { main { padding: 10px; } .viewer .stage { height: 56vh; } section { padding: 12px; } figure.pair div { grid-template-columns: 1fr; }
          table.stack > tbody:first-child > tr:first-child, table.stack thead { display: none; } table.stack tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--line); } table.stack tr:last-child { border-bottom: 0; }
          table.stack td { display: block; border: 0; padding: 2px 0; text-align: left; } table.stack td[data-label] { display: flex; justify-content: space-between; } table.stack td[data-label]::before { content: attr(data-label); color: var(--soft); }
          dl.facts { grid-template-columns: 1fr; } dl.facts dt { margin-top: 6px; font-size: .85rem; } }
        @media print { :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --warnground: #fff; } body { background: #fff; font-size: 12px; } section { border-color: #999; padding: 8px; margin: 8px 0; }
          .viewer, .review textarea, .review .save, .heat, .links { display: none; } details.stills::details-content { content-visibility: visible; height: auto; } details.stills > *:not(summary) { display: block; } summary { display: none; }
          .pictures { grid-template-columns: 1fr 1fr; gap: 8px; } .pictures figure:nth-child(n+3) { display: none; } .review:not([data-verdict]) { display: none; } }
        """
}
