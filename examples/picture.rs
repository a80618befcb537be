//! Makes the README's picture: the real engine over the rows of `noctop demo`, drawn by the real
//! console. The same picture every time.
//!
//! ```text
//! cargo run --release --example picture -- docs/console.svg
//! ```

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use noctop::console::Options;
use noctop::console::picture::Still;
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
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let file = file.ok_or_else(|| anyhow::anyhow!("name the file to write: picture FILE"))?;
    let place = std::env::temp_dir().join(format!("noctop-picture-{}", std::process::id()));
    let made = draw(&place.join("rows"));
    std::fs::remove_dir_all(&place)?;
    Ok(std::fs::write(file, made?)?)
}

fn draw(rows: &Path) -> anyhow::Result<String> {
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
    let mut still = Still::new(Options::default(), look(&around), SIZE.0, SIZE.1);
    for command in still.show(look(&around)) {
        if let Command::Look(look) = command {
            around.look = look;
        }
    }
    still.show(look(&around));
    Ok(still.svg())
}
