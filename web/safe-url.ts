const maxLength = 2048;
// Control characters, spaces and backslashes are read in different ways by different browsers.
const ambiguous = /[\p{Cc}\s\\]/u;

/** A URL that may stand in a link or a form: only `localPath` and `externalUrl` make one. */
export class SafeUrl {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /**
   * A path on our own origin, with an optional query.
   * @throws Error for anything that a browser could read as another origin; such a path is a mistake of ours.
   */
  static localPath(text: string): SafeUrl {
    if (text.length > maxLength || !/^\/(?!\/)/.test(text) || ambiguous.test(text)) {
      throw new Error('Not a path on this origin.');
    }
    return new SafeUrl(text);
  }

  /** An absolute http or https URL without credentials, or null: what an application stored is never trusted twice. */
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

  /** Host and port as a person should read them; names in other scripts stay in punycode, so that no duplicate deceives. */
  get host(): string {
    return URL.parse(this.#text)?.host ?? '';
  }
}
