/** The exports of `balance.wasm` for balancers; what each does is written in `wasm/balance/src/balance.rs`. */
export interface BalanceExports {
  balance_new(): number;
  balance_free(balancer: number): void;
  balance_strategy(balancer: number, strategy: number): number;
  balance_sync(balancer: number, now: number, rows: number): void;
  balance_forget(balancer: number, now: number, worker: number): void;
  balance_select(balancer: number, now: number, book: number): number;
  balance_book(balancer: number, now: number, worker: number, complexity: number): void;
  balance_candidates(balancer: number, now: number): number;
  balance_explain(balancer: number, now: number): number;
  balance_scores(balancer: number, now: number): number;
  balance_outcome(balancer: number, now: number, worker: number, taskType: number, success: number, durationMs: number): void;
  balance_rule(balancer: number, taskType: number, worker: number, effect: number): void;
  balance_weights(balancer: number, taskType: number): number;
  balance_save(balancer: number): number;
  balance_restore(balancer: number, bytes: number): number;
  balance_overload(balancer: number, now: number): number;
  balance_migrations(balancer: number, now: number, tasks: number): number;
  balance_reorder(balancer: number, tasks: number): number;
}

/** Those for registries; what each does is written in `wasm/balance/src/registry.rs`. */
export interface RegistryExports {
  registry_new(leaseMs: number, maxWorkers: number, forgetLostAfterMs: number): number;
  registry_free(registry: number): void;
  registry_register(
    registry: number,
    now: number,
    worker: number,
    low: number,
    high: number,
    capacity: number,
    region: number,
  ): number;
  registry_heartbeat(registry: number, now: number, worker: number, generation: number): number;
  registry_assign(registry: number, now: number, worker: number, task: number, low: number, high: number, load: number): number;
  registry_complete(
    registry: number,
    now: number,
    worker: number,
    generation: number,
    task: number,
    success: number,
  ): number;
  registry_drain(registry: number, now: number, worker: number): number;
  registry_remove(registry: number, now: number, worker: number): number;
  registry_deadline(registry: number, now: number): number;
  registry_drain_records(registry: number): number;
  registry_view(registry: number, now: number, worker: number): number;
}
