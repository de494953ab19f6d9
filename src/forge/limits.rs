//! How long telling people may take.

use std::time::Duration;
use tokio::time::Instant;

/// Time limits of everything that tells people. Tests give short ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One call, with its answer.
    pub call: Duration,
    /// Everything at the end of a run together; statuses, comment and notifications run side by side.
    pub total: Duration,
    /// The pause before the first repetition; it doubles.
    pub pause: Duration,
    /// How often a call that may be repeated is repeated.
    pub repetitions: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(4),
            total: Duration::from_secs(10),
            pause: Duration::from_millis(300),
            repetitions: 2,
        }
    }
}

/// The moment at which one purpose gives up.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// From now on.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// How much is left; zero when it is over.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The moment.
    #[must_use]
    pub const fn instant(self) -> Instant {
        self.0
    }
}

/// How long to wait before repetition `number` (counted from 0), and whether that still fits: as long as
/// the server asks for, else the doubled pause. `None` means give up.
#[must_use]
pub fn wait(limits: &Limits, number: u32, asked: Option<Duration>, deadline: Deadline) -> Option<Duration> {
    if number >= limits.repetitions {
        return None;
    }
    let pause = asked.unwrap_or_else(|| limits.pause.saturating_mul(1 << number.min(8)));
    (pause < deadline.left()).then_some(pause)
}

/// `Retry-After` in its two forms: seconds, or a date.
#[must_use]
pub fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(86_400)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(
        date.duration_since(std::time::SystemTime::now())
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_has_two_forms() {
        assert_eq!(retry_after(" 3 "), Some(Duration::from_secs(3)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999"), Some(Duration::from_secs(86_400)));
        for nonsense in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_does_not_fit_is_none() {
        let limits = Limits::default();
        let deadline = Deadline::after(Duration::from_secs(10));
        assert_eq!(wait(&limits, 0, None, deadline), Some(Duration::from_millis(300)));
        assert_eq!(wait(&limits, 1, None, deadline), Some(Duration::from_millis(600)));
        assert_eq!(wait(&limits, 2, None, deadline), None);
        assert_eq!(wait(&limits, 0, Some(Duration::from_secs(60)), deadline), None);
        assert_eq!(
            wait(&limits, 0, Some(Duration::from_secs(2)), deadline),
            Some(Duration::from_secs(2))
        );
    }
}
