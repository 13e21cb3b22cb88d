//! Outcomes and device information as plain objects.

use js_sys::{Float32Array, Object, Reflect};
use quillwork_compute::{Adapter, Compute, CpuReason, Outcome, RanOn};
use wasm_bindgen::JsValue;

/// `ComputeOutcome`.
pub(crate) fn outcome(outcome: &Outcome) -> JsValue {
    let object = Object::new();
    set(&object, "data", Float32Array::from(outcome.data.as_slice()));
    match &outcome.ran_on {
        RanOn::Gpu(adapter) => {
            set(&object, "ranOn", "gpu");
            set_device(&object, Ok(adapter));
        }
        RanOn::Cpu(reason) => {
            set(&object, "ranOn", "cpu");
            set_device(&object, Err(reason));
        }
    }
    object.into()
}

/// `ComputeInfo`.
#[expect(clippy::cast_precision_loss, reason = "byte counts are far below 2^53")]
pub(crate) fn info(compute: &Compute) -> JsValue {
    let object = Object::new();
    let adapter = compute.adapter();
    set(&object, "gpu", adapter.is_ok());
    set_device(&object, adapter.as_ref());
    set(&object, "pooledBytes", compute.held_bytes() as f64);
    set(&object, "budgetBytes", compute.options().budget_bytes as f64);
    object.into()
}

fn set_device(object: &Object, device: Result<&Adapter, &CpuReason>) {
    match device {
        Ok(adapter) => {
            set(object, "reason", "a GPU is available");
            set(object, "reasonCode", "gpu");
            set(object, "adapter", adapter.name.as_str());
            set(object, "backend", adapter.backend.as_str());
            set(object, "isFallbackAdapter", adapter.fallback);
        }
        Err(reason) => {
            set(object, "reason", reason.to_string());
            set(object, "reasonCode", reason.code());
            set(object, "adapter", "");
            set(object, "backend", "");
            set(object, "isFallbackAdapter", false);
        }
    }
}

fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    // Setting a property of a fresh object can't fail.
    let _ = Reflect::set(object, &name.into(), &value.into());
}
