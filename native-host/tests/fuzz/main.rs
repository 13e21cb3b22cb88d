//! Everything that comes from outside, mutated: each parser that meets it is fed real messages with flipped bits, lengths that
//! lie, numbers at their edges and nesting without end.
//!
//! Each target says what must hold besides that nothing panics: what is taken survives a round trip, what is refused changes
//! nothing and says why in few words, and both take time and memory in proportion to the input.
//!
//! `cargo test` runs some hundred cases of each target from a fixed seed. `QUILLWORK_FUZZ_SECONDS` goes on for longer, and
//! `QUILLWORK_FUZZ_SEED` and `QUILLWORK_FUZZ_CASE` repeat a case that failed: its message has the command.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod bombs;
mod config;
mod files;
mod frames;
mod guard;
#[allow(dead_code, unreachable_pub, reason = "the other tests of the host need the rest of it")]
#[path = "../host/harness.rs"]
mod harness;
mod ingest;
#[cfg(target_os = "linux")]
mod machine;
mod measure;
mod mutate;
mod names;
mod otlp;
mod protobuf;
mod queries;
mod rules;
mod runner;
mod served;
mod silences;
mod tree;
