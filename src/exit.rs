//! Exit codes: one documented table. The README prints the same table; a test compares them.

/// Why the process ends, as the number the shell sees.
///
/// Codes 3 to 5 are reserved for policies, holds and rollbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Success,
    /// At least one pipeline (or check) failed.
    Failed,
    /// Usage or configuration: the user can mend it, running again does not help.
    Usage,
    /// A policy refused (reserved).
    Policy,
    /// On hold (reserved).
    Hold,
    /// A rollback failed (reserved).
    RollbackFailed,
    /// Changes are pending under `plan --expect-no-changes`.
    ChangesPending,
    /// Infrastructure trouble (unreachable, 5xx, time-out): safe to run again.
    Infrastructure,
}

impl ExitCode {
    /// Every code with its meaning, in the order of the README's table.
    pub const TABLE: &'static [(Self, &'static str)] = &[
        (Self::Success, "done, or nothing to do"),
        (Self::Failed, "at least one pipeline failed"),
        (Self::Usage, "usage or configuration"),
        (Self::Policy, "refused by a policy (reserved)"),
        (Self::Hold, "on hold (reserved)"),
        (Self::RollbackFailed, "a rollback failed (reserved)"),
        (
            Self::ChangesPending,
            "changes are pending (`plan --expect-no-changes`)",
        ),
        (
            Self::Infrastructure,
            "infrastructure trouble (unreachable, 5xx, time-out); safe to run again",
        ),
    ];

    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Policy => 3,
            Self::Hold => 4,
            Self::RollbackFailed => 5,
            Self::ChangesPending => 6,
            Self::Infrastructure => 75,
        }
    }

    /// Which of two codes is reported when both apply: 2, then 1, 75, 6, 0.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        if self.weight() >= other.weight() {
            self
        } else {
            other
        }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::ChangesPending => 1,
            Self::Infrastructure => 2,
            Self::Policy | Self::Hold | Self::RollbackFailed => 3,
            Self::Failed => 4,
            Self::Usage => 5,
        }
    }
}
