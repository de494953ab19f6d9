//! The ways a call can go wrong.

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused.
    Refused,
    /// The connection is reset before the server saw the request.
    ResetBefore,
    /// The server did the work, then the connection is reset.
    ResetAfter,
    /// The server did the work, the answer is cut off.
    AnswerCut,
    /// Nothing happens and nothing comes back.
    SilenceBefore,
    /// The server did the work, nothing comes back.
    SilenceAfter,
    /// Nothing comes back, and the server does the work long after the client has given up.
    Late,
    /// 429.
    TooMany,
    /// 429 with `Retry-After: 7`.
    TooManySeconds,
    /// 429 with `Retry-After` as a date.
    TooManyDate,
    /// 500 in the API's shape; nothing was done.
    Status500,
    /// A proxy's page with 502; nothing was done.
    BadGateway,
    /// A proxy's page with 502 after the work was done.
    BadGatewayAfter,
    /// 503; nothing was done.
    Unavailable,
    /// 503 after the work was done.
    UnavailableAfter,
    /// The work was done; the JSON ends in the middle, the length is right.
    TruncatedJson,
    /// The work was done; a web page with 200 comes back.
    WrongType,
    /// 409; nothing was done.
    Conflict,
    /// A proxy delivers the request twice; the second answer comes back.
    Duplicate,
    /// The work was done; the body comes back twice in one answer.
    DoubleBody,
}

/// Every kind.
pub const ALL: [Fault; 20] = [
    Fault::Refused,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::AnswerCut,
    Fault::SilenceBefore,
    Fault::SilenceAfter,
    Fault::Late,
    Fault::TooMany,
    Fault::TooManySeconds,
    Fault::TooManyDate,
    Fault::Status500,
    Fault::BadGateway,
    Fault::BadGatewayAfter,
    Fault::Unavailable,
    Fault::UnavailableAfter,
    Fault::TruncatedJson,
    Fault::WrongType,
    Fault::Conflict,
    Fault::Duplicate,
    Fault::DoubleBody,
];

/// Which calls go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The one.
    Once,
    /// It and the next.
    Twice,
    /// It and all that follow.
    Always,
}

/// Every extent.
pub const TIMES: [Times; 3] = [Times::Once, Times::Twice, Times::Always];

/// Decides the fault of a call by its number.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// All is well.
    Fair,
    /// From the call with this number on.
    At(usize, Fault, Times),
    /// Every n-th call.
    Every(usize, Fault),
    /// As listed by number.
    Listed(Vec<Option<Fault>>),
}

impl Schedule {
    /// The fault of call `number`, counted from 0.
    pub fn fault(&self, number: usize) -> Option<Fault> {
        match self {
            Self::Fair => None,
            Self::At(at, fault, times) => {
                let until = match times {
                    Times::Once => *at + 1,
                    Times::Twice => *at + 2,
                    Times::Always => usize::MAX,
                };
                (*at..until).contains(&number).then_some(*fault)
            }
            Self::Every(nth, fault) => (number % nth == nth - 1).then_some(*fault),
            Self::Listed(list) => list.get(number).copied().flatten(),
        }
    }
}
