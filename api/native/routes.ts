import { z } from 'zod';
import { explainPayment } from '../../core/payments/explain-payment.ts';
import { listPayments, readPaymentInScope, type PaymentRecord } from '../../core/payments/store/payments.ts';
import { refundedOf } from '../../core/refunds/store/refunds.ts';
import { findPublicPayment } from '../../core/payments/store/public-references.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toDecimalText, toJsonInteger } from '../../domain/money.ts';
import { isPaid } from '../../domain/payment.ts';
import { paymentView } from '../../domain/payment-view.ts';
import { PDF_TYPE } from '../documents/pdf-reply.ts';
import { receiptPdf } from '../documents/receipt-pdf.ts';
import { IdParams } from '../http/fields.ts';
import { route, type Route } from '../http/route.ts';
import type { NativeCaller } from './authenticate.ts';
import { createPayment } from './create-payment.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { CREDENTIAL_ERRORS } from './errors.ts';
import { explanationView } from './explanation-view.ts';
import { findPayment } from '../../core/payments/find-payment.ts';
import { invoiceRoutes } from './invoices/routes.ts';
import { refundRoutes } from './refund-routes.ts';
import { testClockRoutes } from './test-clock.ts';
import {
  AppMe,
  Checkout,
  CheckoutParams,
  CreatePayment,
  Explanation,
  ListPaymentsQuery,
  Payment as PaymentSchema,
  Receipt,
  ReceiptQuery,
} from './schemas.ts';
import { contractOf } from '../../core/contracts/contracts.ts';

const LIST_MAX = 200;
const JSON_TYPE = 'application/json';

/** Returns the operations of the native API: OI Payments' contract, with our additions marked as such. */
export function nativeRoutes(deps: ApiDependencies): Route<NativeCaller>[] {
  return [
    appMe(),
    create(deps),
    read(deps),
    list(deps),
    receipt(deps),
    explanation(deps),
    ...refundRoutes(deps),
    ...invoiceRoutes(deps),
    ...testClockRoutes(deps),
    checkout(deps),
  ];
}

function appMe(): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/app/me',
    operationId: 'getAppMe',
    tag: 'App',
    summary: 'Retrieve the application and mode of the credential',
    auth: 'credential',
    response: { status: 200, schema: AppMe },
    errors: CREDENTIAL_ERRORS,
    links: {
      createPayment: { operationId: 'createPayment', parameters: {} },
      createInvoice: { operationId: 'createInvoice', parameters: {} },
    },
    handler: async ({ caller }: { caller: NativeCaller }) => ({
      status: 200,
      data: { id: toJsonInteger(caller.scope.applicationId), name: caller.application.name, mode: caller.scope.mode },
    }),
  });
}

function create(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'POST',
    path: '/payments',
    operationId: 'createPayment',
    tag: 'Payments',
    summary: 'Create a payment and open its hosted checkout',
    description:
      'Returns PENDING with the checkout open, or CREATED if the gateway could not be reached in time. `checkoutUrl` works in both cases.',
    auth: 'credential',
    body: CreatePayment,
    idempotent: true,
    response: { status: 201, schema: PaymentSchema },
    errors: [
      'VALIDATION_ERROR',
      'AMOUNT_OUT_OF_BOUNDS',
      'INVALID_OPERATION_STATE',
      'RESOURCE_NOT_FOUND',
      'IDEMPOTENCY_KEY_CONFLICT',
      'IDEMPOTENCY_IN_PROGRESS',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'GATEWAY_ERROR',
      ...CREDENTIAL_ERRORS,
    ],
    links: {
      readPayment: { operationId: 'getPayment', parameters: { id: '$response.body#/data/id' } },
      explainPayment: { operationId: 'explainPayment', parameters: { id: '$response.body#/data/id' } },
      refundPayment: { operationId: 'createRefund', parameters: { id: '$response.body#/data/id' } },
      refundsOfThePayment: { operationId: 'listRefunds', parameters: { id: '$response.body#/data/id' } },
      readReceipt: { operationId: 'getReceipt', parameters: { id: '$response.body#/data/id' } },
      listOfTheCustomer: {
        operationId: 'listPayments',
        parameters: { customerReference: '$request.body#/customerReference' },
      },
      readCheckout: { operationId: 'getCheckout', parameters: { reference: '$response.body#/data/reference' } },
    },
    handler: ({ caller, body, rawBody, headers }) =>
      createPayment(deps, { caller, body, rawBody, idempotencyKey: headers['idempotency-key'] }),
  });
}

function read(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/payments/{id}',
    operationId: 'getPayment',
    tag: 'Payments',
    summary: 'Retrieve a payment',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: PaymentSchema },
    errors: ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', ...CREDENTIAL_ERRORS],
    early: (statements, params: IdParams) => readPaymentInScope(statements, params.id),
    handler: ({ early: payment }) => {
      if (payment === null) {
        throw notFound('payment');
      }
      return Promise.resolve({ status: 200, data: paymentView(payment, deps.webUrl) });
    },
  });
}

type IdParams = z.infer<typeof IdParams>;

