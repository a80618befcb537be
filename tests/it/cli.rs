//! The command line: what goes where, what is refused, and in which words.

use std::fs;
use std::path::{Path, PathBuf};

use noctop::cli::score::{COLUMNS, INCIDENT_COLUMNS};

use crate::support::*;

/// A model that is quickly trained, and the rows of two interfaces over five days in `rows`.
fn tiny() -> Place {
    let place = Place::new();
    write_rows(&place.rows(), &fleet_rows(&plan(31, 3600, 5, 1, 2)));
    place
}

fn train(place: &Place, file: &str, seed: &str) -> Ended {
    place.run(["train", "rows", "--model", file, "--epochs", "1", "--seed", seed])
}

#[test]
fn every_command_has_help_and_a_version() {
    let place = Place::new();
    let version = place.run(["--version"]).fine().out;
    assert_eq!(version.trim(), format!("noctop {}", env!("CARGO_PKG_VERSION")));
    let all = place.run(["--help"]).fine().out;
    for command in ["watch", "demo", "train", "score", "evaluate", "explore", "simulate"] {
        assert!(all.contains(&format!("  {command} ")), "{all}");
        let help = place.run([command, "--help"]).fine();
        assert!(help.out.contains("Usage: noctop") && help.err.is_empty(), "{}", help.out);
        let wrong = place.run([command, "--no-such-flag"]);
        assert_eq!((wrong.status.code(), wrong.out.as_str()), (Some(2), ""));
        assert!(wrong.err.contains("--no-such-flag"), "{}", wrong.err);
    }
}

#[test]
fn arguments_that_make_no_sense_end_with_2_and_say_what_would() {
    let place = tiny();
    place.put("r.csv", &rhythm("a", "if", 30, 3, |_, v| v));
    for (args, says) in [
        ("score rows --alarms-per-week 0", "above 0 and up to 1000"),
        ("score rows --alarms-per-week -1", "above 0 and up to 1000"),
        ("score rows --rings-per-day nan", "above 0 and up to 1000000"),
        ("score rows --shift-accepted-after 9000", "from 1 to 8760, or never"),
        ("score rows --delimiter ;;", "one ASCII character"),
        ("score rows --time-zone Mars/X", "Europe/Berlin"),
        ("train rows --model m --clock Mars/X", "Europe/Berlin"),
        ("watch rows --theme darkest", "high-contrast"),
        ("watch rows --display-zone Mars/X", "Europe/Berlin"),
        ("train rows --model m --learning-rate -0.1", "above 0 and up to 0.1"),
        ("train rows --model m --max-windows 0", "above 0"),
        ("simulate --output fleet --days 0", "at least 1"),
        ("simulate --output fleet --step 7m", "must divide a day"),
        ("simulate --output fleet --step 500ms", "whole seconds"),
        ("handover rows --since 2040-01-01", "is yet to come"),
        ("handover rows --since 99999999999h", "8h, 90m or 2d"),
        ("handover rows --since -8h", "8h, 90m or 2d"),
        ("man handovr", "no such command"),
        ("handovr", "did you mean noctop handover?"),
        ("watch handovr", "did you mean noctop handover?"),
        ("scroe rows --output x", "did you mean noctop score?"),
        ("rows elsewhere", "elsewhere is one too many"),
        ("simulate --output fleet --days 0", "Usage: noctop simulate"),
    ] {
        let ended = place.run(args.split(' '));
        assert_eq!(ended.out, "", "{args}");
        let why = ended.misused();
        assert!(why.contains(says), "{args}: {why}");
    }
    assert!(!place.join("m").exists() && !place.join("fleet").exists());
    // what the configuration says wrongly is no fault of the arguments
    fs::write(place.join("c.toml"), "alarms_per_week = 0\n").unwrap();
    let ended = place.run(["score", "rows", "--config", "c.toml"]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.err);
    // a directory that is there is one, whatever its name
    fs::rename(place.rows(), place.join("checks")).unwrap();
    place.run(["check", "checks", "--delimiter", ","]).fine();
    assert_eq!(place.run(["triage", "checks", "--alarms-per-week", "0"]).status.code(), Some(3));
    for (flag, says) in [("--critical", "0 or more"), ("--top", "0 or more"), ("--stale", "or never")] {
        let ended = place.run(["triage", "checks", flag, "-1"]);
        assert!(ended.status.code() == Some(3) && ended.err.contains(says), "{flag}: {}", ended.err);
    }
}

