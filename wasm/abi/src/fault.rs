//! What a module of a page has instead of the standard library's: memory, and what happens at a panic.

use core::panic::PanicInfo;

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static MEMORY: GlobalDlmalloc = GlobalDlmalloc;

/// Traps. Where it was stands in the trap's stack; the words of all panics, and what formats them, would be a tenth of a module.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