function list(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/payments',
    operationId: 'listPayments',
    tag: 'Payments',
    summary: "List a customer's payments, newest first",
    description: `Returns at most the ${LIST_MAX} newest payments of the customer.`,
    auth: 'credential',
    query: ListPaymentsQuery,
    response: { status: 200, schema: z.array(PaymentSchema) },
    errors: ['VALIDATION_ERROR', ...CREDENTIAL_ERRORS],
    handler: async ({ caller, query }: { caller: NativeCaller; query: z.infer<typeof ListPaymentsQuery> }) => {
      const payments = await deps.database.withScope(
        caller.scope,
        (statements) =>
          listPayments(statements, caller.scope, { customerReference: query.customerReference, limit: LIST_MAX }),
        { oneTrip: true },
      );
      return { status: 200, data: payments.map((payment) => paymentView(payment, deps.webUrl)) };
    },
  });
}

function receipt(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/payments/{id}/receipt',
    operationId: 'getReceipt',
    tag: 'Payments',
    summary: 'Retrieve a payment’s receipt',
    description:
      'Returns JSON, or a PDF with `Accept: application/pdf`. Returns 404 if receipts are not enabled for the application, and 409 if the payment has not succeeded.',
    auth: 'credential',
    params: IdParams,
    query: ReceiptQuery,
    response: { status: 200, schema: Receipt, alsoAs: PDF_TYPE },
    errors: ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE', ...CREDENTIAL_ERRORS],
    handler: async ({ caller, params, query, accepts }: ReceiptRequest) => {
      const payment = await findPayment(deps, caller.scope, params.id);
      if (!caller.application.receiptsEnabled) {
        throw notFound('receipt');
      }
      if (!isPaid(payment.status) || !(payment.paidAt instanceof Date)) {
        throw new DomainError('INVALID_OPERATION_STATE', 'the payment has not succeeded');
      }
      const refundedMinor = await deps.database.withScope(
        caller.scope,
        (statements) => refundedOf(statements, payment.id),
        { oneTrip: true },
      );
      const { paidAt } = payment;
      if (accepts(JSON_TYPE, PDF_TYPE) === PDF_TYPE) {
        return receiptPdf(deps, { payment, applicationName: caller.application.name, language: query.language });
      }
      return { status: 200, data: receiptOf(payment, { paidAt, refundedMinor, appName: caller.application.name }) };
    },
  });
}

interface ReceiptRequest {
  readonly caller: NativeCaller;
  readonly params: IdParams;
  readonly query: z.infer<typeof ReceiptQuery>;
  readonly accepts: (...types: string[]) => string | false;
}

function receiptOf(
  payment: PaymentRecord,
  { paidAt, appName, refundedMinor }: { paidAt: Date; appName: string; refundedMinor: bigint },
) {
  return {
    receiptNumber: `R-${payment.id}`,
    paymentId: toJsonInteger(payment.id),
    reference: payment.reference,
    amountMinor: toJsonInteger(payment.amountMinor),
    amountDisplay: toDecimalText(payment),
    currency: payment.currency,
    customerReference: payment.customerReference,
    appName,
    gateway: payment.gateway ?? '',
    gatewayTxnId: payment.gatewayTxnId ?? null,
    paidAt: paidAt.toISOString(),
    refundedMinor: toJsonInteger(refundedMinor),
    mode: payment.mode,
  };
}

function explanation(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/payments/{id}/explain',
    operationId: 'explainPayment',
    tag: 'Payments',
    summary: 'Explain a payment’s state and what happens next',
    auth: 'credential',
    params: IdParams,
    response: { status: 200, schema: Explanation },
    errors: ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', ...CREDENTIAL_ERRORS],
    handler: async ({ caller, params }: { caller: NativeCaller; params: IdParams }) => {
      const { payment, explanation } = await explainPayment(deps, caller.scope, params.id);
      return { status: 200, data: explanationView(payment.status, explanation) };
    },
  });
}

function checkout(deps: ApiDependencies): Route<NativeCaller> {
  return route({
    method: 'GET',
    path: '/checkout/{reference}',
    operationId: 'getCheckout',
    tag: 'Checkout',
    summary: 'Retrieve what the checkout page shows (public)',
    auth: 'none',
    params: CheckoutParams,
    response: { status: 200, schema: Checkout },
    errors: ['RESOURCE_NOT_FOUND', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'],
    handler: async ({ params }: { params: z.infer<typeof CheckoutParams> }) => {
      const found = await findPublicPayment(deps.database, params.reference);
      if (found === null || !contractOf(found.payment.contract).payer.hasCheckoutDocument) {
        throw notFound('checkout');
      }
      const { payment, applicationName } = found;
      return {
        status: 200,
        data: {
          reference: payment.reference,
          status: payment.status,
          amountMinor: toJsonInteger(payment.amountMinor),
          amountDisplay: toDecimalText(payment),
          currency: payment.currency,
          appName: applicationName,
          gateway: payment.gateway ?? null,
          gatewayRedirectUrl: payment.gatewayRedirectUrl ?? null,
          paidAt: payment.paidAt?.toISOString() ?? null,
        },
      };
    },
  });
}