#[test]
fn a_model_that_cannot_be_written_is_told_before_it_is_learnt() {
    let place = tiny();
    fs::write(place.join("file"), "").unwrap();
    for model in ["file/m.safetensors", "rows/../past"] {
        fs::create_dir_all(place.join("past")).unwrap();
        let why = place.run(["train", "rows", "--model", model]).refused();
        assert!(why.contains(model) && !why.contains("epoch"), "{why}");
    }
    assert_eq!(fs::read_dir(place.join("past")).unwrap().count(), 0);
    // as with all outputs: a slip in a name makes no directories
    let why = train(&place, "no/such/m.safetensors", "1").refused();
    assert!(why.contains("--model no/such/m.safetensors: there is no directory no/such"), "{why}");
    assert!(!place.join("no").exists() && !why.contains("epoch"), "{why}");
    fs::create_dir(place.join("new")).unwrap();
    train(&place, "new/m.safetensors", "1").fine();
    assert_eq!(fs::read_dir(place.join("new")).unwrap().count(), 1, "and nothing lies beside it");
}

#[test]
fn a_tab_can_be_named_as_it_is_written() {
    let place = Place::new();
    let rows = rhythm("a", "if", 30, 3, |_, v| v);
    fs::write(place.rows().join("r.csv"), format!("{HEADER}{rows}").replace(',', "\t")).unwrap();
    assert_eq!(table(&place.run(["score", "rows", "--delimiter", r"\t"]).fine().out).len(), 30);
}

#[test]
fn score_gives_a_row_for_each_row_that_was_accepted_and_nothing_else() {
    let place = Place::new();
    let mut rows = rhythm("b", "if 1", 60, 1, |_, v| v);
    let second = rhythm("a", "if 2", 40, 2, |_, v| v);
    rows.push_str(&second);
    // One row again with another value, one in a wrong order, three that cannot be.
    let first = second.lines().next().unwrap();
    rows.push_str(&format!("{}7\n", first));
    rows.push_str("2026-01-04 22:00:00,a,if 2,900,800\n");
    rows.push_str("2026-01-09 00:00:00,a,if 2,nan,800\nyesterday,a,if 2,1,1\n2026-01-09 00:00:00,a,if 2,2e18,1\n");
    place.put("rows.csv", &rows);
    let ended = place.run(["score", "rows"]).fine();
    assert_eq!(ended.out.lines().next().unwrap(), COLUMNS.join(","));
    let table = table(&ended.out);
    assert_eq!(table.len(), 101);
    let places: Vec<_> = table.iter().map(|r| (&r["hostname"], &r["ifname"], &r["timeslot"])).collect();
    assert!(places.is_sorted(), "by interface, then by time");
    assert_eq!(table[0]["timeslot"], "2026-01-04 22:00:00");
    assert!(table[1]["mean_metric_value"].ends_with('7'), "the later line stands: {:?}", table[1]);
    for (i, row) in table.iter().enumerate() {
        let warming = if i < 41 { i < 24 } else { i - 41 < 24 };
        assert_eq!(row["verdict"] == "warming", warming, "row {i}: {row:?}");
        assert!(["warming", "nominal", "recurring", "noise"].contains(&row["verdict"].as_str()));
        assert!(["0", "1"].contains(&row["anomaly"].as_str()));
        if warming {
            assert_eq!((row["score"].as_str(), row["incident"].as_str()), ("0", ""));
        }
    }
    // What the values were is written as it was read.
    assert_eq!(table[0]["max_metric_value"], "900");
    assert!(ended.err.contains("3 lines were refused"), "{}", ended.err);
    for line in [104, 105, 106] {
        assert!(ended.err.contains(&format!("rows/rows.csv:{line}: ")), "{}", ended.err);
    }
}

