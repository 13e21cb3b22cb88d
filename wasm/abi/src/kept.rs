//! What lives between the calls to a module.

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub use std::thread_local;

/// A static of a program with one thread, which an instance of a module is. As `std::thread::LocalKey`, without the standard library.
#[derive(Debug)]
pub struct OneThread<T>(T);

#[expect(unsafe_code, reason = "a static must be `Sync`")]
// SAFETY: `kept!` makes one only where there are no threads to share it.
unsafe impl<T> Sync for OneThread<T> {}

impl<T> OneThread<T> {
    /// Holds a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Looks at it.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0)
    }
}

/// Keeps a value between calls, in a `RefCell` that is empty at first. Natively each thread, and so each test, has one of its own.
#[macro_export]
macro_rules! kept {
    ($name:ident: $kept:ty) => {
        #[cfg(target_family = "wasm")]
        static $name: $crate::kept::OneThread<::core::cell::RefCell<::core::option::Option<$kept>>> =
            $crate::kept::OneThread::new(::core::cell::RefCell::new(::core::option::Option::None));
        #[cfg(not(target_family = "wasm"))]
        $crate::kept::thread_local! {
            static $name: ::core::cell::RefCell<::core::option::Option<$kept>> =
                const { ::core::cell::RefCell::new(::core::option::Option::None) };
        }
    };
}
