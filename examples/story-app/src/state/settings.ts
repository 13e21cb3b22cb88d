/** How the app looks: theme, and which part a narrow window shows. Kept in local storage where the browser lets it. */

import { Store } from './store';

export type Theme = 'system' | 'light' | 'dark';
export type View = 'map' | 'play' | 'analysis';
export type ColourBy = 'kind' | 'similarity' | 'readers';

export interface SettingsState {
  theme: Theme;
  view: View;
  colourBy: ColourBy;
}

const KEY = 'quillwork-story-theme';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export class Settings {
  readonly store = new Store<SettingsState>({ theme: remembered(), view: 'map', colourBy: 'kind' });

  constructor() {
    this.#apply();
  }

  cycleTheme(): void {
    const next = THEMES[(THEMES.indexOf(this.store.get().theme) + 1) % THEMES.length] ?? 'system';
    this.store.set({ theme: next });
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
    this.#apply();
  }

  show(view: View): void {
    this.store.set({ view });
  }

  colourBy(colourBy: ColourBy): void {
    this.store.set({ colourBy });
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.store.get().theme;
  }
}

function remembered(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? 'system';
  } catch {
    return 'system';
  }
}