#[test]
fn rows_of_the_history_are_context_and_get_no_output() {
    let place = Place::new();
    let rows = rhythm("a", "if", 100, 3, |_, v| v);
    let lines: Vec<&str> = rows.split_inclusive('\n').collect();
    fs::create_dir(place.join("past")).unwrap();
    fs::write(place.join("past/p.csv"), format!("{HEADER}{}", lines[..80].concat())).unwrap();
    place.put("r.csv", &lines[80..].concat());
    let with = table(&place.run(["score", "rows", "--history", "past"]).fine().out);
    assert_eq!(with.len(), 20);
    assert!(with.iter().all(|row| row["verdict"] != "warming"));
    assert!(table(&place.run(["score", "rows"]).fine().out).iter().all(|row| row["verdict"] == "warming"));
    // The same as the end of one directory that holds both.
    place.put("all.csv", &rows);
    fs::remove_file(place.rows().join("r.csv")).unwrap();
    assert_eq!(table(&place.run(["score", "rows"]).fine().out)[80..], with);
}

#[test]
fn incidents_go_to_a_file_of_their_own_with_silences_in_it() {
    let place = Place::new();
    let quiet = rhythm("a", "other", 400, 5, |_, v| v);
    let outage = rhythm("a", "down", 400, 6, |i, v| if (300..306).contains(&i) { 0.0 } else { v });
    let silent: String = rhythm("b", "gone", 400, 7, |_, v| v).split_inclusive('\n').take(380).collect();
    place.put("r.csv", &format!("{quiet}{outage}{silent}"));
    let ended = place.run(["score", "rows", "--incidents", "i.csv", "--output", "s.csv"]).fine();
    assert_eq!(ended.out, "", "with --output nothing goes to standard output");
    assert_eq!(table(&fs::read_to_string(place.join("s.csv")).unwrap()).len(), 1180);
    let text = fs::read_to_string(place.join("i.csv")).unwrap();
    assert_eq!(text.lines().next().unwrap(), INCIDENT_COLUMNS.join(","));
    let incidents = table(&text);
    let down = incidents.iter().find(|i| i["ifname"] == "down" && i["start"] == hour(300).to_string());
    let down = down.unwrap_or_else(|| panic!("{text}"));
    assert!(down["end"] >= hour(305).to_string() && down["peak"].parse::<f64>().unwrap() > 4.0);
    assert_eq!((down["kind"].as_str(), down["direction"].as_str()), ("drop-to-zero", "down"));
    assert_eq!(down["id"].len(), 8);
    let gone = incidents.iter().find(|i| i["ifname"] == "gone" && i["kind"] == "silence");
    let gone = gone.unwrap_or_else(|| panic!("{text}"));
    assert_eq!((gone["start"].as_str(), gone["end"].as_str()), (hour(380).to_string().as_str(), ""));
    assert!(!place.join("s.csv.part").exists() && !place.join("i.csv.part").exists());
}

#[test]
fn an_output_in_a_directory_that_is_read_is_refused() {
    let place = tiny();
    fs::create_dir(place.join("past")).unwrap();
    for args in [
        ["score", "rows", "--output", "rows/s.csv"],
        ["score", "rows", "--incidents", "past/../rows/i.csv"],
        ["score", "rows", "--output", "./rows/../rows/s"],
        ["train", "rows", "--model", "rows/m.safetensors"],
    ] {
        let why = place.run(args).refused();
        assert!(why.contains(args[2]) && why.contains(args[3]) && why.contains("elsewhere"), "{why}");
    }
    let why = place.run(["score", "rows", "--history", "past", "--output", "past/s.csv"]).refused();
    assert!(why.contains("past/s.csv"), "{why}");
    assert_eq!(fs::read_dir(place.rows()).unwrap().count(), 1);
}

