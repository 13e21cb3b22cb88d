//! Records with checksums over interchangeable back ends.
