import { DomainError } from '../../domain/errors.ts';

interface Origins {
  readonly apiUrl: string;
  readonly webUrl: string;
}

/**
 * Refuses what a browser sends for somebody else's page. A browser says where a request comes from; what says nothing is no browser.
 *
 * @throws DomainError FORBIDDEN
 */
export function requireSameOrigin(
  headers: Readonly<Record<string, string | undefined>>,
  { apiUrl, webUrl }: Origins,
): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const foreign = origin !== undefined && origin !== new URL(apiUrl).origin && origin !== new URL(webUrl).origin;
  if (foreign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw new DomainError('FORBIDDEN', 'requests from other origins are refused');
  }
}
