//! All of it as one HTML file with pictures. It asks for nothing: no script, no style sheet, no font of
//! elsewhere, and it forbids the browser to fetch any.

use std::fmt::Write as _;
use std::path::Path;

use super::picture;
use super::summary::many;
use crate::evaluate::picture::PictureError;
use crate::explore::findings::{length, percent};
use crate::explore::{Explored, Figures, advice};
use crate::format::{minute, units};
use crate::series::{DAY, printable};

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>noctop explore</title>
<style>
body { font: 15px/1.5 sans-serif; color: #282828; max-width: 1040px; margin: 24px auto; padding: 0 16px; }
h1 { font-size: 24px; } h2 { font-size: 19px; margin-top: 36px; border-bottom: 1px solid #ddd; } h3 { font-size: 16px; margin: 28px 0 4px; }
table { border-collapse: collapse; font-size: 13px; } th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid #eee; }
th:first-child, td:first-child { text-align: left; } .words { text-align: left; } code { background: #f3f3f3; padding: 1px 5px; }
svg { max-width: 100%; height: auto; display: block; } p.note { color: #666; font-size: 13px; margin: 4px 0; } li { margin: 6px 0; }
</style>
</head>
<body>
";

/// Writes a text where HTML stands. Names are escaped as on the screen: a browser, too, lets them look like others.
fn plain(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page, with the interfaces at these places one by one.
///
/// # Errors
/// When the drawing library fails.
pub(super) fn page(explored: &Explored, dir: &Path, shown: &[usize]) -> Result<String, PictureError> {
    let mut out = HEAD.to_owned();
    head(explored, dir, &mut out);
    advices(explored, &mut out);
    gaps(explored, &mut out);
    table(explored, shown, &mut out);
    let figures: Vec<&Figures> = shown.iter().map(|i| &explored.interfaces[*i]).collect();
    out.push_str("<h2>Box plots</h2>\n<p class=\"note\">Mean values: quartiles, median, whiskers at one and a half boxes, farthest outliers.</p>\n");
    out.push_str(&picture::boxes(&figures)?);
    tests(explored, &mut out)?;
    together(explored, &mut out);
    out.push_str("<h2>Interfaces one by one</h2>\n<p class=\"note\">Mean values over time; autocorrelation of ranks with its strongest periods (dots) and what chance stays below (line); medians by hour of day and weekday, ");
    let clock = shown.first().map_or("UTC", |i| &explored.interfaces[*i].profile.clock);
    let _ = writeln!(out, "{}.</p>", plain(clock));
    for i in shown {
        one(explored, *i, &mut out)?;
    }
    out.push_str("</body>\n</html>\n");
    Ok(out)
}

// Writing into a string cannot fail, so what `write!` gives is dropped below.

fn head(explored: &Explored, dir: &Path, out: &mut String) {
    let read = &explored.read;
    let days = read.last.since(read.first) as f64 / DAY as f64;
    let steps: Vec<String> = read.steps.iter().take(3).map(|(step, _)| length(*step)).collect();
    let _ = write!(
        out,
        "<h1>noctop explore: {}</h1>\n<p>{} on {}, {} from {}; {} to {} UTC ({days:.1} days), step {}.<br>\n{} of {} slots \
         missing ({}), {}, {}.</p>\n",
        plain(&dir.display().to_string()),
        many(read.interfaces, "interface"),
        many(read.devices, "device"),
        many(read.rows, "row"),
        many(read.files, "file"),
        minute(read.first),
        minute(read.last),
        steps.join(", "),
        read.missing,
        read.slots,
        percent(read.missing as f64 / read.slots.max(1) as f64),
        many(read.duplicates, "duplicate row"),
        many(read.refused as usize, "refused line")
    );
}

fn advices(explored: &Explored, out: &mut String) {
    out.push_str("<h2>Advice</h2>\n<ul>\n");
    for piece in advice::of(explored) {
        let flag = piece.flag.map(|flag| format!(" <code>{}</code>", plain(&flag))).unwrap_or_default();
        let _ = writeln!(out, "<li><b>{}</b>: {}.{flag}</li>", piece.about, plain(&piece.text));
    }
    out.push_str("</ul>\n");
}

fn gaps(explored: &Explored, out: &mut String) {
    if explored.shared_gaps.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Gaps</h2>\n<table><tr><th>first missing slot</th><th>last</th><th>slots</th><th>interfaces</th></tr>\n",
    );
    for shared in &explored.shared_gaps {
        let (from, to) = (minute(shared.gap.from), minute(shared.gap.to));
        let _ = writeln!(
            out,
            "<tr><td>{from}</td><td>{to}</td><td>{}</td><td>{}</td></tr>",
            shared.gap.slots, shared.interfaces
        );
    }
    out.push_str("</table>\n");
}

fn table(explored: &Explored, shown: &[usize], out: &mut String) {
    let all = explored.interfaces.len();
    let of = if shown.len() < all { format!(": the oddest {} of {all}", shown.len()) } else { String::new() };
    let _ = write!(
        out,
        "<h2>Interfaces{of}</h2>\n<table><tr><th>interface</th><th>rows</th><th>missing</th><th>min</th><th>median</th>\
         <th>max</th><th>outliers</th><th>period</th><th class=\"words\">odd</th></tr>\n"
    );
    for i in shown {
        let f = &explored.interfaces[*i];
        let period = f.echoes.as_ref().and_then(|e| e.strongest());
        let odd: Vec<String> = explored.findings[*i].iter().map(ToString::to_string).collect();
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"words\">{}</td></tr>",
            plain(&picture::name(f)),
            f.rows,
            percent(f.gaps.share()),
            units(f.quantiles.min),
            units(f.quantiles.median),
            units(f.quantiles.max),
            percent(f.outlier_share()),
            period.map_or("none".to_owned(), |p| format!("{} ({:.2})", length(p.seconds), p.correlation)),
            plain(&odd.join(", "))
        );
    }
    out.push_str("</table>\n");
}

fn tests(explored: &Explored, out: &mut String) -> Result<(), PictureError> {
    let alike = &explored.alike;
    if alike.interfaces.len() < 2 {
        return Ok(());
    }
    out.push_str("<h2>Distributions</h2>\n<p class=\"note\">Two-sample Kolmogorov–Smirnov tests over pairs, p-values corrected by Holm. Rows of one interface depend on each other, so p is too small: look at D.</p>\n");
    for (tests, what) in [(&alike.values, "Values as they are"), (&alike.shapes, "Values over their own median")] {
        let (different, pairs, median) = (tests.different(), tests.distance.len(), tests.median_distance());
        let _ = writeln!(out, "<h3>{what}: {different} of {pairs} pairs differ, median D {median:.2}</h3>");
        out.push_str(&picture::heat(alike, tests, &explored.interfaces)?);
    }
    Ok(())
}

fn together(explored: &Explored, out: &mut String) {
    if explored.together.is_empty() {
        return;
    }
    out.push_str("<h2>Together</h2>\n<p class=\"note\">Interfaces of a device, by what the hour of the day does not explain.</p>\n<table><tr><th>interface</th><th>with</th><th>r</th><th>slots later</th></tr>\n");
    for pair in explored.together.iter().take(20) {
        let name = |i: usize| plain(&picture::name(&explored.interfaces[i]));
        let (a, b) = (name(pair.a), name(pair.b));
        let _ = writeln!(out, "<tr><td>{a}</td><td>{b}</td><td>{:.2}</td><td>{}</td></tr>", pair.correlation, pair.lag);
    }
    out.push_str("</table>\n");
}

fn one(explored: &Explored, i: usize, out: &mut String) -> Result<(), PictureError> {
    let f = &explored.interfaces[i];
    let _ = writeln!(out, "<h3>{} {}</h3>", plain(&f.hostname), plain(&f.ifname));
    out.push_str(&picture::series(f, &explored.data.interfaces[i].1)?);
    if let Some(echoes) = picture::echoes(f)? {
        out.push_str(&echoes);
    }
    out.push_str(&picture::profile(f)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_markup() {
        assert_eq!(plain("a\u{202e}b\x1b"), "a\\u{202e}b\\u{1b}");
        assert_eq!(plain("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
