//! SIGINT and SIGTERM.

use crate::apply::{Cancel, cancel};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether a deployment may still be writing.
pub struct Writing(Arc<AtomicBool>);

impl Writing {
    /// All that could be written is: a second signal has nothing to settle any more.
    pub fn over(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Listens until the process ends. The first signal stops, the second ends: what is being written at once, with
/// results, and where nothing is being written the process itself.
pub fn listen() -> (Writing, Cancel) {
    let (handle, cancel) = cancel();
    let writing = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&writing);
    let mut signals = Signals::hear();
    // Ends with the process: signals are never again handled as if nobody listened.
    tokio::spawn(async move {
        signals.asked_to_stop().await;
        handle.stop();
        super::complain(if still.load(Ordering::Relaxed) {
            "stopping: calls under way are settled; a second signal ends at once"
        } else {
            "stopping: all is written, results are being told; a second signal ends at once"
        });
        signals.asked_to_stop().await;
        handle.stop();
        if still.load(Ordering::Relaxed) {
            signals.asked_to_stop().await;
        }
        end_at_once();
    });
    (Writing(writing), cancel)
}

/// SIGINT and SIGTERM. From here on they no longer end the process by themselves.
pub struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Begins to hear them; where that cannot be, they end the process as they would without us.
    pub fn hear() -> Self {
        let of = |kind| signal(kind).ok();
        Self(of(SignalKind::interrupt()).zip(of(SignalKind::terminate())))
    }

    /// Returns when the process is asked to stop.
    pub async fn asked_to_stop(&mut self) {
        let Some((interrupt, terminate)) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// A person who asks twice means it: ends the process as the signal would have, with the code of "safe to
/// run again".
#[allow(clippy::exit, reason = "the second signal must not wait for anything")]
fn end_at_once() -> ! {
    std::process::exit(i32::from(crate::exit::ExitCode::Infrastructure.code()))
}
