import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { marked } from '../src/panels/marked';
import { linkText } from '../src/ui/StatusBar';

const html = (text: string): string => renderToStaticMarkup(createElement('p', null, marked(text)));

describe('the text of a story on the page', () => {
  test('marks what authors mark', () => {
    expect(html('a <b>bold <i>and</i> more</b> <EM>word</EM>')).toBe('<p>a <strong>bold <em>and</em> more</strong> <em>word</em></p>');
  });

  test('is text, whatever else it looks like', () => {
    expect(html('<img src=x onerror=alert(1)><script>alert(1)</script><b onclick="x">y</b>')).toBe('<p>&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b onclick=&quot;x&quot;&gt;y</p>');
  });

  test('marks that are opened a hundred thousand times and never closed are no end of the page', () => {
    const text = html(`${'<b>'.repeat(100_000)}still here`);
    expect(text).toContain('still here');
    expect(text.match(/<strong>/g)?.length).toBeLessThan(20);
  });
});

describe('the line to the host', () => {
  test('says how many samples wait while the host is away', () => {
    expect(linkText('away', 0)).toBe('Host away');
    expect(linkText('away', 1)).toBe('Host away: 1 sample waits here');
    expect(linkText('away', 42)).toBe('Host away: 42 samples wait here');
    expect(linkText('connected', 1)).toBe('Connected to the host');
  });
});
