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

/// What is drawn while texts are read.
const READING: &str = "reading {bar:30} {bytes} of {total_bytes}, {eta} left";
/// What is drawn while a cluster is asked.
const ASKING: &str = "{spinner} {msg}";

/// A bar, which is drawn only if reading takes long.
pub struct Progress {
    bar: ProgressBar,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// A bar, drawn only for a terminal.
    pub fn start(quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_style(style(READING));
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
    fn fetching(&self, what: &str, number: usize, of: usize) {
        self.bar.set_style(style(ASKING));
        self.bar.set_message(asked(what, number, of));
    }

    fn more(&self, bytes: u64) {
        self.bar.set_style(style(READING));
        self.bar.inc_length(bytes);
    }

    fn done(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// What is being asked of a cluster.
fn asked(what: &str, number: usize, of: usize) -> String {
    let clean: String = what.chars().filter(|c| !c.is_control()).collect();
    if of == 0 {
        return format!("asking the cluster {clean}");
    }
    format!("asking the cluster for {clean} ({number} of {of})")
}

/// Whether standard error is a terminal that can draw.
fn is_watched() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    stderr().is_terminal() && !set("CI") && !dumb
}
