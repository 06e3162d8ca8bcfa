const maxLength = 2048;
// Browsers interpret control characters, spaces and backslashes differently.
const ambiguous = /[\p{Cc}\s\\]/u;

/** A URL that is safe in a link or a form. Only `localPath` and `externalUrl` create one. */
export class SafeUrl {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /**
   * Returns a path on our own origin, with an optional query.
   * @throws Error for anything that a browser could read as another origin; such a path is a programming error.
   */
  static localPath(text: string): SafeUrl {
    if (text.length > maxLength || !/^\/(?!\/)/.test(text) || ambiguous.test(text)) {
      throw new Error('Not a path on this origin.');
    }
    return new SafeUrl(text);
  }

  /** Returns an absolute http or https URL without credentials, or null. URLs stored by applications are checked again here. */
  static externalUrl(text: string): SafeUrl | null {
    if (text.length > maxLength || !/^https?:\/\/[^/]/i.test(text) || ambiguous.test(text)) {
      return null;
    }
    const parsed = URL.parse(text);
    if (parsed === null || parsed.username !== '' || parsed.password !== '') {
      return null;
    }
    return new SafeUrl(parsed.href);
  }

  /** Host and port for people. Names in other scripts stay in punycode, so that a look-alike name cannot deceive. */
  get host(): string {
    return URL.parse(this.#text)?.host ?? '';
  }
}
