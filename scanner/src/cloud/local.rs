//! An estate or a plain folder on this machine.
