//! Makes the README's pictures: the real engine over the rows of `noctop demo`, drawn by the real
//! console once keys were pressed. The same pictures every time.
//!
//! ```text
//! cargo run --release --example picture -- docs/console.svg
//! cargo run --release --example picture -- docs/triage.svg w terminal 100x30
//! ```

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use noctop::console::Options;
use noctop::console::key::Key;
use noctop::console::picture::Still;
use noctop::console::theme::{Colors, Palette};
use noctop::engine::view::{Surroundings, Viewer};
use noctop::engine::{Command, Engine, ModelView, SourceView, WatchMode};
use noctop::ingest::{ReadOptions, Root, Tailer};
use noctop::model::Model;
use noctop::series::Timestamp;
use noctop::simulate::live::LiveFleet;
use noctop::simulate::{Plan, Target};

/// Seed of `noctop demo`, and when its history ends: 2026-11-23 14:00 UTC.
const SEED: u64 = 5;
const NOW: Timestamp = Timestamp::from_seconds(1_795_442_400);
/// Hours after the history: three interfaces of a device have spiked, another one has fallen to nothing.
const HOURS: usize = 8;
const SIZE: (u16, u16) = (120, 34);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let file = arguments.next().map(PathBuf::from);
    let usage = "name the file to write, and keys to press, a theme and a size: picture FILE [KEYS [THEME [120x34]]]";
    let file = file.ok_or_else(|| anyhow::anyhow!(usage))?;
    let mut text = || arguments.next().map(|word| word.to_string_lossy().into_owned());
    let (keys, theme, size) = (text().unwrap_or_default(), text(), text());
    let palette =
        theme.map(|name| Palette::named(&name).ok_or_else(|| anyhow::anyhow!("no theme {name}"))).transpose()?;
    let colors = if palette.is_some() { Colors::Many } else { Colors::Sixteen };
    let options = Options { palette: palette.unwrap_or_default(), colors, ..Options::default() };
    let size = size.and_then(|size| size.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?))));
    let place = std::env::temp_dir().join(format!("noctop-picture-{}", std::process::id()));
    let made = draw(&place.join("rows"), &keys, options, size.unwrap_or(SIZE));
    std::fs::remove_dir_all(&place)?;
    Ok(std::fs::write(file, made?)?)
}

fn draw(rows: &Path, keys: &str, options: Options, size: (u16, u16)) -> anyhow::Result<String> {
    let target = Target { rows: rows.to_owned(), labels: None, force: false };
    let mut fleet = LiveFleet::create(&Plan::demo(SEED, NOW), target, &mut |_, _| {})?;
    for _ in 0..HOURS {
        fleet.step()?;
    }
    let model = Arc::new(Model::built_in()?);
    let mut around = Surroundings {
        model: ModelView { name: model.name.clone(), interfaces: model.known().len(), ..ModelView::default() },
        ..Surroundings::default()
    };
    let mut engine = Engine::new(model, Default::default(), 1);
    let mut tailer = Tailer::new(vec![(Root::Data, rows.to_owned())], ReadOptions::default())?;
    loop {
        let batch = tailer.finish();
        engine.absorb(&batch);
        around.source.files = batch.open_files;
        if batch.caught_up {
            break;
        }
    }
    engine.settle();
    around.source = SourceView {
        dir: "/var/lib/collector".into(),
        mode: WatchMode::Events,
        rows: engine.counts().rows,
        rows_per_second: 10.0,
        last_row_at: Some(Instant::now()),
        ..around.source
    };
    let mut viewer = Viewer::default();
    let mut look = |around: &Surroundings| Arc::new(viewer.snapshot(&engine, around, &HashSet::new()));
    let mut still = Still::new(options, look(&around), size.0, size.1);
    let mut asked = still.show(look(&around));
    for key in keys.chars() {
        asked.extend(still.press(Key::Char(key)));
    }
    for command in asked {
        match command {
            Command::Look(look) => around.look = look,
            Command::LookBack(to) => around.back_to = to,
            _ => {}
        }
    }
    still.show(look(&around));
    Ok(still.svg())
}
