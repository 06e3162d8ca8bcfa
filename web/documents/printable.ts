import { visibleText } from '../visible-text.ts';
import { BENGALI } from './fonts.ts';

/** Words of more letters may break anywhere. */
const UNBROKEN_MAX = 24;
const REPLACEMENT = '\ufffd';

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const plain = /^[\x20-\x7e]*$/;

/**
 * Makes a stranger's text fit to print: nothing invisible, no control characters, a sign for what the fonts lack, and room to break in
 * long words. What it means to Typst is nothing: it is data there.
 */
export class Printable {
  readonly #covered: ReadonlySet<string>;

  constructor(covered: ReadonlySet<string>) {
    this.#covered = covered;
  }

  /** One line. */
  text(raw: string): string {
    return breakable(this.bare(raw));
  }

  /** The same without room to break, for metadata. */
  bare(raw: string): string {
    const visible = visibleText(raw);
    return plain.test(visible)
      ? visible
      : emailsOf(visible)
          .map((letter) => (this.#canSet(letter) ? letter : REPLACEMENT))
          .join('');
  }

  /** The lines of a text with several; at most `max`, and none for null. */
  lines(raw: string | null, max: number): string[] {
    return (raw ?? '')
      .split(/\r\n|[\r\n\u2028\u2029]/, max)
      .map((line) => this.text(line))
      .filter((line) => line !== '');
  }

  /** A letter with its marks, all in one font: a mark alone, or of another script than its letter, has no glyph after shaping. */
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

function emailsOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

function breakable(text: string): string {
  return text.replace(/\S+/g, (word) => {
    const letters = word.length > UNBROKEN_MAX ? emailsOf(word) : [];
    return letters.length > UNBROKEN_MAX ? letters.join('\u200b') : word;
  });
}
