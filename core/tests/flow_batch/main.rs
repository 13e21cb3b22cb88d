//! [`Batcher`](quillwork_core::flow::batch::Batcher): by the naive model on generated sequences, and case by case.

mod cases;
mod model;
mod model_test;
