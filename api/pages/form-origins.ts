import type { Mode } from '../../domain/mode.ts';
import { canStandInPolicy } from '../../web/headers.ts';
import type { ApiDependencies } from '../dependencies.ts';

export interface LeadingOn {
  /** The gateways that the form may lead to. */
  readonly names: readonly string[];
  readonly mode: Mode;
  /** The gateway's page, if already known. */
  readonly pageUrl?: string | null | undefined;
}

/**
 * Returns every origin that a form on our pages may navigate through. Chromium checks each hop and shows payers nothing when it blocks one: the
 * gateway's page and its related hosts; our callbacks, to which a gateway redirects at once if the payer has already paid; and our pages, to which
 * our callbacks redirect. The chain ends there, because a page is a response: the payer returns to the shop by a link or a refresh, which
 * `form-action` does not restrict.
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
