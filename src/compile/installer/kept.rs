//! An installer with its keeper, and listening to it.

use crate::compile::sandbox_keeper::Lifeline;
use std::process::Output;
use tokio::io::AsyncReadExt;
use tokio::process::Child;

/// An installer that was started.
pub(super) struct Kept {
    pub child: Child,
    pub lifeline: Lifeline,
}

/// What it says, and how it ends.
pub(super) async fn everything_of(child: &mut Child) -> std::io::Result<Output> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let said = async {
        match &mut out {
            Some(out) => out.read_to_end(&mut stdout).await,
            None => Ok(0),
        }
    };
    let complained = async {
        match &mut err {
            Some(err) => err.read_to_end(&mut stderr).await,
            None => Ok(0),
        }
    };
    let (status, ..) = tokio::try_join!(child.wait(), said, complained)?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}
