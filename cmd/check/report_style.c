#include "report_style.h"

#include <stddef.h>

/* As on the pages: salmon is what goes up to the server, teal is what comes down. */
#define LIGHT                                                                     \
  "--ground:#f3f6f4;--surface:#fff;--ink:#0e2a2f;--muted:#52686b;--line:#dae4e1;" \
  "--up:#c2451f;--down:#0b7078;--good:#1c7a4a;--bad:#b3261e;--wait:#8a5908;"      \
  "--good-wash:#dcf1e5;--bad-wash:#fbe3e0;--wait-wash:#f8ecd6"
#define DARK                                                                         \
  "--ground:#0a1517;--surface:#101f22;--ink:#e3efed;--muted:#93aaab;--line:#1f3539;" \
  "--up:#ff8f6e;--down:#58c9c5;--good:#62cf95;--bad:#ff8a80;--wait:#f0b95a;"         \
  "--good-wash:#12331f;--bad-wash:#44191a;--wait-wash:#3a2a0d"

const char *const report_style[] = {
    ":root{color-scheme:light dark;" LIGHT "}",
    "@media(prefers-color-scheme:dark){:root{" DARK "}}",
    "*,::before,::after{box-sizing:border-box}",
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif;-webkit-text-size-adjust:100%}",
    ".page{max-width:64rem;margin:0 auto;padding:clamp(1rem,4vw,2.5rem) clamp(.9rem,4vw,2rem)}",
    "h1{margin:0;font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.15;letter-spacing:-.02em}",
    "h2{margin:0;font-size:1.15rem;line-height:1.3}", "h2 a{color:inherit;text-decoration:none}",
    "h2 a:hover{text-decoration:underline}",
    "p,ul,dl,dd,fieldset,table{margin:0;padding:0;border:0}",
    "a{color:var(--down);text-underline-offset:.2em}",
    ":focus-visible{outline:3px solid var(--up);outline-offset:2px;border-radius:4px}",
    "code,pre,.id,.subject{font-family:ui-monospace,'SF Mono',Menlo,'Liberation Mono','DejaVu Sans "
    "Mono',monospace}",
    ".skip{position:absolute;left:1rem;top:-5rem;padding:.6rem 1rem;background:var(--ink);"
    "color:var(--ground);border-radius:0 0 8px 8px}",
    ".skip:focus{top:0}", ".subject{margin-top:.4rem;font-size:1.05rem;overflow-wrap:anywhere}",
    ".facts{margin-top:.2rem;color:var(--muted);font-size:.92rem}",
    /* totals */
    ".totals{display:flex;flex-wrap:wrap;gap:.6rem;margin:1.3rem 0;list-style:none}",
    ".totals li{flex:1 1 7.5rem;padding:.6rem .9rem;border:1px solid "
    "var(--line);border-radius:12px;"
    "background:var(--surface);color:var(--muted);font-size:.9rem}",
    ".totals b{display:block;color:var(--ink);font-size:1.7rem;line-height:1.2;"
    "font-variant-numeric:tabular-nums}",
    ".totals .passed b{color:var(--good)}", ".totals .failed.some{border-color:var(--bad)}",
    ".totals .failed.some b{color:var(--bad)}",
    /* verdicts */
    ".meanings{display:grid;gap:.35rem;color:var(--muted);font-size:.92rem}",
    ".meanings div{display:grid;grid-template-columns:8rem 1fr;gap:.2rem "
    ".7rem;align-items:baseline}",
    /* sections */
    ".sections{width:100%;border-collapse:collapse;background:var(--surface);font-size:.95rem;"
    "font-variant-numeric:tabular-nums}",
    ".sections th,.sections td{padding:.35rem .6rem;border-bottom:1px solid var(--line);"
    "text-align:right;font-weight:400}",
    ".sections th:first-child{text-align:left}",
    ".sections thead th{color:var(--muted);font-size:.85rem}",
    ".sections .some{color:var(--bad);font-weight:700}", ".sections .none{color:var(--muted)}",
    /* filter */
    ".filter{display:none;gap:.3rem 1.2rem;flex-wrap:wrap;align-items:center;margin:1.4rem 0 "
    ".6rem}",
    "@supports selector(:has(a)){.filter{display:flex}}",
    ".filter label{display:inline-flex;gap:.4rem;align-items:center;padding:.25rem 0}",
    /* A section that a link leads to is shown. */
    "body:has(#show-failed:checked) :is(section:not(.failed,:target,:has(:target)),"
    "section.failed .case:not(.failed,:target)),"
    "body:has(#show-notes:checked) :is(section.passed:not(:target,:has(:target)),"
    "section:not(.passed) .case.passed:not(:target)){display:none}",
    /* cases */
    "section{margin-top:1.8rem}",
    "section>p{margin:.1rem 0 .6rem;color:var(--muted);font-size:.9rem}",
    ".list{border:1px solid var(--line);border-radius:10px;background:var(--surface);"
    "overflow:hidden}",
    ".case{box-shadow:0 -1px var(--line)}",
    ".case:target{outline:2px solid var(--up);outline-offset:-2px}",
    "summary{display:grid;grid-template-columns:8rem 14.5rem 1fr;gap:.2rem .7rem;"
    "align-items:baseline;padding:.42rem .8rem;cursor:pointer;list-style:none}",
    "summary::-webkit-details-marker{display:none}",
    "summary:hover .title{text-decoration:underline;text-decoration-color:var(--muted);"
    "text-underline-offset:.2em}",
    ".verdict{padding:.05rem .5rem;border-radius:99px;font-size:.8rem;text-align:center;"
    "white-space:nowrap}",
    ".passed>.verdict,.case.passed .verdict{background:var(--good-wash);color:var(--good)}",
    ".failed>.verdict,.case.failed "
    ".verdict{background:var(--bad-wash);color:var(--bad);font-weight:700}",
    ".informational>.verdict,.unimplemented>.verdict,.case.informational .verdict,"
    ".case.unimplemented .verdict{background:var(--wait-wash);"
    "color:var(--wait)}",
    ".id{color:var(--muted);font-size:.88rem}", ".title{overflow-wrap:anywhere}",
    ".case dl{display:grid;grid-template-columns:5.5rem 1fr;gap:.3rem .7rem;"
    "padding:.35rem .8rem .8rem;font-size:.93rem}",
    "dt{color:var(--muted)}", "dd{overflow-wrap:anywhere}",
    ".case.failed .why{color:var(--bad);font-weight:600}",
    "pre{margin:0 0 .35rem;white-space:pre-wrap;overflow-wrap:anywhere}",
    ".rows{display:flex;flex-wrap:wrap;column-gap:2rem}", "code{white-space:pre}",
    "code,pre{font-size:.85rem}", "code i,pre i{color:var(--muted);font-style:normal}",
    ".sent :is(code,pre){color:var(--up)}", ".received :is(code,pre){color:var(--down)}",
    "small{display:block;color:var(--muted)}",
    "@media(max-width:48rem){summary{grid-template-columns:auto 1fr}.title{grid-column:1/-1}"
    ".id{text-align:right;overflow-wrap:anywhere}}",
    "@media(max-width:34rem){.case dl{grid-template-columns:1fr;gap:0}dt{margin-top:.35rem}"
    ".sections th,.sections td{padding:.35rem .3rem}}",
    "@media print{.filter,.skip{display:none}.case{break-inside:avoid}}", NULL};
