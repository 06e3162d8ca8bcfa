import { describe, expect, test } from '@jest/globals';
import { html } from '../../web/html.ts';
import { SafeColor } from '../../web/safe-color.ts';
import { SafeUrl } from '../../web/safe-url.ts';
import { xssCorpus } from './xss-corpus.ts';

describe('html', () => {
  test('escapes every character that markup is made of', () => {
    // Otherwise an application's text could run a script in the payer's browser.
    expect(html`<p>${`<b a="1" c='2'>&\``}</p>`.toString()).toBe(
      '<p>&#60;b a=&#34;1&#34; c=&#39;2&#39;&#62;&#38;&#96;</p>',
    );
  });

  test.each(xssCorpus)('keeps %j inside its text and its attribute', (text) => {
    // Otherwise a value could break out of its text or attribute.
    const markup = html`<p title="${text}">${text}</p>`.toString();
    expect(markup.match(/[<>]/g)).toEqual(['<', '>', '<', '>']);
    expect(markup.match(/"/g)).toEqual(['"', '"']);
  });

  test('puts nested markup in once and escapes strings of a list', () => {
    // Otherwise text would be escaped twice, or a list would not be escaped.
    const items = ['<a>', html`<b>${'&'}</b>`, 7, 8n, null, false] as const;
    expect(html`<p>${items}</p>`.toString()).toBe('<p>&#60;a&#62;<b>&#38;</b>78</p>');
  });

  test('takes only checked URLs in URL attributes', () => {
    // Otherwise a link or form could run a javascript: URL.
    expect(() => html`<a href="${'javascript:alert(1)'}">x</a>`).toThrow('SafeUrl');
    expect(() => html`<form action="${'/pay'}"></form>`).toThrow('SafeUrl');
    expect(html`<a href="${SafeUrl.localPath('/a?b=1&c="')}">x</a>`.toString()).toBe(
      '<a href="/a?b=1&#38;c=&#34;">x</a>',
    );
  });

  test('refuses places where escaping is not enough', () => {
    // Otherwise a template could run a value as code.
    const value = 'x';
    expect(() => html`<p onclick="${value}"></p>`).toThrow('inside a tag');
    expect(() => html`<p style="${value}"></p>`).toThrow('inside a tag');
    expect(() => html`<iframe srcdoc="${value}"></iframe>`).toThrow('inside a tag');
    expect(() => html`<p title=${value}></p>`).toThrow('inside a tag');
    // prettier-ignore
    expect(() => html`<p title='${value}'></p>`).toThrow('inside a tag');
    expect(() => html`<p ${value}></p>`).toThrow('inside a tag');
    // prettier-ignore
    expect(() => html`<script>const a = 1; ${value}</script>`).toThrow('script or style');
    // prettier-ignore
    expect(() => html`<style></style><style>${value}</style>`).toThrow('script or style');
  });

  test('takes only checked colours in style attributes', () => {
    // Otherwise a style could load a file or cover the page.
    expect(() => html`<p style="color:${'red;background:url(x)'}"></p>`).toThrow('SafeColor');
    expect(() => html`<p style="color:${html`<b></b>`}"></p>`).toThrow('SafeColor');
    expect(() => SafeColor.hex('#000000;x')).toThrow('#rrggbb');
    expect(html`<p style="color:${SafeColor.hex('#0b6b4f')};margin:0">x</p>`.toString()).toBe(
      '<p style="color:#0b6b4f;margin:0">x</p>',
    );
  });

  test('refuses markup as an attribute value', () => {
    // Otherwise tags could get into an attribute.
    expect(() => html`<p title="${html`<b>x</b>`}"></p>`).toThrow('not markup');
  });
});
