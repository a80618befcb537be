//! Files that are torn, rotated, rewritten, taken away or no files at all: what is said in the end is what one
//! clean reading of the directory says, to the last bit.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use noctop::detect::Settings;
use noctop::engine::Engine;
use noctop::ingest::{Notice, ReadOptions, Root, Tailer};
use noctop::random::Random;

use crate::live_equals_batch::compare;
use crate::support::*;

/// A directory, and an engine that follows it.
struct Site {
    place: Place,
    tailer: Tailer,
    engine: Engine,
    notices: Vec<Notice>,
    refusals: Vec<String>,
}

impl Site {
    fn new() -> Self {
        Self::with(ReadOptions::default())
    }

    fn with(options: ReadOptions) -> Self {
        let place = Place::new();
        let tailer = Tailer::new(vec![(Root::Data, place.rows())], options).unwrap();
        let engine = Engine::new(built_in(), Settings::default(), 1);
        Self { place, tailer, engine, notices: Vec::new(), refusals: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.rows().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        append(&self.path(name), text.as_bytes());
    }

    /// Reads what there is, and scores it.
    fn turn(&mut self) {
        loop {
            let batch = self.tailer.scan();
            self.engine.absorb(&batch);
            self.notices.extend(batch.notices.iter().cloned());
            self.refusals.extend(batch.refusals.iter().map(|r| format!("{} {}", r.line, r.reason)));
            if batch.caught_up {
                break;
            }
        }
        self.engine.settle();
    }

    /// The same as one reading of the directory as it is now.
    #[track_caller]
    fn check(&self, what: &str) {
        compare(&self.engine, &scored(&self.place.rows(), 2), what);
    }

    #[track_caller]
    fn noticed(&self, file: &str, words: &str) {
        let said = |n: &&Notice| n.path.file_name().is_some_and(|name| name == file) && n.message.contains(words);
        assert!(self.notices.iter().any(|n| said(&n)), "{file}: no word of {words:?} in {:#?}", self.notices);
    }
}

/// Lines of a small fleet in the order of time.
fn lines(seed: u64) -> Vec<String> {
    fleet_rows(&plan(seed, 3600, 8, 2, 4)).iter().map(RawRow::line).collect()
}

/// Makes a file look as if it had been written long ago.
fn age(path: &Path) {
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(SystemTime::now() - Duration::from_secs(86_400))
        .unwrap();
}

#[test]
fn a_row_torn_at_every_byte() {
    let mut site = Site::new();
    let lines = lines(31);
    let (before, torn) = lines.split_at(lines.len() - 130);
    site.append("rows.csv", &format!("{HEADER}{}", before.concat()));
    site.turn();
    let longest = torn.iter().map(String::len).max().unwrap();
    assert!(torn.len() > longest, "every byte is a place to tear at");
    for (cut, line) in torn.iter().enumerate() {
        let (left, right) = line.split_at(cut.min(line.len()));
        site.append("rows.csv", left);
        site.turn();
        site.append("rows.csv", right);
        if cut % 3 > 0 {
            site.turn();
        }
    }
    site.turn();
    site.check("torn");
    assert_eq!((site.engine.counts().refused, site.engine.counts().rows), (0, lines.len() as u64));
}

#[test]
fn rotation_by_rename_while_rows_are_written() {
    let mut site = Site::new();
    let mut random = Random::new(7);
    let lines = lines(32);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..800].concat()));
    site.turn();
    let mut writer = OpenOptions::new().append(true).open(site.path("rows.csv")).unwrap();
    for (n, piece) in lines[800..].chunks(60).enumerate() {
        let (early, late) = piece.split_at(20);
        let (straddling, rest) = late.split_at(1);
        writer.write_all(early.concat().as_bytes()).unwrap();
        // The file is renamed in the middle of a line; its writer writes the line's end, and some more.
        let (left, right) = straddling[0].split_at(25);
        writer.write_all(left.as_bytes()).unwrap();
        if random.chance(0.5) {
            site.turn();
        }
        fs::rename(site.path("rows.csv"), site.path(&format!("old-{n}.csv"))).unwrap();
        if random.chance(0.5) {
            site.turn();
        }
        writer.write_all(right.as_bytes()).unwrap();
        let (last, new) = rest.split_at(5);
        if random.chance(0.5) {
            fs::write(site.path("rows.csv"), HEADER).unwrap();
            site.turn();
        }
        writer.write_all(last.concat().as_bytes()).unwrap();
        writer = OpenOptions::new().append(true).create(true).open(site.path("rows.csv")).unwrap();
        if writer.metadata().unwrap().len() == 0 {
            writer.write_all(HEADER.as_bytes()).unwrap();
        }
        writer.write_all(new.concat().as_bytes()).unwrap();
        site.turn();
    }
    site.check("renamed");
    assert_eq!(site.engine.counts().rows, lines.len() as u64, "each row once");
}

