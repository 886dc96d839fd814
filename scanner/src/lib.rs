//! spillwatch finds what somebody outside can reach in cloud storage and says what is inside.
//!
//! Imports point down only: cli → scan, lockdown, report → cloud, store, tickets, metrics → findings → exposure → estate → classifiers.

/// The command line: people and files.
pub mod cli;
/// The doors to the world.
pub mod cloud;
/// What the configuration file says.
pub mod config;
/// What there is, verbatim.
pub mod estate;
/// Who can reach what.
pub mod exposure;
/// What is wrong, how bad, and under which name.
pub mod findings;
/// How exposures are closed, and opened again.
pub mod lockdown;
/// How an operator learns how a run went.
pub mod metrics;
/// How findings are written down.
pub mod report;
/// The way of a bucket and of an object.
pub mod scan;
/// What is remembered between runs.
pub mod store;
/// How findings become tickets where people work.
pub mod tickets;
