//! The text of the last refusal or panic.

use std::cell::RefCell;
use std::fmt::Display;

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
    // A panic while this is borrowed can only come from here, and must not hide the first one.
    TEXT.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = text;
        }
    });
}

/// Looks at it.
pub fn with<R>(look: impl FnOnce(&str) -> R) -> R {
    TEXT.with_borrow(|text| look(text))
}

thread_local! {
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}
