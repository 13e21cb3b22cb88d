// What is there for a moment only: seen from within the page, where no moment is missed.

const LIMIT_MILLIS = 60_000;

/**
 * Resolves as soon as `selector` finds what says `text`, a pattern, and clicks what `click` finds in that very moment: when a
 * click from outside comes, what it was to disturb may be over.
 */
export function atOnce(page, selector, { text = '', click, limitMillis = LIMIT_MILLIS } = {}) {
  return page.evaluate(
    ([selector, text, click, limitMillis]) =>
      new Promise((resolve, reject) => {
        let last = 'nothing';
        const look = () => {
          const found = document.querySelector(selector);
          if (found === null) return;
          last = `“${found.textContent}”`;
          if (!new RegExp(text).test(found.textContent)) return;
          observer.disconnect();
          clearTimeout(timer);
          if (click !== undefined) document.querySelector(click).click();
          resolve();
        };
        const observer = new MutationObserver(look);
        const timer = setTimeout(() => {
          observer.disconnect();
          reject(new Error(`no ${selector} said ${text || 'anything'} in ${limitMillis} ms; last there was ${last}`));
        }, limitMillis);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
        look();
      }),
    [selector, text, click, limitMillis],
  );
}
