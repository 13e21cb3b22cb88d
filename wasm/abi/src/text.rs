//! The text of the last refusal.

use alloc::string::{String, ToString};
use core::fmt::Display;

/// The handle of what was made, or 0 with the refusal as text.
pub fn made<T, E: Display>(thing: Result<T, E>, insert: impl FnOnce(T) -> u32) -> u32 {
    match thing {
        Ok(thing) => insert(thing),
        Err(refusal) => {
            set(refusal.to_string());
            0
        }
    }
}

/// Keeps a text until the next one.
pub fn set(text: String) {
    TEXT.with(|slot| *slot.borrow_mut() = Some(text));
}

/// Looks at it.
pub fn with<R>(look: impl FnOnce(&str) -> R) -> R {
    TEXT.with(|text| look(text.borrow().as_deref().unwrap_or("")))
}

crate::kept!(TEXT: String);