/// As logrotate does it: numbers that go up, the older ones packed, the writer on a new file.
#[test]
fn rotation_with_numbers_and_packing() {
    let mut site = Site::new();
    let lines = lines(42);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..800].concat()));
    for (n, piece) in lines[800..].chunks(60).enumerate() {
        site.turn();
        let (early, late) = piece.split_at(30);
        site.append("rows.csv", &early.concat());
        for number in (1..=n).rev() {
            for end in ["", ".gz"] {
                let old = site.path(&format!("rows.csv.{number}{end}"));
                if old.exists() {
                    fs::rename(&old, site.path(&format!("rows.csv.{}{end}", number + 1))).unwrap();
                }
            }
        }
        if n % 2 == 0 {
            site.turn();
        }
        fs::rename(site.path("rows.csv"), site.path("rows.csv.1")).unwrap();
        site.append("rows.csv", &format!("{HEADER}{}", late.concat()));
        if n % 3 == 0 {
            site.turn();
        }
        let plain = site.path("rows.csv.2");
        if plain.exists() {
            let mut packed = GzEncoder::new(File::create(site.path("rows.csv.2.gz")).unwrap(), Compression::fast());
            packed.write_all(&fs::read(&plain).unwrap()).unwrap();
            packed.finish().unwrap();
            age(&site.path("rows.csv.2.gz"));
            fs::remove_file(plain).unwrap();
        }
        // A row of the file before the last is corrected in the newest one, and that stands.
        if let Some(line) = lines[..800 + 60 * n].last() {
            let (rest, _) = line.trim_end().rsplit_once(',').unwrap();
            site.append("rows.csv", &format!("{rest},123.5\n"));
        }
        site.turn();
        site.check(&format!("rotated {n} times"));
    }
    assert!(site.engine.counts().corrected > 5, "{:?}", site.engine.counts());
}

#[test]
fn directories_below_are_read_where_that_is_wanted() {
    let options = ReadOptions { recursive: true, ..ReadOptions::default() };
    let mut site = Site::with(options.clone());
    let lines = lines(43);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..700].concat()));
    site.turn();
    for (n, piece) in lines[700..].chunks(60).enumerate() {
        let day = site.path(&format!("2026/day-{n}"));
        fs::create_dir_all(&day).unwrap();
        append(&day.join("rows.csv"), format!("{HEADER}{}", piece.concat()).as_bytes());
        site.turn();
    }
    symlink(site.place.rows(), site.path("2026/circle")).unwrap();
    site.turn();
    compare(&site.engine, &scored_as(&site.place.rows(), 2, options), "below");
    assert_eq!(site.engine.counts().rows, lines.len() as u64);
}

#[test]
fn rotation_by_copy_and_truncate() {
    let mut site = Site::new();
    let mut random = Random::new(8);
    let lines = lines(33);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..900].concat()));
    site.turn();
    for (n, piece) in lines[900..].chunks(70).enumerate() {
        let (early, late) = piece.split_at(piece.len() / 2);
        site.append("rows.csv", &early.concat());
        if random.chance(0.5) {
            site.turn();
        }
        fs::copy(site.path("rows.csv"), site.path(&format!("copy-{n}.csv"))).unwrap();
        if random.chance(0.5) {
            site.turn();
        }
        File::options().write(true).open(site.path("rows.csv")).unwrap().set_len(0).unwrap();
        if random.chance(0.5) {
            site.turn();
        }
        site.append("rows.csv", &format!("{HEADER}{}", late.concat()));
        site.turn();
        site.check(&format!("truncated {n} times"));
    }
}

