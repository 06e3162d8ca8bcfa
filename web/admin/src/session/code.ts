const TOTP = /^\d{6}$/;

/** Returns the member by which a request proves the second factor: an app's code has six digits, everything else is a recovery code. */
export function secondFactorOf(typed: string): { code?: string; recoveryCode?: string } {
  const text = typed.replaceAll(' ', '');
  if (text === '') {
    return {};
  }
  return TOTP.test(text) ? { code: text } : { recoveryCode: text };
}
