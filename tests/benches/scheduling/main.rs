//! Core's scheduling beside its peers: `cargo xtask bench scheduling`.
//!
//! Each file is one comparison and says what both sides do.

mod balance;
mod breaker;
mod pick;
mod policy;
mod rate_limit;
mod retry;
mod rounds;
mod sketch;

fn main() {
    pick::run();
    balance::run();
    rate_limit::run();
    breaker::run();
    retry::run();
    policy::run();
    sketch::run();
}