#[test]
fn a_directory_without_usable_rows_is_an_error_that_says_what_to_do() {
    let place = Place::new();
    let missing = place.run(["score", "nowhere"]).refused();
    assert!(missing.contains("nowhere does not exist: name the directory"), "{missing}");
    let empty = place.run(["score", "rows"]).refused();
    assert!(empty.contains("rows: no rows") && empty.contains("mean_metric_value"), "{empty}");
    fs::write(place.rows().join("x.csv"), "time,host,value\n2026-01-05,a,1\n").unwrap();
    let columns = place.run(["score", "rows"]).refused();
    assert!(columns.contains("rows/x.csv") && columns.contains("timeslot"), "{columns}");
    let file = place.run(["score", "rows/x.csv"]).refused();
    assert!(file.contains("x.csv is not a directory"), "{file}");
    let watched = place.run(["nowhere"]).refused();
    assert!(watched.contains("nowhere does not exist"), "{watched}");
    let which = place.run::<&str>([]).refused();
    assert!(which.contains("which directory?") && which.contains("noctop DIR"), "{which}");
    // The good file beside it is scored all the same, and the bad one is told of.
    place.put("y.csv", &rhythm("a", "b", 30, 1, |_, v| v));
    // Rows may be missing where it has the times of some.
    for (name, code) in [("time", 0), ("timeslot", 3)] {
        fs::write(place.rows().join("x.csv"), format!("{name},host,value\n2026-01-05,a,1\n")).unwrap();
        let both = place.run(["score", "rows"]);
        assert_eq!((both.status.code(), both.out.lines().count()), (Some(code), 31), "{}", both.err);
        assert!(both.err.contains("rows/x.csv"), "{}", both.err);
    }
}

#[test]
fn a_model_that_is_none_is_a_clear_error() {
    let place = tiny();
    let good = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default.safetensors")).unwrap();
    let mut damaged = good.clone();
    let header = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    damaged[8 + header..].fill(0xff);
    let foreign = [&2u64.to_le_bytes()[..], b"{}"].concat();
    for (name, bytes) in [
        ("half", &good[..good.len() / 2]),
        ("empty", &[][..]),
        ("text", b"timeslot,hostname\n".as_slice()),
        ("foreign", &foreign),
        ("ones", &damaged),
    ] {
        fs::write(place.join(name), bytes).unwrap();
        let why = place.run(["score", "rows", "--model", name]).refused();
        assert!(why.contains(&format!("noctop: {name}: not a noctop model")), "{name}: {why}");
        let why = place.run(["watch", "rows", "--model", name]).refused();
        assert!(why.contains("not a noctop model") && why.contains("noctop train"), "{name}: {why}");
    }
    let why = place.run(["score", "rows", "--model", "gone"]).refused();
    assert!(why.contains("gone: No such file"), "{why}");
}

#[test]
fn output_that_cannot_be_written_is_an_error_that_is_said_once() {
    let place = Place::new();
    place.put("r.csv", &rhythm("a", "if", 30, 3, |_, v| v));
    for (args, code) in [("--help", 1), ("score --help", 1), ("check rows", 1), ("triage rows --stale never", 3)] {
        let mut shell = place.program(Path::new("/bin/sh"));
        shell.env("NOCTOP", env!("CARGO_BIN_EXE_noctop"));
        shell.args(["-c", &format!("\"$NOCTOP\" {args} > /dev/full")]);
        let ended = Process::start(shell).end(LONG);
        assert_eq!(ended.status.code(), Some(code), "{args}: {}", ended.err);
        assert_eq!(ended.err.matches("No space left").count(), 1, "{args}: {}", ended.err);
    }
}

