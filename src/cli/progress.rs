//! How far reading is, on a terminal, for those who wait for more than a second.
//!
//! Nothing is drawn without a viewer: not into a pipe or a file, not with `--quiet`, not in CI,
//! not on a terminal that can only print. What was drawn is gone before anything else is printed.
//! The bar is drawn by a thread of its own, which sleeps until the second is over; the readers only
//! add to a number.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use netpal::Watch;
use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Nobody sees a bar for a run that is over before this.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// A bar, which is drawn only if reading takes long.
pub struct Progress {
    bar: ProgressBar,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// A bar, drawn only for a terminal.
    pub fn start(quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let style =
            ProgressStyle::with_template("reading {bar:30} {bytes} of {total_bytes}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let drawing = (!quiet && is_watched()).then(|| {
            let (done, over) = channel();
            let shown = bar.clone();
            let thread = std::thread::spawn(move || {
                if over.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                shown.set_draw_target(ProgressDrawTarget::stderr());
                while over.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                    shown.tick();
                }
                shown.finish_and_clear();
            });
            (done, thread)
        });
        Self { bar, drawing }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.drawing.take() {
            drop(done);
            let _ = thread.join(); // a thread that failed has nothing to clear
        }
    }
}

impl Watch for Progress {
    fn more(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    fn done(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

/// Whether standard error is a terminal that can draw.
fn is_watched() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    stderr().is_terminal() && !set("CI") && !dumb
}
