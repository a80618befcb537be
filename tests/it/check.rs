//! `noctop check`: what came of each file, and an exit code where something does not count.

use crate::support::*;

fn check(place: &Place, args: &[&str]) -> Ended {
    place.run(["check", "rows"].iter().chain(args))
}

fn json(ended: &Ended) -> serde_json::Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {}", ended.out))
}

#[test]
fn a_directory_in_order() {
    let place = Place::new();
    let rows = rhythm("host", "if", 30, 1, |_, v| v);
    place.put("a.csv", &rows);
    place.put("b.csv", &rows);
    let ended = check(&place, &[]).fine();
    assert_eq!(ended.err, "");
    let first: Vec<&str> = ended.out.lines().collect();
    assert!(first[0].starts_with("file ") && first[1].starts_with("a.csv ") && first[2].starts_with("b.csv "));
    assert!(first[1].trim_end().ends_with("2026-01-06 05:00:00    0 s  read"), "{}", first[1]);
    assert!(ended.out.contains("60 rows of 1 interface, from 2026-01-05 00:00:00 to 2026-01-06 05:00:00"));
    assert!(ended.out.contains("30 repeated, 0 corrected, 0 refused"), "{}", ended.out);
}

#[test]
fn a_directory_without_such_files_says_so() {
    let ended = check(&Place::new(), &[]);
    assert_eq!(ended.status.code(), Some(3), "a script that watches a collector is told that nothing comes");
    assert!(ended.out.starts_with("no file has a name that ends in .csv"), "{}", ended.out);
    assert!(ended.out.contains("0 rows of 0 interfaces"), "{}", ended.out);
}

#[test]
fn refused_lines_unfit_files_and_a_line_that_waits() {
    let place = Place::new();
    let rows = rhythm("host", "if", 30, 1, |_, v| v);
    place.put("a.csv", &format!("{rows}2026-01-06 06:00:00,host,if,NaN,1\nwhat\n2026-01-06 07:00:00,host,if,5,"));
    place.put("evil\u{1b}[31m.csv", &rows[..rows.len() / 2]);
    std::fs::write(place.rows().join("labels.csv"), "hostname,ifname,start,end\n").unwrap();
    let ended = check(&place, &["--json"]);
    assert_eq!((ended.status.code(), ended.err.as_str()), (Some(3), ""));
    let report = json(&ended);
    let files: Vec<&str> = report["files"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a.csv", "evil\\u{1b}[31m.csv", "labels.csv"]);
    let a = &report["files"][0];
    assert_eq!((&a["rows"], &a["refused"], &a["state"]), (&30.into(), &2.into(), &"read".into()));
    assert!(a["pending_seconds"].is_u64() && a["lag_seconds"] == 0 && a["bytes_read"].as_u64() < a["bytes"].as_u64());
    assert!(report["files"][1]["lag_seconds"].as_i64().unwrap() >= 15 * 3600);
    assert_eq!(report["files"][2]["state"], "skipped");
    assert_eq!((&report["refusals"][0]["line"], &report["refused"]), (&32.into(), &2.into()));
    assert!(report["refusals"][0]["reason"].as_str().unwrap().contains("not a finite number"));

    let table = check(&place, &["--refusals", "1"]);
    assert_eq!(table.status.code(), Some(3));
    assert!(
        table.out.contains("a line has waited for its newline")
            && table.out.contains("skipped: holds incidents or labels, not samples: keep")
            && table.out.matches("incidents or labels").count() == 1
    );
    assert!(table.out.contains("  a.csv:33: timeslot is") && !table.out.contains("a.csv:32"), "{}", table.out);
    assert!(!table.out.contains('\u{1b}'));

    // Labels and tables of something else are no trouble; rows that cannot be used are.
    for (file, text, code) in [
        ("a.csv", format!("{HEADER}{rows}"), 0),
        ("contacts.csv", "name,phone\na,1\n".to_owned(), 0),
        ("other.csv", "timeslot,value\na,1\n".to_owned(), 3),
    ] {
        std::fs::write(place.rows().join(file), text).unwrap();
        assert_eq!(check(&place, &[]).status.code(), Some(code), "{file}");
    }
}

#[test]
fn directories_below_and_packed_files() {
    let place = Place::new();
    let rows = rhythm("host", "if", 30, 1, |_, v| v);
    std::fs::create_dir_all(place.rows().join("2026/01")).unwrap();
    let packed = std::fs::File::create(place.rows().join("2026/01/a.csv.1.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, format!("{HEADER}{rows}").as_bytes()).unwrap();
    packed.finish().unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let above = check(&place, &["--json"]);
    assert_eq!((above.status.code(), &json(&above)["rows"]), (Some(3), &0.into()), "nothing stands in it itself");
    let report = json(&check(&place, &["--json", "--recursive"]).fine());
    assert_eq!((&report["rows"], &report["files"][0]["file"]), (&30.into(), &"2026/01/a.csv.1.gz".into()));
    assert_eq!(report["files"][0]["bytes_read"], report["files"][0]["bytes"]);
    // Nothing is written where it would be read.
    let output = ["score", "rows", "--recursive", "--output", "rows/2026/scores.csv"];
    assert!(place.run(output).refused().contains("lies in the directory"));
    assert!(place.run(["check", "nowhere"]).refused().contains("does not exist"));
}
