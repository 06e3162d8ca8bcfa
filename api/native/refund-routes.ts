import { z } from 'zod';
import { listRefunds } from '../../core/refunds/store/refunds.ts';
import { refundView } from '../../domain/refund-view.ts';
import { route, type Route } from '../http/route.ts';
import type { NativeCaller } from './authenticate.ts';
import { findRefund } from '../../core/refunds/make-refund.ts';
import { createRefund } from './create-refund.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findPayment } from '../../core/payments/find-payment.ts';
import { CREDENTIAL_ERRORS } from './errors.ts';
import { IdParams } from '../http/fields.ts';
import { CreateRefund, Refund } from './schemas.ts';

/** More refunds than a payment is expected to have. Others can be read by id. */
const LIST_MAX = 500;

type IdParams = z.infer<typeof IdParams>;

/** Returns the refund routes of the native API. */
export function refundRoutes(deps: ApiDependencies): Route<NativeCaller>[] {
  return [create(deps), read(deps), list(deps)];
}

function create(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'POST',
    path: '/payments/{id}/refunds',
    operationId: 'createRefund',
    tag: 'Refunds',
    summary: 'Create a refund',
    description:
      'Refunds a payment in part or in full. Reserves the amount and returns PENDING; the gateway completes the refund, often days later. Wait for `refund.succeeded`, or for a refund whose status is SUCCEEDED.',
    auth: 'credential',
    params: IdParams,
    body: CreateRefund,
    idempotent: true,
    response: { status: 201, schema: Refund },
    errors: [
      'VALIDATION_ERROR',
      'RESOURCE_NOT_FOUND',
      'INVALID_OPERATION_STATE',
      'REFUND_EXCEEDS_BALANCE',
      'IDEMPOTENCY_KEY_CONFLICT',
      'IDEMPOTENCY_IN_PROGRESS',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      ...CREDENTIAL_ERRORS,
    ],
    links: {
      readRefund: { operationId: 'getRefund', parameters: { id: '$response.body#/data/id' } },
      refundsOfThePayment: { operationId: 'listRefunds', parameters: { id: '$response.body#/data/paymentId' } },
    },
    handler: ({ caller, params, body, rawBody, headers }) =>
      createRefund(deps, { caller, paymentId: params.id, body, rawBody, idempotencyKey: headers['idempotency-key'] }),
  });
}

function read(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/refunds/{id}',
    operationId: 'getRefund',
    tag: 'Refunds',
    summary: 'Retrieve a refund',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: Refund },
    errors: ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', ...CREDENTIAL_ERRORS],
    handler: async ({ caller, params }: { caller: NativeCaller; params: IdParams }) => ({
      status: 200,
      data: refundView(await findRefund(deps, caller.scope, params.id)),
    }),
  });
}

function list(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/payments/{id}/refunds',
    operationId: 'listRefunds',
    tag: 'Refunds',
    summary: 'List the refunds of a payment, oldest first',
    description: `Returns at most ${LIST_MAX} refunds.`,
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: z.array(Refund) },
    errors: ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', ...CREDENTIAL_ERRORS],
    handler: async ({ caller, params }: { caller: NativeCaller; params: IdParams }) => {
      const { scope } = caller;
      const payment = await findPayment(deps, scope, params.id);
      const refunds = await deps.database.withScope(
        scope,
        (statements) => listRefunds(statements, scope, { paymentId: payment.id, limit: LIST_MAX }),
        { oneTrip: true },
      );
      return { status: 200, data: refunds.map((refund) => refundView(refund)) };
    },
  });
}
