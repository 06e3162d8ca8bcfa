import type { z } from 'zod';
import type { ApiDependencies } from '../dependencies.ts';
import { route, type Route } from '../http/route.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { createShadhinpayPayment, INVALID_PAYMENT } from './create-payment.ts';
import { ALWAYS, OF_BODIES } from './errors.ts';
import { findPayment, showPayment } from './find-payment.ts';
import { invoiceRoutes } from './invoice-routes.ts';
import { listPayments } from './list-payments.ts';
import { createRefund, INVALID_REFUND, listRefunds, showRefund } from './refunds.ts';
import {
  CreatePayment,
  CreateRefund,
  good,
  Payment,
  PaymentParams,
  Payments,
  PaymentsQuery,
  Refund,
  RefundParams,
  Refunds,
  RefundsQuery,
} from './schemas.ts';
import { answered } from './views.ts';

const INVALID_QUERY = 'Invalid request parameters';

/** Returns the operations of ShadhinPay's contract. */
export function shadhinpayRoutes(deps: ApiDependencies): Route<ShadhinpayCaller>[] {
  return [create(deps), list(deps), read(deps), refund(deps), refunds(deps), readRefund(deps), ...invoiceRoutes(deps)];
}

type OfPayment = { caller: ShadhinpayCaller; params: z.infer<typeof PaymentParams> };

function create(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'POST',
    path: '/payments',
    operationId: 'createPayment',
    tag: 'Payments',
    summary: 'Create a payment',
    description: 'Send the payer to the returned `paymentUrl`.',
    auth: 'credential',
    body: CreatePayment,
    idempotent: 'required',
    refusal: INVALID_PAYMENT,
    response: { status: 201, schema: good(Payment) },
    errors: [...OF_BODIES, 'RESOURCE_ALREADY_EXISTS', 'GATEWAY_ERROR', ...ALWAYS],
    links: {
      readPayment: { operationId: 'getPayment', parameters: { paymentId: '$response.body#/data/paymentId' } },
    },
    handler: (request) => createShadhinpayPayment(deps, request),
  });
}

function list(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'GET',
    path: '/payments',
    operationId: 'listPayments',
    tag: 'Payments',
    summary: 'List payments, newest first',
    auth: 'credential',
    query: PaymentsQuery,
    refusal: INVALID_QUERY,
    response: { status: 200, schema: Payments },
    errors: ['VALIDATION_ERROR', ...ALWAYS],
    handler: async ({ caller, query }: { caller: ShadhinpayCaller; query: z.infer<typeof PaymentsQuery> }) => ({
      status: 200,
      data: await listPayments(deps, caller, query),
    }),
  });
}

function read(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'GET',
    path: '/payments/{paymentId}',
    operationId: 'getPayment',
    tag: 'Payments',
    summary: 'Retrieve a payment',
    auth: 'credential',
    params: PaymentParams,
    response: { status: 200, schema: good(Payment) },
    errors: ['RESOURCE_NOT_FOUND', ...ALWAYS],
    handler: async ({ caller, params }: OfPayment) => {
      const payment = await findPayment(deps, caller, params.paymentId);
      return {
        status: 200,
        data: answered(await showPayment(deps, caller, payment), 'Payment retrieved successfully'),
      };
    },
  });
}

function refund(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'POST',
    path: '/payments/{paymentId}/refunds',
    operationId: 'createRefund',
    tag: 'Refunds',
    summary: 'Refund a payment in part or in full',
    auth: 'credential',
    params: PaymentParams,
    body: CreateRefund,
    idempotent: true,
    refusal: INVALID_REFUND,
    response: { status: 202, schema: good(Refund) },
    errors: [...OF_BODIES, 'RESOURCE_NOT_FOUND', ...ALWAYS],
    links: { readRefund: { operationId: 'getRefund', parameters: { refundId: '$response.body#/data/refundId' } } },
    handler: ({ params, ...request }) => createRefund(deps, { ...request, paymentId: params.paymentId }),
  });
}

function refunds(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'GET',
    path: '/payments/{paymentId}/refunds',
    operationId: 'listRefunds',
    tag: 'Refunds',
    summary: 'List the refunds of a payment, newest first',
    auth: 'credential',
    params: PaymentParams,
    query: RefundsQuery,
    refusal: INVALID_QUERY,
    response: { status: 200, schema: Refunds },
    errors: ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', ...ALWAYS],
    handler: async ({ caller, params, query }: OfPayment & { query: z.infer<typeof RefundsQuery> }) => ({
      status: 200,
      data: await listRefunds(deps, caller, { paymentId: params.paymentId, query }),
    }),
  });
}

function readRefund(deps: ApiDependencies): Route<ShadhinpayCaller> {
  return route({
    method: 'GET',
    path: '/refunds/{refundId}',
    operationId: 'getRefund',
    tag: 'Refunds',
    summary: 'Retrieve a refund',
    auth: 'credential',
    params: RefundParams,
    response: { status: 200, schema: good(Refund) },
    errors: ['RESOURCE_NOT_FOUND', ...ALWAYS],
    handler: async ({ caller, params }: { caller: ShadhinpayCaller; params: z.infer<typeof RefundParams> }) => ({
      status: 200,
      data: await showRefund(deps, caller, params.refundId),
    }),
  });
}
