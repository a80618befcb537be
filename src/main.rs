//! The binary: arguments to one call.

fn main() -> std::process::ExitCode {
    noctop::cli::main()
}
