import { pageOfRefunds } from '../../core/refunds/store/refund-list.ts';
import { DomainError } from '../../domain/errors.ts';
import { minorFromDecimalText } from '../../domain/money.ts';
import type { z } from 'zod';
import type { ApiDependencies } from '../dependencies.ts';
import type { ReplayReply, RouteReply } from '../http/route.ts';
import { makeRefund } from '../../core/refunds/make-refund.ts';
import type { OwnpayCaller } from './authenticate.ts';
import { findTransaction } from './find-transaction.ts';
import { keyOf, type SentRequest } from './idempotency.ts';
import { daysOf, metaOf, sliceOf } from './paging.ts';
import type { CreateRefund, RefundsQuery } from './schemas.ts';
import { refundStatusesOf, refundView } from './views.ts';

/** Refunds a transaction in part, or what is left of it. The gateway carries the refund out later, so its status is `pending`. */
export async function createRefund(deps: ApiDependencies, request: SentRequest & { readonly body: CreateRefund }) {
  const { caller, body } = request;
  const transactionId = body.transaction_id ?? body.trx_id;
  if (typeof transactionId !== 'string') {
    throw invalid('transaction_id', 'is required');
  }
  const payment = await findTransaction(deps, caller, { id: transactionId, code: 'TRANSACTION_NOT_FOUND' });
  if (deps.gateways.capabilities(payment.gateway ?? '')?.refunds === false) {
    throw new DomainError('INVALID_OPERATION_STATE', 'the gateway of this transaction does not support refunds');
  }
  const amountMinor =
    typeof body.amount === 'string' ? minorFromDecimalText(body.amount, payment.currency, 'exact') : null;
  if (typeof body.amount === 'string' && (amountMinor === null || amountMinor === 0n)) {
    throw invalid(
      'amount',
      'must be a plain decimal number above zero, with at most the decimal places of its currency',
    );
  }
  const outcome = await makeRefund(deps, {
    scope: caller.scope,
    applicationName: caller.application.name,
    paymentId: payment.id,
    amountMinor,
    reason: body.reason ?? null,
    creator: { type: 'APP' },
    ...keyOf(request, 'POST /refunds'),
  }).catch(inItsUnits);
  const reply: RouteReply<unknown> | ReplayReply =
    outcome.kind === 'replay'
      ? { status: outcome.status, text: outcome.text, headers: {} }
      : { status: 201, data: { success: true, ...refundView(outcome.made, payment.reference) }, ...outcome.keep };
  return reply;
}

/** Replaces our message, which names minor units; this contract does not use them. */
function inItsUnits(error: unknown): never {
  throw error instanceof DomainError && error.code === 'REFUND_EXCEEDS_BALANCE'
    ? new DomainError(error.code, 'the refund exceeds what is left of the transaction')
    : error;
}

function invalid(field: string, problem: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: problem } });
}

export async function listRefunds(deps: ApiDependencies, caller: OwnpayCaller, query: z.infer<typeof RefundsQuery>) {
  const { rows, total } = await deps.database.withScope(caller.scope, (statements) =>
    pageOfRefunds(statements, caller.scope, {
      filter: {
        statuses: query.status === undefined ? undefined : refundStatusesOf(query.status),
        payment: query.transaction_id ?? query.trx_id,
        // Refunds of unapplied money are not refunds of the payment.
        ofPayments: true,
        ...daysOf(query, deps.calendar),
      },
      slice: sliceOf(query),
    }),
  );
  return {
    success: true as const,
    data: rows.map(({ refund, payment }) => refundView(refund, payment)),
    meta: metaOf(query, total),
  };
}
