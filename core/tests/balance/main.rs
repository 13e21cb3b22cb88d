//! The load balancer from outside, on a virtual clock.

mod books;
mod hashing;
mod hostile;
mod models;
mod outside;
mod preferences;
mod refusals;
mod rig;
mod snapshots;
mod speed;
