import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { brandStylesheet } from '../../../web/payable/brand-stylesheet.ts';
import { xssCorpus } from '../xss-corpus.ts';

const shape =
  /^:root \{\n {2}--brand: #[0-9a-f]{6};\n {2}--main: #[0-9a-f]{6};\n {2}--main-strong: #[0-9a-f]{6};\n {2}--on-main: #[0-9a-f]{6};\n\}\n@media \(prefers-color-scheme: dark\) \{\n {2}:root \{\n {4}--main: #[0-9a-f]{6};\n {4}--main-strong: #[0-9a-f]{6};\n {4}--on-main: #[0-9a-f]{6};\n {2}\}\n\}\n$/;

/** The backgrounds of accent-coloured text: the page, the card, and a button under the pointer. */
const grounds = [
  ['#f1f5f3', '#ffffff', '#e1f3eb', '#e8eef1'],
  ['#0d1412', '#16201d', '#12392c', '#22303a'],
] as const;

function contrast(left: string, right: string): number {
  const [low = 0, high = 0] = [left, right]
    .map((color) => {
      const [red = 0, green = 0, blue = 0] = [1, 3, 5]
        .map((start) => Number.parseInt(color.slice(start, start + 2), 16) / 255)
        .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((one, other) => one - other);
  return (high + 0.05) / (low + 0.05);
}

describe("the brand's stylesheet", () => {
  test('can be read in light and dark, whatever colour was chosen', () => {
    // WCAG 2.2 AA requires a contrast of 4.5 to 1, on every background and for the text of a button.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), (color) => {
        const sheet = brandStylesheet(`#${color.toString(16).padStart(6, '0')}`);
        for (const [index, part] of sheet.split('@media').entries()) {
          const of = (name: string): string => new RegExp(`--${name}: (#\\w+);`).exec(part)?.[1] ?? '';
          for (const ground of grounds[index] ?? []) {
            expect(contrast(of('main'), ground)).toBeGreaterThanOrEqual(4.5);
          }
          expect(contrast(of('on-main'), of('main'))).toBeGreaterThanOrEqual(4.5);
          expect(contrast(of('on-main'), of('main-strong'))).toBeGreaterThanOrEqual(4.5);
        }
      }),
    );
  });

  test('keeps a colour that can be read, and shows the chosen one where nothing is read on it', () => {
    // Otherwise a company would lose its chosen colour.
    expect(brandStylesheet('#3B0A91')).toContain('--brand: #3b0a91;\n  --main: #3b0a91;');
    expect(brandStylesheet('#ffd400')).toContain('--brand: #ffd400;');
  });

  test('has nothing of a text that is no colour', () => {
    // Otherwise text stored as a colour could add rules to the page.
    const ours = brandStylesheet('#0b6b4f');
    const hostile = ['', 'red', '#fff', '#12345g', '#0b6b4f;}', 'url(//evil.example/)', '#0b6b4f\n}body{display:none}'];
    for (const text of [...hostile, ...xssCorpus]) {
      expect(brandStylesheet(text)).toBe(ours);
    }
    fc.assert(fc.property(fc.string(), (text) => shape.test(brandStylesheet(text))));
  });
});
