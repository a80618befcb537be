//! A score depends on its row and on earlier ones: whatever comes later changes nothing of it.

use noctop::random::Random;
use noctop::series::{InterfaceName, Timestamp};

use crate::support::*;

/// Scores `rows` whole and cut at many places, and compares what is said of the rows before each cut.
fn check(rows: &[RawRow], seed: u64, cuts: usize) {
    let place = Place::new();
    write_rows(&place.join("whole"), rows);
    let whole = said(&scored(&place.join("whole"), 2));
    let mut random = Random::new(seed);
    let names: Vec<&InterfaceName> = whole.keys().collect();
    for n in 0..cuts {
        // At the row of some interface: one of its first, one where something is fitted or kept, any.
        let of = &whole[names[random.below(names.len())]];
        let row = match n % 3 {
            0 => 1 + random.below(26),
            1 => [24, 25, 48, 49, 64, 72, 96, 128, 129, 192, 193][random.below(11)],
            _ => random.below(of.len()),
        };
        let cut = of[row.min(of.len() - 1)].0;
        let dir = place.join(&format!("cut-{n}"));
        write_rows(&dir, rows.iter().filter(|row| row.time < cut));
        if rows.iter().all(|row| row.time >= cut) {
            continue;
        }
        for (name, part) in said(&scored(&dir, 1 + n % 2)) {
            let same = &whole[&name][..part.len()];
            for (got, want) in part.iter().zip(same) {
                assert_eq!(got, want, "{name} at {}, cut at {cut}", got.0);
            }
            let before = whole[&name].iter().filter(|(time, ..)| *time < cut).count();
            assert_eq!(part.len(), before, "{name}, cut at {cut}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn an_hourly_fleet_of_every_nature() {
    check(&fleet_rows(&plan(11, 3600, 21, 3, 5)), 1, 15);
}

#[test]
fn a_five_minute_fleet_of_every_nature() {
    check(&fleet_rows(&plan(12, 300, 3, 3, 5)), 2, 12);
}

#[test]
fn a_fleet_that_the_model_learnt_from() {
    // The sample's own names and rhythm: known interfaces, own calibration.
    check(&fleet_rows(&noctop::simulate::Plan { days: 16, ..Default::default() }), 3, 8);
}

#[test]
fn series_that_no_collector_should_write() {
    check(&odd_rows(), 4, 24);
}

/// Jitter, gaps, repeats, a step that changes, constants, zeros, negative and huge values.
fn odd_rows() -> Vec<RawRow> {
    let mut random = Random::new(77);
    let mut rows = Vec::new();
    let start = 1_767_571_200;
    let kinds = [
        "jitter", "gaps", "repeats", "faster", "slower", "constant", "zeros", "negative", "huge", "sawtooth", "sparse",
    ];
    for (k, kind) in kinds.into_iter().enumerate() {
        let name = InterfaceName::new(if k % 2 == 0 { "odd-1" } else { "odd-2" }, kind);
        let mut time = start + 1800 * k as i64;
        for i in 0..500usize {
            let day = libm::sin((time % 86_400) as f64 / 86_400.0 * std::f64::consts::TAU);
            let usual = 500.0 + 200.0 * day + 15.0 * random.normal();
            let outlier = if random.chance(0.01) { 5.0 } else { 1.0 };
            let mean = match kind {
                "constant" => 42.0,
                "zeros" => f64::from(u8::from(i % 97 == 96)),
                "negative" => -usual * outlier,
                "huge" => 1e15 * usual,
                "sawtooth" => (i % 7) as f64 * 1000.0,
                _ => usual * outlier,
            };
            rows.push(RawRow {
                name: name.clone(),
                time: Timestamp::from_seconds(time),
                max: mean + 40.0 * random.unit(),
                mean,
            });
            if kind == "repeats" && random.chance(0.2) {
                let again = RawRow { mean: mean * 1.1, ..rows[rows.len() - 1].clone() };
                rows.push(again);
            }
            time += match kind {
                "jitter" => 3600 + random.below(240) as i64 - 120,
                "gaps" if random.chance(0.05) => 3600 * (2 + random.below(40) as i64),
                "faster" if i >= 250 => 300,
                "slower" if i < 250 => 300,
                "sparse" => [1, 7, 60, 3600, 86_400][random.below(5)],
                _ => 3600,
            };
        }
    }
    rows.sort_by_key(|row| row.time);
    rows
}

#[test]
fn the_binary_says_the_same_of_rows_before_a_cut() {
    let place = Place::new();
    let rows = fleet_rows(&plan(13, 3600, 14, 2, 4));
    let score = |rows: Vec<&RawRow>| {
        std::fs::remove_dir_all(place.rows()).unwrap();
        write_rows(&place.rows(), rows);
        place.run(["score", "rows"]).fine().out
    };
    let whole = score(rows.iter().collect());
    let cut = hour(200);
    let part = score(rows.iter().filter(|row| row.time < cut).collect());
    // All but incident and story, to the byte.
    let columns = |text: &str| -> Vec<String> {
        let fields = |line: &str| line.split(',').take(14).collect::<Vec<_>>().join(",");
        text.lines().skip(1).filter(|line| *line < cut.to_string().as_str()).map(fields).collect()
    };
    assert_eq!(columns(&part).len(), part.lines().count() - 1);
    assert!(columns(&part).len() > 8 * 150);
    assert_eq!(columns(&part), columns(&whole));
}
