//! Graphics processors that are read in the same way on every system.

mod nvidia;

pub(crate) use self::nvidia::NvidiaReader;
