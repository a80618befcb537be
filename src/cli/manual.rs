//! Manual pages and completions, made from the arguments themselves.

use clap::Command;
use clap_complete::Shell;

use super::output;
use super::values::senseless;

/// Writes completions for a shell to standard output.
pub(super) fn completions(command: &mut Command, shell: Shell) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "noctop", &mut text);
    output::print(&text)
}

/// Writes the manual page of the whole, or of one of its commands, to standard output.
pub(super) fn page(mut whole: Command, of: Option<&str>) -> anyhow::Result<()> {
    whole.build();
    let command = match of {
        None => whole,
        Some(name) => {
            let known = whole.find_subcommand(name).cloned();
            let command =
                known.ok_or_else(|| senseless(format!("{name}: no such command; noctop --help lists them")))?;
            command.display_name(format!("noctop-{name}"))
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    output::print(&text)
}
