//! Parse, run, exit.

fn main() -> std::process::ExitCode {
    spillwatch::cli::main()
}
