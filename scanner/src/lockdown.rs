//! How is an exposure closed, without an outage and so that it can be taken back?
//!
//! A [`Plan`] is made from facts alone and proved before anything is changed. Applying it writes the evidence first, then a
//! journal around every change; the journal is what undoing goes by.

mod apply;
mod automatic;
mod evidence;
mod gcp;
mod isolate;
mod journal;
mod opened;
mod plan;
mod read;
mod run;
mod s3;
mod undo;
mod usage;

pub use apply::{Applied, ApplyError, Options, Outcome, Step, apply};
pub use automatic::{Automatic, Candidate};
pub use evidence::Evidence;
pub use isolate::{PrincipalPlan, plan_principal};
pub use journal::{Journal, JournalError};
pub use opened::{Opened, Opener, opened, opened_by};
pub use plan::{BucketPlan, Hazard, HazardKind, Plan, Scope, Subject, plan_bucket, state_hash};
pub use undo::undo;
pub use usage::{User, usage};
