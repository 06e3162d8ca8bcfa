import type { Scope } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Money } from '../../domain/money.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { isActive, paymentBounds, type PaymentRules } from './bounds.ts';

/** One gateway that the application has chosen, or several for the payer to choose from. */
export type WhereToPay =
  | { readonly gateway: string; readonly gatewayChoices: null }
  | { readonly gateway: null; readonly gatewayChoices: readonly string[] };

export interface WantedGateways {
  readonly scope: Scope;
  readonly rules: PaymentRules;
  readonly amount: Money;
  /** In the order shown to the payer. */
  readonly wanted: readonly string[];
}

/**
 * Returns the wanted gateways that can take a payment: those that the application may use and has an account at, and that accept the currency and
 * amount. If only one is left, the payer has no choice.
 * @throws DomainError VALIDATION_ERROR for an unknown gateway or a currency that none accepts, AMOUNT_OUT_OF_BOUNDS when the amount is outside the
 * bounds of all, INVALID_OPERATION_STATE when none may be used
 */
export async function whereToPay(deps: CoreDependencies, wishes: WantedGateways): Promise<WhereToPay> {
  const { scope, rules, amount } = wishes;
  const wanted = [...new Set(wishes.wanted)];
  const unknown = wanted.filter((name) => deps.gateways.capabilities(name) === undefined);
  if (unknown.length > 0) {
    throw invalid('gateways', `contains unknown gateways: ${unknown.join(', ')}`);
  }
  const usable = await activeOf(deps, { scope, rules, wanted });
  if (usable.length === 0) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the application is not allowed to use any of these gateways');
  }
  const inCurrency = usable.flatMap((gateway) => {
    const bounds = paymentBounds(deps, rules, { gateway, currency: amount.currency });
    return bounds === null ? [] : [{ gateway, bounds }];
  });
  if (inCurrency.length === 0) {
    throw invalid('currency', 'is not enabled for any of the gateways');
  }
  const choice = choiceFor(deps, { rules, amount, active: usable });
  if (choice === null) {
    const allowed = inCurrency.map(({ gateway, bounds }) => `${bounds.minMinor} to ${bounds.maxMinor} at ${gateway}`);
    const message = `must be ${allowed.join(', or ')}`;
    throw new DomainError('AMOUNT_OUT_OF_BOUNDS', `amountMinor ${message}`, { fields: { amountMinor: message } });
  }
  return choice;
}

/** Returns the gateways that the application may use and has an account at. */
export async function activeOf(
  deps: CoreDependencies,
  { scope, rules, wanted }: Omit<WantedGateways, 'amount'>,
): Promise<string[]> {
  const names = [...new Set(wanted)];
  const active = await Promise.all(names.map((name) => isActive(deps, { application: rules, scope }, name)));
  return names.filter((_name, index) => active[index] === true);
}

/** Returns the active gateways that accept the amount. If only one does, the payer has no choice. Null if none does. */
export function choiceFor(
  deps: Pick<CoreDependencies, 'gateways'>,
  {
    rules,
    amount,
    active,
  }: { readonly rules: PaymentRules; readonly amount: Money; readonly active: readonly string[] },
): WhereToPay | null {
  const [first, ...others] = active.filter((gateway) => {
    const bounds = paymentBounds(deps, rules, { gateway, currency: amount.currency });
    return bounds !== null && bounds.minMinor <= amount.amountMinor && amount.amountMinor <= bounds.maxMinor;
  });
  if (first === undefined) {
    return null;
  }
  return others.length === 0
    ? { gateway: first, gatewayChoices: null }
    : { gateway: null, gatewayChoices: [first, ...others] };
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: message } });
}
