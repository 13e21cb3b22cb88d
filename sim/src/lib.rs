//! Virtual-time simulator that drives quillwork-core.
