//! Settings, completions and manual pages, from outside.

use std::time::Duration;

use crate::support::*;

#[test]
fn what_is_printed_as_settings_can_be_read_again_with_the_same_result() {
    let place = Place::new();
    let first = place.run(["rows", "--print-config", "--poll", "7", "--clock", "Asia/Kolkata"]).fine().out;
    assert!(first.contains("\npoll = 7\n") && first.contains("\nclock = \"Asia/Kolkata\"\n"), "{first}");
    assert!(first.contains("\ndir = \"rows\"\n") && first.contains("\n#rings_per_day = 10.0\n"), "{first}");
    std::fs::write(place.join("c.toml"), &first).unwrap();
    assert_eq!(place.run(["--print-config", "--config", "c.toml"]).fine().out, first);
    // A flag wins over the file.
    let flag = place.run(["--print-config", "--config", "c.toml", "--poll", "8"]).fine().out;
    assert!(flag.contains("\npoll = 8\n"), "{flag}");
    std::fs::write(place.join("c.toml"), "\n[input]\ndelimeter = ';'\n").unwrap();
    let why = place.run(["score", "rows", "--config", "c.toml"]).refused();
    assert!(why.contains("c.toml:3: unknown setting delimeter: did you mean delimiter?"), "{why}");
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let text = place.run(["completions", shell]).fine().out;
        assert!(text.contains("triage") && text.contains("alarms-per-week"), "{shell}: {text}");
    }
    let page = place.run(["man"]).fine().out;
    assert!(page.starts_with(".ie") && page.contains(".TH noctop 1") && page.contains("triage"), "{page}");
    let of = place.run(["man", "triage"]).fine().out;
    assert!(of.contains("noctop\\-triage") && of.contains("\\-\\-stale"), "{of}");
    assert!(place.run(["man", "nonsense"]).misused().contains("nonsense: no such command"));
}

#[test]
fn a_variable_that_is_empty_names_no_configuration() {
    let place = Place::new();
    for (file, code) in [("", 0), ("no/such/file", 1)] {
        let mut command = place.noctop();
        command.arg("--print-config").env("NOCTOP_CONFIG", file);
        let ended = Process::start(command).end(Duration::from_secs(20));
        assert_eq!(ended.status.code(), Some(code), "{file}: {}", ended.err);
    }
}

#[test]
fn a_setting_that_makes_no_sense_is_named_with_its_file_and_line() {
    let place = Place::new();
    place.put("r.csv", &rhythm("a", "if", 30, 3, |_, v| v));
    for (text, says) in [
        ("\nmemory = 0\n", "c.toml:2: memory 0: name a number"),
        ("poll = 0\n", "c.toml:1: poll 0: name a number"),
        ("alarms_per_week = nan\n", "c.toml:1: alarms per week NaN: name a number"),
        ("rings_per_day = 0\n", "c.toml:1: rings per day 0: name a number"),
        ("shift_accepted_after = 0.2\n", "c.toml:1: a shift accepted after 0.2 hours: name a number"),
        ("model = 'nowhere'\n", "c.toml:1: model: nowhere: "),
        ("inventory = 'nowhere'\n", "c.toml:1: inventory: nowhere: "),
        ("[input.columns]\n\ntimeslot = 'ifname'\n", "c.toml: [input]: two columns are mapped"),
    ] {
        std::fs::write(place.join("c.toml"), text).unwrap();
        let why = place.run(["watch", "rows", "--plain", "--config", "c.toml"]).refused();
        assert!(why.contains(says), "{text}: {why}");
    }
    // A flag is told of without the file.
    let why = place.run(["watch", "rows", "--model", "elsewhere", "--config", "c.toml"]).refused();
    assert!(why.contains("noctop: elsewhere: ") && why.contains("noctop train"), "{why}");
}
