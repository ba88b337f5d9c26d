import Numbers
import Pages

/// How the pages of a run look: light and dark, wide and narrow, on paper.
enum ReportStyle {
    static func page(title: String, body: HTML) -> String { Page(title: title, style: css, body: body).html }

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
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 16px; } .cards section { margin: 0; }
        .totals { display: flex; flex-wrap: wrap; gap: 8px 24px; margin: 12px 0; } .totals b { font-size: 1.3rem; }
        @media (max-width: 560px) { main { padding: 10px; } section { padding: 12px; } figure.pair div { grid-template-columns: 1fr; }
          table.stack tr:first-child { display: none; } table.stack tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--line); } table.stack tr:last-child { border-bottom: 0; }
          table.stack td { display: block; border: 0; padding: 2px 0; text-align: left; } table.stack td[data-label] { display: flex; justify-content: space-between; } table.stack td[data-label]::before { content: attr(data-label); color: var(--soft); }
          dl.facts { grid-template-columns: 1fr; } dl.facts dt { margin-top: 6px; font-size: .85rem; } }
        @media print { body { background: #fff; } section { break-inside: avoid; border-color: #999; } details > *:not(summary) { display: block; } }
        """
}
