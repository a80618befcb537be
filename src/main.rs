//! Arguments, then one call.

use clap::Parser;
use noctop::cli::simulate;

#[derive(Parser)]
#[command(name = "noctop", version)]
enum Command {
    /// Write a fleet's rows from a seed, with incidents that are known
    Simulate(simulate::Args),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Simulate(args) => simulate::run(&args),
    }
}
