//! Who is told of which alert, when, and when not.
//!
//! A [`Router`] takes the [transitions](super::Transition) of an engine and gives [`Notification`]s. Every [`Route`] that
//! matches an alert takes it. Alerts of one route that agree on the route's `group_by` labels are one group: it is told once
//! `group_wait` after the first of them, then, where something changed, each `group_interval`, and where nothing did, each
//! `repeat_interval`. A route with `after` is an escalation: it takes what has been firing for as long and nobody has
//! acknowledged.
//!
//! An alert is **muted**, neither told nor forgotten, while a [`Silence`] or [`Maintenance`] window matches it, another
//! alert inhibits it, or it flaps. What is still firing when that ends is told then. An **acknowledged** alert is not
//! repeated and not escalated until it ends or grows worse.
//!
//! Telling is at least once: what was not [delivered](Router::handle_delivered) is told again, with the same keys, from
//! which a receiver sees that it has heard it. A **heartbeat** is told at its interval whether there are alerts or not: its
//! absence tells the receiver that nobody watches.
//!
//! The clock is the wall clock in nanoseconds since 1970, as the shell counts it on: maintenance windows are of the day.
//! The design follows Prometheus' Alertmanager, but for acknowledgement, flap damping and escalation, which it doesn't have.
//!
//! ```
//! use quillwork_core::alert::notify::{Message, Route, Router, Settings};
//! use quillwork_core::alert::{Engine, default_rules};
//! use quillwork_core::time::Instant;
//!
//! let mut engine = Engine::new(default_rules(), 100)?;
//! let settings = Settings { routes: vec![Route::new("operators")], ..Settings::default() };
//! let mut router = Router::new(Instant::ZERO, settings);
//! for second in 0..=60 {
//!     let now = Instant::from_secs(second);
//!     engine.observe::<&str, &str>(now, "host.cpu.total", &[], Some(0.75), u64::MAX)?;
//!     while let Some(transition) = engine.poll_output() {
//!         router.handle_transition(now, &transition);
//!     }
//!     router.handle_deadline(now);
//! }
//! let told = router.poll_output().expect("the alert began at 15 s and waited 30 s for others");
//! let Message::Alerts { alerts, .. } = told.message else { panic!("no heartbeat was asked for") };
//! assert_eq!((&*told.receiver, &*alerts[0].rule), ("operators", "host-cpu"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod group;
mod maintenance;
mod notification;
mod router;
mod save;
mod settings;
mod silence;
mod tracked;

#[cfg(test)]
mod tests;

pub use maintenance::Maintenance;
pub use notification::{AlertKey, Message, Notification, NotificationId, NotifiedAlert, NotifiedStatus};
pub use router::{AcknowledgeError, Muted, Router};
pub use settings::{
    Flapping, Heartbeat, Inhibition, Rate, Route, Settings, SettingsError, default_inhibitions,
};
pub use silence::{Silence, SilenceError, SilenceId, SilenceRequest};
pub use tracked::Acknowledgement;
