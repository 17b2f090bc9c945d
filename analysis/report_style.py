"""The style sheet of the HTML report: no web font, no image, prints on paper."""

STYLE = """
:root { --ink: #111827; --soft: #4b5563; --line: #e5e7eb; --back: #ffffff; --panel: #f9fafb; --warn: #92400e; --warnback: #fef3c7; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--panel); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; line-height: 1.25; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .8rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; color: var(--soft); font-weight: 600; }
.badge { font-size: .75rem; letter-spacing: .08em; font-weight: 700; color: var(--warn); background: var(--warnback);
  border: 1px solid #f59e0b; border-radius: 4px; padding: .2em .6em; margin-left: .8em; vertical-align: middle; white-space: nowrap; }
.note { margin: 0; color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.card { background: var(--back); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; }
.card .name { color: var(--soft); font-size: .85rem; }
.card .value { font-size: 1.55rem; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.card .value.long { font-size: 1rem; line-height: 2.3; }
.card .value small { font-size: .9rem; font-weight: 400; color: var(--soft); }
.card .truth { color: var(--soft); font-size: .8rem; }
.arms { display: inline-flex; flex-direction: column; vertical-align: middle; font-size: .75em; line-height: 1.15; font-weight: 400;
  margin-left: .35em; color: var(--soft); font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; background: var(--back); border: 1px solid var(--line); border-radius: 8px; font-size: .88rem; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; }
thead th { color: var(--soft); font-weight: 600; background: var(--panel); }
tbody th { font-weight: 500; }
tr:last-child td, tr:last-child th { border-bottom: 0; }
td, tbody th { white-space: nowrap; }
td:nth-child(3) { white-space: normal; }
td:last-child { white-space: normal; min-width: 11rem; }
.scroll { overflow-x: auto; }
figure { margin: 1rem 0; background: var(--back); border: 1px solid var(--line); border-radius: 8px; padding: .6rem; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
details { background: var(--back); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; margin: .6rem 0; }
summary { cursor: pointer; color: var(--soft); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; margin: .6rem 0; }
@media print { body { background: #fff; } figure, table, .card { break-inside: avoid; } details { display: none; } }
"""
