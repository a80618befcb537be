//! Rows and labels on disk.
//!
//! Rows are written under another name and renamed when they are whole, since the directory may be
//! watched already. Labels never lie in it: they would be read as rows, and they are the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::error::{SimulateError, io_error};
use super::fleet::{Fleet, Label, SimRow};
use super::kind::Kind;
use crate::series::InterfaceName;

/// First line of a file of rows.
const ROWS_HEADER: &str = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n";
/// First line of a file of labels.
const LABELS_HEADER: &str = "hostname,ifname,start,end,kind,story\n";

/// Where a fleet goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The directory of the rows: one file for each device.
    pub rows: PathBuf,
    /// The file of the labels, outside that directory.
    pub labels: Option<PathBuf>,
    /// Whether files of the same name are replaced and others tolerated.
    pub force: bool,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows.
    pub rows: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Labelled incidents by kind.
    pub incidents: BTreeMap<Kind, u64>,
    /// Numbers of the stories over several interfaces among them.
    pub stories: BTreeSet<u32>,
}

impl Summary {
    pub(super) fn count(&mut self, labels: &[Label]) {
        for label in labels {
            *self.incidents.entry(label.kind).or_default() += 1;
            self.stories.extend(label.story);
        }
    }
}

impl Target {
    /// Whether it can be written to without harm; creates the directory.
    ///
    /// # Errors
    /// When the labels would lie among the rows, when CSV files are there and `force` is not set, or
    /// when a directory cannot be read or created.
    pub fn prepare(&self) -> Result<(), SimulateError> {
        // Before the directory is made, so that a refusal leaves nothing behind.
        if let Some(labels) = &self.labels {
            if resolve(labels)?.starts_with(resolve(&self.rows)?) {
                return Err(SimulateError::LabelsInside { labels: labels.clone(), rows: self.rows.clone() });
            }
            if labels.exists() && !self.force {
                return Err(SimulateError::Occupied(labels.clone()));
            }
        }
        if self.rows.exists() && !self.force {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.rows).map_err(io_error("read this directory", &self.rows))? {
                let path = entry.map_err(io_error("read this directory", &self.rows))?.path();
                if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
                    found.push(path);
                }
            }
            if let Some(first) = found.into_iter().min() {
                return Err(SimulateError::Occupied(first));
            }
        }
        fs::create_dir_all(&self.rows).map_err(io_error("create this directory", &self.rows))?;
        if let Some(parent) = self.labels.as_deref().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(io_error("create this directory", parent))?;
        }
        Ok(())
    }

    /// The file of a host.
    pub(super) fn file_of(&self, host: &str) -> PathBuf {
        self.rows.join(format!("{host}.csv"))
    }
}

