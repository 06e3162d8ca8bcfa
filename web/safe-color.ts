/** A colour that is safe in a style attribute: only `#rrggbb`. */
export class SafeColor {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** @throws Error for anything that could be more than a colour. */
  static hex(text: string): SafeColor {
    if (!/^#[0-9a-f]{6}$/i.test(text)) {
      throw new Error('Not a colour of the form #rrggbb.');
    }
    return new SafeColor(text);
  }
}
