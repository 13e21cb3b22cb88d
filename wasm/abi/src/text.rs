//! The text of the last refusal.

use alloc::string::String;

use quillwork_core::say::Say;

/// The handle of what was made, or 0 with the refusal as text.
pub fn made<T, E: Say>(thing: Result<T, E>, insert: impl FnOnce(T) -> u32) -> u32 {
    match thing {
        Ok(thing) => insert(thing),
        Err(refusal) => {
            set(&refusal);
            0
        }
    }
}

/// Keeps what a refusal says until the next one.
///
/// # Panics
///
/// Never: a text takes everything.
pub fn set(refusal: &dyn Say) {
    let mut text = String::new();
    refusal.say(&mut text).expect("a String takes everything");
    TEXT.with(|slot| *slot.borrow_mut() = Some(text));
}

/// Looks at it.
pub fn with<R>(look: impl FnOnce(&str) -> R) -> R {
    TEXT.with(|text| look(text.borrow().as_deref().unwrap_or("")))
}

crate::kept!(TEXT: String);