/// Writes the fleet's history and, where they are wanted, its labels. `progress` hears how many
/// slots of how many are done, counted over all devices.
///
/// # Errors
/// Where [`Target::prepare`] refuses, and when a file cannot be written; no file is left half-written then.
pub fn write_history(
    fleet: &mut Fleet,
    target: &Target,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, SimulateError> {
    let labels = fleet.labels(fleet.plan().slots());
    write_with(fleet, target, &labels, progress)
}

/// The same with these labels.
pub(super) fn write_with(
    fleet: &mut Fleet,
    target: &Target,
    labels: &[Label],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, SimulateError> {
    target.prepare()?;
    let mut summary = write_rows(fleet, target, progress)?;
    summary.count(labels);
    if let Some(path) = &target.labels {
        write_labels(path, labels)?;
    }
    Ok(summary)
}

/// Writes the rows alone: all files first, then all names at once.
fn write_rows(
    fleet: &mut Fleet,
    target: &Target,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, SimulateError> {
    let hosts: Vec<String> = fleet.hosts().map(str::to_owned).collect();
    let slots = fleet.plan().slots();
    let total = slots * hosts.len() as u64;
    let mut summary = Summary::default();
    let mut whole = Vec::with_capacity(hosts.len());
    let mut text = String::new();
    for (device, host) in hosts.iter().enumerate() {
        let file = Unfinished::create(target.file_of(host))?;
        let mut out = BufWriter::with_capacity(1 << 18, &file.file);
        out.write_all(ROWS_HEADER.as_bytes()).map_err(io_error("write", &file.temporary))?;
        summary.bytes += ROWS_HEADER.len() as u64;
        for slot in 0..slots {
            text.clear();
            summary.rows += device_rows(fleet, device, slot, &mut text);
            out.write_all(text.as_bytes()).map_err(io_error("write", &file.temporary))?;
            summary.bytes += text.len() as u64;
            if slot % 512 == 0 {
                progress(device as u64 * slots + slot, total);
            }
        }
        out.flush().map_err(io_error("write", &file.temporary))?;
        drop(out);
        whole.push(file);
    }
    for file in whole {
        file.finish()?;
    }
    progress(total, total);
    Ok(summary)
}

/// Puts a device's rows of a slot at the end of `text`; gives their number.
pub(super) fn device_rows(fleet: &mut Fleet, device: usize, slot: u64, text: &mut String) -> u64 {
    let time = fleet.time(slot).to_string();
    let mut rows = 0;
    for interface in fleet.interfaces_of(device) {
        if let Some(row) = fleet.row(interface, slot) {
            push_row(text, &time, &fleet.interfaces()[interface], &row);
            rows += 1;
        }
    }
    rows
}

fn push_row(text: &mut String, time: &str, name: &InterfaceName, row: &SimRow) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{time},{},{},{:.2},{:.2}", name.host, name.ifname, row.max, row.mean);
}

/// Puts labels at the end of `text`.
fn push_labels(text: &mut String, labels: &[Label]) {
    for label in labels {
        let story = label.story.map_or_else(String::new, |story| story.to_string());
        let Label { name, start, end, kind, .. } = label;
        let _ = writeln!(text, "{},{},{start},{end},{kind},{story}", name.host, name.ifname);
    }
}

/// Writes a file of labels, whole or not at all.
fn write_labels(path: &Path, labels: &[Label]) -> Result<(), SimulateError> {
    let mut text = LABELS_HEADER.to_owned();
    push_labels(&mut text, labels);
    let file = Unfinished::create(path.to_owned())?;
    (&file.file).write_all(text.as_bytes()).map_err(io_error("write", &file.temporary))?;
    file.finish()
}

/// Appends labels to a file that has some.
pub(super) fn append_labels(path: &Path, labels: &[Label]) -> Result<(), SimulateError> {
    let mut text = String::new();
    push_labels(&mut text, labels);
    append(path, LABELS_HEADER, &text)
}

/// Appends a device's rows to its file.
pub(super) fn append_rows(path: &Path, text: &str) -> Result<(), SimulateError> {
    append(path, ROWS_HEADER, text)
}

/// Appends whole lines in one write. A file that somebody moved away starts again with its header.
fn append(path: &Path, header: &str, text: &str) -> Result<(), SimulateError> {
    if text.is_empty() {
        return Ok(());
    }
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).map_err(io_error("open for appending", path))?;
    let length = file.metadata().map_err(io_error("look at", path))?.len();
    let written = if length == 0 {
        file.write_all(format!("{header}{text}").as_bytes())
    } else {
        file.write_all(text.as_bytes())
    };
    written.map_err(io_error("append to", path))
}

/// A file under a temporary name, which no reader of `*.csv` takes; gone unless it is finished.
struct Unfinished {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Unfinished {
    fn create(path: PathBuf) -> Result<Self, SimulateError> {
        if crate::special::is_special(&path) {
            let file = OpenOptions::new().write(true).open(&path).map_err(io_error("open", &path))?;
            return Ok(Self { file, temporary: path.clone(), path, finished: true });
        }
        let mut name = OsString::from(&path);
        name.push(".partial");
        let temporary = PathBuf::from(name);
        let file = File::create(&temporary).map_err(io_error("create", &temporary))?;
        Ok(Self { file, temporary, path, finished: false })
    }

    fn finish(mut self) -> Result<(), SimulateError> {
        if self.finished {
            return Ok(());
        }
        fs::rename(&self.temporary, &self.path).map_err(io_error("give its name to", &self.path))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done about it here, and a leftover of this name is read by nobody.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The true place of a path that need not exist yet: links followed as far as it does.
fn resolve(path: &Path) -> Result<PathBuf, SimulateError> {
    let whole = std::path::absolute(path).map_err(io_error("find", path))?;
    let mut rest = Vec::new();
    let mut known = whole.as_path();
    loop {
        if let Ok(real) = known.canonicalize() {
            return Ok(rest.iter().rev().fold(real, |path, part| path.join(part)));
        }
        match (known.parent(), known.components().next_back()) {
            (Some(parent), Some(part)) => {
                rest.push(part.as_os_str().to_owned());
                known = parent;
            }
            _ => return Ok(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Plan;
    use std::collections::BTreeSet;

    fn small() -> Plan {
        Plan { days: 3, devices: 2, interfaces: 3, ..Plan::default() }
    }

    fn target(dir: &Path) -> Target {
        Target { rows: dir.join("rows"), labels: Some(dir.join("labels.csv")), force: false }
    }

    fn write(plan: &Plan, target: &Target) -> Result<Summary, SimulateError> {
        write_history(&mut Fleet::new(plan).unwrap(), target, &mut |_, _| ())
    }

    fn names(dir: &Path) -> BTreeSet<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// If this fails and the change is meant, make the sample again: `datasets/README.md` says how.
    #[test]
    fn the_sample_is_made_again_to_the_same_bytes() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
        let dir = tempfile::tempdir().unwrap();
        let to = target(dir.path());
        let summary = write(&Plan::default(), &to).unwrap();
        assert_eq!(names(&to.rows), names(&sample.join("sample")));
        for name in names(&to.rows) {
            let same = fs::read(to.rows.join(&name)).unwrap() == fs::read(sample.join("sample").join(&name)).unwrap();
            assert!(same, "{name} differs");
        }
        let labels = fs::read_to_string(dir.path().join("labels.csv")).unwrap();
        assert_eq!(labels, fs::read_to_string(sample.join("sample-labels.csv")).unwrap());
        assert!(summary.bytes + labels.len() as u64 <= 2_000_000, "{summary:?}");
        assert_eq!(summary.incidents.keys().copied().collect::<Vec<_>>(), Kind::BY_CHANCE);
    }

    #[test]
    fn what_is_written_is_what_the_summary_says() {
        let dir = tempfile::tempdir().unwrap();
        let to = target(dir.path());
        let mut heard = Vec::new();
        let plan = Plan { rate: 1.0, quiet_days: 1, ..small() };
        let summary =
            write_history(&mut Fleet::new(&plan).unwrap(), &to, &mut |done, all| heard.push((done, all))).unwrap();
        assert_eq!(names(&to.rows), BTreeSet::from(["agg-1.csv".to_owned(), "core-1.csv".to_owned()]));
        let texts: Vec<String> =
            names(&to.rows).iter().map(|name| fs::read_to_string(to.rows.join(name)).unwrap()).collect();
        assert_eq!(summary.bytes, texts.iter().map(|text| text.len() as u64).sum::<u64>());
        assert_eq!(summary.rows, texts.iter().map(|text| text.lines().count() as u64 - 1).sum::<u64>());
        for text in &texts {
            assert!(text.starts_with(ROWS_HEADER) && text.ends_with('\n'));
            let times: Vec<&str> = text.lines().skip(1).map(|line| &line[..19]).collect();
            assert!(times.is_sorted());
        }
        let labels = fs::read_to_string(dir.path().join("labels.csv")).unwrap();
        assert!(labels.starts_with(LABELS_HEADER));
        assert_eq!(labels.lines().count() as u64 - 1, summary.incidents.values().sum::<u64>());
        assert_eq!(heard.last(), Some(&(144, 144)));
    }

    #[test]
    fn labels_among_the_rows_are_refused_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let rows = dir.path().join("rows");
        for inside in ["rows/labels.csv", "rows/deep/labels.txt", "other/../rows/labels.csv", "rows"] {
            fs::create_dir_all(dir.path().join("other")).unwrap();
            let to = Target { rows: rows.clone(), labels: Some(dir.path().join(inside)), force: true };
            let refused = write(&small(), &to);
            assert!(matches!(refused, Err(SimulateError::LabelsInside { .. })), "{inside}: {refused:?}");
            assert!(!rows.exists());
        }
        // A name that only begins like the directory's lies beside it.
        let to = Target { rows: rows.clone(), labels: Some(dir.path().join("rows-labels.csv")), force: false };
        write(&small(), &to).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_hide_where_labels_lie() {
        let dir = tempfile::tempdir().unwrap();
        let rows = dir.path().join("rows");
        fs::create_dir(&rows).unwrap();
        std::os::unix::fs::symlink(&rows, dir.path().join("link")).unwrap();
        let to = Target { rows, labels: Some(dir.path().join("link/labels.csv")), force: false };
        assert!(matches!(write(&small(), &to), Err(SimulateError::LabelsInside { .. })));
    }

    #[test]
    fn what_is_there_is_replaced_only_by_force_and_strangers_stay() {
        let dir = tempfile::tempdir().unwrap();
        let to = target(dir.path());
        fs::create_dir(&to.rows).unwrap();
        fs::write(to.rows.join("notes.txt"), "mine").unwrap();
        fs::write(to.rows.join("Other.CSV"), "mine").unwrap();
        fs::write(to.rows.join("core-1.csv"), "mine").unwrap();
        assert!(matches!(write(&small(), &to), Err(SimulateError::Occupied(path)) if path.ends_with("Other.CSV")));
        assert_eq!(fs::read_to_string(to.rows.join("core-1.csv")).unwrap(), "mine");
        let by_force = Target { force: true, ..to.clone() };
        write(&small(), &by_force).unwrap();
        write(&small(), &by_force).unwrap();
        assert!(fs::read_to_string(to.rows.join("core-1.csv")).unwrap().starts_with(ROWS_HEADER));
        for stranger in ["notes.txt", "Other.CSV"] {
            assert_eq!(fs::read_to_string(to.rows.join(stranger)).unwrap(), "mine");
        }
        assert!(names(&to.rows).iter().all(|name| !name.ends_with(".partial")));
        // Labels alone are also worth keeping.
        let elsewhere = Target { rows: dir.path().join("new"), ..to };
        assert!(
            matches!(write(&small(), &elsewhere), Err(SimulateError::Occupied(path)) if path.ends_with("labels.csv"))
        );
    }
}
