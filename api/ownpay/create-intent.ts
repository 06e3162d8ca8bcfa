import { isCurrency } from '../../domain/currency.ts';
import { DomainError } from '../../domain/errors.ts';
import { minorFromDecimalText, toDecimalText } from '../../domain/money.ts';
import { ownpayReference } from '../../domain/references.ts';
import { returnUrlProblem } from '../../domain/return-url.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import { isActive, paymentBounds } from '../payments/bounds.ts';
import { createPayment } from '../payments/create-payment.ts';
import { orAsAnswered } from '../payments/idempotency.ts';
import type { OwnpayCaller } from './authenticate.ts';
import { OwnpayError } from './errors.ts';
import { keyOf, type SentRequest } from './idempotency.ts';
import type { CreateIntent } from './schemas.ts';
import { createdView } from './views.ts';

/** Creates a payment by OwnPay's rules and answers it in its words. */
export async function createIntent(
  deps: ApiDependencies,
  request: SentRequest & { readonly body: CreateIntent },
): Promise<RouteReply<ReturnType<typeof createdView>> | ReplayReply> {
  const { caller, body } = request;
  const keyed = keyOf(request, 'POST /payment-intents');
  const outcome = await orAsAnswered(deps, keyed, async () => {
    await requireGateway(deps, caller, body.gateway);
    const amount = checked(deps, caller, body);
    return createPayment(deps, {
      payment: { ...keptOf(caller, body), ...amount },
      reference: ownpayReference,
      application: caller.application,
      ...keyed,
    });
  });
  return outcome.kind === 'replay'
    ? { status: outcome.status, text: outcome.text, headers: {} }
    : { status: 201, data: createdView(outcome.made, deps.webUrl), ...outcome.keep };
}

function keptOf({ scope }: OwnpayCaller, body: CreateIntent) {
  return {
    scope,
    dialect: 'ownpay' as const,
    merchantReference: body.order_id,
    // What receipts print and native lists find it by; an address of the payer would say too much there.
    customerReference: body.order_id,
    customerName: body.customer_name,
    customerEmail: body.customer_email,
    customerPhone: body.customer_phone ?? null,
    productName: body.description ?? null,
    returnUrl: body.return_url,
    cancelUrl: body.cancel_url ?? null,
    metadata: body.metadata ?? null,
    invoiceId: null,
    gateway: body.gateway,
  };
}

/** Throws GATEWAY_NOT_FOUND for one that there is not, that the application may not use, or that has no account in this mode. */
async function requireGateway(deps: ApiDependencies, caller: OwnpayCaller, gateway: string): Promise<void> {
  if (!(await isActive(deps, caller, gateway))) {
    throw new OwnpayError('GATEWAY_NOT_FOUND', `Gateway '${gateway}' is not configured or inactive.`);
  }
}

/** The amount in minor units, from its text. Throws VALIDATION_ERROR that names all that is wrong. */
function checked(deps: ApiDependencies, { application, scope }: OwnpayCaller, body: CreateIntent) {
  const currency = body.currency.toUpperCase();
  const bounds = paymentBounds(deps, application, { gateway: body.gateway, currency });
  const amountMinor = bounds === null ? null : minorFromDecimalText(body.amount, currency, 'exact');
  const problems: Record<string, string> = {};
  if (bounds === null) {
    problems['currency'] = isCurrency(currency)
      ? `Currency ${currency} is not enabled for gateway '${body.gateway}'.`
      : 'Invalid currency code.';
  } else if (amountMinor === null) {
    problems['amount'] = 'must be a plain decimal number, with at most the decimal places of its currency';
  } else if (amountMinor < bounds.minMinor || amountMinor > bounds.maxMinor) {
    const [least, most] = [bounds.minMinor, bounds.maxMinor].map((minor) =>
      toDecimalText({ amountMinor: minor, currency }),
    );
    problems['amount'] = `must be between ${least} and ${most}`;
  }
  const rules = { origins: application.returnOrigins, mode: scope.mode };
  for (const [field, url] of [
    ['return_url', body.return_url],
    ['cancel_url', body.cancel_url],
  ] as const) {
    const problem = typeof url === 'string' ? returnUrlProblem(url, rules) : null;
    if (problem !== null) {
      problems[field] = problem;
    }
  }
  if (amountMinor === null || Object.keys(problems).length > 0) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: problems });
  }
  return { amountMinor, currency };
}
