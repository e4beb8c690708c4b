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
:host(.bar) { border-bottom: 1px solid var(--line); padding: 3px 0; margin-bottom: 4px; width: 100%; }
:host(.tab) { margin: 1px 0 !important; }
:host(.title) { font-size: 14px; white-space: nowrap; margin: 0 12px 0 4px !important; }
:host(.version) { color: var(--soft); margin-left: auto !important; }
:host(.message) { background: var(--check-tint); border-left: 3px solid var(--check); padding: 3px 6px 3px 10px; }
:host(.message) { position: sticky; top: 0; z-index: 20; align-items: center; }
:host(.help) { background: var(--ground); border: 1px solid var(--line); padding: 2px 12px 6px; }
:host(.note), .note { color: var(--soft); font-size: 12px; }
:host .bk-btn { box-shadow: none; border-radius: 3px; padding: 3px 9px; font-size: 13px; line-height: 1.4; }
:host .bk-btn-light, :host a.bk-btn-light { background: transparent; border-color: transparent; color: var(--link); }
:host .bk-btn-light:hover:not(:disabled) { background: var(--ground); text-decoration: underline; }
:host(.choices) .bk-btn.bk-btn-light { border-color: var(--line) !important; }
:host .bk-btn.bk-btn-default { background: transparent !important; border-color: transparent; }
:host .bk-btn.bk-btn-light.bk-active { background: var(--link); color: #fff; }
:host .bk-btn.bk-btn-primary { background: var(--link) !important; border-color: var(--link); font-weight: 600; }
:host .bk-btn-success { background: var(--accept); border-color: var(--accept); }
:host .bk-btn-danger { background: var(--reject); border-color: var(--reject); }
:host .bk-btn-warning { background: var(--check); border-color: var(--check); color: #fff; }
:host :focus-visible { outline: 2px solid var(--link) !important; outline-offset: 1px; }
:host .bk-input { padding: 2px 6px; min-height: 26px; border-radius: 3px; font-size: 13px; }
:host .bk-input-group > label { font-size: 12px; color: var(--soft); }
:host(.filters) .card-header { padding: 3px 10px; background: var(--ground); }
h1, h2, h3 { line-height: 1.25; margin: 8px 0 4px; }
h1 { font-size: 16px; } h2 { font-size: 14px; } h3 { font-size: 13px; }
h1 small { color: var(--soft); font-weight: 400; }
:host(.count) h1 { font-size: 13px; font-weight: 400; margin: 4px 0; }
p, ul, ol { margin: 3px 0; } a { color: var(--link); } code, kbd { font-family: var(--mono-font); font-size: 12px; }
p { max-width: 110ch; }
table:not(.tabulator-table) { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
table:not(.tabulator-table) :is(th, td) { padding: 1px 12px 1px 0; text-align: left; vertical-align: top; }
table:not(.tabulator-table) :is(th, td) { border-bottom: 1px solid var(--line); }
th { white-space: nowrap; color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right !important; white-space: nowrap; } td.word { white-space: nowrap; }
.accept { color: var(--accept); } .check, .look { color: var(--check); } .reject { color: var(--reject); }
.numbers { display: flex; flex-wrap: wrap; gap: 6px 26px; } .numbers small { color: var(--soft); }
.flags { list-style: none; padding: 0; max-width: 120ch; border-bottom: 1px solid var(--line); }
.flags li { display: grid; grid-template-columns: 5em 13em 1fr; padding: 3px 0; border-top: 1px solid var(--line); }
.flags small { color: var(--soft); } .level { font-weight: 600; }
.keys { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 22px; }
kbd { border: 1px solid var(--line); border-radius: 3px; background: #fff; padding: 0 5px; }
.scroll { overflow-x: auto; max-width: 100%; }
@media (max-width: 640px) {
  :host(.version) { display: none; } :host .bk-btn { padding: 4px 6px; } :host(.title) { width: 100%; }
  .flags li { grid-template-columns: 5em 1fr; } .flags li div { grid-column: 1 / -1; } td { white-space: nowrap; }
}
"""

# In the table of observations. On a phone it has the columns that a decision needs, and fills the width with them.
TABLE_STYLE = """
:host .tabulator { font-size: 13px; }
:host .tabulator .tabulator-header .tabulator-col { border-right: 0; }
:host .tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 3px 5px; }
:host .tabulator .tabulator-header .tabulator-col .tabulator-col-content .tabulator-col-title {
  padding-right: 10px !important;
}
:host .tabulator .tabulator-header .tabulator-col:not([tabulator-field]) .tabulator-col-title {
  padding-right: 0 !important; text-overflow: clip;
}
:host .tabulator .tabulator-col .tabulator-col-content .tabulator-col-sorter { right: 3px; }
:host .tabulator .tabulator-col[aria-sort="none"]:not(:hover) .tabulator-col-sorter { visibility: hidden; }
:host .tabulator .tabulator-row { min-height: 24px; cursor: pointer; }
:host .tabulator .tabulator-row:hover { background: var(--ground); }
:host .tabulator .tabulator-row.tabulator-selected,
:host .tabulator .tabulator-row.tabulator-selected:hover { background: #dce8f6; }
:host .tabulator .tabulator-row .tabulator-cell { padding: 3px 5px; border-right: 0; height: auto !important; }
:host .tabulator .tabulator-row .tabulator-cell[tabulator-field="name"] { color: var(--link); }
:host .tabulator .tabulator-footer .tabulator-page.active { color: var(--link); font-weight: 600; }
:host .tabulator .tabulator-placeholder .tabulator-placeholder-contents {
  font-size: 13px; font-weight: 400; color: #4a5563;
}
@media (max-width: 640px) {
  :host .tabulator { font-size: 12px; } .tabulator-header { font-size: 10.5px; }
  :is([tabulator-field="date"], [tabulator-field="telescope"], [tabulator-field="object"], [tabulator-field="focus"],
    [tabulator-field="rms_error"], [tabulator-field="chi2"], [tabulator-field="snr"], [tabulator-field="remark"]) {
    display: none !important;
  }
  .tabulator-table, .tabulator-headers, .tabulator-row { width: 100% !important; min-width: 0 !important; }
  :host .tabulator .tabulator-header .tabulator-col .tabulator-col-content .tabulator-col-title {
    padding-right: 0 !important;
  }
  :host .tabulator .tabulator-tableholder .tabulator-table { display: block; max-width: none !important; }
  .tabulator-tableholder { overflow-x: hidden !important; }
  .tabulator-cell, .tabulator-col { min-width: 0 !important; }
  :is(.tabulator-cell, .tabulator-col):not([tabulator-field]) { width: 30px !important; }
  [tabulator-field="name"] { width: calc(100% - 281px) !important; }
  [tabulator-field="elevation"] { width: 60px !important; }
  :is([tabulator-field="rms"], [tabulator-field="verdict"]) { width: 63px !important; }
  [tabulator-field="decision"] { width: 65px !important; }
}
"""