#[test]
fn who_has_read_enough_is_no_error() {
    let place = Place::new();
    let many: String = (0..8).map(|i| rhythm("a", &i.to_string(), 700, i, |_, v| v)).collect();
    place.put("r.csv", &many);
    for output in ["", "--output /dev/stdout"] {
        let mut shell = place.program(Path::new("/bin/sh"));
        // The shell's code is that of `head`; noctop's own goes to a file.
        shell.env("PATH", std::env::var_os("PATH").unwrap()).env("NOCTOP", env!("CARGO_BIN_EXE_noctop"));
        shell.args(["-c", &format!("(\"$NOCTOP\" score rows {output}; echo $? >code) | head -1")]);
        let ended = Process::start(shell).end(LONG).fine();
        assert_eq!((ended.out.trim(), ended.err.as_str()), (COLUMNS.join(",").as_str(), ""), "{output}");
        let written = || fs::read_to_string(place.join("code")).ok().filter(|c| c.ends_with('\n'));
        assert_eq!(wait_for("the code", LONG, written), "0\n", "{output}");
        fs::remove_file(place.join("code")).unwrap();
    }
}

#[test]
fn every_number_is_finite_whatever_comes() {
    let place = Place::new();
    let with = |name: &str, rows: usize, change: &dyn Fn(usize, f64) -> f64| rhythm("odd", name, rows, 9, change);
    let text = [
        with("huge", 120, &|i, v| if i % 10 == 3 { 1e17 } else { v }),
        with("all huge", 120, &|i, _| 1e17 + i as f64 * 1e15),
        with("largest", 120, &|i, _| if i % 2 == 0 { 7e17 } else { -7e17 }),
        with("tiny", 120, &|i, _| 1e-300 * i as f64),
        with("negative", 120, &|_, v| -v),
        with("crossing", 120, &|_, v| v - 1000.0),
        with("constant", 120, &|_, _| 7.0),
        with("zeros", 120, &|_, _| 0.0),
        with("one spike", 120, &|i, _| if i == 80 { 1e9 } else { 0.0 }),
        with("one row", 1, &|_, v| v),
        with("24 rows", 24, &|_, v| v),
        with("25 rows", 25, &|_, v| v),
    ]
    .concat();
    place.put("odd.csv", &text);
    let ended = place.run(["score", "rows", "--incidents", "i.csv"]).fine();
    assert_eq!(ended.err, "");
    let rows = table(&ended.out);
    assert_eq!(rows.len(), 9 * 120 + 1 + 24 + 25);
    for row in &rows {
        for column in &COLUMNS[3..11] {
            let value: f64 = row[*column].parse().unwrap();
            assert!(value.is_finite(), "{column}: {row:?}");
        }
        assert!(row["score"].parse::<f64>().unwrap() >= 0.0, "{row:?}");
    }
    let of = |name: &str| rows.iter().filter(|r| r["ifname"] == name).collect::<Vec<_>>();
    let judged = |name: &str| of(name).iter().filter(|r| r["verdict"] != "warming").count();
    assert_eq!((judged("one row"), judged("24 rows"), judged("25 rows")), (0, 0, 1));
    for name in ["constant", "zeros"] {
        assert!(of(name).iter().all(|r| r["anomaly"] == "0"), "a {name} interface is no alarm");
    }
    assert!(of("one spike").iter().any(|r| r["anomaly"] == "1"), "a spike on an idle interface is one");
    for incident in table(&fs::read_to_string(place.join("i.csv")).unwrap()) {
        assert!(incident["peak"].parse::<f64>().unwrap().is_finite(), "{incident:?}");
    }
}

