import { DomainError } from '../../domain/errors.ts';

interface Origins {
  readonly apiUrl: string;
  readonly webUrl: string;
}

/**
 * Rejects requests that a browser sends for a foreign page. Requests without these headers do not come from a browser and pass.
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
