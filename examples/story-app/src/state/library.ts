/** The open story: opening it, and what its shape tells. */

import type { WayLengths } from '../analysis/lengths';
import type { Reachability } from '../analysis/structure';
import { labelWidth } from '../map/labels';
import type { Layout } from '../layout/geometry';
import type { Rejection } from '../story/issues';
import type { OpenInput, OpenedStory, OpeningProgress } from '../story/open';
import type { Playable } from '../tasks/playable';
import type { SimilarityResult } from '../tasks/similarity';
import { explain, isAbort, type Caches, type StoryRuntime } from './runtime';
import { Store } from './store';

export interface LibraryState {
  opening: { name: string; progress: OpeningProgress | undefined } | undefined;
  /** Why the last story could not be opened; the one before stays open. */
  rejected: Rejection | undefined;
  story: OpenedStory | undefined;
  layout: Layout | undefined;
  reachability: Reachability | undefined;
  loops: number[][] | undefined;
  lengths: WayLengths | undefined;
  similarity: SimilarityResult | undefined;
  /** Analyses that failed, by name. */
  failures: Record<string, string>;
  selected: number;
}

const NOTHING_DERIVED = { layout: undefined, reachability: undefined, loops: undefined, lengths: undefined, similarity: undefined, failures: {}, selected: -1 };

export class Library {
  readonly store = new Store<LibraryState>({ opening: undefined, rejected: undefined, story: undefined, ...NOTHING_DERIVED });
  #opening: AbortController | undefined;
  /** Ends the analyses of the story that was open before. */
  #analyses = new AbortController();

  constructor(
    private readonly runtime: StoryRuntime,
    private readonly caches: Caches,
    private readonly onOpened: (story: OpenedStory) => void,
  ) {}

  async open(input: OpenInput): Promise<void> {
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    this.store.set({ opening: { name: input.name, progress: undefined }, rejected: undefined });
    try {
      const result = await this.runtime.run('open', input, {
        priority: 9,
        signal: opening.signal,
        onProgress: (progress) => {
          if (this.#opening === opening) this.store.set({ opening: { name: input.name, progress } });
        },
      });
      if (this.#opening !== opening) return;
      if (result.kind === 'rejected') {
        this.store.set({ opening: undefined, rejected: result });
        return;
      }
      this.store.set({ opening: undefined, rejected: undefined, story: result, ...NOTHING_DERIVED, selected: result.graph.start });
      this.onOpened(result);
      await this.#derive(result);
    } catch (error) {
      if (this.#opening !== opening || isAbort(error)) return;
      this.reject(input.name, explain(error));
    }
  }

  cancelOpening(): void {
    this.#opening?.abort();
    this.#opening = undefined;
    this.store.set({ opening: undefined });
  }

  /** For what fails before a worker sees it, such as a file that the browser can't read. */
  reject(name: string, reason: string): void {
    this.store.set({
      opening: undefined,
      rejected: { kind: 'rejected', code: 'damaged-json', title: `“${name}” could not be opened.`, advice: reason, issues: [] },
    });
  }

  dismissRejection(): void {
    this.store.set({ rejected: undefined });
  }

  select(passage: number): void {
    if (passage !== this.store.get().selected) this.store.set({ selected: passage });
  }

  /** Everything that the shape and the words of the story tell, in tasks beside each other. */
  async #derive(story: OpenedStory): Promise<void> {
    const { graph } = story;
    this.#analyses.abort();
    this.#analyses = new AbortController();
    const { signal } = this.#analyses;
    const layoutInput = { widths: graph.passages.map(labelWidth), edges: graph.edges, start: graph.start };
    await Promise.all([
      this.#part('layout', story, this.caches.layout, () => this.runtime.run('layout', layoutInput, { priority: 8, signal })),
      this.#part('reachability', story, this.caches.reachability, () => this.runtime.run('reachability', graph, { priority: 7, signal })),
      this.#part('loops', story, this.caches.loops, () => this.runtime.run('loops', graph, { priority: 6, signal })),
      this.#part('lengths', story, this.caches.lengths, () => this.runtime.run('lengths', graph, { priority: 6, signal })),
      this.#part('similarity', story, this.caches.similarity, async () => {
        const vectors = await this.runtime.run('vectors', story.texts, { priority: 5, signal });
        return this.runtime.run('similarity', vectors, { priority: 5, capabilities: ['gpu'], signal });
      }),
    ]);
  }

  async #part<Name extends 'layout' | 'reachability' | 'loops' | 'lengths' | 'similarity'>(
    name: Name,
    story: OpenedStory,
    cache: { get(key: string): LibraryState[Name] | undefined; set(key: string, value: NonNullable<LibraryState[Name]>): void },
    compute: () => Promise<NonNullable<LibraryState[Name]>>,
  ): Promise<void> {
    try {
      let value = cache.get(story.hash);
      if (value === undefined) {
        const computed = await compute();
        cache.set(story.hash, computed);
        value = computed;
      }
      if (this.store.get().story === story) this.store.set({ [name]: value });
    } catch (error) {
      if (this.store.get().story === story) this.store.set({ failures: { ...this.store.get().failures, [name]: explain(error) } });
    }
  }
}

/** What tasks need to run the story. */
export function playable(story: OpenedStory): Playable {
  return {
    hash: story.hash,
    json: story.json,
    passages: story.graph.passages.map(({ id, path, kind }) => ({ id, path, kind })),
    externals: story.graph.externals,
  };
}
