// Figures that a page carries in its data attributes, and waiting for them.

const LIMIT_MILLIS = 120_000;

/**
 * Resolves with the figure in `data-<name>` of the first element that `selector` finds, once it is `'above'` or
 * `'at least'` `than`. Looks again whenever the page changes.
 */
export function untilFigure(page, selector, name, relation, than, limitMillis = LIMIT_MILLIS) {
  return page.evaluate(
    ([selector, name, relation, than, limitMillis]) =>
      new Promise((resolve, reject) => {
        let last;
        const look = () => {
          const text = document.querySelector(selector)?.getAttribute(`data-${name}`) ?? '';
          last = text === '' ? undefined : Number(text);
          const holds = last !== undefined && (relation === 'above' ? last > than : last >= than);
          if (!holds) return;
          observer.disconnect();
          clearTimeout(timer);
          resolve(last);
        };
        const observer = new MutationObserver(look);
        const timer = setTimeout(() => {
          observer.disconnect();
          reject(new Error(`data-${name} of ${selector} is ${last}, and not ${relation} ${than} after ${limitMillis} ms`));
        }, limitMillis);
        observer.observe(document, { subtree: true, childList: true, attributes: true });
        look();
      }),
    [selector, name, relation, than, limitMillis],
  );
}
