//! spillwatch finds what somebody outside can reach in cloud storage and says what is inside.
//!
//! Imports point down only: cli, config → scan, report → cloud → findings → exposure → estate → classifiers.

pub mod cloud;
pub mod estate;
pub mod exposure;
