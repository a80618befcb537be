//! `noctop explore`: what the data of a directory is like, before any model of it.

mod detail;
mod draw;
mod html;
mod json;
mod picture;
mod summary;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::load::{LastLine, bar, read_all};
use super::output::{print, whole};
use crate::config::Config;
use crate::console::theme::Surroundings;
use crate::explore::findings::oddest_first;
use crate::explore::{Explored, Gathering};
use crate::ingest::Root;

/// What `explore` is told.
#[derive(Debug, Args)]
pub struct ExploreArgs {
    /// Directory of CSV files to look at
    dir: PathBuf,
    /// One interface in full, as HOST/IFNAME
    #[arg(long, value_name = "HOST/IFNAME")]
    interface: Option<String>,
    /// Interfaces that are shown one by one: of more than these, the oddest
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Print one JSON object, with the figures of every interface, instead of tables
    #[arg(long)]
    json: bool,
    /// HTML file for the same with pictures; it needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    clock: super::ClockArgs,
    #[command(flatten)]
    read: super::ReadArgs,
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be read or has no rows, or when there is no such interface.
pub fn run(args: &ExploreArgs, config: &Config) -> anyhow::Result<()> {
    if let Some(file) = &args.html {
        super::output::place("--html", file)?;
        super::refuse_output_in(&args.dir, args.read.recursive(config), file, "--html")?;
    }
    let mut gathering = Gathering::by(args.clock.clock(&args.read, config)?);
    let roots = vec![(Root::Data, args.dir.clone())];
    let loaded = read_all(roots, args.read.options(config)?, LastLine::Counts, |batch| gathering.take(batch))
        .context("cannot read the rows")?;
    let data = gathering.settle();
    let wanted = args.interface.as_deref().map(|name| find(name, &data)).transpose()?;
    let bar = bar("reckoning", false);
    let progress = |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    let explored = Explored::of(data, super::threads(), &progress);
    bar.finish_and_clear();
    let shown = shown(&explored, args.top, wanted);
    if let Some(file) = &args.html {
        let page = html::page(&explored, &args.dir, &shown)?;
        whole(file, |out| out.write_all(page.as_bytes()))?;
    }
    let ascii = config.ascii == Some(true) || Surroundings::read(|name| std::env::var_os(name)).ascii;
    let mut text = Vec::new();
    match (args.json, wanted) {
        (true, wanted) => json::write(&explored, wanted, &mut text)?,
        (false, Some(interface)) => detail::write(&explored, interface, ascii, &mut text)?,
        (false, None) => summary::write(&explored, shown, ascii, &mut text)?,
    }
    print(&text)?;
    loaded.complete()
}

/// The interfaces that are shown one by one: the one asked for, else all in the order of names, else of too
/// many the oddest ones.
fn shown(explored: &Explored, top: usize, wanted: Option<usize>) -> Vec<usize> {
    if let Some(wanted) = wanted {
        return vec![wanted];
    }
    let mut shown = oddest_first(&explored.findings);
    if shown.len() <= top {
        shown.sort_unstable();
    }
    shown.truncate(top);
    shown
}

/// The place of the interface that is called so.
fn find(wanted: &str, data: &crate::explore::Gathered) -> anyhow::Result<usize> {
    let is_it = |host: &str, ifname: &str| {
        let rest = wanted.strip_prefix(host);
        rest.and_then(|rest| rest.strip_prefix(['/', ' '])).is_some_and(|rest| rest == ifname)
    };
    if let Some(place) = data.interfaces.iter().position(|(name, _)| is_it(&name.host, &name.ifname)) {
        return Ok(place);
    }
    let like: Vec<String> = data
        .interfaces
        .iter()
        .filter(|(name, _)| wanted.contains(&*name.ifname) || wanted.contains(&*name.host))
        .take(3)
        .map(|(name, _)| format!("{}/{}", name.host, name.ifname))
        .collect();
    let hint = if like.is_empty() {
        let first = data.interfaces.first().map(|(name, _)| format!("{}/{}", name.host, name.ifname));
        format!("write HOST/IFNAME as in the rows, for example {}", first.unwrap_or_default())
    } else {
        format!("did you mean {}?", like.join(" or "))
    };
    anyhow::bail!("there is no interface {wanted}: {hint}")
}
