import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readableAccent } from '../../web/accent.ts';

describe('an accent colour', () => {
  test.each([
    ['#0b6b4f', '#0b6b4f'],
    ['#3B4CCA', '#3b4cca'],
    ['#000000', '#000000'],
    ['green', '#0b6b4f'],
    ['#fff', '#0b6b4f'],
    ['#12345g', '#0b6b4f'],
    ['url(x)', '#0b6b4f'],
  ])('%s is used as %s', (given, used) => {
    // Any stored value must become a colour, and a readable colour must stay as chosen.
    expect(readableAccent(given)).toBe(used);
  });

  test('can be read on white, whatever was chosen', () => {
    // WCAG 2.2 AA requires a contrast of 4.5 to 1.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffff }), (color) => {
        const used = readableAccent(`#${color.toString(16).padStart(6, '0')}`);
        const [red = 0, green = 0, blue = 0] = [1, 3, 5]
          .map((at) => Number.parseInt(used.slice(at, at + 2), 16) / 255)
          .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
        expect(1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });
});
