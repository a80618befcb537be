//! Plain output: one file per subcommand.

pub mod simulate;