#[test]
fn columns_are_found_by_name_and_the_delimiter_and_zone_can_be_told() {
    let place = Place::new();
    let rows = rhythm("a", "b", 30, 1, |_, v| v);
    place.put("r.csv", &rows);
    let want = place.run(["score", "rows"]).fine().out;
    let turned: String = rows
        .lines()
        .map(|line| {
            let f: Vec<&str> = line.split(',').collect();
            format!("{};x;{};{};{};{}\n", f[4], f[2], f[0], f[1], f[3])
        })
        .collect();
    let header = "MEAN_metric_value; comment ;ifname;Timeslot;hostname;max_metric_value\n";
    fs::write(place.rows().join("r.csv"), format!("{header}{turned}")).unwrap();
    assert_eq!(place.run(["score", "rows", "--delimiter", ";"]).fine().out, want);
    let berlin = place.run(["score", "rows", "--delimiter", ";", "--time-zone", "Europe/Berlin"]).fine().out;
    assert!(berlin.lines().nth(1).unwrap().starts_with("2026-01-04 23:00:00,"), "{berlin}");
    let why = place.run(["score", "rows", "--time-zone", "Europe/Nowhere"]).misused();
    assert!(why.contains("Europe/Nowhere") && why.contains("name a zone"), "{why}");
    let why = place.run(["score", "rows", "--delimiter", "\""]).misused();
    assert!(why.contains("delimiter"), "{why}");
}

#[test]
fn outputs_that_cannot_be_are_told_of_before_anything_is_read() {
    // There are no rows yet, which would be told of else.
    let place = Place::new();
    for (args, says) in [
        ("score rows --output nowhere/x.csv", "--output nowhere/x.csv: there is no directory nowhere"),
        ("score rows --incidents home", "is a directory"),
        ("explore rows --html nowhere/x.html", "there is no directory nowhere"),
        ("score rows --output s.csv --incidents s.csv", "is the file for the scores"),
        ("score rows --output s.csv --incidents home/../s.csv", "is the file for the scores"),
    ] {
        let why = place.run(args.split(' ')).refused();
        assert!(why.contains(says), "{args}: {why}");
    }
    place.put("r.csv", &rhythm("a", "if", 30, 3, |_, v| v));
    place.run(["score", "rows", "--output", "/dev/null", "--incidents", "/dev/null"]).fine();
    assert!(!place.join("s.csv").exists());
}

#[test]
fn a_seed_gives_the_same_model_and_another_seed_another() {
    let place = tiny();
    let first = train(&place, "a.safetensors", "5").fine();
    for word in ["last value", "day before", "hour of week", "LSTM", "mix", "median"] {
        assert!(first.out.contains(word), "{}", first.out);
    }
    let hosts = first.out.lines().filter(|l| l.starts_with("core-") || l.starts_with("edge-")).count();
    assert_eq!(hosts, 2, "a line for each interface: {}", first.out);
    assert!(
        first.err.contains("epoch 1 of 1") && first.err.contains("model written to a.safetensors"),
        "{}",
        first.err
    );
    fs::create_dir(place.join("again")).unwrap();
    train(&place, "again/a.safetensors", "5").fine();
    train(&place, "c.safetensors", "6").fine();
    let bytes = |file: &str| fs::read(place.join(file)).unwrap();
    assert!(bytes("a.safetensors") == bytes("again/a.safetensors"), "the same seed, other bytes");
    assert!(bytes("a.safetensors") != bytes("c.safetensors"), "another seed, the same bytes");
    // It scores, and not as the built-in one does.
    let own = place.run(["score", "rows", "--model", "a.safetensors"]).fine().out;
    let built_in = place.run(["score", "rows"]).fine().out;
    assert_eq!(own.lines().count(), built_in.lines().count());
    assert_ne!(own, built_in);
    for row in table(&own) {
        assert!(row["score"].parse::<f64>().unwrap().is_finite());
    }
}

#[test]
fn too_few_rows_leave_a_model_as_it_is() {
    let place = Place::new();
    place.put("r.csv", &rhythm("a", "b", 30, 1, |_, v| v));
    fs::write(place.join("m.safetensors"), "what was there").unwrap();
    let why = train(&place, "m.safetensors", "1").refused();
    assert!(why.contains("48"), "it says how many rows are needed: {why}");
    assert_eq!(fs::read_to_string(place.join("m.safetensors")).unwrap(), "what was there");
    let others: Vec<PathBuf> = fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(others.len(), 4, "nothing is left behind: {others:?}");
}

