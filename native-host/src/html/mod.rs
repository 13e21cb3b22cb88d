//! Pages that need nothing else: what a simulation found, a report. One style, both colour schemes, readable without scripts.

pub(crate) mod bars;

use std::borrow::Cow;

/// What must not be taken for markup.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A chart with its caption, which scrolls where the screen is narrow: shrunk with it nobody could read its text. A table on the page
/// has the same numbers for those who can't see it.
pub(crate) fn figure(caption: &str, svg: &str) -> String {
    let caption = escaped(caption);
    format!(
        "<figure><figcaption>{caption}</figcaption>\
         <div class=\"chart\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">{svg}</div></figure>"
    )
}

/// A document without any reference to the outside.
pub(crate) struct Document<'a> {
    /// What the browser's tab shows.
    pub(crate) title: &'a str,
    /// What follows the common style.
    pub(crate) style: &'a str,
    /// One script, at the end; empty for none.
    pub(crate) script: &'a str,
}

impl Document<'_> {
    /// The whole page around `body`, which is markup.
    pub(crate) fn page(&self, body: &str) -> String {
        let script = match self.script {
            "" => String::new(),
            script => format!("<script>{script}</script>"),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <title>{title}</title><style>{style}</style></head>\
             <body>{body}{script}</body></html>\n",
            title = escaped(self.title),
            style = self.all_style(),
        )
    }

    /// The content of its style element.
    pub(crate) fn all_style(&self) -> Cow<'static, str> {
        format!("{STYLE}{}", self.style).into()
    }
}

/// An open drawing of this height.
pub(crate) fn open_svg(height: f64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" aria-hidden=\"true\">")
}

/// Units of a drawing, which scales with the page.
pub(crate) const WIDTH: f64 = 760.0;
/// As many colours of lines as the style sheet has.
pub(crate) const COLOURS: usize = 8;

const STYLE: &str = "
:root{--text:#1d2129;--soft:#5b6472;--page:#fbfbfa;--card:#fff;--edge:#dcdfe4;--bar:#9fb3c8;--best:#0f766e;--limit:#b42318;
--c0:#0f766e;--c1:#b45309;--c2:#4f46e5;--c3:#be185d;--c4:#4d7c0f;--c5:#0369a1;--c6:#7e22ce;--c7:#57534e}
@media(prefers-color-scheme:dark){:root{--text:#e6e8eb;--soft:#a2abb8;--page:#14171c;--card:#1c2027;--edge:#333a45;--bar:#4b5b70;--best:#2dd4bf;--limit:#f97066;
--c0:#2dd4bf;--c1:#fbbf24;--c2:#a5b4fc;--c3:#f9a8d4;--c4:#bef264;--c5:#7dd3fc;--c6:#d8b4fe;--c7:#d6d3d1}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:56rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.4rem;line-height:1.3;margin:0 0 .25rem}h2{font-size:1.1rem;margin:0 0 .5rem}
.about{color:var(--soft);margin:0 0 1.5rem}
.advice,figure,.scroll{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:1rem;margin:0 0 1rem}
.advice p{margin:.25rem 0}
figcaption{font-weight:600;margin-bottom:.5rem}
svg{display:block;width:100%;min-width:38rem;height:auto;font:12px system-ui,sans-serif;fill:var(--text)}
svg text{dominant-baseline:central}.name{text-anchor:end}.tick{text-anchor:middle}.name,.tick{fill:var(--soft)}
.bar{fill:var(--bar)}.bar.best{fill:var(--best)}.whisker{stroke:var(--text);fill:none}
.limit{stroke:var(--limit);stroke-dasharray:5 4;fill:none}.grid{stroke:var(--edge);fill:none}
.line{fill:none;stroke-width:1.5;opacity:.8}.line.best{stroke-width:3;opacity:1}.lead{fill:none;opacity:.5}.label.best{font-weight:700}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}.c5{stroke:var(--c5)}.c6{stroke:var(--c6)}.c7{stroke:var(--c7)}
.t0{fill:var(--c0)}.t1{fill:var(--c1)}.t2{fill:var(--c2)}.t3{fill:var(--c3)}.t4{fill:var(--c4)}.t5{fill:var(--c5)}.t6{fill:var(--c6)}.t7{fill:var(--c7)}
.scroll,.chart{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid var(--edge);white-space:nowrap}th[scope=row],th:nth-child(2){text-align:left}
tr.best{font-weight:700}";
