extension OutboxPage {
    static let style = """
        :root { color-scheme: light dark; --ink: #16202b; --soft: #5b6875; --paper: #f5f7f9; --card: #fff; --line: #dfe5ea;
          --good: #0b6b57; --good-deep: #084c3e; --bad: #b3261e; --warn: #8a5a00; --link: #075e8a; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6ecf1; --soft: #9aa8b5; --paper: #10161c; --card: #19222b; --line: #2b3743;
          --good: #0d7a63; --good-deep: #0a4a3d; --bad: #ff8a80; --warn: #f2b84b; --link: #7cc7f2; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        header { padding: 2rem 1.25rem 4.25rem; color: #fff; } header div { max-width: 68rem; margin: 0 auto; }
        header.calm { background: linear-gradient(120deg, var(--good), var(--good-deep)); }
        header.attention { background: linear-gradient(120deg, #a8321f, #6f1d22); }
        header a { color: inherit; } header p { margin: 0; opacity: .85; } header h1 { margin: .1rem 0; font-size: clamp(1.7rem, 5vw, 2.6rem); line-height: 1.15; }
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
