//! What only a browser can tell.

use js_sys::Reflect;
use js_sys::wasm_bindgen::JsValue;

/// Whether this global scope is one that wgpu knows, and offers WebGPU.
pub(crate) fn has_webgpu() -> bool {
    let global: JsValue = js_sys::global().into();
    let is_known = ["Window", "WorkerGlobalScope"].iter().any(|&name| property(&global, name).is_some());
    is_known && property(&global, "navigator").and_then(|navigator| property(&navigator, "gpu")).is_some()
}

/// Vendor and architecture: browsers leave the description empty unless a flag is set.
pub(crate) fn adapter_name(device: &wgpu::Device) -> String {
    let Some(device) = device.as_webgpu() else { return String::new() };
    let Some(info) = property(device, "adapterInfo") else { return String::new() };
    let parts = ["vendor", "architecture"].iter().filter_map(|&name| property(&info, name)?.as_string());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}
