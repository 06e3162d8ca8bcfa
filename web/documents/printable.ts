import { visibleText } from '../visible-text.ts';
import { BENGALI } from './fonts.ts';

/** Longer words may break anywhere. */
const UNBROKEN_MAX = 24;
const REPLACEMENT = '\ufffd';

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const plain = /^[\x20-\x7e]*$/;

/**
 * Makes untrusted text printable: removes invisible and control characters, replaces what the fonts lack, and allows breaks in long words. Typst
 * receives it as data, so markup needs no escaping.
 */
export class Printable {
  readonly #covered: ReadonlySet<string>;

  constructor(covered: ReadonlySet<string>) {
    this.#covered = covered;
  }

  /** Returns the text as one line. */
  text(raw: string): string {
    return breakable(this.bare(raw));
  }

  /** Like `text`, without breaks in long words; for metadata. */
  bare(raw: string): string {
    const visible = visibleText(raw);
    return plain.test(visible)
      ? visible
      : graphemesOf(visible)
          .map((letter) => (this.#canSet(letter) ? letter : REPLACEMENT))
          .join('');
  }

  /** Returns the lines of a multi-line text, at most `max`; none for null. */
  lines(raw: string | null, max: number): string[] {
    return (raw ?? '')
      .split(/\r\n|[\r\n\u2028\u2029]/, max)
      .map((line) => this.text(line))
      .filter((line) => line !== '');
  }

  /**
   * Returns whether the fonts can set a letter with its marks. All must be in one font: a mark alone, or with a letter of another script, has no
   * glyph after shaping.
   */
  #canSet(letter: string): boolean {
    const characters = Array.from(letter);
    const bengali = characters.filter((character) => BENGALI.test(character));
    return (
      !/^\p{M}/u.test(letter) &&
      (bengali.length === 0 || bengali.length === characters.length) &&
      characters.every((character) => this.#covered.has(character))
    );
  }
}

function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

function breakable(text: string): string {
  return text.replace(/\S+/g, (word) => {
    const letters = word.length > UNBROKEN_MAX ? graphemesOf(word) : [];
    return letters.length > UNBROKEN_MAX ? letters.join('\u200b') : word;
  });
}
