//! Which rows come out, and where they are said to stand.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::ingest::IngestError;

/// What one read of `content` gives.
fn at_once(content: &[u8]) -> Read {
    let mut read = Read::new();
    read.write("a.csv", content);
    read.all();
    read
}

fn same(a: &Read, b: &Read) {
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.refusals, b.refusals);
    assert_eq!((a.refused, &a.notices), (b.refused, &b.notices));
}

#[test]
fn a_row_torn_at_any_byte_comes_out_once_and_whole() {
    let content = format!("\u{feff}{HEADER}{}2026-11-23 14:05:00,\"co\"\"re\n2\",xe-0,1e3,-7\r\n{}", row(1), row(2));
    let want = at_once(content.as_bytes());
    assert_eq!(want.rows.len(), 3);
    for cut in 0..content.len() {
        let (first, second) = content.as_bytes().split_at(cut);
        let mut read = Read::new();
        read.write("a.csv", first);
        assert!(read.all().caught_up);
        read.append("a.csv", second);
        read.all();
        same(&read, &want);
    }
}

#[test]
fn the_engine_sees_rows_with_names_lines_and_progress() {
    let mut read = Read::new();
    read.write("a.csv", format!("{HEADER}{}", rows(0..4)));
    let batch = read.all();
    assert_eq!(read.rows[3], "0:5 2026-11-01 00:03:00 core-1 xe-0 6.5 3");
    assert_eq!((read.names.len(), read.files.len(), batch.open_files), (3, 1, 1));
    assert_eq!(batch.progress.read, batch.progress.total);
    read.append("a.csv", row(4));
    read.write("b.csv", format!("{HEADER}2026-11-01 00:00:00,core-2,xe-0,1,1\n"));
    let batch = read.all();
    assert_eq!((batch.names.len(), batch.files.len(), batch.open_files), (1, 1, 2));
    assert_eq!(
        read.rows[4..],
        ["0:6 2026-11-01 00:04:00 core-1 xe-1 8.5 4", "1:2 2026-11-01 00:00:00 core-2 xe-0 1 1"]
    );
    let idle = read.all();
    assert!(idle.rows.is_empty() && idle.names.is_empty() && idle.files.is_empty() && idle.caught_up);
}

#[test]
fn line_ends_marks_orders_and_extra_columns_do_not_matter() {
    let mut read = Read::new();
    read.write("a.csv", "\u{feff}\"a\nnote\",IfName, MEAN_metric_value,max_metric_value,hostname,timeslot\r\n\"a,b\",xe-0,1,2,core-1,2026-11-23T14:05Z\r\n\r\n");
    read.write("b.csv", "\n\r\ntimeslot,hostname,ifname,max_metric_value,mean_metric_value\n\n  \n2026-11-23 14:06:00,core-1,xe-0,4,3\n");
    read.all();
    assert_eq!(read.notices, [""; 0]);
    assert_eq!(read.rows, ["0:3 2026-11-23 14:05:00 core-1 xe-0 2 1", "1:6 2026-11-23 14:06:00 core-1 xe-0 4 3"]);
    assert_eq!(read.refused, 0);
}

#[test]
fn options_map_names_delimiter_and_zone() {
    let mut options = ReadOptions { delimiter: b';', ..ReadOptions::default() };
    options.columns.max_metric_value = "Peak".into();
    options.time_zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    let mut read = Read::with(options);
    read.write("a.csv", "timeslot;hostname;ifname;peak;mean_metric_value\n2026-11-23 14:05:00;a,b;c;2;1\n");
    read.all();
    assert_eq!(read.rows, ["0:2 2026-11-23 12:05:00 a,b c 2 1"]);
}

