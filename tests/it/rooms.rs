//! The rooms of the house: each imports only those that a row passes before it, as `src/lib.rs` says.

use std::fs;
use std::path::{Path, PathBuf};

/// In the order of a row's way.
const ROOMS: [&str; 10] =
    ["series", "ingest", "model", "detect", "explore", "journal", "engine", "evaluate", "format", "console"];
/// Who may know a terminal.
const FACES: [&str; 2] = ["console", "cli"];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Every line of code outside tests, with its room and its place.
fn lines() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 200, "the sources are read: {} files", files.len());
    let mut found = Vec::new();
    for path in files {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let room = name.split(['/', '.']).next().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
        let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
        found.extend(code.map(|(i, line)| (room.clone(), format!("{name}:{}", i + 1), line.to_owned())));
    }
    found
}

#[test]
fn a_room_imports_only_those_before_it() {
    let after = |room: &str| ROOMS.iter().position(|r| *r == room).map(|place| &ROOMS[place + 1..]);
    let mut wrong = Vec::new();
    for (room, place, line) in lines() {
        for later in after(&room).into_iter().flatten().chain([&"cli"]).filter(|_| after(&room).is_some()) {
            if line.contains(&format!("crate::{later}::")) {
                wrong.push(format!("{place}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_faces_know_a_terminal() {
    let knows = |line: &str| ["ratatui::", "crossterm::"].iter().any(|name| line.contains(name));
    let (faces, others): (Vec<_>, Vec<_>) =
        lines().into_iter().filter(|(.., line)| knows(line)).partition(|(room, ..)| FACES.contains(&room.as_str()));
    assert!(!faces.is_empty(), "the terminal is known by that name");
    assert!(others.is_empty(), "{others:?}");
}
