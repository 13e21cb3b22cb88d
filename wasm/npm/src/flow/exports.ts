/** The exports of `policy.wasm` for flow control; what each does is written in `wasm/policy/src/abi/flow`. */
export interface FlowExports {
  stack_new(now: number, seed: number, budget: number): number;
  stack_free(stack: number): void;
  stack_call(stack: number, now: number): number;
  stack_result(stack: number, now: number, slot: number, serial: number, end: number, retryAfterMs: number): number;
  stack_abort(stack: number, now: number, slot: number, serial: number): number;
  stack_deadline(stack: number, now: number): number;
  stack_drain(stack: number): number;
  stack_metrics(stack: number, now: number): void;
  budget_new(now: number): number;
  budget_free(budget: number): void;
  budget_metrics(budget: number, now: number): void;
  breaker_metrics(stack: number, now: number): void;
  breaker_state(stack: number, now: number): number;
  breaker_set_mode(stack: number, now: number, mode: number): void;
  breaker_hold_open(stack: number, now: number, until: number): void;
  breaker_deadline(stack: number, now: number): number;
  breaker_event(stack: number): number;
}
