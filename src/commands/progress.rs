//! Progress on standard error: a bar on a terminal, few plain lines elsewhere.

use crate::compile::Progress;
use crate::ids::SourcePath;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Progress of compiling.
pub struct CompileProgress {
    bar: ProgressBar,
    plain: bool,
    quiet: bool,
}

impl CompileProgress {
    /// A bar where standard error is a terminal.
    #[must_use]
    pub fn new(quiet: bool, ci: bool) -> Self {
        // Some runners give the job a terminal; its log is a file all the same.
        let terminal = std::io::stderr().is_terminal() && !ci;
        let bar = if terminal && !quiet {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if terminal && !quiet {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self {
            bar,
            plain: !terminal && !quiet,
            quiet,
        }
    }

    /// Takes the bar away.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for CompileProgress {
    fn preparing(&self, what: &str) {
        if self.plain {
            super::complain(what);
        } else if !self.quiet {
            self.bar.set_message(what.to_owned());
        }
    }

    fn file_done(&self, path: &SourcePath, _ok: bool, done: usize, total: usize) {
        if self.plain && total >= 200 && done.is_multiple_of(100) {
            super::complain(&format!("compiled {done} of {total} files"));
        }
        if !self.plain && !self.quiet {
            if done == 1 {
                let style = ProgressStyle::with_template("compiling {bar:30} {pos}/{len} {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
                self.bar.set_style(style);
                self.bar.set_length(total as u64);
            }
            self.bar.set_position(done as u64);
            self.bar.set_message(crate::report::text::clean(path.as_str()));
        }
    }
}
