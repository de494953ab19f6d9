//! The composite action, its steps executed as a runner in host mode does: POSIX sh, an empty HOME, no node, no
//! docker, and only the programs that a test puts on PATH.

mod download;
mod hostile;
mod in_step;
mod job;
mod runner;
