//! Core's scheduling beside its peers: `cargo xtask bench scheduling`.
//!
//! Each file is one comparison and says what both sides do.

mod pick;
mod rounds;
mod sketch;

fn main() {
    pick::run();
    sketch::run();
}
