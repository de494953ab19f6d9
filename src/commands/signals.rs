//! SIGINT and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to stop. Where signals cannot be listened to, it never returns, and
/// the signal ends the process as it would without us.
pub async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// A person who asks twice means it: ends the process as the signal would have, with the code of "safe to
/// run again".
#[allow(clippy::exit, reason = "the second signal must not wait for anything")]
pub fn end_at_once() -> ! {
    std::process::exit(i32::from(crate::exit::ExitCode::Infrastructure.code()))
}
