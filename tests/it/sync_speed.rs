//! How fast jobs are taken and worked off.
