"""How the pages look: quiet and dense, in the colours of the report, on wide screens and on a phone."""

from __future__ import annotations

# In the page itself: what it is, and the variables, which reach into every component.
PAGE_STYLE = """
:root {
  --ink: #1b2430; --soft: #4a5563; --line: #cfd6de; --ground: #f4f6f8; --link: #0b4f9c;
  --accept: #14633a; --check: #8a4b00; --reject: #a01722;
  --accept-tint: #e9f5ee; --check-tint: #fdf3e2; --reject-tint: #fcebec;
  --mono-font: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
html { font: 13px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
body { margin: 0; padding: 0 10px 16px; color: var(--ink); background: #fff; color-scheme: light; }
body { overflow-wrap: anywhere; }
@media (max-width: 640px) { body { padding: 0 6px 12px; } }
"""

# In every component, which each have a root of their own: kept short, since it is sent with each of them.
COMPONENT_STYLE = """
:host { font-size: 13px; color: var(--ink); }
:host(.bar) { border-bottom: 1px solid var(--line); padding: 3px 0; margin-bottom: 4px; align-items: center; }
:host(.bar) { width: 100%; }
:host(.bar) > * { margin: 2px 3px !important; }
:host(.title) { font-size: 14px; white-space: nowrap; }
:host(.version) { color: var(--soft); margin-left: auto !important; }
:host(.message) { background: var(--check-tint); border-left: 3px solid var(--check); padding: 5px 10px; }
:host(.help) { background: var(--ground); border: 1px solid var(--line); padding: 6px 12px; }
:host(.note), .note { color: var(--soft); font-size: 12px; }
:host .bk-btn { box-shadow: none; border-radius: 3px; padding: 3px 9px; font-size: 13px; line-height: 1.4; }
:host .bk-btn-light { background: transparent; border-color: transparent; color: var(--link); }
:host .bk-btn-light:hover { background: var(--ground); }
:host .bk-btn-light.bk-active { background: var(--accept-tint); border-color: var(--accept); color: var(--ink); }
:host .bk-btn-primary { background: var(--link); border-color: var(--link); }
:host .bk-btn-success { background: var(--accept); border-color: var(--accept); }
:host .bk-btn-danger { background: var(--reject); border-color: var(--reject); }
:host .bk-btn-warning { background: var(--check); border-color: var(--check); color: #fff; }
:host .bk-btn:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
:host .bk-input { padding: 2px 6px; min-height: 26px; border-radius: 3px; font-size: 13px; }
:host .bk-input-group > label { font-size: 12px; color: var(--soft); }
h1, h2, h3 { line-height: 1.25; margin: 8px 0 4px; }
h1 { font-size: 16px; } h2 { font-size: 14px; } h3 { font-size: 13px; }
p, ul, ol { margin: 3px 0; } a { color: var(--link); } code, kbd { font-family: var(--mono-font); font-size: 12px; }
table:not(.tabulator-table) { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table:not(.tabulator-table) :is(th, td) { padding: 1px 10px 1px 0; text-align: left; vertical-align: top; }
table:not(.tabulator-table) :is(th, td) { border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right !important; white-space: nowrap; } td.word { white-space: nowrap; }
.accept { color: var(--accept); } .check, .look { color: var(--check); } .reject { color: var(--reject); }
.numbers { display: flex; flex-wrap: wrap; gap: 4px 26px; } .numbers small { color: var(--soft); }
.scroll { overflow-x: auto; max-width: 100%; }
@media (max-width: 640px) { :host(.version) { display: none; } :host .bk-btn { padding: 4px 6px; } }
"""
