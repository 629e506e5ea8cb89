/** The report's style: light and dark by the reader's preference, always light on paper. */
import { seriesColours } from './palette.ts';

const light = `--page:#fff;--ink:#1c2126;--muted:#5c656e;--line:#d9dee3;--panel:#f5f7f9;${seriesColours('light')}`;
const dark = `--page:#15181c;--ink:#e6e9ec;--muted:#9aa4ae;--line:#363d45;--panel:#1d2126;${seriesColours('dark')}`;

export const STYLE_SHEET = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1200px;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.25rem 0 .75rem;padding-bottom:.3rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .5rem;overflow-wrap:anywhere}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:.85rem/1.5 ui-monospace,"DejaVu Sans Mono",Consolas,monospace}
ul{margin:.75rem 0 0;padding-left:1.2rem}
li{margin:.25rem 0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.45rem 1.1rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child{text-align:left;padding-left:0}
thead th{color:var(--muted);font-weight:600;font-size:.9rem}
tbody th{font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:1.75rem 2rem}
figure{margin:0;min-width:0}
figure.picture{margin-top:1rem}
figcaption{color:var(--muted);font-size:.9rem;margin-top:.4rem;overflow-wrap:anywhere}
img{display:block;max-width:100%;height:auto;border-radius:4px}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart .muted{fill:var(--muted)}
.chart .grid{stroke:var(--line);stroke-width:1;fill:none}
.chart .axis{stroke:var(--muted);stroke-width:1;fill:none}
.chart .line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.chart .leader{fill:none;stroke-width:1;opacity:.6}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:1.5rem 2rem;margin-top:1.25rem}
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.25rem 1rem;margin:0;font-size:.9rem}
dt{color:var(--muted);overflow-wrap:anywhere}
dd{margin:0;font-family:ui-monospace,"DejaVu Sans Mono",Consolas,monospace;font-size:.85rem;overflow-wrap:anywhere}
@media print{
:root{color-scheme:light;${light}}
body{font-size:11pt}
main{max-width:none;padding:0}
.charts,.facts{grid-template-columns:1fr 1fr}
figure,tr,dl{break-inside:avoid}
h2,h3{break-after:avoid}
.scroll{overflow:visible}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
