import { DomainError } from '../../domain/errors.ts';
import { minorFromDecimalText, type Money } from '../../domain/money.ts';
import { shadhinpayReference } from '../../domain/references.ts';
import { returnUrlProblem } from '../../domain/return-url.ts';
import { CHECKOUT_MINUTES, gatewayOf, keptValues, VENDORS } from '../../domain/shadhinpay.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { widestBounds } from '../../core/payments/bounds.ts';
import { createPayment } from '../../core/payments/create-payment.ts';
import { orAsAnswered } from '../../core/idempotency/idempotency.ts';
import { whereToPay, type WhereToPay } from '../../core/payments/where-to-pay.ts';
import { boundsInWords, withinContract } from './amounts.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { ShadhinpayError } from './errors.ts';
import { showPayment } from './find-payment.ts';
import { REPLAYED, replay, requiredKeyOf, type SentRequest } from './idempotency.ts';
import type { CreatePayment } from './schemas.ts';
import { answered } from './views.ts';

export const INVALID_PAYMENT = 'Invalid payment request';

/** Creates a payment by ShadhinPay's rules and returns its view. */
export async function createShadhinpayPayment(
  deps: ApiDependencies,
  request: SentRequest & { readonly body: CreatePayment },
) {
  const { caller, body } = request;
  const keyed = requiredKeyOf(request, 'POST /payments');
  const outcome = await orAsAnswered(deps, keyed, async () => {
    const gateways = wantedGateways(deps, body);
    const amount = { amountMinor: checked(deps, caller, { body, gateways }), currency: body.currency };
    const where = await availableOf(deps, caller, { gateways, amount });
    return createPayment(deps, {
      payment: { ...keptOf(caller, body), ...amount, ...where },
      reference: () => shadhinpayReference(new Date()),
      application: { ...caller.application, expiryMinutes: body.expiresInMinutes ?? CHECKOUT_MINUTES },
      ...keyed,
    });
  });
  if (outcome.kind === 'replay') {
    return replay(outcome);
  }
  const data = await showPayment(deps, caller, outcome.made);
  return {
    status: 201,
    data: answered(data, 'Payment initiated successfully'),
    headers: outcome.known === true ? REPLAYED : {},
    ...outcome.keep,
  };
}

function keptOf({ scope }: ShadhinpayCaller, body: CreatePayment) {
  return {
    scope,
    contract: 'shadhinpay' as const,
    merchantReference: body.merchantTxnId,
    // Printed on receipts and used to find the payment in native lists; the payer's address would reveal too much there.
    customerReference: body.merchantTxnId,
    customerName: null,
    customerEmail: body.customerEmail ?? null,
    customerPhone: body.customerPhone ?? null,
    productName: body.description ?? null,
    returnUrl: body.callbackUrl,
    metadata: keptValues(body),
    invoiceId: null,
  };
}

/** Returns the preferred vendor's gateway, or those of all vendors with an adapter. */
function wantedGateways({ gateways }: ApiDependencies, { preferredVendor }: CreatePayment): string[] {
  const vendors = typeof preferredVendor === 'string' ? [preferredVendor] : VENDORS;
  return vendors.map(gatewayOf).filter((name) => gateways.capabilities(name) !== undefined);
}

/** Throws VENDOR_UNAVAILABLE if the business may use none of the gateways or has an account at none. */
async function availableOf(
  deps: ApiDependencies,
  { application, scope }: ShadhinpayCaller,
  { gateways, amount }: { readonly gateways: readonly string[]; readonly amount: Money },
): Promise<WhereToPay> {
  return whereToPay(deps, { scope, rules: application, amount, wanted: gateways }).catch((error: unknown) => {
    throw error instanceof DomainError && error.code === 'INVALID_OPERATION_STATE'
      ? new ShadhinpayError('VENDOR_UNAVAILABLE', 'The vendor is not available')
      : error;
  });
}

/** Returns the amount in minor units. Throws VALIDATION_ERROR with all problems. */
function checked(
  deps: ApiDependencies,
  { application, scope }: ShadhinpayCaller,
  { body, gateways }: { readonly body: CreatePayment; readonly gateways: readonly string[] },
): bigint {
  const { currency, callbackUrl, isSandbox } = body;
  const bounds = withinContract(widestBounds(deps, application, { names: gateways, currency }));
  const amountMinor = minorFromDecimalText(body.amount, currency, 'exact');
  const problems: Record<string, string> = {};
  if (amountMinor === null || amountMinor < bounds.minMinor || amountMinor > bounds.maxMinor) {
    problems['amount'] = `must be ${boundsInWords(bounds, currency)}`;
  }
  const problem = returnUrlProblem(callbackUrl, { origins: application.returnOrigins, mode: scope.mode });
  if (problem !== null) {
    problems['callbackUrl'] = URL.canParse(callbackUrl) ? problem : 'Invalid URL format';
  }
  if (typeof isSandbox === 'boolean' && isSandbox !== (scope.mode === 'TEST')) {
    problems['isSandbox'] = isSandbox ? 'must not be true with a live key' : 'must not be false with a test key';
  }
  if (amountMinor === null || Object.keys(problems).length > 0) {
    throw new DomainError('VALIDATION_ERROR', INVALID_PAYMENT, { fields: problems });
  }
  return amountMinor;
}
