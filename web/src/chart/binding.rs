//! The JavaScript face of uPlot, `web/chart.js`. It is a script of the page and not a snippet of wasm-bindgen: Trunk
//! then puts a hash of its contents into its name, so that no cache serves an old one.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A chart in an element.
    #[wasm_bindgen(js_name = QuillworkChart)]
    pub(super) type Plot;

    /// Fails where the scripts did not load.
    #[wasm_bindgen(constructor, js_class = "QuillworkChart", catch)]
    pub(super) fn new(
        host: &web_sys::HtmlElement,
        series: u32,
        on_cursor: &Closure<dyn FnMut(f64)>,
        on_resize: &Closure<dyn FnMut(f64)>,
        on_select: Option<&Closure<dyn FnMut(f64, f64)>>,
    ) -> Result<Plot, JsValue>;

    /// Draws; the slices are only read during the call.
    #[wasm_bindgen(method)]
    #[allow(clippy::too_many_arguments, reason = "numbers cross the boundary, not an object")]
    pub(super) fn draw(
        this: &Plot,
        seconds: &[f64],
        values: &[f32],
        window: &[f64],
        ends: &[f64],
        ticks: &[f64],
        labels: Vec<String>,
        limit: f64,
    );

    /// Marks spans of time, each its first and last second.
    #[wasm_bindgen(method)]
    pub(super) fn mark(this: &Plot, spans: &[f64]);

    /// Puts the cursor on an instant; NaN takes it away.
    #[wasm_bindgen(method)]
    pub(super) fn point(this: &Plot, second: f64);

    /// Takes everything out of the element.
    #[wasm_bindgen(method)]
    pub(super) fn destroy(this: &Plot);
}
