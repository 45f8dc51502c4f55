//! The `punchcard` program.

/// Most of what is allocated on one thread is freed on another: commands go to the writer, answers come back. This one is
/// made for that; docs/performance.md says what it brings.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    punchcard::cli::main(std::env::args_os())
}
