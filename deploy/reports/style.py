"""How a report looks: on a screen, light or dark, and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9dce0; --ground: #fff; --panel: #f6f7f9;
  --good: #1a7f4b; --bad: #b42318; --open: #946300; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a0a6ae; --line: #363b42; --ground: #16191d;
  --panel: #1e2227; --good: #5fcf95; --bad: #ff8b7e; --open: #e5b455; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.5rem 5rem; }
h1 { font-size: 1.9rem; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
h3 small, .score { color: var(--soft); font-weight: 400; font-size: .85rem; }
p { margin: .35rem 0 .75rem; max-width: 46rem; }
.lead { font-size: 1.05rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: 1.25rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.figures { list-style: none; padding: 0; margin: 1.5rem 0; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.figures li { background: var(--panel); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem; }
.figures b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.figures span, .figures small { display: block; } .figures small { color: var(--soft); }
.warn, .well { border-left: 3px solid var(--open); background: var(--panel); padding: .6rem 1rem; }
.well { border-color: var(--good); } .warn ul { margin: .25rem 0; padding-left: 1.2rem; } .warn p { margin: 0; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0 1rem; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 500; overflow-wrap: normal; }
td { font-variant-numeric: tabular-nums; } td small { color: var(--soft); }
code { font: .92em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
td.sign { white-space: nowrap; } td.why { color: var(--soft); width: 45%; }
.legend { color: var(--soft); max-width: none; }
.legend span { margin-left: .9rem; } .legend span:first-child { margin: 0; }
.proven { color: var(--good); } .unneeded, .wrong { color: var(--bad); } .unobserved, .not-tried { color: var(--open); }
@media (max-width: 720px) { table { display: block; overflow-x: auto; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --ground: #fff; --panel: #fff; --good: #0a5c33;
    --bad: #8f1a10; --open: #6b4800; }
  @page { margin: 16mm 14mm; }
  body { font-size: 9.5pt; } main { max-width: none; padding: 0; }
  header { break-after: page; } h2, h3 { break-after: avoid; } tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
