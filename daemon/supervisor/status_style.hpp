// The style sheet of the status page: calm colours, one column, readable on a phone and in the dark.
#pragma once

namespace difyd::supervisor {

inline constexpr const char* status_style = R"(
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6875;--line:#e3e8ed;--ground:#f5f7fa;--card:#fff;
--good:#1a7f4b;--warn:#a15c00;--bad:#c0322b;--info:#2563eb}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa7b4;--line:#2b3642;--ground:#131a22;
--card:#1b242e;--good:#4cc38a;--warn:#e0a458;--bad:#ff8078;--info:#7aa7ff}}
*{box-sizing:border-box}
body{margin:0;padding:1.25rem 1rem 3rem;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:52rem;margin:0 auto}
h1{font-size:1.5rem;margin:0}h2{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;
color:var(--soft);margin:0 0 .75rem;font-weight:600}
p{margin:.25rem 0}.soft{color:var(--soft);font-weight:400}
.line{display:flex;flex-wrap:wrap;gap:.35rem .6rem;align-items:baseline}
header,section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.1rem 1.25rem;
margin:0 0 1rem}
header{border-left:5px solid var(--info)}header.serving{border-left-color:var(--good)}
header.holding{border-left-color:var(--bad)}header.stopped{border-left-color:var(--soft)}
.pill{color:var(--info);border:1px solid currentColor;border-radius:99px;padding:.05rem .7rem;font-weight:600;
font-size:.85rem}
.serving .pill{color:var(--good)}.holding .pill{color:var(--bad)}.stopped .pill{color:var(--soft)}
.pill.closed{color:var(--warn)!important}
.message{font-size:1.05rem;margin:.5rem 0}
.fresh{color:var(--soft);font-size:.875rem;margin-top:.4rem}
.stale{color:var(--bad);font-weight:600;margin-top:.5rem}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--ground);border:1px solid var(--line);
border-radius:5px;padding:.1em .4em}
.do{margin:.5rem 0 .25rem;padding:0;list-style:none}.do li{padding:.2rem 0 .2rem .9rem;border-left:2px solid
var(--line)}
article{padding:.8rem 0;border-top:1px solid var(--line)}article:first-of-type{border-top:0;padding-top:0}
article:last-of-type{padding-bottom:0}
.tag{font-size:.75rem;font-weight:700;text-transform:uppercase;letter-spacing:.04em;color:var(--info)}
.warning .tag{color:var(--warn)}.error .tag,.critical .tag{color:var(--bad)}
dl{margin:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.8rem 1.25rem}
dt{color:var(--soft);font-size:.8rem}dd{margin:0}.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
.steps{list-style:none;margin:0;padding:0}
.steps li{display:flex;gap:.7rem;align-items:baseline;padding:.4rem 0;border-top:1px solid var(--line)}
.steps li:first-child{border-top:0}.steps div{flex:1;min-width:0}.steps p{font-size:.875rem}
.steps i{flex:none;width:.6rem;height:.6rem;border-radius:50%;background:var(--line);position:relative}
.done i{background:var(--good)!important}.begun i{background:var(--info)!important}
.failed i{background:var(--bad)!important}.interrupted i{background:var(--warn)!important}
.time{color:var(--soft);font-size:.85rem;white-space:nowrap;font-variant-numeric:tabular-nums}
@media(max-width:34rem){body{padding:.75rem .6rem 2rem}header,section{padding:.9rem 1rem}.image{display:none}
}
)";

}  // namespace difyd::supervisor
