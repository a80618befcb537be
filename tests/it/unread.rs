//! What cannot be read: nobody is told that all is well, nor that all was read.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Two files of calm rows, and one below that is not looked at unless it is asked for.
fn calm() -> Place {
    let place = Place::new();
    place.put("a.csv", &rhythm("a", "ge-0", 300, 8, |_, v| v));
    place.put("b.csv", &rhythm("b", "ge-0", 300, 9, |_, v| v));
    place
}

/// All commands that read a directory once, with the code that each ends with where all is well: none of them rings for
/// what it found.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = [
        "check rows",
        "triage rows --stale never --warning 0 --critical 0",
        "handover rows",
        "score rows --output s.csv",
        "explore rows",
        "train rows --model m --epochs 1 --max-windows 50",
    ];
    lines.into_iter().map(|line| (line, line.split(' ').collect())).collect()
}

#[test]
fn a_file_of_which_nothing_counts_is_no_success() {
    let place = calm();
    for (line, args) in commands() {
        assert_eq!(place.run(&args).status.code(), Some(0), "{line}");
    }
    std::os::unix::fs::symlink("/nowhere/c.csv", place.rows().join("c.csv")).unwrap();
    for (line, args) in commands() {
        let ended = place.run(&args);
        assert_eq!(ended.status.code(), Some(3), "{line}: {}{}", ended.out, ended.err);
        let said = format!("{}{}", ended.out, ended.err);
        assert!(said.contains("c.csv") && said.contains("a link to nowhere"), "{line}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    // what could be read is there all the same
    assert!(place.join("m").is_file());
    let scores = table(&fs::read_to_string(place.join("s.csv")).unwrap());
    assert_eq!(scores.len(), 600);
    // nothing of what noctop itself wrote is missed, nor anything that is no file
    fs::remove_file(place.rows().join("c.csv")).unwrap();
    fs::rename(place.join("s.csv"), place.rows().join("scores.csv")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.rows().join("d.csv")).unwrap();
    for (line, args) in commands() {
        assert_eq!(place.run(&args).status.code(), Some(0), "{line}");
    }
}

#[test]
fn triage_does_not_call_quiet_what_was_refused_in_good_part() {
    let place = calm();
    let triage = |more: &[&str]| {
        let calm = ["triage", "rows", "--stale", "never", "--warning", "0", "--critical", "0"];
        let ended = place.run([&calm, more].concat());
        (ended.status.code(), ended.out)
    };
    let refuse = |lines: usize| append(&place.rows().join("a.csv"), "no row\n".repeat(lines).as_bytes());
    refuse(1);
    let (code, out) = triage(&[]);
    assert!(code == Some(0) && out.contains(" open, 1 line refused | ringing=0"), "{out}");
    refuse(8);
    assert_eq!(triage(&[]).0, Some(0), "nine torn lines are no reason to wake anybody");
    refuse(1);
    let (code, out) = triage(&[]);
    assert!(code == Some(3) && out.starts_with("NOCTOP UNKNOWN: 0 ring, "), "{out}");
    assert!(out.contains(" open, 10 lines refused | ringing=0"), "{out}");
    assert!(out.contains("\nrefused: 10 of a day's 34 lines of a.csv, see noctop check\n"), "{out}");
    let json: serde_json::Value = serde_json::from_str(&triage(&["--json"]).1).unwrap();
    assert_eq!((&json["status"], &json["refused"], &json["lines"]), (&"unknown".into(), &10.into(), &58.into()));
    // It is no news once it is older than a day, in a file that grows as in one that has ended.
    let rows = rhythm("a", "ge-0", 300, 8, |_, v| v);
    let (before, behind): (Vec<_>, Vec<_>) = rows.split_inclusive('\n').enumerate().partition(|(line, _)| *line < 200);
    let text = |lines: Vec<(usize, &str)>| lines.into_iter().map(|(_, line)| line).collect::<String>();
    place.put("a.csv", &format!("{}{}{}", text(before), "no row\n".repeat(200), text(behind)));
    let (code, out) = triage(&[]);
    assert!(code == Some(0) && !out.contains("refused"), "{out}");
    let rows: String = rhythm("a", "ge-0", 200, 8, |_, v| v);
    place.put("a.csv", &format!("{rows}{}", "no row\n".repeat(100)));
    let (code, out) = triage(&[]);
    assert!(code == Some(0) && !out.contains("refused"), "{out}");
}

#[test]
fn triage_says_unknown_rather_than_ok_and_leaves_what_is_worse() {
    let place = calm();
    fs::write(place.rows().join("c.csv"), "timeslot,value\na,1\n").unwrap();
    let triage = |more: &[&str]| place.run([&["triage", "rows", "--stale", "never"], more].concat());
    let calm = ["--warning", "0", "--critical", "0"];
    let ended = triage(&calm);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!((ended.status.code(), lines[0].starts_with("NOCTOP UNKNOWN: 0 ring, ")), (Some(3), true), "{lines:#?}");
    assert!(lines[0].contains(" open, 1 file not read | ringing=0;;"), "{lines:#?}");
    assert!(lines[2].starts_with("not read: c.csv: has no columns hostname"), "{lines:#?}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    let json: serde_json::Value = serde_json::from_str(&triage(&[&calm[..], &["--json"]].concat()).out).unwrap();
    assert_eq!((&json["status"], &json["code"]), (&"unknown".into(), &3.into()));
    assert_eq!(json["unread_count"], 1);
    let unread = &json["unread"][0];
    assert!(unread["path"] == "c.csv" && unread["reason"].as_str().unwrap().starts_with("has no columns"));
    // an outage that rings is no less of one
    let down = |i: usize, v: f64| if i >= 294 { 0.0 } else { v };
    place.put("b.csv", &rhythm("b", "ge-0", 300, 9, down));
    let ended = triage(&[]);
    assert_eq!(ended.status.code(), Some(2), "{}", ended.out);
    assert!(ended.out.starts_with("NOCTOP CRITICAL: 1 rings, 1 open, 1 file not read | "), "{}", ended.out);
    // and who comes next is told
    let handover = place.run(["handover", "rows"]).out;
    assert!(handover.contains("**The rows of rows/c.csv are missing here:** it has no columns"), "{handover}");
    for (i, name) in ["d", "e", "f", "g"].into_iter().enumerate() {
        fs::write(place.rows().join(format!("{name}.csv")), "timeslot,value\na,1\n").unwrap();
        assert!(triage(&[]).out.contains(&format!(", {} files not read |", i + 2)));
    }
    assert!(triage(&[]).out.contains("\nnot read: 2 more, see noctop check\n"));
    // a file of which each line is refused is no better than one that has other columns
    for name in ["c", "d", "e", "f", "g"] {
        fs::remove_file(place.rows().join(format!("{name}.csv"))).unwrap();
    }
    place.put("c.csv", "1767571200,c,ge-0,1,1\n1767574800,c,ge-0,1,1\n");
    let out = triage(&[]).out;
    assert!(
        out.contains(", 1 file not read |") && out.contains("\nnot read: c.csv: has no line that could be"),
        "{out}"
    );
    place.put("c.csv", "1767571200,c,ge-0,1,1\n2026-01-05 01:00:00,c,ge-0,1,1\n");
    assert!(!triage(&[]).out.contains("not read"));
    fs::write(place.rows().join("c.csv"), "timeslot,value\na,1\n").unwrap();
    // where nothing can be read, that is why there are no rows
    ["a.csv", "b.csv"].iter().for_each(|name| fs::remove_file(place.rows().join(name)).unwrap());
    let out = triage(&[]).out;
    assert!(out.starts_with("NOCTOP UNKNOWN: cannot read the rows: rows: no rows, since rows/c.csv has no"), "{out}");
}

/// Runs the binary as a user who may not read everything.
fn run_as_nobody(place: &Place, args: &[&str]) -> Ended {
    let binary = place.join("noctop");
    if !binary.exists() {
        fs::copy(env!("CARGO_BIN_EXE_noctop"), &binary).unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = place.program(&binary);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    command.args(args);
    Process::start(command).end(LONG)
}

#[test]
fn a_file_and_a_directory_that_may_not_be_read() {
    let place = calm();
    fs::create_dir(place.rows().join("below")).unwrap();
    let shut = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let checked = |args: &[&str]| run_as_nobody(&place, &[&["check", "rows"], args].concat());
    assert_eq!(checked(&["--recursive"]).status.code(), Some(0));
    shut(&place.rows().join("below"), 0o000);
    let ended = checked(&["--recursive"]);
    assert_eq!((ended.status.code(), checked(&[]).status.code()), (Some(3), Some(0)), "{}", ended.out);
    assert!(ended.out.contains("below: cannot be listed"), "{}", ended.out);
    let args = ["triage", "rows", "--recursive", "--stale", "never", "--warning", "0", "--critical", "0"];
    assert_eq!(run_as_nobody(&place, &args).status.code(), Some(3));
    shut(&place.rows().join("below"), 0o755);
    assert_eq!(run_as_nobody(&place, &args).status.code(), Some(0));
    shut(&place.rows().join("b.csv"), 0o000);
    let ended = run_as_nobody(&place, &args);
    assert_eq!(ended.status.code(), Some(3));
    assert!(ended.out.contains("\nnot read: b.csv: cannot be read (Permission denied"), "{}", ended.out);
    let score = run_as_nobody(&place, &["score", "rows"]);
    assert_eq!((score.status.code(), score.out.lines().count()), (Some(3), 301), "{}", score.err);
    assert!(score.err.ends_with("noctop: without the rows of rows/b.csv, so the exit code is 3\n"), "{}", score.err);
}

#[test]
fn what_holds_no_rows_is_named_and_not_missed() {
    let place = calm();
    fs::write(place.rows().join("contacts.csv"), "name,phone\na,1\n").unwrap();
    fs::write(place.rows().join("lone.csv"), "a,b").unwrap();
    for (line, args) in commands() {
        let ended = place.run(&args);
        assert_eq!(ended.status.code(), Some(0), "{line}: {}", ended.err);
        assert!(format!("{}{}", ended.out, ended.err).contains("contacts.csv"), "{line}: {}", ended.err);
    }
    // where there is nothing else it is why there are no rows
    ["a.csv", "b.csv"].iter().for_each(|name| fs::remove_file(place.rows().join(name)).unwrap());
    assert!(
        place.run(["score", "rows"]).refused().contains("no rows, since rows/contacts.csv has no columns timeslot")
    );
}

#[test]
fn a_last_line_without_its_newline_is_the_same_for_all_where_it_is_old() {
    let place = calm();
    for (text, code) in [(HEADER.trim_end(), 0), ("a,b", 0), ("timeslot,b", 3), ("2026-01-05 00:00:00,a,ge-0,1,1", 3)] {
        write_long_ago(&place.rows().join("c.csv"), text.as_bytes());
        for (line, args) in commands() {
            let ended = place.run(&args);
            assert_eq!(ended.status.code(), Some(code), "{text} {line}: {}{}", ended.out, ended.err);
        }
    }
}

#[test]
fn of_many_that_are_not_read_some_are_named() {
    let place = calm();
    for i in 0..120 {
        fs::create_dir_all(place.rows().join(format!("d{i:03}"))).unwrap();
        fs::write(place.rows().join(format!("d{i:03}/c.csv")), "timeslot,value\na,1\n").unwrap();
    }
    let args = ["triage", "rows", "--recursive", "--stale", "never", "--warning", "0", "--critical", "0"];
    let ended = place.run(args);
    assert_eq!(ended.status.code(), Some(3));
    assert!(ended.out.contains("\nnot read: d000/c.csv: has no columns"), "{}", ended.out);
    let told: Vec<&str> = ended.err.lines().collect();
    assert_eq!((told.len(), told[10]), (11, "and 110 more such notices: noctop check shows all"), "{told:#?}");
    let json: serde_json::Value = serde_json::from_str(&place.run([&args[..], &["--json"]].concat()).out).unwrap();
    assert_eq!((json["unread"].as_array().unwrap().len(), &json["unread_count"]), (100, &120.into()));
}

/// Writes a file as if that had been long ago.
fn write_long_ago(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

#[test]
fn a_packed_file_is_the_same_for_all_and_no_fault_while_it_is_written() {
    let place = Place::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(format!("{HEADER}{}", rhythm("a", "ge-0", 300, 8, |_, v| v)).as_bytes()).unwrap();
    let (file, whole) = (place.rows().join("a.csv.gz"), packed.finish().unwrap());
    fs::write(&file, &whole).unwrap();
    // one that was just written is waited for
    assert_eq!(place.run(["score", "rows"]).fine().out.lines().count(), 301);
    assert!(place.run(["check", "rows"]).fine().out.contains("\n300 rows of 1 interface"));
    let triage = place.run(["triage", "rows", "--stale", "never", "--warning", "0"]).fine();
    assert!(triage.out.contains("\n1 interface, 1 device; data to"), "{}", triage.out);
    place.put("b.csv", &rhythm("b", "ge-0", 300, 9, |_, v| v));
    let lines = ["check rows", "triage rows --stale never --warning 0 --critical 0", "score rows"];
    let all = |code: i32, said: &str| {
        for line in lines {
            let ended = place.run(line.split(' '));
            assert_eq!(ended.status.code(), Some(code), "{line}: {}{}", ended.out, ended.err);
            assert!(format!("{}{}", ended.out, ended.err).contains(said), "{line}: {}{}", ended.out, ended.err);
        }
    };
    // one that stays half is still being written for some minutes, and is missing then
    let half = &whole[..whole.len() / 2];
    fs::write(&file, half).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(SystemTime::now() - MINUTE).unwrap();
    all(0, "ends before what is packed in it does");
    let triage = place.run(lines[1].split(' ')).out;
    assert!(triage.contains("\nstill being written: a.csv.gz\n") && triage.contains(": 0 ring, 0 open |"), "{triage}");
    write_long_ago(&file, half);
    all(3, "ends before what is packed in it does");
}