#[test]
fn refused_lines_have_their_number_and_the_others_go_on() {
    let content = format!(
        "{HEADER}{}\n2026-11-23 14:05:00,core-1,xe-0,abc,1\n2026-11-23 14:05:00,\"core\n\n1\",xe-0,1,NaN\r\n\
         noon,a,b,1,1\n{}2026-11-23 14:05:00,core-1,xe-0\n2026-11-23 14:05:00,,xe-0,1,1\n",
        row(1),
        row(2)
    );
    let mut bytes = content.into_bytes();
    bytes.extend_from_slice(b"2026-11-23 14:05:00,caf\xe9,xe-0,1,1\n");
    let read = at_once(&bytes);
    let want = [
        "a.csv:4 max_metric_value is \"abc\": not a number",
        "a.csv:5 mean_metric_value is \"NaN\": not a finite number",
        "a.csv:8 timeslot is \"noon\": not a time such as 2026-11-23 14:05:00",
        "a.csv:10 has 3 fields, too few: max_metric_value would be field 4",
        "a.csv:11 hostname is empty",
        "a.csv:12 hostname is not valid UTF-8: write the file as UTF-8",
    ];
    assert_eq!(read.refusals, want);
    assert_eq!((read.refused, read.means()), (6, numbers(1..3)));
    assert!(read.rows[1].starts_with("0:9 "), "{}", read.rows[1]);
}

#[test]
fn refusals_are_bounded_and_counted() {
    let mut read = Read::new();
    read.write("a.csv", format!("{HEADER}{}", "bad\n".repeat(250)));
    let batch = read.scan();
    assert_eq!((batch.refused, batch.refusals.len()), (250, 100));
    assert_eq!((batch.refusals[0].line, batch.refusals[99].line), (152, 251));
}

#[test]
fn a_file_without_a_column_is_named_and_the_others_go_on() {
    let mut read = Read::new();
    read.write("a.csv", format!("time,hostname,ifname,max_metric_value,mean_metric_value\n{}", row(1)));
    read.write("b.csv", format!("{HEADER}{}", row(2)));
    let batch = read.all();
    assert_eq!((read.means(), batch.open_files), (numbers(2..3), 1));
    assert_eq!(read.notices.len(), 1);
    assert!(read.notices[0].starts_with("a.csv skipped: has no column timeslot"), "{}", read.notices[0]);
    assert!(read.notices[0].contains("\"time\""), "{}", read.notices[0]);
    // Said once, also when the file grows; told anew when the header is mended in place.
    read.append("a.csv", row(3));
    read.all();
    assert_eq!((read.notices.len(), read.means().len()), (1, 1));
    read.write("a.csv", format!("{HEADER}{}", row(4)));
    read.all();
    assert_eq!(read.means(), [2.0, 4.0]);
}

#[test]
fn what_noctop_writes_itself_is_not_read() {
    let mut read = Read::new();
    read.write("scores.csv", "timeslot,hostname,ifname,max_metric_value,mean_metric_value,max_expected,mean_expected,max_error,mean_error,score,notify,verdict,cluster,anomaly,incident,story\n2026-11-23 14:05:00,a,b,1,1,1,1,0,0,0,0,nominal,0,0,,\n");
    read.write(
        "incidents.csv",
        "hostname,ifname,id,kind,start,end,peak,direction,story\na,b,1,spike,2026-11-23 14:05:00,,1,up,\n",
    );
    read.write("labels.csv", "hostname,ifname,start,end,kind,story\n");
    let batch = read.all();
    read.all();
    assert_eq!((read.rows.len(), batch.open_files, read.notices.len()), (0, 0, 3));
    assert!(read.notices.iter().all(|n| n.contains("not samples")), "{:?}", read.notices);
}

#[test]
fn files_that_are_no_csv_of_utf8_are_said_to_be_so() {
    let mut read = Read::new();
    read.write("a.csv", b"\xff\xfet\0i\0m\0e\0\n\0");
    read.write("b.csv", "x".repeat(2 << 20));
    read.write("c.csv", "");
    read.all();
    assert_eq!(read.notices.len(), 2);
    assert!(read.notices[0].starts_with("a.csv skipped: is UTF-16"), "{}", read.notices[0]);
    assert!(read.notices[1].starts_with("b.csv skipped: does not begin with a header"), "{}", read.notices[1]);
}

