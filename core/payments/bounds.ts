import type { Scope } from '../../database/connection.ts';
import { hasStore } from '../gateways/store/stores.ts';
import { isCurrency } from '../../domain/currency.ts';
import type { PaymentBounds } from '../../domain/invoice-due.ts';
import { DEFAULT_GATEWAY } from '../../gateways/registry.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** What operators have set for an application's payments. */
export interface PaymentRules {
  readonly minAmountMinor?: bigint | null | undefined;
  readonly maxAmountMinor?: bigint | null | undefined;
  /** Null: every gateway. */
  readonly gatewaysAllowed: readonly string[] | null;
  /** Null: the default one. */
  readonly checkoutGateways: readonly string[] | null;
}

/** Returns the gateways where payers pay if the request names none. */
export function checkoutGatewaysOf({ checkoutGateways }: PaymentRules): readonly string[] {
  return checkoutGateways ?? [DEFAULT_GATEWAY];
}

export function mayUse({ gatewaysAllowed }: PaymentRules, gateway: string): boolean {
  return gatewaysAllowed === null || gatewaysAllowed.includes(gateway);
}

/** Returns whether the gateway exists, the application may use it, and it has an account there in this mode. */
export async function isActive(
  { gateways, database }: Pick<CoreDependencies, 'gateways' | 'database'>,
  { application, scope }: { readonly application: PaymentRules; readonly scope: Scope },
  gateway: string,
): Promise<boolean> {
  return (
    gateways.capabilities(gateway) !== undefined &&
    mayUse(application, gateway) &&
    (gateways.defaultStoreId(gateway, scope.mode) !== undefined ||
      (await database.inOneTrip(scope, (statements) => hasStore(statements, scope, gateway))))
  );
}

/** Returns the bounds of one payment by the limits of the gateway and of the application. Null if the currency is not enabled. */
export function paymentBounds(
  { gateways }: Pick<CoreDependencies, 'gateways'>,
  { minAmountMinor, maxAmountMinor }: PaymentRules,
  { gateway, currency }: { readonly gateway: string; readonly currency: string },
): PaymentBounds | null {
  const limits = isCurrency(currency) ? gateways.capabilities(gateway)?.limits.get(currency) : undefined;
  return limits === undefined
    ? null
    : { minMinor: greatestOf(limits.minMinor, minAmountMinor), maxMinor: leastOf(limits.maxMinor, maxAmountMinor) };
}

/** Returns the bounds that at least one of several gateways accepts. Null if none supports the currency. */
export function widestBounds(
  deps: Pick<CoreDependencies, 'gateways'>,
  rules: PaymentRules,
  { names, currency }: { readonly names: readonly string[]; readonly currency: string },
): PaymentBounds | null {
  const known = names
    .map((gateway) => paymentBounds(deps, rules, { gateway, currency }))
    .filter((bounds) => bounds !== null);
  return known.reduce<PaymentBounds | null>(
    (wide, { minMinor, maxMinor }) => ({
      minMinor: leastOf(minMinor, wide?.minMinor),
      maxMinor: greatestOf(maxMinor, wide?.maxMinor),
    }),
    null,
  );
}

function greatestOf(a: bigint, b: bigint | null | undefined): bigint {
  return typeof b === 'bigint' && b > a ? b : a;
}

function leastOf(a: bigint, b: bigint | null | undefined): bigint {
  return typeof b === 'bigint' && b < a ? b : a;
}
