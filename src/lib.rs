//! `kfp-gitops`: make the repository the truth for Kubeflow pipelines.
//!
//! Data flows one way, and every room hands the next a plain value:
//!
//! ```text
//! settings + context -> discover -> compile -> plan (pure) -> apply -> report
//! ```
//!
//! Only `compile` (starts Python), `kfp` (the pipelines server), and `forge` and `notify`
//! (the places where people look) touch the world. Everything between is pure.

pub mod cli;
pub mod commands;

pub mod error;
pub mod exit;
pub mod git;
pub mod ids;
pub mod secret;

pub mod settings;

pub mod context;

pub mod discover;

pub mod compile;

pub mod ir;

pub mod kfp;

pub mod check;

pub mod plan;

pub mod apply;

pub mod report;

pub mod forge;

pub mod notify;

pub mod doctor;
