//! Does the whole of it work, from the outside, on real servers?

mod aws;
mod cloud_conformance;
mod servers;
