//! What the browser gives: clock, storage, address, theme.

pub(crate) mod address;
pub(crate) mod clock;
pub(crate) mod storage;
