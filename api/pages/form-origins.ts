import type { Mode } from '../../domain/mode.ts';
import { canStandInPolicy } from '../../web/headers.ts';
import type { ApiDependencies } from '../dependencies.ts';

export interface LeadingOn {
  /** The gateways that the form may lead to. */
  readonly names: readonly string[];
  readonly mode: Mode;
  /** The gateway's own page, where it is known already. */
  readonly pageUrl?: string | null | undefined;
}

/**
 * Every origin that the navigation of a form on our pages may go through. Chromium checks each hop and says nothing to the payer when it blocks
 * one: the gateway's page and its sister hosts; our callbacks, to which a gateway sends payers who have paid already at once; and the pages, to
 * which our callbacks lead on. There the chain ends, since a page is an answer: the way back to the shop is a link or a refresh, which a form's policy
 * does not bind.
 */
export function formOrigins(
  { gateways, apiUrl, webUrl }: Pick<ApiDependencies, 'gateways' | 'apiUrl' | 'webUrl'>,
  { names, mode, pageUrl }: LeadingOn,
): string[] {
  const pages = names.flatMap((name) => {
    const origin = gateways.pageOrigin(name, mode);
    if (origin === undefined) {
      return [];
    }
    return origin.endsWith('.sslcommerz.com') ? [origin, 'https://*.sslcommerz.com'] : [origin];
  });
  const own = [apiUrl, webUrl].map((url) => new URL(url).origin).filter(canStandInPolicy);
  const opened = typeof pageUrl === 'string' ? [new URL(pageUrl).origin] : [];
  return [...new Set([...pages, ...opened, ...own])];
}