#[test]
fn a_rewrite_with_one_changed_value() {
    let mut site = Site::new();
    let mut lines = lines(34);
    for n in 0..12 {
        let content = format!("{HEADER}{}", lines.concat());
        // In place; under another name first; cut and written again.
        match n % 3 {
            0 => fs::write(site.path("rows.csv"), content).unwrap(),
            1 => {
                fs::write(site.path("rows.tmp"), content).unwrap();
                fs::rename(site.path("rows.tmp"), site.path("rows.csv")).unwrap();
            }
            _ => {
                let file = File::options().write(true).open(site.path("rows.csv")).unwrap();
                file.set_len(0).unwrap();
                site.append("rows.csv", &content);
            }
        }
        // As a later write would have it.
        let file = File::options().write(true).open(site.path("rows.csv")).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(n)).unwrap();
        site.turn();
        site.check(&format!("rewrite {n}"));
        let at = lines.len() - 20 - 20 * n as usize;
        let line = lines[at].trim_end();
        let (rest, value) = line.rsplit_once(',').unwrap();
        // The same length, so that nothing but the bytes shows it.
        let turned: String =
            value.chars().map(|c| c.to_digit(10).map_or(c, |d| char::from(b'0' + (9 - d) as u8))).collect();
        lines[at] = format!("{rest},{turned}\n");
    }
    assert_eq!(site.engine.counts().corrected, 11);
}

#[test]
fn a_new_file_with_the_inode_of_a_deleted_one() {
    let mut site = Site::new();
    let lines = lines(35);
    site.append("all.csv", &format!("{HEADER}{}", lines[..900].concat()));
    site.append("part.csv", &format!("{HEADER}{}", lines[400..600].concat()));
    site.turn();
    let before = fs::metadata(site.path("part.csv")).unwrap().ino();
    fs::remove_file(site.path("part.csv")).unwrap();
    site.append("new.csv", &format!("{HEADER}{}", lines[900..].concat()));
    if fs::metadata(site.path("new.csv")).unwrap().ino() != before {
        // This file system gives it to a later one: the same file with another name and content is what we see then.
        let aside = site.place.join("aside");
        fs::rename(site.path("new.csv"), &aside).unwrap();
        fs::write(&aside, format!("{HEADER}{}", lines[300..500].concat())).unwrap();
        fs::rename(&aside, site.path("part.csv")).unwrap();
        site.turn();
        fs::write(site.path("part.csv"), format!("{HEADER}{}", lines[900..].concat())).unwrap();
        fs::rename(site.path("part.csv"), site.path("new.csv")).unwrap();
    }
    site.turn();
    site.check("inode");
}

#[test]
fn two_files_with_the_same_rows_in_any_order() {
    let lines = lines(36);
    let mut other = lines.clone();
    Random::new(36).shuffle(&mut other);
    let mut site = Site::with(ReadOptions { bytes_per_turn: 3000, ..ReadOptions::default() });
    site.append("b.csv", &format!("{HEADER}{}", other.concat()));
    site.append("a.csv", &format!("{HEADER}{}", lines.concat()));
    site.turn();
    site.check("twice");
    let counts = site.engine.counts();
    assert_eq!((counts.corrected, counts.repeated, counts.rows), (0, lines.len() as u64, 2 * lines.len() as u64));
}

#[test]
fn things_that_are_no_files_of_rows() {
    let mut site = Site::new();
    let lines = lines(37);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..900].concat()));
    site.turn();
    let fifo = std::process::Command::new("mkfifo").arg(site.path("fifo.csv")).status().unwrap();
    assert!(fifo.success());
    symlink("/dev/zero", site.path("zero.csv")).unwrap();
    symlink("loop.csv", site.path("loop.csv")).unwrap();
    symlink(site.place.rows(), site.path("self.csv")).unwrap();
    symlink("nothing", site.path("nowhere.csv")).unwrap();
    fs::create_dir(site.path("dir.csv")).unwrap();
    fs::write(site.path("empty.csv"), "").unwrap();
    fs::write(site.path("blank.csv"), "\n\r\n\n").unwrap();
    fs::write(site.path("bytes.csv"), (0..200_000u64).map(|i| (i * i / 7) as u8).collect::<Vec<_>>()).unwrap();
    fs::write(site.path("utf16.csv"), b"\xff\xfet\0i\0m\0e\0\n\0").unwrap();
    fs::write(site.path("other.csv"), "name,value\na,1\n").unwrap();
    site.append("rows.csv", &lines[900..1000].concat());
    site.turn();
    site.check("odd files");
    site.noticed("utf16.csv", "UTF-16");
    site.noticed("fifo.csv", "is a pipe");
    site.noticed("zero.csv", "is a device");
    site.noticed("loop.csv", "in a circle");
    site.noticed("nowhere.csv", "to nowhere");
    site.noticed("other.csv", "has no columns timeslot");
    site.append("rows.csv", &lines[1000..].concat());
    site.turn();
    site.check("and it goes on");
}

