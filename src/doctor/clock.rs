//! Do this machine and the server agree about the time?

use super::Finding;
use crate::kfp::Client;

/// Seconds of difference that tokens and "latest" survive.
const TOLERATED: i64 = 30;

/// The finding, from the `Date` of the answers so far.
pub fn check(client: &Client) -> Finding {
    let Some(there) = client.server_now() else {
        return Finding::skipped("clock", "no answer told the server's time");
    };
    let apart = (chrono::Utc::now() - there).num_seconds();
    if apart.abs() <= TOLERATED {
        return Finding::passed("clock", "this machine and the server agree");
    }
    let direction = if apart > 0 { "ahead of" } else { "behind" };
    Finding::failed(
        "clock",
        format!("this machine is {} s {direction} the server", apart.abs()),
        "set the clock by NTP: tokens are refused as too old or too new otherwise, and version names are misleading",
    )
}
