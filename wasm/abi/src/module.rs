//! What each module exports, and what it keeps between calls.

/// Keeps a `State`, which has [`Slots`](crate::slots::Slots) as its field `slots`, between the calls to the module in which this stands,
/// gives them to a call (`with`), and exports what all modules do: where floats and text are.
#[macro_export]
macro_rules! module {
    ($state:ty) => {
        $crate::kept!(STATE: $state);

        /// Runs a call. Panics where one is running already.
        pub(crate) fn with<R>(call: impl FnOnce(&mut $state) -> R) -> R {
            STATE.with(|state| call(state.borrow_mut().get_or_insert_default()))
        }

        /// Where the floats are, until the next [`floats_reserve`].
        #[unsafe(no_mangle)]
        pub extern "C" fn floats_ptr() -> *const f64 {
            with(|state| state.slots.floats().as_ptr())
        }

        /// How many floats there are.
        #[unsafe(no_mangle)]
        pub extern "C" fn floats_len() -> usize {
            with(|state| state.slots.floats().len())
        }

        /// Makes room for so many floats. They may be elsewhere then.
        #[unsafe(no_mangle)]
        pub extern "C" fn floats_reserve(floats: usize) {
            with(|state| state.slots.reserve(floats));
        }

        /// Where the text of the last refusal is.
        #[unsafe(no_mangle)]
        pub extern "C" fn text_ptr() -> *const u8 {
            $crate::text::with(str::as_ptr)
        }

        /// Its length in bytes of UTF-8.
        #[unsafe(no_mangle)]
        pub extern "C" fn text_len() -> usize {
            $crate::text::with(str::len)
        }
    };
}