#[test]
fn outputs_of_noctop_are_no_input() {
    let mut site = Site::new();
    let lines = lines(38);
    site.append("rows.csv", &format!("{HEADER}{}", lines.concat()));
    site.turn();
    site.place.run(["score", "rows", "--output", "scores.csv", "--incidents", "incidents.csv"]).fine();
    for file in ["scores.csv", "incidents.csv"] {
        fs::rename(site.place.join(file), site.path(file)).unwrap();
    }
    fs::write(site.path("labels.csv"), "hostname,ifname,start,end,kind,story\n").unwrap();
    site.turn();
    site.check("outputs");
    for file in ["scores.csv", "incidents.csv", "labels.csv"] {
        site.noticed(file, "not samples");
    }
    // One directory deeper is no escape where that is read, and no trouble where it is not.
    for flag in ["--output", "--incidents"] {
        assert!(site.place.run(["score", "rows", flag, "rows/x.csv"]).refused().contains("lies in the directory"));
    }
}

#[test]
fn a_line_of_a_gigabyte() {
    let mut site = Site::new();
    let lines = lines(39);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..900].concat()));
    site.append("long.csv", &format!("{HEADER}{}", lines[900..950].concat()));
    // A hole: no disk is filled, and what is read are as many zeros.
    let file = File::options().write(true).open(site.path("long.csv")).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length + (1 << 30)).unwrap();
    site.append("long.csv", &format!("\n{}", lines[950..].concat()));
    site.turn();
    assert_eq!(site.engine.counts().refused, 1);
    assert!(site.refusals[0].starts_with("52 is longer than 1 MiB"), "{}", site.refusals[0]);
    site.check("a gigabyte");
}

#[test]
fn a_directory_that_goes_away_and_comes_back() {
    let mut site = Site::new();
    let lines = lines(40);
    site.append("rows.csv", &format!("{HEADER}{}", lines[..900].concat()));
    site.turn();
    let aside = site.place.join("aside");
    fs::rename(site.place.rows(), &aside).unwrap();
    for _ in 0..5 {
        site.turn();
    }
    append(&aside.join("rows.csv"), lines[900..1000].concat().as_bytes());
    fs::rename(&aside, site.place.rows()).unwrap();
    site.turn();
    site.check("back");
    site.noticed("rows", "can be listed again");
    // Another directory in its place, as a mount that comes back anew.
    fs::rename(site.place.rows(), &aside).unwrap();
    site.turn();
    fs::create_dir(site.place.rows()).unwrap();
    fs::copy(aside.join("rows.csv"), site.path("rows.csv")).unwrap();
    site.append("rows.csv", &lines[1000..].concat());
    site.turn();
    site.check("another one");
}

#[test]
fn odd_bytes_between_rows() {
    let mut site = Site::new();
    let lines = lines(41);
    let mut text = format!("\u{feff}{}", HEADER.replace('\n', "\r\n"));
    for (i, line) in lines[..900].iter().enumerate() {
        let (time, rest) = line.split_once(',').unwrap();
        match i % 9 {
            0 => text.push_str(&line.replace('\n', "\r\n")),
            1 => text.push_str(&format!("\"{time}\",{rest}")),
            2 => text.push_str(&format!("\r\n\n{line}")),
            3 => text.push_str(&format!("{},{rest}", time.replace(' ', "T"))),
            4 => text.push_str(&format!("{time}Z,{rest}")),
            5 => text.push_str(&format!("NaN,{rest}{line}")),
            6 => text.push_str(&format!("{time},a,b,inf,1\n{line}")),
            _ => text.push_str(line),
        }
    }
    let mut from = 0;
    for cut in [10, 400, 401, 9000, text.len() - 3, text.len()] {
        site.append("rows.csv", &text[from..cut]);
        site.turn();
        from = cut;
    }
    age(&site.path("rows.csv"));
    site.turn();
    site.check("odd bytes");
    assert_eq!((site.engine.counts().rows, site.engine.counts().refused), (900, 200));
}

