//! The load balancer from outside, on a virtual clock.

mod books;
mod refusals;
mod rig;
