/** What the browser calls before text becomes code or markup. Source: W3C Trusted Types, "default policy". */
interface TrustedTypes {
  createPolicy(name: 'default', rules: { createHTML(text: string): string }): void;
}

/**
 * Refuses every piece of markup that a script makes from text. Mantine writes its style sheets in this way, and no style sheet needs a `<`.
 *
 * @throws TypeError at the place that tries it
 */
export function refuseMarkup(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  trustedTypes?.createPolicy('default', {
    createHTML(text) {
      if (text.includes('<')) {
        throw new TypeError('the dashboard makes no markup from text');
      }
      return text;
    },
  });
}
