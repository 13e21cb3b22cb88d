//! What to give in place of a result.

/// What the shell does for a caller whose call was refused or has failed for good. Core keeps no values and calls no
/// functions; it says which of them the caller gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// The error itself. The default.
    #[default]
    Fail,
    /// The default value that was registered for the call.
    DefaultValue,
    /// The last good result, where the shell has kept one; else the error.
    LastGood,
    /// The result of another function, by the number under which the shell has registered it. It runs outside of
    /// everything that guards the first one.
    Call(u32),
}
