//! Arguments, then one call.

use std::process::ExitCode;

use clap::Parser;
use noctop::cli::simulate;

#[derive(Parser)]
#[command(name = "noctop", version)]
enum Command {
    /// Write a fleet's rows from a seed, with incidents that are known
    Simulate(simulate::Args),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Simulate(args) => simulate::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("noctop: {error:#}");
            ExitCode::FAILURE
        }
    }
}
