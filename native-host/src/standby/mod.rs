//! A second host that holds the same history, and takes over.
//!
//! ```text
//! primary                                        standby
//!   driver ──state, files──▶ api/replication ◀── follow (task) ──files, tails──▶ driver
//!      ▲                                                                            │
//!      └──── claims ◀── rivals (task of each that has peers) ──▶ claims ◀───────────┘
//! ```
//!
//! A standby asks, every second or two, what has changed: files of values by name and checksum, what lies beside them (the catalogue of series,
//! the state of alerts), and the newest values, which the primary has in memory only. It fetches what it lacks in pieces, at its own pace, and has the
//! [state](crate::state) take each file whole after it was checked. It answers reads, and takes nothing else.
//!
//! It is [promoted](standing) by command, or after a set [absence] of the primary. A promotion raises an epoch, which is written before anything is done
//! in its name; of two hosts of one history the one of the larger epoch is the primary, and the other is silent as soon as it hears of it: it asks its peers
//! when it starts and every ten seconds after that, and is told.

pub mod absence;
pub(crate) mod follow;
pub(crate) mod gate;
pub mod peer;
pub(crate) mod plan;
pub mod promote;
pub(crate) mod record;
pub(crate) mod rivals;
pub mod standing;
pub(crate) mod start;
