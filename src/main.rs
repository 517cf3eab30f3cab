//! The netpal binary: hands over to [`cli`].

mod cli;

/// A quarter of reading a large cluster goes into allocating trees that live for a moment, on all
/// cores at once.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
