//! The signal to stop: first settle what is in flight, then at once.

use tokio::sync::watch;

/// How urgently a run should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    Run,
    Settle,
    Now,
}

/// Asks a run to stop. Dropping it asks for nothing.
#[derive(Debug)]
pub struct CancelHandle(watch::Sender<Stop>);

/// Hears that the run should stop.
#[derive(Clone, Debug)]
pub struct Cancel(watch::Receiver<Stop>);

/// A handle that asks and the signal that hears it.
#[must_use]
pub fn cancel() -> (CancelHandle, Cancel) {
    let (sender, receiver) = watch::channel(Stop::Run);
    (CancelHandle(sender), Cancel(receiver))
}

impl CancelHandle {
    /// First call: start nothing more and settle the calls in flight. Second call: end at once.
    pub fn stop(&self) {
        self.0.send_modify(|stop| {
            *stop = if *stop == Stop::Run {
                Stop::Settle
            } else {
                Stop::Now
            };
        });
    }
}

impl Cancel {
    /// A signal that never comes.
    #[must_use]
    pub fn never() -> Self {
        cancel().1
    }

    /// Whether nothing more may be started.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow() >= Stop::Settle
    }

    /// Returns when nothing more may be started.
    pub async fn stopping(&self) {
        self.reached(Stop::Settle).await;
    }

    /// Returns when everything must end at once.
    pub async fn now(&self) {
        self.reached(Stop::Now).await;
    }

    async fn reached(&self, wanted: Stop) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop >= wanted).await.is_err() {
            // The handle is gone: nobody can ask any more.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_call_settles_and_the_second_ends() {
        let (handle, signal) = cancel();
        assert!(!signal.is_stopping());
        handle.stop();
        signal.stopping().await;
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(1), signal.now())
                .await
                .is_err()
        );
        handle.stop();
        signal.now().await;
        drop(handle);
        signal.now().await;
    }
}
