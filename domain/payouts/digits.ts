const BANGLA_ZERO = 0x09e6;

/** Writes Bangla digits as ASCII digits and leaves everything else as it is. */
export function asciiDigits(text: string): string {
  return text.replaceAll(/[০-৯]/g, (digit) => String(digit.charCodeAt(0) - BANGLA_ZERO));
}

/** Reports whether the text has digits of both scripts, which no program writes into one value. */
export function hasMixedDigits(text: string): boolean {
  return /[0-9]/.test(text) && /[০-৯]/.test(text);
}

const ALREADY_PLAIN = /^(?:[!-~]+(?: [!-~]+)*)?$/;

/** Makes each run of whitespace one space, of whatever width it was, and removes it at both ends. Invisible marks of direction go too. */
export function plainSpaces(text: string): string {
  if (ALREADY_PLAIN.test(text)) {
    return text;
  }
  return text
    .replaceAll(/[\u200B\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
