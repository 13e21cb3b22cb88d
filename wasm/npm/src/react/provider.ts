import { createContext, createElement, useContext, useEffect, useState, type ReactElement, type ReactNode } from 'react';
import type { Runtime } from '../runtime/runtime.js';

/** A runtime of whatever tasks: the provider does not look at them. */
export type AnyRuntime = Pick<Runtime<never>, 'stats' | 'close' | 'killWorker' | 'telemetry' | 'on' | 'cache'> & {
  run(task: never, ...rest: never[]): Promise<unknown>;
};

/** Props of {@link RuntimeProvider}. */
export interface RuntimeProviderProps {
  /**
   * The runtime, or what `createRuntime` returned. Make it outside of the component, once; on a server leave it out. Who makes it
   * closes it: the provider doesn't.
   */
  readonly runtime?: AnyRuntime | Promise<AnyRuntime> | undefined;
  readonly children?: ReactNode;
}

/** What the provider passes down: the runtime once it is there, and a promise of it for who can't wait. */
export interface Provided {
  readonly runtime: AnyRuntime | undefined;
  readonly promise: Promise<AnyRuntime> | undefined;
}

const RuntimeContext = createContext<Provided | undefined>(undefined);

/** What a hook says that was asked to run something without a runtime. */
export const NO_RUNTIME = 'the <RuntimeProvider> has no runtime (yet, or on a server): pass it what createRuntime returns';

/** Gives a runtime to the hooks below it. */
export function RuntimeProvider({ runtime, children }: RuntimeProviderProps): ReactElement {
  const [provided, setProvided] = useState<Provided>(() => provide(runtime));
  useEffect(() => {
    setProvided((before) => (before.runtime === runtime || before.promise === runtime ? before : provide(runtime)));
    if (!(runtime instanceof Promise)) {
      return undefined;
    }
    let wanted = true;
    runtime.then(
      (ready) => {
        if (wanted) {
          setProvided({ runtime: ready, promise: runtime });
        }
      },
      // Whoever runs a task hears of it.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [runtime]);
  return createElement(RuntimeContext.Provider, { value: provided }, children);
}

/** The runtime of the nearest {@link RuntimeProvider}; `undefined` while it is being made, and on a server. */
export function useRuntime<Tasks = unknown>(): Runtime<Tasks> | undefined {
  return useProvided().runtime as Runtime<Tasks> | undefined;
}

/** What the nearest provider passes down. Throws where there is none: a mistake that would otherwise show much later. */
export function useProvided(): Provided {
  const provided = useContext(RuntimeContext);
  if (provided === undefined) {
    throw new Error('the hooks of quillwork/react need a <RuntimeProvider> above them');
  }
  return provided;
}

function provide(runtime: AnyRuntime | Promise<AnyRuntime> | undefined): Provided {
  return runtime instanceof Promise
    ? { runtime: undefined, promise: runtime }
    : { runtime, promise: runtime === undefined ? undefined : Promise.resolve(runtime) };
}
