//! The exported class.

use std::future::Future;
use std::rc::Rc;

use js_sys::Promise;
use quillwork_compute::{Compute, Shape};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error::Refusal;
use crate::{arguments, report};

/// Matrix products on the GPU, and on the CPU where there is none or it fails.
///
/// `free()` gives the device back once no product is under way.
#[wasm_bindgen(js_name = Compute)]
#[derive(Debug)]
pub struct JsCompute {
    // Shared with the products under way, so that the object may be freed meanwhile.
    compute: Rc<Compute>,
}

#[wasm_bindgen(js_class = Compute)]
impl JsCompute {
    /// Asks for a GPU. Resolves without one too: then everything runs on the CPU, and `info()` tells why.
    #[wasm_bindgen(unchecked_return_type = "Promise<Compute>")]
    pub fn create(
        #[wasm_bindgen(unchecked_optional_param_type = "ComputeOptions")] options: JsValue,
    ) -> Promise {
        settle(async move {
            let options = arguments::options(&options)?;
            let compute = Rc::new(Compute::with_options(options).await);
            Ok(Self { compute }.into())
        })
    }

    /// The product of `a` (`m` x `k`, row-major) and `b` (`k` x `n`).
    #[wasm_bindgen(unchecked_return_type = "Promise<ComputeOutcome>")]
    pub fn matmul(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] a: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] b: JsValue,
        m: f64,
        k: f64,
        n: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "ComputeDevice")] device: JsValue,
    ) -> Promise {
        let compute = Rc::clone(&self.compute);
        // Copied before the first await: the caller may change or transfer its arrays as soon as this returns.
        let arguments = (|| {
            let device = arguments::device(&device)?;
            let shape =
                Shape::new(arguments::size("m", m)?, arguments::size("k", k)?, arguments::size("n", n)?)?;
            Ok::<_, Refusal>((shape, arguments::numbers("a", &a)?, arguments::numbers("b", &b)?, device))
        })();
        settle(async move {
            let (shape, a, b, device) = arguments?;
            Ok(report::outcome(&compute.matmul(shape, &a, &b, device).await?))
        })
    }

    /// The cosine similarity of each pair of `count` vectors of `dim` numbers, a `count` x `count` matrix. A vector without a
    /// direction (all zeros, or not finite) is similar to nothing: 0, never NaN.
    #[wasm_bindgen(unchecked_return_type = "Promise<ComputeOutcome>")]
    pub fn similarity(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] vectors: JsValue,
        count: f64,
        dim: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "ComputeDevice")] device: JsValue,
    ) -> Promise {
        let compute = Rc::clone(&self.compute);
        let arguments = (|| {
            let device = arguments::device(&device)?;
            let (count, dim) = (arguments::size("count", count)?, arguments::size("dim", dim)?);
            Ok::<_, Refusal>((arguments::numbers("vectors", &vectors)?, count, dim, device))
        })();
        settle(async move {
            let (vectors, count, dim, device) = arguments?;
            Ok(report::outcome(&compute.cosine_similarity(&vectors, count, dim, device).await?))
        })
    }

    /// The device that runs products now, or why it is the CPU.
    #[wasm_bindgen(unchecked_return_type = "ComputeInfo")]
    pub fn info(&self) -> JsValue {
        report::info(&self.compute)
    }

    /// Destroys the GPU device, as a driver reset would: products under way complete on the CPU, later ones run there.
    #[wasm_bindgen(js_name = loseDevice)]
    pub fn lose_device(&self) {
        self.compute.lose_device();
    }

    /// Asks for a GPU anew, and resolves with what `info()` says then.
    #[wasm_bindgen(unchecked_return_type = "Promise<ComputeInfo>")]
    pub fn reacquire(&self) -> Promise {
        let compute = Rc::clone(&self.compute);
        settle(async move {
            // Why there is still none is part of the information.
            let _ = compute.reacquire().await;
            Ok(report::info(&compute))
        })
    }
}

fn settle(work: impl Future<Output = Result<JsValue, Refusal>> + 'static) -> Promise {
    future_to_promise(async move { work.await.map_err(JsValue::from) })
}
