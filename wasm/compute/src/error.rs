//! Errors as JavaScript sees them: an `Error` with a `code`.

use js_sys::{Error, Reflect};
use quillwork_compute::ComputeError;
use wasm_bindgen::JsValue;

/// What a promise is rejected with.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self { code: "ERR_INVALID_ARGUMENT", message: message.into() }
    }

    pub(crate) fn shape(message: impl Into<String>) -> Self {
        Self { code: "ERR_SHAPE", message: message.into() }
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self { code: "ERR_TOO_LARGE", message: message.into() }
    }
}

impl From<ComputeError> for Refusal {
    fn from(error: ComputeError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> Self {
        let error = Error::new(&refusal.message);
        // Defining a property on a fresh object can't fail.
        let _ = Reflect::set(&error, &"code".into(), &refusal.code.into());
        error.into()
    }
}
