import type { z } from 'zod';
import { pageOfPayments } from '../../core/payments/store/payment-list.ts';
import { refundedOf, refundedOfAll } from '../../core/refunds/store/refunds.ts';
import { paymentsWith } from '../../domain/ownpay.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { JsonValue } from '../http/json-text.ts';
import { route, type Route } from '../http/route.ts';
import type { OwnpayCaller } from './authenticate.ts';
import { allThatIsWrong, createIntent } from './create-intent.ts';
import { findTransaction } from './find-transaction.ts';
import { daysOf, metaOf, sliceOf } from './paging.ts';
import { createRefund, listRefunds } from './refunds.ts';
import {
  CreatedIntent,
  CreateIntent,
  CreateRefund,
  Intent,
  Refund,
  Refunds,
  RefundsQuery,
  Transaction,
  TransactionParams,
  Transactions,
  TransactionsQuery,
} from './schemas.ts';
import { intentView, transactionView } from './views.ts';

/** Errors that every operation can answer. */
const ALWAYS = ['UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'] as const;
const OF_BODIES = [
  'VALIDATION_ERROR',
  'IDEMPOTENCY_KEY_CONFLICT',
  'RESOURCE_NOT_FOUND',
  'IDEMPOTENCY_IN_PROGRESS',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
] as const;

/** Returns the operations of OwnPay's contract. Creation follows OwnPay's documents; the others follow its code, in the same flat style. */
export function ownpayRoutes(deps: ApiDependencies): Route<OwnpayCaller>[] {
  return [create(deps), read(deps), list(deps), readTransaction(deps), refund(deps), refunds(deps)];
}

function create(deps: ApiDependencies): Route<OwnpayCaller> {
  return route({
    method: 'POST',
    path: '/payment-intents',
    operationId: 'createPaymentIntent',
    tag: 'Payments',
    summary: 'Create a payment intent',
    description: 'Send the payer to the returned `payment_url`.',
    auth: 'credential',
    body: CreateIntent,
    alsoWrong: (fields, request: { rawBody: JsonValue; caller: OwnpayCaller }) => allThatIsWrong(deps, fields, request),
    idempotent: true,
    response: { status: 201, schema: CreatedIntent },
    errors: [...OF_BODIES, 'GATEWAY_ERROR', ...ALWAYS],
    links: {
      readIntent: { operationId: 'getPaymentIntent', parameters: { id: '$response.body#/transaction_id' } },
      readTransaction: { operationId: 'getTransaction', parameters: { id: '$response.body#/transaction_id' } },
    },
    handler: (request) => createIntent(deps, request),
  });
}

type Params = z.infer<typeof TransactionParams>;

function read(deps: ApiDependencies): Route<OwnpayCaller> {
  return route({
    method: 'GET',
    path: '/payment-intents/{id}',
    operationId: 'getPaymentIntent',
    tag: 'Payments',
    summary: 'Retrieve a payment intent',
    auth: 'credential',
    params: TransactionParams,
    response: { status: 200, schema: Intent },
    errors: ['RESOURCE_NOT_FOUND', ...ALWAYS],
    handler: async ({ caller, params }: { caller: OwnpayCaller; params: Params }) => {
      const payment = await findTransaction(deps, caller, { id: params.id, code: 'PAYMENT_NOT_FOUND' });
      return { status: 200, data: intentView(payment, deps.webUrl) };
    },
  });
}

function list(deps: ApiDependencies): Route<OwnpayCaller> {
  return route({
    method: 'GET',
    path: '/transactions',
    operationId: 'listTransactions',
    tag: 'Payments',
    summary: 'List transactions, newest first',
    auth: 'credential',
    query: TransactionsQuery,
    response: { status: 200, schema: Transactions },
    errors: ['VALIDATION_ERROR', ...ALWAYS],
    handler: async ({ caller, query }: { caller: OwnpayCaller; query: z.infer<typeof TransactionsQuery> }) => {
      const { status, gateway } = query;
      const filter = {
        ...(status === undefined ? {} : paymentsWith(status)),
        gateway,
        ...daysOf(query, deps.calendar),
      };
      const { rows, total, refunded } = await deps.database.withScope(caller.scope, async (statements) => {
        const page = await pageOfPayments(statements, caller.scope, { filter, slice: sliceOf(query) });
        return { ...page, refunded: await refundedOfAll(statements, page.rows) };
      });
      const data = rows.map((payment) => transactionView(payment, refunded.get(payment.id) ?? 0n));
      return { status: 200, data: { success: true as const, data, meta: metaOf(query, total) } };
    },
  });
}

function readTransaction(deps: ApiDependencies): Route<OwnpayCaller> {
  return route({
    method: 'GET',
    path: '/transactions/{id}',
    operationId: 'getTransaction',
    tag: 'Payments',
    summary: 'Retrieve a transaction',
    auth: 'credential',
    params: TransactionParams,
    response: { status: 200, schema: Transaction },
    errors: ['RESOURCE_NOT_FOUND', ...ALWAYS],
    handler: async ({ caller, params }: { caller: OwnpayCaller; params: Params }) => {
      const payment = await findTransaction(deps, caller, { id: params.id, code: 'TRANSACTION_NOT_FOUND' });
      const refundedMinor = await deps.database.withScope(
        caller.scope,
        (statements) => refundedOf(statements, payment.id),
        { oneTrip: true },
      );
      return { status: 200, data: { success: true as const, ...transactionView(payment, refundedMinor) } };
    },
  });
}

function refund(deps: ApiDependencies): Route<OwnpayCaller> {
  return route({
    method: 'POST',
    path: '/refunds',
    operationId: 'createRefund',
    tag: 'Refunds',
    summary: 'Refund a transaction in part or in full',
    auth: 'credential',
    body: CreateRefund,
    idempotent: true,
    response: { status: 201, schema: Refund },
    errors: [...OF_BODIES, 'INVALID_OPERATION_STATE', 'REFUND_EXCEEDS_BALANCE', ...ALWAYS],
    handler: (request) => createRefund(deps, request),
  });
}

function refunds(deps: ApiDependencies): Route<OwnpayCaller> {
  return route({
    method: 'GET',
    path: '/refunds',
    operationId: 'listRefunds',
    tag: 'Refunds',
    summary: 'List refunds, newest first',
    auth: 'credential',
    query: RefundsQuery,
    response: { status: 200, schema: Refunds },
    errors: ['VALIDATION_ERROR', ...ALWAYS],
    handler: async ({ caller, query }: { caller: OwnpayCaller; query: z.infer<typeof RefundsQuery> }) => ({
      status: 200,
      data: await listRefunds(deps, caller, query),
    }),
  });
}
