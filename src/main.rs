//! The `punchcard` program.

/// Most of what is allocated on one thread is freed on another: commands go to the writer, answers come back. The system's
/// allocator makes threads wait for each other there, and what it holds grows and shrinks with every large reply.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    punchcard::cli::main(std::env::args_os())
}
