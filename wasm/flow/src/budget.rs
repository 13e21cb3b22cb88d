//! Retry budgets that several stacks share.

use quillwork_core::flow::retry::RetryBudget;

use crate::stack_settings::budget;
use crate::state::{self, State};
use quillwork_abi::clock::instant;
use quillwork_abi::settings::Settings;
use quillwork_abi::text::made;

/// A new budget of deposit ratio, reserve per second and most that is saved in the floats, or 0 with a text. Stacks that share it have
/// its clock.
#[unsafe(no_mangle)]
pub extern "C" fn budget_new(now: f64) -> u32 {
    state::with(|State { slots, budgets, .. }| {
        let config = budget(&mut Settings::new(slots.floats()));
        made(RetryBudget::new(config, instant(now)), |budget| budgets.insert(budget))
    })
}

/// Frees it. No stack may share it any more.
#[unsafe(no_mangle)]
pub extern "C" fn budget_free(budget: u32) {
    state::with(|state| state.budgets.remove(budget));
}

/// Writes floats: available, capacity, deposits, withdrawals, refusals.
#[unsafe(no_mangle)]
pub extern "C" fn budget_metrics(budget: u32, now: f64) {
    state::with(|State { slots, budgets, .. }| {
        let metrics = budgets.get(budget).metrics(instant(now));
        let counts = [
            u64::from(metrics.available),
            u64::from(metrics.capacity),
            metrics.deposits,
            metrics.withdrawals,
            metrics.refusals,
        ];
        slots.write(0, counts.map(|count| count as f64));
    });
}
