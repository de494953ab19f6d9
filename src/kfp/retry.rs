//! When a call may be sent again, how long to wait before, and when to stop for good.
//!
//! Reads repeat on what passes by itself: no connection, a lost or broken answer, 408, 425, 429, 500,
//! 502, 503, 504. Waits are random between nothing and a bound that doubles ("full jitter"), never
//! shorter than a `Retry-After`. All calls of a run share one budget, so that fifty pipelines do not
//! multiply the load on a server that is down, and one deadline.

use chrono::{DateTime, Utc};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often one read is sent at most.
pub const ATTEMPTS: u32 = 6;

/// The bound of the first wait.
const BASE: Duration = Duration::from_millis(250);

/// The bound of the longest wait.
const CAP: Duration = Duration::from_secs(10);

/// Repeats a run may spend at once; every second success earns one back.
const BUDGET: i64 = 100;

/// Statuses that pass by themselves.
#[must_use]
pub const fn passes(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// The one budget and the one deadline of a run.
#[derive(Debug)]
pub struct Patience {
    deadline: Mutex<Instant>,
    hurried: watch::Sender<bool>,
    // In halves of a repeat, because a success earns a half.
    tokens: AtomicI64,
    repeats: AtomicU64,
    random: Mutex<SmallRng>,
}

impl Patience {
    /// Patience for a run that has `total` from now. `seed` makes the waits repeatable, for tests.
    #[must_use]
    pub fn new(total: Duration, seed: Option<u64>) -> Self {
        let random = seed.map_or_else(|| SmallRng::from_rng(&mut rand::rng()), SmallRng::seed_from_u64);
        Self {
            deadline: Mutex::new(Instant::now() + total),
            hurried: watch::Sender::new(false),
            tokens: AtomicI64::new(2 * BUDGET),
            repeats: AtomicU64::new(0),
            random: Mutex::new(random),
        }
    }

    /// When everything must have ended.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does not count time that was spent on something else than the server.
    pub fn forgive(&self, time: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    /// The run was asked to stop: only so much time is left, and nobody waits beyond it for a next try.
    pub fn hurry(&self, left: Duration) {
        {
            let mut deadline = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
            *deadline = (*deadline).min(Instant::now() + left);
        }
        self.hurried.send_replace(true);
    }

    /// Whether the run was asked to stop.
    #[must_use]
    pub fn is_hurried(&self) -> bool {
        *self.hurried.borrow()
    }

    /// Waits before a next try. `false` when there can be none: the run was asked to stop, and its time is up
    /// before this wait is over.
    pub async fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut hurried = self.hurried.subscribe();
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(until) => return true,
            _ = hurried.wait_for(|hurried| *hurried) => {}
        }
        if until >= self.deadline() {
            return false;
        }
        tokio::time::sleep_until(until).await;
        true
    }

    /// What is left until then; nothing means the time is up.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline()
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// A call succeeded: the server is well, the budget recovers.
    pub fn succeeded(&self) {
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens < 2 * BUDGET).then_some(tokens + 1)
            });
    }

    /// How many repeats the run has made.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    /// How long to wait before the repeat after the `attempt`-th try (counted from 1), or `None` when it
    /// must not be made: too often, no budget, no time.
    #[must_use]
    pub fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempt >= ATTEMPTS {
            return None;
        }
        let wait = self.jitter(attempt).max(retry_after.unwrap_or_default());
        if self.remaining().is_none_or(|left| wait >= left) {
            return None;
        }
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens >= 2).then_some(tokens - 2)
            })
            .ok()?;
        self.repeats.fetch_add(1, Ordering::Relaxed);
        Some(wait)
    }

    /// A random wait after the `attempt`-th try, without asking the budget.
    #[must_use]
    pub fn jitter(&self, attempt: u32) -> Duration {
        let bound = BASE
            .saturating_mul(1 << attempt.saturating_sub(1).min(16))
            .min(CAP);
        let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        let drawn = match self.random.lock() {
            Ok(mut random) => random.random_range(0..=millis),
            // Another thread panicked while drawing: the bound itself is a valid wait.
            Err(_) => millis,
        };
        Duration::from_millis(drawn)
    }
}

/// Reads `Retry-After` in both forms: seconds, or a date, which is compared with the answer's own
/// `Date` (`now`), so that a runner whose clock is wrong waits as long as it was told.
#[must_use]
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean "not in this run".
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date: DateTime<Utc> = httpdate::parse_http_date(value).ok()?.into();
    Some((date - now).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_219_200, 0).unwrap()
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(retry_after(" 7 ", moment()), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date((moment() + chrono::TimeDelta::seconds(90)).into());
        assert_eq!(retry_after(&date, moment()), Some(Duration::from_secs(90)));
        let past = httpdate::fmt_http_date((moment() - chrono::TimeDelta::seconds(90)).into());
        assert_eq!(retry_after(&past, moment()), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", moment()), None);
        assert_eq!(retry_after("", moment()), None);
        assert_eq!(retry_after("-1", moment()), None);
        assert!(retry_after("99999999999999999999999", moment()).is_some());
    }

    proptest! {
        #[test]
        fn retry_after_never_panics(value in "\\PC*") {
            let _ = retry_after(&value, moment());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_ends_and_recovers() {
        let patience = Patience::new(Duration::from_secs(600), Some(1));
        let spent = (0..1000).filter(|_| patience.wait(1, None).is_some()).count();
        assert_eq!(spent, 100);
        patience.succeeded();
        assert!(
            patience.wait(1, None).is_none(),
            "one success earns half a repeat"
        );
        patience.succeeded();
        assert!(patience.wait(1, None).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_reaches_beyond_the_deadline() {
        let patience = Patience::new(Duration::from_secs(5), Some(1));
        assert!(patience.wait(1, Some(Duration::from_secs(6))).is_none());
        assert_eq!(
            patience.wait(1, Some(Duration::from_secs(4))),
            Some(Duration::from_secs(4))
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(patience.remaining(), None);
        assert!(patience.wait(1, None).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_asked_to_stop_waits_no_longer_than_it_is_given() {
        let patience = Patience::new(Duration::from_secs(600), Some(1));
        let started = Instant::now();
        let hurry = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            patience.hurry(Duration::from_secs(30));
        };
        let (long, short, ()) = tokio::join!(
            patience.pause(Duration::from_secs(60)),
            patience.pause(Duration::from_secs(20)),
            hurry
        );
        assert_eq!((long, short), (false, true));
        assert_eq!(started.elapsed(), Duration::from_secs(20));
        assert!(patience.is_hurried());
        assert!(patience.wait(1, Some(Duration::from_secs(13))).is_none());
        patience.hurry(Duration::from_secs(600));
        assert_eq!(patience.deadline(), started + Duration::from_secs(32));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_cap() {
        let patience = Patience::new(Duration::from_secs(600), Some(7));
        for attempt in 1..ATTEMPTS {
            let bound = Duration::from_millis(250 << (attempt - 1)).min(CAP);
            assert!((0..50).all(|_| patience.jitter(attempt) <= bound));
        }
        assert!(patience.wait(ATTEMPTS, None).is_none());
    }
}
