import { DomainError } from '../../domain/errors.ts';
import { paymentView, type PaymentView } from '../../domain/payment-view.ts';
import { paymentReference } from '../../domain/references.ts';
import { returnUrlProblem } from '../../domain/return-url.ts';
import { DEFAULT_GATEWAY } from '../../gateways/registry.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { canonicalJson, type JsonValue } from '../http/json-text.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import { mayUse, paymentBounds } from '../../core/payments/bounds.ts';
import { createPayment as createInCore, type WantedPayment } from '../../core/payments/create-payment.ts';
import { orAsAnswered } from '../../core/idempotency/idempotency.ts';
import { whereToPay } from '../../core/payments/where-to-pay.ts';
import type { NativeCaller } from './authenticate.ts';
import { readKey } from './idempotency.ts';
import type { CreatePayment } from './schemas.ts';

const OPERATION = 'POST /payments';

export interface CreateRequest {
  readonly caller: NativeCaller;
  readonly body: CreatePayment;
  readonly rawBody: JsonValue;
  readonly idempotencyKey: string | undefined;
}

/** Creates a payment by the native contract's rules and returns its view. */
export async function createPayment(
  deps: ApiDependencies,
  request: CreateRequest,
): Promise<RouteReply<PaymentView> | ReplayReply> {
  const { caller, rawBody, idempotencyKey } = request;
  const keyed = {
    key: readKey({ scope: caller.scope, operation: OPERATION, given: idempotencyKey }),
    lease: { fingerprint: sha256(canonicalJson(rawBody)) },
  };
  const outcome = await orAsAnswered(deps, keyed, async () => {
    checkBusinessRules(deps, request);
    return createInCore(deps, {
      payment: { ...wantedPayment(request), ...(await payableAt(deps, request)) },
      reference: paymentReference,
      application: caller.application,
      ...keyed,
    });
  });
  return outcome.kind === 'replay'
    ? { status: outcome.status, text: outcome.text, headers: { 'Idempotent-Replayed': 'true' } }
    : { status: 201, data: paymentView(outcome.made, deps.webUrl), message: 'Resource created', ...outcome.keep };
}

async function payableAt(deps: ApiDependencies, request: CreateRequest) {
  const { caller, body } = request;
  const amount = { amountMinor: BigInt(body.amountMinor), currency: body.currency };
  const wanted = wantedGateways(request);
  const where =
    wanted === null
      ? { gateway: DEFAULT_GATEWAY }
      : await whereToPay(deps, { scope: caller.scope, rules: caller.application, amount, wanted });
  return { ...amount, ...where };
}

/** Null if neither the request nor the application names any. */
function wantedGateways({ caller, body }: CreateRequest): readonly string[] | null {
  return body.gateways ?? caller.application.checkoutGateways;
}

function checkBusinessRules(deps: ApiDependencies, request: CreateRequest): void {
  const { caller, body } = request;
  if (wantedGateways(request) === null) {
    checkDefaultGateway(deps, request);
  }
  const { application, scope } = caller;
  const problem =
    body.returnUrl === undefined
      ? null
      : returnUrlProblem(body.returnUrl, { origins: application.returnOrigins ?? [], mode: scope.mode });
  if (problem !== null) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { returnUrl: problem } });
  }
}

function checkDefaultGateway(deps: ApiDependencies, { caller: { application }, body }: CreateRequest): void {
  if (!mayUse(application, DEFAULT_GATEWAY)) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the application is not allowed to use any gateway');
  }
  const bounds = paymentBounds(deps, application, { gateway: DEFAULT_GATEWAY, currency: body.currency });
  if (bounds === null) {
    const message = 'is not enabled for the gateway';
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { currency: message } });
  }
  const amount = BigInt(body.amountMinor);
  if (amount < bounds.minMinor || amount > bounds.maxMinor) {
    const message = `must be between ${bounds.minMinor} and ${bounds.maxMinor}`;
    throw new DomainError('AMOUNT_OUT_OF_BOUNDS', `amountMinor ${message}`, { fields: { amountMinor: message } });
  }
}

function wantedPayment({
  caller,
  body,
}: CreateRequest): Omit<WantedPayment['payment'], 'gateway' | 'amountMinor' | 'currency'> {
  return {
    scope: caller.scope,
    customerReference: body.customerReference,
    customerEmail: body.customerEmail ?? null,
    customerPhone: body.customerPhone ?? null,
    customerName: body.customerName ?? null,
    productName: body.productName ?? null,
    returnUrl: body.returnUrl ?? null,
    invoiceId: body.invoiceId === undefined ? null : BigInt(body.invoiceId),
  };
}
