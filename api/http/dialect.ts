import type { Dialect } from '../../domain/dialect.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Context } from './surface.ts';

/** Paths that only one of the contracts documents; what stands at the others is told by the credentials. */
const PATHS: readonly (readonly [RegExp, Dialect])[] = [
  [/^\/(payment-intents|transactions)(\/|$)|^\/refunds$/, 'ownpay'],
  [/^\/(app|checkout|pay)(\/|$)/, 'native'],
  [/^\/invoices\/[^/]+\/(send|cancel)$/, 'shadhinpay'],
];

/** Which contract a request below the prefix means, whether or not that has such a path. */
export function dialectOf(context: Context, prefix: string): Dialect {
  const path = context.path.slice(prefix.length);
  const byPath = PATHS.find(([pattern]) => pattern.test(path))?.[1];
  return byPath ?? dialectsNamed(context)[0] ?? 'native';
}

/** Throws UNAUTHORIZED when a request carries credentials of several contracts: which of them it means is not for us to guess. */
export function requireOneDialect(context: Context): void {
  if (dialectsNamed(context).length > 1) {
    throw new DomainError('UNAUTHORIZED', 'the request carries credentials of several APIs');
  }
}

/** The contracts whose credentials a request carries, in the order in which they decide. */
function dialectsNamed(context: Context): Dialect[] {
  const bearer = /^Bearer +(\S*)/i.exec(context.get('authorization'))?.[1] ?? '';
  const apiKey = context.get('x-api-key');
  // Their names say enough: empty ones are a client of ShadhinPay's that was not configured.
  const { 'client-id': clientId, 'business-id': businessId } = context.headers;
  const shadhinpay = clientId !== undefined || businessId !== undefined || [bearer, apiKey].some(isShadhinpayKey);
  const native = (apiKey !== '' && !isShadhinpayKey(apiKey)) || context.get('x-api-secret') !== '';
  return [
    ...(shadhinpay ? (['shadhinpay'] as const) : []),
    ...(bearer.startsWith('op_') ? (['ownpay'] as const) : []),
    ...(native ? (['native'] as const) : []),
  ];
}

function isShadhinpayKey(key: string): boolean {
  return key.startsWith('sk_');
}
