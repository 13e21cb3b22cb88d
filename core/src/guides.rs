//! The guides in `docs/`, so that their examples are compiled and run with the tests.
