import type { Contract } from '../../domain/contract.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Context } from './surface.ts';

/** Paths that only one contract documents. On all other paths the credentials decide. */
const PATHS: readonly (readonly [RegExp, Contract])[] = [
  [/^\/(payment-intents|transactions)(\/|$)|^\/refunds$/, 'ownpay'],
  [/^\/(app|checkout|pay)(\/|$)/, 'native'],
  [/^\/invoices\/[^/]+\/(send|cancel)$/, 'shadhinpay'],
];

/** Returns the contract that a request below the prefix addresses, whether or not that contract has such a path. */
export function requestedContract(context: Context, prefix: string): Contract {
  const path = context.path.slice(prefix.length);
  const byPath = PATHS.find(([pattern]) => pattern.test(path))?.[1];
  return byPath ?? contractsNamed(context)[0] ?? 'native';
}

/** Throws UNAUTHORIZED when a request carries credentials of several contracts: the contract must not be guessed. */
export function requireOneContract(context: Context): void {
  if (contractsNamed(context).length > 1) {
    throw new DomainError('UNAUTHORIZED', 'the request carries credentials of several APIs');
  }
}

/** Returns the contracts whose credentials a request carries, in order of precedence. */
function contractsNamed(context: Context): Contract[] {
  const bearer = /^Bearer +(\S*)/i.exec(context.get('authorization'))?.[1] ?? '';
  const apiKey = context.get('x-api-key');
  // The header names are enough: empty values come from a ShadhinPay client without configuration.
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
