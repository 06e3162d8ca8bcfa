import { DomainError, type FieldErrors } from '../../domain/errors.ts';
import { minorFromDecimalText, toDecimalText } from '../../domain/money.ts';
import { ownpayReference } from '../../domain/references.ts';
import { returnUrlProblem } from '../../domain/return-url.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { JsonValue } from '../http/json-text.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import { isActive, paymentBounds } from '../../core/payments/bounds.ts';
import { createPayment } from '../../core/payments/create-payment.ts';
import { orAsAnswered } from '../../core/idempotency/idempotency.ts';
import type { OwnpayCaller } from './authenticate.ts';
import { OwnpayError } from './errors.ts';
import { keyOf, type SentRequest } from './idempotency.ts';
import { CreateIntent } from './schemas.ts';
import { createdView } from './views.ts';

/** Creates a payment by OwnPay's rules and returns its view. */
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
    contract: 'ownpay' as const,
    merchantReference: body.order_id,
    // Printed on receipts and used to find the payment in native lists; the payer's address would reveal too much there.
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

/** Throws GATEWAY_NOT_FOUND if the gateway is unknown, not allowed for the application, or has no account in this mode. */
async function requireGateway(deps: ApiDependencies, caller: OwnpayCaller, gateway: string): Promise<void> {
  if (!(await isActive(deps, caller, gateway))) {
    throw new OwnpayError('GATEWAY_NOT_FOUND', `Gateway '${gateway}' is not configured or inactive.`);
  }
}

/** Returns the amount in minor units. Throws VALIDATION_ERROR with all problems. */
function checked(deps: ApiDependencies, caller: OwnpayCaller, body: CreateIntent) {
  const { amountMinor, problems } = judge(deps, caller, body);
  if (amountMinor === null || Object.keys(problems).length > 0) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: inOrder(problems) });
  }
  return { amountMinor, currency: body.currency.toUpperCase() };
}

/**
 * Returns all problems of a body that its schema rejected. The contract reports them together, so the members that their own rules accept are also
 * checked against the other rules.
 */
export function allThatIsWrong(
  deps: ApiDependencies,
  fields: FieldErrors,
  { caller, rawBody }: { readonly caller: OwnpayCaller; readonly rawBody: JsonValue },
): FieldErrors {
  const given = typeof rawBody === 'object' && rawBody !== null && !Array.isArray(rawBody) ? rawBody : {};
  const valid = CreateIntent.pick({ gateway: true, amount: true, currency: true, return_url: true, cancel_url: true })
    .partial()
    .safeParse(Object.fromEntries(Object.entries(given).filter(([name]) => !Object.hasOwn(fields, name))));
  const { problems } = judge(deps, caller, valid.success ? valid.data : {});
  return inOrder({ ...problems, ...fields });
}

/** Sorts problems in the contract's order of members; unknown members come last. */
function inOrder(problems: FieldErrors): FieldErrors {
  const names = Object.keys(CreateIntent.shape);
  const place = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.length);
  return Object.fromEntries(Object.entries(problems).sort(([a], [b]) => place(a) - place(b)));
}

type Judged = {
  readonly [Name in 'gateway' | 'amount' | 'currency' | 'return_url' | 'cancel_url']?: CreateIntent[Name] | undefined;
};

/** Checks a request against the application's settings and the gateway's limits, as far as its members are known. */
function judge(
  deps: ApiDependencies,
  { application, scope }: OwnpayCaller,
  { gateway, amount, currency: given, return_url, cancel_url }: Judged,
): { readonly amountMinor: bigint | null; readonly problems: Record<string, string> } {
  const problems: Record<string, string> = {};
  const currency = given?.toUpperCase();
  const isKnownGateway = gateway !== undefined && deps.gateways.capabilities(gateway) !== undefined;
  const bounds =
    currency === undefined || !isKnownGateway ? null : paymentBounds(deps, application, { gateway, currency });
  if (currency !== undefined && isKnownGateway && bounds === null) {
    problems['currency'] = `Currency ${currency} is not enabled for gateway '${gateway}'.`;
  }
  const amountMinor =
    bounds === null || amount === undefined || currency === undefined
      ? null
      : minorFromDecimalText(amount, currency, 'exact');
  if (bounds !== null && amount !== undefined && currency !== undefined) {
    if (amountMinor === null) {
      problems['amount'] = 'must be a plain decimal number, with at most the decimal places of its currency';
    } else if (amountMinor < bounds.minMinor || amountMinor > bounds.maxMinor) {
      const [least, most] = [bounds.minMinor, bounds.maxMinor].map((minor) =>
        toDecimalText({ amountMinor: minor, currency }),
      );
      problems['amount'] = `must be between ${least} and ${most}`;
    }
  }
  const rules = { origins: application.returnOrigins, mode: scope.mode };
  for (const [field, url] of Object.entries({ return_url, cancel_url })) {
    const problem = typeof url === 'string' ? returnUrlProblem(url, rules) : null;
    if (problem !== null) {
      problems[field] = problem;
    }
  }
  return { amountMinor, problems };
}
