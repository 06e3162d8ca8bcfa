import { randomUUID } from 'node:crypto';
import { randomBase62, shadhinpayReference } from '../../domain/references.ts';
import {
  CHECKOUT_MINUTES,
  eventNamed,
  gatewayOf,
  isNotified,
  SHADHINPAY_DELAYS_SECONDS,
  shadhinpayEvent,
  shadhinpayReturnUrl,
  VENDORS,
} from '../../domain/shadhinpay.ts';
import { invoiceEventNamed, shadhinpayInvoiceEvent } from '../../domain/shadhinpay-invoice.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { paymentsOf } from '../invoices/store/payments-of-invoice.ts';
import { refundedOf } from '../refunds/store/refunds.ts';
import type { Business, ContractPort } from './port.ts';
import { shadhinpayHeaders } from './signature.ts';
import { businessOf, subscribedEvents } from './store.ts';

/** ShadhinPay's contract. Its receivers choose their events, and its keys belong to a business. */
export const shadhinpayContract: ContractPort = {
  events: {
    async ofPayment(statements, { payment, type, refund }) {
      const event = eventNamed(type);
      // Unapplied money was never part of the payment, and the contract has no events for it.
      const foreign = refund !== undefined && refund.unappliedPaymentId !== null;
      if (event === null || foreign || !isNotified(event, await subscribedEvents(statements, payment.applicationId))) {
        return null;
      }
      const eventId = randomUUID();
      const refunded =
        refund === undefined ? undefined : { ...refund, refundedMinor: await refundedOf(statements, payment.id) };
      const payload = shadhinpayEvent({ eventId, event, occurredAt: new Date(), payment, refund: refunded });
      return { contractBody: { contract: 'shadhinpay', eventId, payload } };
    },
    async ofInvoice(statements, { invoice, type }) {
      const event = invoiceEventNamed(type, invoice);
      if (event === null || !isNotified(event, await subscribedEvents(statements, invoice.applicationId))) {
        return null;
      }
      const eventId = randomUUID();
      const payment = (await paymentsOf(statements, invoice.id)).at(-1) ?? null;
      const payload = shadhinpayInvoiceEvent({ eventId, event, occurredAt: new Date(), invoice, payment });
      return { contractBody: { contract: 'shadhinpay', eventId, payload } };
    },
    invoiceIssued: false,
  },
  deliveries: {
    delaysSeconds: SHADHINPAY_DELAYS_SECONDS,
    signsAtOnce: false,
    headers: shadhinpayHeaders,
  },
  keys: {
    haveScopes: false,
    create(mode) {
      const apiKey = `sk_${mode.toLowerCase()}_${randomBase62(32)}`;
      return Promise.resolve({ apiKey, apiSecret: null, secretHash: null, prefix: masked(apiKey) });
    },
    async bind(statements, { applicationId, apiKey }) {
      const business = await businessOf(statements, applicationId);
      return { keyHash: shadhinpayKeyHash({ ...business, apiKey }), business };
    },
  },
  payer: {
    returnUrl: shadhinpayReturnUrl,
    sendsBack: true,
    opensGatewayAtOnce: true,
    hasCheckoutDocument: false,
    receiptNamesPayer: false,
  },
  invoices: {
    gateways: VENDORS.map(gatewayOf),
    reopenAfterRefund: false,
    paymentTerms: ({ contract, customerPhone, returnUrl }, { page }) => ({
      contract,
      reference: shadhinpayReference(new Date()),
      expiryMinutes: CHECKOUT_MINUTES,
      customerPhone,
      returnUrl: returnUrl ?? page,
    }),
  },
};

/**
 * Hashes all three values that a request must carry. The credential is found by this single hash, so two correct values with a wrong third one find
 * nothing.
 */
export function shadhinpayKeyHash({ clientId, businessId, apiKey }: Business & { readonly apiKey: string }): Buffer {
  return sha256(`${clientId}\n${businessId}\n${apiKey}`);
}

/** Masks a key as in the contract's documentation: its beginning and its last four characters. */
function masked(apiKey: string): string {
  return `${apiKey.slice(0, 8)}...${apiKey.slice(-4)}`;
}
