//! Does the whole of it work, from the outside, on real servers?

// `cfg(test)` is always set here; it tells the lints that helpers may fail a test by panicking, too.
#[cfg(test)]
mod aws;
#[cfg(test)]
mod cloud_conformance;
#[cfg(test)]
mod servers;