#[test]
fn a_line_that_is_too_long_is_refused_once_and_passed_over() {
    let long = "x".repeat(3 << 20);
    let content = format!("{HEADER}{}{long}\n{}", row(1), row(2));
    let want = at_once(content.as_bytes());
    assert_eq!(want.means(), numbers(1..3));
    assert_eq!(want.refusals.len(), 1);
    assert!(want.refusals[0].starts_with("a.csv:3 is longer than 1 MiB"), "{}", want.refusals[0]);
    assert!(want.rows[1].starts_with("0:4 "), "{}", want.rows[1]);
    // The same when it comes in pieces, or in small turns.
    let mut pieces = Read::with(ReadOptions { bytes_per_turn: 100_000, ..ReadOptions::default() });
    for piece in content.as_bytes().chunks(700_001) {
        pieces.append("a.csv", piece);
        pieces.all();
    }
    same(&pieces, &want);
}

#[test]
fn the_longest_line_that_is_taken_is_taken_at_any_pace() {
    let line = |length: usize| {
        let row = row(1);
        format!("{}{}{}", &row[..row.len() - 1], " ".repeat(length - row.len()), "\n")
    };
    for (length, taken) in [(1 << 20, 1), ((1 << 20) + 1, 0)] {
        let content = format!("{HEADER}{}", line(length));
        let want = at_once(content.as_bytes());
        assert_eq!((want.rows.len(), want.refused), (taken, 1 - taken as u64), "{length}");
        let mut read = Read::new();
        read.write("a.csv", &content[..content.len() - 1]);
        read.all();
        read.append("a.csv", "\n");
        read.all();
        same(&read, &want);
    }
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_line_only() {
    let broken = "2026-11-23 14:05:00,\"core-1,xe-0,1,1\n";
    let content = format!("{HEADER}{}{broken}{}", row(0), rows(1..100));
    let read = at_once(content.as_bytes());
    assert_eq!(read.means(), numbers(0..100));
    assert_eq!(read.refusals.len(), 1);
    assert!(read.refusals[0].starts_with("a.csv:3 a quote that opens here"), "{}", read.refusals[0]);
    // While too little follows to be sure, it waits; whoever reads once gets the rest.
    let mut read = at_once(format!("{HEADER}{broken}{}", rows(1..3)).as_bytes());
    assert_eq!((read.rows.len(), read.refused), (0, 0));
    read.finish();
    assert_eq!((read.means(), read.refused), (numbers(1..3), 1));
}

#[test]
fn a_last_line_without_its_newline_counts_when_asked_for_or_after_a_while() {
    let content = format!("{HEADER}{}", rows(0..3));
    let mut read = Read::new();
    read.write("a.csv", content.trim_end());
    read.all();
    assert_eq!(read.means(), numbers(0..2));
    let waits = |read: &Read| read.states.by_path()[0].pending.is_some();
    assert!(waits(&read));
    read.finish();
    assert_eq!((read.means(), waits(&read)), (numbers(0..3), false));
    assert!(read.rows[2].starts_with("0:4 "));
    read.finish();
    assert_eq!(read.rows.len(), 3);
    // It goes on all the same, even within that line.
    read.append("a.csv", format!("5\n{}", row(3)));
    read.all();
    assert_eq!((&read.means()[3..], read.states.by_path()[0].rows), (&[25.0, 3.0][..], 4));
    assert!(read.rows[3].starts_with("0:4 "), "{}", read.rows[3]);

    let mut read = Read::new();
    read.write("a.csv", content.trim_end());
    age(&read, "a.csv");
    read.all();
    read.all();
    assert_eq!((read.means(), read.files.len()), (numbers(0..3), 1));
    read.append("a.csv", "\n");
    read.all();
    assert_eq!((read.means(), read.states.by_path()[0].rows), ([numbers(0..3), numbers(2..3)].concat(), 3));
}

#[test]
fn a_quote_at_the_end_that_is_closed_after_all_is_a_row_after_all() {
    let mut read = Read::new();
    read.write("a.csv", format!("{HEADER}2026-11-23 14:05:00,\"core-1,xe-0,1,1\n{}", row(1)));
    age(&read, "a.csv");
    read.all();
    assert_eq!((read.means(), read.refused), (numbers(1..2), 1));
    read.append("a.csv", format!("\",xe-0,7,7\n{}", row(2)));
    read.all();
    assert_eq!(read.means()[1..], [7.0, 2.0]);
    // Where a turn ends just behind it, the rest is read on and not all of it again and again.
    let mut read = Read::with(ReadOptions { bytes_per_turn: 1, ..ReadOptions::default() });
    read.write("a.csv", format!("{HEADER}2026-11-23 14:05:00,\"core-1,xe-0,1,1\n{}", rows(1..4)));
    read.all();
    read.finish();
    assert_eq!((read.means(), read.refused, read.notices.len()), (numbers(1..4), 1, 0));
}

#[test]
fn packed_files_are_read_like_others() {
    let content = format!("{HEADER}bad\n{}", rows(0..2000));
    let want = at_once(content.as_bytes());
    for bytes_per_turn in [1, 5000, 4 << 20] {
        let mut read = Read::with(ReadOptions { bytes_per_turn, ..ReadOptions::default() });
        read.write("a.csv", "");
        fs::remove_file(read.path("a.csv")).unwrap();
        read.write("a.csv.gz", gzip(content.trim_end().as_bytes()));
        age(&read, "a.csv.gz");
        let batch = read.all();
        assert_eq!((&read.rows, read.refused, &read.notices), (&want.rows, 1, &vec![]), "{bytes_per_turn}");
        assert_eq!(batch.progress.read, batch.progress.total);
        // And not again, under whatever name.
        fs::rename(read.path("a.csv.gz"), read.path("b.csv.1.gz")).unwrap();
        read.all();
        assert_eq!((read.rows.len(), &read.notices), (2000, &vec![]));
    }
}

#[test]
fn a_packed_file_that_is_cut_short_or_no_such_file_is_said_and_read_when_it_is_mended() {
    let packed = gzip(format!("{HEADER}{}", rows(0..2000)).as_bytes());
    let mut read = Read::new();
    read.write("a.csv.gz", &packed[..packed.len() / 2]);
    read.write("b.csv.gz", "rows,that,are,not,packed\n");
    read.write("c.csv", format!("{HEADER}{}", rows(5000..5003)));
    for file in ["a.csv.gz", "b.csv.gz"] {
        age(&read, file);
    }
    assert!(read.all().caught_up && read.all().caught_up);
    assert_eq!(read.notices.len(), 2, "{:?}", read.notices);
    assert!(read.notices[0].starts_with("a.csv.gz ends before"), "{}", read.notices[0]);
    assert!(read.notices[1].starts_with("b.csv.gz cannot be unpacked"), "{}", read.notices[1]);
    read.write("a.csv.gz", &packed);
    read.finish();
    assert_eq!((read.rows.len(), read.tailer.left().unfinished.len()), (3, 1), "nobody reads what is being written");
    age(&read, "a.csv.gz");
    read.finish();
    let last = read.states.by_path()[0].clone();
    assert_eq!((last.rows, last.read, last.size), (2000, packed.len() as u64, packed.len() as u64));
    // Nothing at all is no packed file, either.
    read.write("d.csv.gz", "");
    age(&read, "d.csv.gz");
    read.all();
    assert!(read.notices.last().unwrap().starts_with("d.csv.gz ends before"), "{:?}", read.notices);
}

#[test]
fn half_a_header_that_stays_one_is_told_and_read_again_when_it_is_completed() {
    let mut read = Read::new();
    let unread = |read: &Read| read.tailer.left().unread.len();
    read.write("a.csv", &HEADER[..40]);
    read.write("b.csv", HEADER.trim_end());
    read.all();
    assert_eq!((read.notices.len(), unread(&read)), (0, 0), "it may be half of one: {:?}", read.notices);
    ["a.csv", "b.csv"].iter().for_each(|name| age(&read, name));
    let mut read =
        Read { tailer: Tailer::new(vec![(Root::Data, read.path(""))], ReadOptions::default()).unwrap(), ..read };
    assert!(read.all().caught_up && read.all().caught_up);
    assert_eq!((read.notices.len(), unread(&read)), (1, 1), "{:?}", read.notices);
    assert!(read.notices[0].starts_with("a.csv skipped: has no columns"), "{}", read.notices[0]);
    read.append("a.csv", format!("{}{}", &HEADER[40..], rows(0..3)));
    read.append("b.csv", format!("\n{}", rows(3..5)));
    read.all();
    let mut means = read.means();
    means.sort_by(f64::total_cmp);
    assert_eq!((means, unread(&read)), (numbers(0..5), 0));
}

#[test]
fn how_each_file_is_can_be_seen() {
    use crate::ingest::Condition;
    let mut read = Read::with(ReadOptions { bytes_per_turn: 300, ..ReadOptions::default() });
    read.write("a.csv", format!("{HEADER}{}bad\n", rows(0..3)));
    read.write("b.csv", "a,b\n1,2\n");
    read.write("c.csv", format!("{HEADER}{}", rows(3..100)));
    read.scan();
    let of = |read: &Read, at: usize| {
        let state = read.states.by_path()[at].clone();
        (state.condition.word(), state.rows, state.refused, state.read == state.size)
    };
    read.scan();
    assert_eq!(
        (of(&read, 0), of(&read, 1), of(&read, 2).0),
        (("read", 3, 1, true), ("skipped", 0, 0, false), "reading")
    );
    assert!(matches!(&read.states.by_path()[1].condition, Condition::Skipped(why) if why.contains("has no columns")));
    read.all();
    assert_eq!(
        (of(&read, 2), read.states.by_path()[2].newest.unwrap().to_string()),
        (("read", 97, 0, true), "2026-11-01 01:39:00".into())
    );
    fs::remove_file(read.path("a.csv")).unwrap();
    (0..4).for_each(|_| drop(read.all()));
    assert_eq!(read.states.by_path().len(), 2);
}

#[test]
fn tiny_turns_give_the_same_rows() {
    let content = format!("{HEADER}{}bad\n{}", rows(0..20), rows(20..40));
    let want = at_once(content.as_bytes());
    for bytes_per_turn in [0, 1, 7, 64, 1000] {
        let mut read = Read::with(ReadOptions { bytes_per_turn, ..ReadOptions::default() });
        read.write("a.csv", &content);
        let first = read.scan();
        assert!(!first.caught_up && first.progress.read < first.progress.total, "{bytes_per_turn}");
        assert_eq!(first.progress.total, content.len() as u64);
        read.all();
        same(&read, &want);
    }
}

#[test]
fn a_large_new_file_does_not_hold_up_the_live_ones_and_new_ones_come_in_order() {
    let mut read = Read::with(ReadOptions { bytes_per_turn: 2000, ..ReadOptions::default() });
    read.write("y.csv", format!("{HEADER}{}", row(0)));
    read.write("z.csv", format!("{HEADER}{}", row(0)));
    read.all();
    read.write("b.csv", format!("{HEADER}{}", rows(1000..3000)));
    read.write("c.csv", format!("{HEADER}{}", rows(3000..3010)));
    let mut before = read.scan().progress.read;
    for i in 1..20 {
        read.append("y.csv", row(i));
        read.append("z.csv", row(i));
        let batch = read.scan();
        let of = |file| batch.rows.iter().filter(|r| r.origin.file.index() == file).count();
        assert!(of(0) == 1 && of(1) == 1 && of(2) > 0, "turn {i}: {} {} {}", of(0), of(1), of(2));
        assert!(!batch.caught_up);
        // The live files' share is part of the turn, which may go over by a record.
        assert!(batch.progress.read - before <= 2050, "turn {i}");
        before = batch.progress.read;
    }
    read.all();
    let backlog: Vec<f64> = read.means().into_iter().filter(|m| *m >= 1000.0).collect();
    assert_eq!(backlog, numbers(1000..3010));
}

#[test]
fn directories_that_cannot_be_read_are_errors_that_name_them() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path| Tailer::new(vec![(Root::Data, path.to_owned())], ReadOptions::default());
    let missing = open(&dir.path().join("nowhere")).unwrap_err();
    assert!(matches!(missing, IngestError::Missing { .. }));
    assert!(missing.to_string().contains("nowhere does not exist"), "{missing}");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(open(&file).unwrap_err().to_string().contains("file is not a directory"));
}

