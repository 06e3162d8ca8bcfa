import { toJsonInteger } from '../../domain/money.ts';
import { openApiDocument } from '../http/openapi.ts';
import { isObject, type JsonObject } from '../http/openapi/schemas.ts';
import type { Route } from '../http/route.ts';
import { NATIVE_PREFIX } from '../native/surface.ts';
import { nativeContract } from './native-contract.ts';

/** What an installation can charge: the bounds of its default gateway by currency. */
export type ChargeLimits = ReadonlyMap<string, { readonly minMinor: bigint; readonly maxMinor: bigint }>;

/**
 * Returns the document of one installation. Its own address is the only server, and `gateways` lists its gateways. Currencies and amount bounds are
 * those of the default gateway.
 */
export function servedNativeDocument(
  routes: readonly Route<never>[],
  { apiUrl, gateways, limits }: { apiUrl: string; gateways: readonly string[]; limits: ChargeLimits },
): JsonObject {
  const document = changed(
    openApiDocument(routes, nativeContract([{ url: `${apiUrl}${NATIVE_PREFIX}` }])),
    ['components', 'schemas', 'CreatePayment', 'properties', 'gateways', 'items'],
    (gateway) => ({ ...gateway, enum: [...gateways] }),
  );
  return limits.size === 0 ? document : withLimits(document, limits);
}

/** Adds the limits of this installation, which the published contract leaves open, so that clients need not discover them by rejected requests. */
function withLimits(document: JsonObject, limits: ChargeLimits): JsonObject {
  const bounds = [...limits.values()];
  const least = bounds.map(({ minMinor }) => minMinor).reduce((a, b) => (a < b ? a : b));
  const greatest = bounds.map(({ maxMinor }) => maxMinor).reduce((a, b) => (a > b ? a : b));
  const inCurrencies = ['CreatePayment', 'CreateInvoice', 'EditInvoice'].reduce(
    (before, schema) =>
      changed(before, ['components', 'schemas', schema, 'properties', 'currency'], (currency) => ({
        ...currency,
        enum: [...limits.keys()],
      })),
    document,
  );
  return changed(inCurrencies, ['components', 'schemas', 'CreatePayment', 'properties', 'amountMinor'], (amount) => ({
    ...amount,
    minimum: toJsonInteger(least),
    maximum: toJsonInteger(greatest),
  }));
}

function changed(node: JsonObject, path: readonly string[], change: (node: JsonObject) => JsonObject): JsonObject {
  const [name, ...rest] = path;
  return name === undefined ? change(node) : { ...node, [name]: changed(member(node, name), rest, change) };
}

/** @throws TypeError when the document has no such member, because the addition would otherwise be lost. */
function member(node: JsonObject, name: string): JsonObject {
  const found = node[name];
  if (!isObject(found)) {
    throw new TypeError(`the document has no ${name}`);
  }
  return found;
}

/** Returns the document as it is committed and published, for any installation. */
export function publishedNativeDocument(routes: readonly Route<never>[]): JsonObject {
  return openApiDocument(
    routes,
    nativeContract([
      { url: `http://localhost:8080${NATIVE_PREFIX}`, description: 'Local development' },
      {
        url: `https://{host}${NATIVE_PREFIX}`,
        description: 'Your installation',
        variables: { host: { default: 'pay.example.com' } },
      },
    ]),
  );
}
