//! The exports. See the crate's documentation for what they have in common.
#![expect(
    unsafe_code,
    reason = "exporting a function under its own name needs `unsafe(no_mangle)`; the names are unique in the module"
)]

pub mod balance;
pub mod flow;
pub mod registry;
mod settings;
pub mod sketch;
mod state;

use std::cell::RefCell;

/// Prepares the instance: from then on a panic's message can be read. To be called once, first.
#[unsafe(no_mangle)]
pub extern "C" fn init() {
    std::panic::set_hook(Box::new(|info| set_text(info.to_string())));
}

/// Where the floats are, until the next [`floats_reserve`].
#[unsafe(no_mangle)]
pub extern "C" fn floats_ptr() -> *const f64 {
    state::with(|state| state.slots.floats().as_ptr())
}

/// How many floats there are.
#[unsafe(no_mangle)]
pub extern "C" fn floats_len() -> usize {
    state::with(|state| state.slots.floats().len())
}

/// Makes room for so many floats. They may be elsewhere then.
#[unsafe(no_mangle)]
pub extern "C" fn floats_reserve(floats: usize) {
    state::with(|state| state.slots.reserve(floats));
}

/// Where the text of the last refusal or panic is.
#[unsafe(no_mangle)]
pub extern "C" fn text_ptr() -> *const u8 {
    TEXT.with_borrow(|text| text.as_ptr())
}

/// Its length in bytes of UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn text_len() -> usize {
    TEXT.with_borrow(String::len)
}

/// The handle of what was made, or 0 with the refusal as text.
fn made<T, E: std::fmt::Display>(thing: Result<T, E>, insert: impl FnOnce(T) -> u32) -> u32 {
    match thing {
        Ok(thing) => insert(thing),
        Err(refusal) => {
            set_text(refusal.to_string());
            0
        }
    }
}

fn set_text(text: String) {
    // A panic while this is borrowed can only come from here, and must not hide the first one.
    TEXT.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = text;
        }
    });
}

thread_local! {
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}
