//! What is seen as a file: the list that has the keys, or the rows of the chart, as CSV or as JSON.

use std::io::ErrorKind;
use std::path::Path;

use super::app::App;
use super::fleet::Row;
use super::keymap::Context;
use crate::engine::{DetailView, IncidentView, InterfaceView};
use crate::whole;

/// A table: names of the columns, and cells. An empty cell is nothing.
struct Table {
    names: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// Writes a new file, whole or not at all; one that is there is never overwritten.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    whole::write_new(path, text.as_bytes()).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => "it is there already: name another file".to_owned(),
        _ => e.to_string(),
    })
}

/// What is seen, in the form that the file's name asks for: JSON for `.json`, else CSV.
pub fn text(app: &App, path: &Path) -> String {
    let table = table(app);
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) { json(&table) } else { csv(&table) }
}

fn table(app: &App) -> Table {
    let detail = app.snapshot.detail.as_deref().filter(|d| Some(d.id) == app.fleet.selected());
    match (app.focus, detail) {
        (_, Some(detail)) if app.detail => points(app, detail),
        (Context::Incidents, _) => incidents(app),
        _ => interfaces(app),
    }
}

fn points(app: &App, detail: &DetailView) -> Table {
    let view = app.fleet.interface(&app.snapshot, detail.id);
    let name = |v: &InterfaceView| [v.name.host.to_string(), v.name.ifname.to_string()];
    let [host, ifname] = view.map(name).unwrap_or_default();
    let cells = detail.points.iter().map(|p| {
        let pair = |pair: Option<[f64; 2]>| pair.map_or_else(Default::default, |p| p.map(|v| v.to_string()));
        let [low, high] = pair(p.band);
        vec![
            p.time.to_string(),
            host.clone(),
            ifname.clone(),
            p.actual[0].to_string(),
            p.actual[1].to_string(),
            pair(p.expected)[1].clone(),
            low,
            high,
            p.error.to_string(),
            p.score.to_string(),
            u8::from(p.anomaly).to_string(),
        ]
    });
    Table {
        names: &[
            "timeslot",
            "hostname",
            "ifname",
            "max_metric_value",
            "mean_metric_value",
            "mean_expected",
            "usual_low",
            "usual_high",
            "error",
            "score",
            "anomaly",
        ],
        rows: cells.collect(),
    }
}

fn incidents(app: &App) -> Table {
    let of = |i: &IncidentView| {
        let end = i.end.map_or_else(String::new, |t| t.to_string());
        let story = i.story.map_or_else(String::new, |s| s.to_string());
        let direction = i.direction.map_or("", |d| d.word());
        let state = if i.attended() { "acknowledged" } else { i.state_name() };
        let words = [i.kind.name(), direction, state].map(str::to_owned);
        let [kind, direction, state] = words;
        let times = [i.start.to_string(), end];
        let [start, end] = times;
        let numbers = [i.peak, i.peak_value, i.peak_expected].map(|v| v.to_string());
        let [score, value, expected] = numbers;
        let name = [i.name.host.to_string(), i.name.ifname.to_string()];
        let [host, ifname] = name;
        let rings = u8::from(i.rings).to_string();
        vec![i.id.to_string(), host, ifname, kind, direction, start, end, score, value, expected, story, rings, state]
    };
    let listed = app.anomalies.all_listed(&app.snapshot);
    Table {
        names: &[
            "id",
            "hostname",
            "ifname",
            "kind",
            "direction",
            "start",
            "end",
            "score",
            "value",
            "expected",
            "story",
            "rings",
            "state",
        ],
        rows: listed.into_iter().map(of).collect(),
    }
}

fn interfaces(app: &App) -> Table {
    let listed = app.fleet.rows().iter().filter_map(|row| match row {
        Row::Interface(place) => app.snapshot.interfaces.get(*place as usize),
        Row::Device(_) => None,
    });
    let cells = listed.map(|v| {
        let [max, mean] = v.last.map_or_else(Default::default, |l| l.map(|v| v.to_string()));
        vec![
            v.name.host.to_string(),
            v.name.ifname.to_string(),
            v.state.name(),
            v.since.map_or_else(String::new, |t| t.to_string()),
            v.span.map_or_else(String::new, |(_, last)| last.to_string()),
            max,
            mean,
            v.expected.map_or_else(String::new, |e| e[1].to_string()),
            v.error.to_string(),
            v.score.to_string(),
        ]
    });
    Table {
        names: &[
            "hostname",
            "ifname",
            "state",
            "since",
            "timeslot",
            "max_metric_value",
            "mean_metric_value",
            "mean_expected",
            "error",
            "score",
        ],
        rows: cells.collect(),
    }
}

fn csv(table: &Table) -> String {
    let mut out = table.names.join(",") + "\n";
    for row in &table.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell.contains([',', '"', '\n', '\r']) {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell.clone(),
            })
            .collect();
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// An array of objects; numbers as numbers, an empty cell as null.
fn json(table: &Table) -> String {
    let value = |name: &str, cell: &str| match (name, cell) {
        (_, "") => serde_json::Value::Null,
        // a name may look like a number
        ("hostname" | "ifname" | "id" | "story", text) => text.into(),
        (_, text) => text.parse::<f64>().ok().filter(|v| v.is_finite()).map_or_else(|| text.into(), Into::into),
    };
    let object = |row: &Vec<String>| -> serde_json::Value {
        let pairs = table.names.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), value(name, cell)));
        serde_json::Value::Object(pairs.collect())
    };
    let all: Vec<serde_json::Value> = table.rows.iter().map(object).collect();
    serde_json::Value::Array(all).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::key::Key;
    use crate::console::tests::{app, key, press};

    #[test]
    fn what_is_seen_is_what_is_written() {
        let mut app = app(80, 24);
        let list = text(&app, Path::new("x.csv"));
        assert_eq!(list.lines().count(), 13);
        assert!(list.lines().nth(1).unwrap().starts_with("core-2,xe-0/1/3,anomalous,2026-11-23 13:51:00,"), "{list}");
        press(&mut app, "/edge");
        key(&mut app, Key::Enter);
        assert_eq!(text(&app, Path::new("x.csv")).lines().count(), 6, "only what is listed");
        key(&mut app, Key::Tab);
        let incidents: serde_json::Value = serde_json::from_str(&text(&app, Path::new("x.JSON"))).unwrap();
        assert_eq!((incidents.as_array().unwrap().len(), &incidents[0]["kind"]), (9, &"spike".into()));
        assert_eq!((&incidents[0]["end"], &incidents[0]["score"]), (&serde_json::Value::Null, &(6.1f32 as f64).into()));
        key(&mut app, Key::Enter);
        let rows = text(&app, Path::new("x"));
        assert!(rows.starts_with("timeslot,hostname,ifname,max_metric_value") && rows.lines().count() > 300);
    }

    #[test]
    fn fields_are_quoted_and_a_file_is_never_overwritten() {
        let table = Table { names: &["hostname", "score"], rows: vec![vec!["a,\"b".to_owned(), "1.5".to_owned()]] };
        assert_eq!(csv(&table), "hostname,score\n\"a,\"\"b\",1.5\n");
        assert_eq!(json(&table), "[{\"hostname\":\"a,\\\"b\",\"score\":1.5}]\n");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.csv");
        assert_eq!(write(&file, "1"), Ok(()));
        assert!(write(&file, "2").unwrap_err().contains("name another file"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "1");
        assert!(write(&dir.path().join("no/such"), "").is_err());
    }
}