#[test]
fn rows_from_the_future_move_nobody_elses_now() {
    let mut site = Site::new();
    let rows = fleet_rows(&plan(44, 3600, 8, 2, 4));
    let text = |rows: &[RawRow]| rows.iter().map(RawRow::line).collect::<String>();
    site.append("rows.csv", &format!("{HEADER}{}", text(&rows[..900])));
    site.turn();
    let now = site.engine.now();
    let incidents = told(&site.engine);
    // One interface's clock is wrong for three rows: for years, for a month, and for two days.
    for (days, i) in [(10_000, 0), (30, 1), (2, 2)] {
        let row = &rows[880 + 8 * i];
        let wrong = RawRow { name: rows[880].name.clone(), time: row.time.plus(days * 86_400), ..row.clone() };
        site.append("rows.csv", &wrong.line());
        site.turn();
        assert_eq!(site.engine.now(), now, "{days} days ahead");
        site.check(&format!("{days} days ahead"));
    }
    let silences = |told: &[String]| told.iter().filter(|told| told.contains("Silence")).count();
    assert_eq!(silences(&told(&site.engine)), silences(&incidents), "nobody is silent because of a clock");
    let wrong: Vec<String> = site.engine.ahead().map(|track| track.name().to_string()).collect();
    assert_eq!(wrong, [rows[880].name.to_string()]);
    // It is scored on, and so are all others.
    for piece in rows[900..].chunks(50) {
        site.append("rows.csv", &text(piece));
        site.turn();
    }
    site.check("after it");
    assert_eq!((site.engine.counts().late, site.engine.now()), (0, rows.last().map(|row| row.time)));
    // Where all go there it is no wrong clock: the feed was down for a week.
    let later: Vec<RawRow> =
        rows.iter().map(|row| RawRow { time: row.time.plus(15 * 86_400), ..row.clone() }).collect();
    site.append("rows.csv", &text(&later[..8]));
    site.turn();
    site.check("after a week");
    assert_eq!(site.engine.now(), Some(later[7].time));
}

/// Rows off the grid, another step from some day on, and the hour that comes twice when clocks go back.
#[test]
fn slots_that_are_not_as_they_should_be() {
    let options =
        ReadOptions { time_zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(), ..ReadOptions::default() };
    let mut site = Site::with(options.clone());
    let mut random = Random::new(45);
    let mut text = HEADER.to_owned();
    let mut rows = 0;
    // Hourly, a few seconds off; over the night of 2026-10-25, when 02:00 to 03:00 comes twice in local time.
    for hour in 0..24 * 8i64 {
        let day = libm::sin(hour as f64 * std::f64::consts::TAU / 24.0);
        let civil = jiff::civil::date(2026, 10, 20).at(0, 0, 0, 0)
            + jiff::Span::new().hours(hour).seconds(random.below(50) as i64);
        let mean = 100.0 + 30.0 * day + random.normal();
        text.push_str(&format!("{},a,b,{},{mean}\n", civil.strftime("%Y-%m-%d %H:%M:%S"), mean + 5.0));
        rows += 1;
        if (24 * 5 + 2..24 * 5 + 3).contains(&hour) {
            // What the second of the two hours writes claims slots of the first.
            text.push_str(&format!("{},a,b,{},{mean}\n", civil.strftime("%Y-%m-%d %H:%M:%S"), mean + 7.0));
            rows += 1;
        }
    }
    // From then on every five minutes.
    for slot in 0..600i64 {
        let civil = jiff::civil::date(2026, 10, 28).at(0, 0, 0, 0) + jiff::Span::new().minutes(5 * slot);
        let mean = 100.0 + random.normal();
        text.push_str(&format!("{},a,b,{},{mean}\n", civil.strftime("%Y-%m-%d %H:%M:%S"), mean + 5.0));
        rows += 1;
    }
    let mut from = 0;
    while from < text.len() {
        let to = (from + 1 + random.below(3000)).min(text.len());
        site.append("rows.csv", &text[from..to]);
        site.turn();
        from = to;
    }
    compare(&site.engine, &scored_as(&site.place.rows(), 2, options), "slots");
    let counts = site.engine.counts();
    assert_eq!((counts.rows, counts.corrected, counts.refused), (rows, 1, 0));
}
