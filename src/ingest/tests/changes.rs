//! Files that are renamed, replaced, cut, rewritten, or cannot be read.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::*;
use crate::ingest::tailer::ReadOn;
use crate::ingest::{Gone, outranks};

fn started(range: std::ops::Range<usize>) -> Read {
    let mut read = Read::new();
    read.write("a.csv", format!("{HEADER}{}", rows(range)));
    read.all();
    read
}

/// Makes the time of a file's last change another one, as a later write does.
fn touch(read: &Read, name: &str, seconds: u64) {
    let file = File::options().write(true).open(read.path(name)).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_renamed_file_is_read_on_where_it_was() {
    let mut read = started(0..3);
    read.append("a.csv", rows(3..5));
    fs::rename(read.path("a.csv"), read.path("b.csv")).unwrap();
    read.all();
    read.append("b.csv", rows(5..6));
    read.all();
    assert_eq!((read.means(), read.files.len()), (numbers(0..6), 1));
    assert_eq!(read.notices, [""; 0]);
}

#[test]
fn rotation_loses_nothing_and_reads_nothing_twice() {
    let mut read = started(0..3);
    read.append("a.csv", rows(3..5));
    fs::rename(read.path("a.csv"), read.path("a.csv.1")).unwrap();
    read.write("a.csv", format!("{HEADER}{}", rows(5..7)));
    read.all();
    // The writer may still have the old file open for a moment.
    read.append("a.csv.1", rows(7..8));
    read.all();
    let mut means = read.means();
    means.sort_by(f64::total_cmp);
    assert_eq!((means, read.files.len()), (numbers(0..8), 2));
    assert_eq!(read.notices, [""; 0]);
}

#[test]
fn a_file_that_was_cut_and_written_again_is_read_from_its_start() {
    let mut read = started(0..9);
    read.write("a.csv", format!("{HEADER}{}", rows(20..22)));
    read.all();
    assert_eq!(read.means()[9..], numbers(20..22));
    assert!(read.rows[9].starts_with("1:2 "), "{}", read.rows[9]);
    assert_eq!((read.files[0].path.clone(), read.files.len()), (read.files[1].path.clone(), 2));
    assert_eq!(read.notices.len(), 1);
    assert!(read.notices[0].starts_with("a.csv is shorter than what was read of it"), "{}", read.notices[0]);
}

#[test]
fn a_file_that_was_cut_and_has_outgrown_its_old_size_is_read_from_its_start() {
    let mut read = started(0..3);
    read.write("a.csv", format!("{HEADER}{}", rows(20..40)));
    read.all();
    assert_eq!(read.means()[3..], numbers(20..40));
    assert!(read.notices[0].starts_with("a.csv was rewritten"), "{}", read.notices[0]);
}

#[test]
fn a_replaced_file_is_read_from_its_start_and_takes_precedence() {
    let mut read = started(0..3);
    read.write("a.tmp", format!("{HEADER}{}", rows(0..3).replace("core-1,xe-0,0.5,0", "core-1,xe-0,7,7")));
    fs::rename(read.path("a.tmp"), read.path("a.csv")).unwrap();
    let batch = read.all();
    assert_eq!((read.means()[3..].to_vec(), read.files.len()), (vec![7.0, 1.0, 2.0], 2));
    assert!(read.notices[0].starts_with("a.csv was replaced"), "{}", read.notices[0]);
    let old = crate::ingest::Origin { file: crate::ingest::FileId::from_index(0), line: 4 };
    assert!(outranks(&read.files, batch.rows[0].origin, old));
}

#[test]
fn a_value_that_was_changed_in_place_is_noticed() {
    // Once in a file that is kept whole in memory, once in the middle of a larger one.
    for count in [3, 300] {
        let mut read = started(0..count);
        let changed =
            format!("{HEADER}{}", rows(0..count)).replace("00:01:00,core-1,xe-1,2.5,1", "00:01:00,core-1,xe-1,2.5,8");
        let middle =
            format!("{HEADER}{}", rows(0..count)).replace(&row(count / 2), &row(count / 2).replace("core", "edge"));
        for content in [changed, middle] {
            let before = read.rows.len();
            read.write("a.csv", &content);
            touch(&read, "a.csv", before as u64);
            read.all();
            assert_eq!(read.rows.len() - before, count);
        }
        assert_eq!((read.notices.len(), read.files.len()), (2, 3));
    }
}

#[test]
fn a_value_that_was_changed_in_place_while_the_file_grows_is_noticed() {
    let mut read = started(0..3000);
    let mut content = format!("{HEADER}{}", rows(0..3000));
    content = content.replace(&row(1500), &row(1500).replace("core", "edge"));
    let mut writes = 0;
    while read.notices.is_empty() {
        writes += 1;
        assert!(writes < 12, "as many writes as there are pieces of 16 KiB");
        content.push_str(&row(3000 + writes));
        read.write("a.csv", &content);
        read.all();
    }
    assert!(read.rows.iter().any(|row| row.contains("edge-1")));
}

#[test]
fn a_value_that_was_changed_in_place_in_a_large_file_is_noticed_within_the_budget_of_a_turn() {
    let mut read = Read::with(ReadOptions { bytes_per_turn: 100_000, ..ReadOptions::default() });
    let content = format!("{HEADER}{}", rows(0..20_000));
    read.write("a.csv", &content);
    read.write("b.csv", HEADER);
    read.all();
    read.write("a.csv", content.replace(&row(19_000), &row(19_000).replace("core", "edge")));
    touch(&read, "a.csv", 5);
    read.append("b.csv", row(1));
    // The other file is not held up meanwhile.
    let first = read.scan();
    assert!(!first.caught_up && first.rows.len() == 1, "{}", first.rows.len());
    read.all();
    assert!(read.notices[0].starts_with("a.csv was rewritten"), "{:?}", read.notices);
    assert_eq!(read.rows.len(), 40_001);
}

#[test]
fn a_change_in_the_same_moment_as_the_reading_is_noticed() {
    let mut read = Read::new();
    read.write("a.csv", format!("{HEADER}{}", rows(0..3)));
    let time = fs::metadata(read.path("a.csv")).unwrap().modified().unwrap();
    read.tailer.set_clock(time + Duration::from_millis(50));
    read.all();
    read.write("a.csv", format!("{HEADER}{}", rows(0..3)).replace(",1\n", ",8\n"));
    File::options().write(true).open(read.path("a.csv")).unwrap().set_modified(time).unwrap();
    // The next look may come much later, as a scan without events does.
    read.tailer.set_clock(time + Duration::from_secs(3600));
    read.all();
    assert_eq!(read.means(), [0.0, 1.0, 2.0, 0.0, 8.0, 2.0]);
}

#[test]
fn of_very_many_files_some_are_compared_at_each_look() {
    let mut read = Read::new();
    let changed: Vec<String> = [0, 121, 249].iter().map(|i| format!("{i:03}.csv")).collect();
    for i in 0..250 {
        read.write(&format!("{i:03}.csv"), format!("{HEADER}{}", rows(0..3)));
    }
    let written = SystemTime::now();
    let keep_time = |path| File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
    changed.iter().for_each(|name| keep_time(read.path(name)));
    read.tailer.set_clock(written);
    read.all();
    for name in &changed {
        read.write(name, format!("{HEADER}{}", rows(0..3)).replace(",1\n", ",8\n"));
        keep_time(read.path(name));
    }
    read.tailer.set_clock(written + Duration::from_secs(3600));
    let mut looks = 0;
    while read.rows.len() < 253 * 3 {
        looks += 1;
        assert!(looks <= 3, "each file has its turn within three looks: {} rows", read.rows.len());
        read.all();
    }
    assert_eq!(read.notices.len(), 3, "{:?}", read.notices);
}

#[test]
fn a_file_that_was_only_touched_is_not_read_again() {
    let mut read = started(0..300);
    touch(&read, "a.csv", 5);
    read.all();
    assert_eq!((read.rows.len(), read.files.len(), read.notices.len()), (300, 1, 0));
}

#[test]
fn a_file_that_vanishes_keeps_its_rows_and_the_others_go_on() {
    let mut read = started(0..3);
    read.write("b.csv", format!("{HEADER}{}", row(3)));
    read.all();
    fs::remove_file(read.path("a.csv")).unwrap();
    read.append("b.csv", row(4));
    let batch = read.all();
    assert_eq!((read.means(), batch.open_files, batch.caught_up), (numbers(0..5), 1, true));
    assert_eq!(read.notices, [""; 0]);
    // That its rows stand nowhere any more is said of the directory as a whole, and of a file that became shorter.
    assert_eq!(read.states.gone(), Gone::default(), "it may come back under another name within a few looks");
    (0..3).for_each(|_| drop(read.all()));
    assert_eq!(read.states.gone(), Gone { files: 1, rows: 3 });
    read.write("b.csv", format!("{HEADER}{}", row(4)));
    read.all();
    let state = read.states.by_path()[0].clone();
    assert_eq!((state.rows, state.before, read.means().len()), (1, 2, 6));
}

#[test]
fn another_file_that_gets_the_identity_of_a_deleted_one_is_not_taken_for_it() {
    let mut read = started(0..3);
    // A rename within one file system keeps the identity, so this stands for its being given again.
    fs::write(read.path("a.csv"), format!("{HEADER}{}", rows(20..30))).unwrap();
    fs::rename(read.path("a.csv"), read.path("b.csv")).unwrap();
    read.all();
    assert_eq!(read.means()[3..], numbers(20..30));
    // And not read at all where it is no file of rows.
    fs::write(read.path("b.csv"), format!("{HEADER}{}", rows(40..60))).unwrap();
    fs::rename(read.path("b.csv"), read.path("b.tmp")).unwrap();
    read.all();
    read.all();
    assert_eq!(read.rows.len(), 13);
}

#[test]
fn a_file_with_two_names_is_read_once() {
    let mut read = started(0..3);
    fs::hard_link(read.path("a.csv"), read.path("0.csv")).unwrap();
    std::os::unix::fs::symlink("a.csv", read.path("newest.csv")).unwrap();
    read.append("a.csv", row(3));
    let batch = read.all();
    assert_eq!((read.means(), batch.open_files), (numbers(0..4), 1));
}

#[test]
fn a_file_that_may_not_be_read_is_said_once_and_tried_again() {
    let mut read = started(0..3);
    read.write("b.csv", format!("{HEADER}{}", row(3)));
    fs::set_permissions(read.path("b.csv"), Permissions::from_mode(0o000)).unwrap();
    if File::open(read.path("b.csv")).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    for _ in 0..3 {
        assert!(read.all().caught_up);
    }
    assert_eq!((read.rows.len(), read.notices.len()), (3, 1));
    assert!(read.notices[0].starts_with("b.csv cannot be read"), "{}", read.notices[0]);
    fs::set_permissions(read.path("b.csv"), Permissions::from_mode(0o644)).unwrap();
    read.all();
    assert_eq!((read.means(), read.notices.len()), (numbers(0..4), 1));
}

#[test]
fn a_directory_that_vanishes_is_said_once_and_read_again_when_it_is_back() {
    let mut read = started(0..3);
    let (dir, aside) = (read.dir.path().to_owned(), read.dir.path().with_extension("aside"));
    fs::rename(&dir, &aside).unwrap();
    assert!(read.all().caught_up);
    let batch = read.all();
    assert!(batch.caught_up && batch.unlisted);
    assert_eq!(read.notices.len(), 1);
    assert!(read.notices[0].contains("cannot be listed"), "{}", read.notices[0]);
    fs::rename(&aside, &dir).unwrap();
    read.append("a.csv", row(3));
    assert!(!read.all().unlisted);
    // Its files were not forgotten meanwhile.
    assert_eq!((read.means(), read.notices.len()), (numbers(0..4), 2));
    assert!(read.notices[1].contains("can be listed again"), "{}", read.notices[1]);
}

#[test]
fn a_directory_that_may_be_listed_but_not_entered_is_said() {
    let mut read = started(0..3);
    let dir = read.dir.path().to_owned();
    fs::set_permissions(&dir, Permissions::from_mode(0o600)).unwrap();
    if File::open(read.path("a.csv")).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    read.all();
    fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
    read.all();
    assert_eq!((read.rows.len(), read.notices.len()), (3, 2));
    assert!(read.notices[0].contains("cannot be listed"), "{}", read.notices[0]);
}

/// What a file is read on to without a look at the directory: the numbers of its new rows; none where that
/// takes a scan.
fn read_on(read: &mut Read, name: &str) -> Option<Vec<f64>> {
    match read.tailer.read_on(&[read.path(name)]) {
        ReadOn::New(batch) => {
            assert!(batch.caught_up && batch.progress.read == batch.progress.total && batch.open_files == 2);
            Some(batch.rows.iter().map(|row| row.mean).collect())
        }
        ReadOn::Nothing => Some(vec![]),
        ReadOn::Unclear => None,
    }
}

#[test]
fn what_was_appended_is_read_without_a_look_at_the_directory_and_all_else_is_not() {
    let mut read = started(0..3);
    read.write("b.csv", HEADER.to_owned() + &rows(10..11));
    read.scan();
    read.append("a.csv", rows(3..5) + &row(5)[..10]);
    assert_eq!(read_on(&mut read, "a.csv"), Some(numbers(3..5)), "complete lines");
    assert_eq!(read_on(&mut read, "a.csv"), Some(vec![]), "what is known is not read again");
    read.append("a.csv", &row(5)[10..]);
    assert_eq!(read_on(&mut read, "a.csv"), Some(numbers(5..6)));
    read.write("c.csv", HEADER.to_owned() + &rows(20..21));
    assert_eq!(read_on(&mut read, "c.csv"), None, "a new file");
    read.write("b.csv", HEADER.to_owned() + &rows(30..31));
    touch(&read, "b.csv", 5);
    assert_eq!(read_on(&mut read, "b.csv"), None, "written anew at the same length");
    fs::rename(read.path("c.csv"), read.path("a.csv")).unwrap();
    assert_eq!(read_on(&mut read, "a.csv"), None, "another file under the name");
    let before = read.means().len();
    read.scan();
    assert_eq!(read.means()[before..], [30.0, 20.0][..], "each row once; a scan says the rest");
    read.append("a.csv", row(21));
    read.append("gone.csv", HEADER);
    assert_eq!(read_on(&mut read, "gone.csv"), None);
}