#[test]
fn history_is_read_first_and_marked_as_such() {
    let (data, history) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(data.path().join("a.csv"), format!("{HEADER}{}", row(1))).unwrap();
    fs::write(history.path().join("b.csv"), format!("{HEADER}{}", row(0))).unwrap();
    let roots = vec![(Root::Data, data.path().to_owned()), (Root::History, history.path().to_owned())];
    let batch = Tailer::new(roots, ReadOptions::default()).unwrap().finish();
    let read: Vec<_> = batch.rows.iter().map(|r| (batch.files[r.origin.file.index()].root, r.mean)).collect();
    assert_eq!(read, [(Root::History, 0.0), (Root::Data, 1.0)]);
}

/// The real export of a switch, where the data that is shared between projects lies beside this one.
#[test]
fn a_real_export_is_read_whole() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let shared = std::env::var_os("NOCTOP_SHARED_DATA").map_or_else(beside, PathBuf::from);
    let dir = shared.join("switch");
    if !dir.is_dir() {
        eprintln!("skipped: {} is not there; set NOCTOP_SHARED_DATA", dir.display());
        return;
    }
    let mut tailer = Tailer::new(vec![(Root::Data, dir)], ReadOptions::default()).unwrap();
    let (mut rows, mut names, mut refused) = (0, 0, 0);
    loop {
        let batch = tailer.finish();
        rows += batch.rows.len();
        names += batch.names.len();
        refused += batch.refused;
        if batch.caught_up {
            break;
        }
    }
    assert_eq!((rows, names, refused), (7410, 10, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_into_pieces_gives_the_same_rows(
        lines in prop::collection::vec(0usize..9, 1..40),
        cuts in prop::collection::vec(0usize..4000, 0..12),
        bytes_per_turn in prop_oneof![Just(1usize), Just(50), Just(4 << 20)],
    ) {
        let mut content = HEADER.to_owned();
        for (i, kind) in lines.iter().enumerate() {
            match kind {
                0..=3 => content.push_str(&row(i)),
                4 => content.push_str(&format!("2026-11-23 14:{:02}:00,\"core\n\"\"{i}\",xe-0,1,{i}\r\n", i % 60)),
                5 => content.push_str("\r\n"),
                6 => content.push_str("2026-11-23 14:05:00,\"core\"x\"1,xe-0,inf,1\n"),
                // Where a piece begins with it, too, the mark belongs to the slot, which is none then.
                7 => content.push_str("\u{feff}2026-11-23 14:05:00,\"core\",xe-0,1,1\n"),
                _ => content.push_str("wrong\n"),
            }
        }
        let want = at_once(content.as_bytes());
        prop_assert_eq!(want.rows.len() as u64 + want.refused, lines.iter().filter(|k| **k != 5).count() as u64);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c % content.len()).collect();
        cuts.push(content.len());
        cuts.sort_unstable();
        let mut read = Read::with(ReadOptions { bytes_per_turn, ..ReadOptions::default() });
        let mut from = 0;
        for cut in cuts {
            read.append("a.csv", &content.as_bytes()[from..cut]);
            from = cut;
            read.all();
        }
        prop_assert_eq!(&read.rows, &want.rows);
        prop_assert_eq!(&read.refusals, &want.refusals);
    }
}
