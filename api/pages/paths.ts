import { languageNamed, negotiateLanguage, type Language } from '../../web/language.ts';
import type { Context } from '../http/surface.ts';

/** The paths below the page of a payment, and below that of an invoice. */
export const CHECKOUT_ACTIONS = ['continue', 'gateway', 'submission', 'cancel', 'receipt'] as const;
export const PAYABLE_ACTIONS = ['pay', 'pdf', 'logo', 'brand.css'] as const;
const action = (names: readonly string[]): string => `(?:\\/(${names.join('|').replaceAll('.', String.raw`\.`)}))?`;
/** Payments of ShadhinPay's contract are at `/pay/` only. */
export const CHECKOUT = new RegExp(
  String.raw`^\/(?:checkout(?=\/(?!PAY_))|pay(?=\/PAY_))\/([^/]+)${action(CHECKOUT_ACTIONS)}$`,
);
/** Invoices of ShadhinPay's contract are at `/i/` only. */
export const PAYABLE = new RegExp(
  String.raw`^\/(?:pay(?=\/(?!sp_inv_))|i(?=\/sp_inv_))\/([^/]+)${action(PAYABLE_ACTIONS)}$`,
);
export const BELOW_A_PAGE = new RegExp(`${action([...CHECKOUT_ACTIONS, ...PAYABLE_ACTIONS])}$`);
/**
 * A path that our own pages can have. Error pages link to no other path, because `SafeUrl.localPath` throws for one, and an error page must not fail.
 */
export const PLAIN_PATH = /^\/(?!\/)[0-9A-Za-z._~/-]{1,200}$/;

const LANGUAGE_COOKIE = 'lenden_language';

/** Returns the page's language: that of the address, otherwise the one that was chosen last, otherwise the browser's. */
export function languageOf(context: Context): Language {
  return negotiateLanguage(
    context.get('accept-language') || undefined,
    chosenLanguage(context) ?? context.cookies.get(LANGUAGE_COOKIE),
  );
}

/**
 * Keeps the language of the address while the browser is open: a payer who returns from the gateway comes to an address without it. The cookie contains no
 * personal data.
 */
export function keepLanguage(context: Context, secure: boolean): void {
  const chosen = chosenLanguage(context);
  if (chosen !== undefined && chosen !== context.cookies.get(LANGUAGE_COOKIE)) {
    context.append(
      'Set-Cookie',
      `${LANGUAGE_COOKIE}=${chosen}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
    );
  }
}

function chosenLanguage(context: Context): Language | undefined {
  return languageNamed(new URLSearchParams(context.querystring).get('lang') ?? '');
}