#[test]
fn train_is_told_the_scope_the_window_and_the_scale_and_says_what_they_gave() {
    let place = tiny();
    let said = |file: &str, flags: &[&str]| {
        place.run([&["train", "rows", "--epochs", "2", "--model", file], flags].concat()).fine().out
    };
    let model = |file: &str| fs::read(place.join(file)).unwrap();
    let plain = said("plain.safetensors", &[]);
    assert!(!plain.contains("layer") && !plain.contains("One scale"), "{plain}");
    for word in ["last value", "day before", "hour of week", "linear", "no LSTM", "mix"] {
        assert!(plain.lines().nth(3).unwrap().contains(word), "{plain}");
    }
    let scope = said("scope.safetensors", &["--scope", "interface"]);
    let heading = scope.lines().nth(3).unwrap();
    assert!(["global", "device", "interface", "layer"].iter().all(|word| heading.contains(word)), "{scope}");
    assert!(scope.contains(" of 2 interfaces use a last layer of their own"), "{scope}");
    let scale = said("scale.safetensors", &["--scale", "global"]);
    assert!(scale.contains("One scale for all interfaces: median error "), "{scale}");
    said("window.safetensors", &["--window", "8"]);
    for (file, what) in [
        ("scope", "\\\"scope\\\":\\\"interface"),
        ("scale", "\\\"scaling\\\":\\\"global"),
        ("window", "\\\"window\\\":8"),
    ] {
        let file = format!("{file}.safetensors");
        assert!(String::from_utf8_lossy(&model(&file)).contains(what), "{file}");
        assert!(table(&place.run(["score", "rows", "--model", &file]).fine().out).len() > 200);
    }
    let scores = |file: &str| place.run(["score", "rows", "--model", file]).fine().out;
    assert_ne!(scores("plain.safetensors"), scores("window.safetensors"));
    assert_ne!(scores("plain.safetensors"), scores("scale.safetensors"));
    for (flag, value) in [("--window", "3"), ("--window", "97"), ("--scope", "all"), ("--scale", "device")] {
        let ended = place.run(["train", "rows", "--model", "no.safetensors", flag, value]);
        assert_eq!(ended.status.code(), Some(2), "{}", ended.err);
        assert!(ended.err.contains(flag) && !place.join("no.safetensors").exists(), "{}", ended.err);
    }
}

#[test]
fn who_reads_only_the_head_of_the_skill_table_has_a_model_all_the_same() {
    let place = tiny();
    let mut shell = place.program(Path::new("/bin/sh"));
    shell.env("PATH", std::env::var_os("PATH").unwrap()).env("NOCTOP", env!("CARGO_BIN_EXE_noctop"));
    shell.args(["-c", "(\"$NOCTOP\" train rows --model m.safetensors --epochs 1; echo $? >code) | true"]);
    let ended = Process::start(shell).end(LONG).fine();
    let code = wait_for("the code", LONG, || fs::read_to_string(place.join("code")).ok().filter(|c| c.ends_with('\n')));
    assert_eq!(code, "0\n", "{}", ended.err);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    assert!(place.join("m.safetensors").exists());
}

#[test]
fn the_binary_needs_no_file_beside_it() {
    let place = tiny();
    let elsewhere = place.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let copy = elsewhere.join("noctop");
    fs::copy(env!("CARGO_BIN_EXE_noctop"), &copy).unwrap();
    let mut command = place.program(&copy);
    command.current_dir(&elsewhere).args(["score", "../rows"]);
    let ended = Process::start(command).end(LONG).fine();
    assert_eq!(ended.out, place.run(["score", "rows"]).fine().out);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "it leaves nothing beside itself");
}
