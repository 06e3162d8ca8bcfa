import { readPayment } from '../../core/payments/store/payments.ts';
import { pageOfRefunds } from '../../core/refunds/store/refund-list.ts';
import { readRefundByReference } from '../../core/refunds/store/refunds.ts';
import { DomainError } from '../../domain/errors.ts';
import { minorFromDecimalText } from '../../domain/money.ts';
import { isReference, shadhinpayRefundReference } from '../../domain/references.ts';
import type { z } from 'zod';
import type { ApiDependencies } from '../dependencies.ts';
import { makeRefund } from '../../core/refunds/make-refund.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { ShadhinpayError } from './errors.ts';
import { findPayment } from './find-payment.ts';
import { keyOf, replay, type SentRequest } from './idempotency.ts';
import { pageSliceOf } from './paging.ts';
import type { CreateRefund, RefundsQuery } from './schemas.ts';
import { answered, pageOf, refundView } from './views.ts';

export const INVALID_REFUND = 'Invalid refund request';

/** Refunds a payment in part, or what is left of it. The gateway carries the refund out later, so its status is `INITIATED`. */
export async function createRefund(
  deps: ApiDependencies,
  request: SentRequest & { readonly body: CreateRefund; readonly paymentId: string },
) {
  const { caller, body } = request;
  const payment = await findPayment(deps, caller, request.paymentId);
  if (deps.gateways.capabilities(payment.gateway ?? '')?.refunds === false) {
    throw new ShadhinpayError('REFUND_NOT_ALLOWED', 'The vendor of this payment takes no refunds');
  }
  const amountMinor =
    typeof body.amount === 'string' ? minorFromDecimalText(body.amount, payment.currency, 'exact') : null;
  if (typeof body.amount === 'string' && amountMinor === null) {
    throw new DomainError('VALIDATION_ERROR', INVALID_REFUND, {
      fields: { amount: 'must have at most the decimal places of its currency' },
    });
  }
  const outcome = await makeRefund(deps, {
    scope: caller.scope,
    applicationName: caller.application.name,
    paymentId: payment.id,
    amountMinor,
    reason: body.reason,
    merchantReference: body.merchantRef ?? null,
    reference: () => shadhinpayRefundReference(new Date()),
    creator: { type: 'APP' },
    answerStatus: 202,
    ...keyOf(request, 'POST /payments/refunds'),
  }).catch(refused);
  return outcome.kind === 'replay'
    ? replay(outcome)
    : { status: 202, data: answered(refundView(outcome.made, payment.reference)), ...outcome.keep };
}

/** Maps our errors: the payment is not paid, too little is left, or the vendor no longer refunds it. */
function refused(error: unknown): never {
  throw error instanceof DomainError && /^(INVALID_OPERATION_STATE|REFUND_EXCEEDS_BALANCE)$/.test(error.code)
    ? new ShadhinpayError(
        'REFUND_NOT_ALLOWED',
        error.code === 'REFUND_EXCEEDS_BALANCE' ? 'Refunds exceed the amount of the payment' : error.message,
      )
    : error;
}

export async function listRefunds(
  deps: ApiDependencies,
  caller: ShadhinpayCaller,
  { paymentId, query }: { readonly paymentId: string; readonly query: z.infer<typeof RefundsQuery> },
) {
  const payment = await findPayment(deps, caller, paymentId);
  const slice = pageSliceOf(query);
  const { rows, total } = await deps.database.withScope(caller.scope, (statements) =>
    pageOfRefunds(statements, caller.scope, {
      filter: { payment: payment.reference, ofPayments: true, from: null, before: null },
      slice,
    }),
  );
  const data = rows.map(({ refund }) => refundView(refund, payment.reference));
  return { ...answered(data, 'Refunds retrieved successfully'), pagination: pageOf(slice, total) };
}

/** Returns a refund. Refunds of another business, of the other mode and absent ones look the same. */
export async function showRefund({ database }: ApiDependencies, { scope }: ShadhinpayCaller, id: string) {
  const found = await database.withScope(scope, async (statements) => {
    const refund = isReference(id) ? await readRefundByReference(statements, scope, id) : null;
    const payment = refund === null ? null : await readPayment(statements, scope, refund.paymentId);
    return refund === null || payment === null ? null : refundView(refund, payment.reference);
  });
  if (found === null) {
    throw new DomainError('RESOURCE_NOT_FOUND', 'Refund not found');
  }
  return answered(found, 'Refund retrieved successfully');
}
