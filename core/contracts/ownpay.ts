import { randomBytes } from 'node:crypto';
import { ownpayEvent, ownpayReturnUrl } from '../../domain/ownpay.ts';
import { ATTEMPT_DELAYS_SECONDS } from '../../domain/webhook.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { ContractPort } from './port.ts';
import { ownpayHeaders } from './signature.ts';

/** OwnPay's contract. It has no invoices. */
export const ownpayContract: ContractPort = {
  events: {
    ofPayment(_statements, { payment, type }) {
      const payload = ownpayEvent(payment, type);
      return Promise.resolve(payload === null ? null : { contractBody: { contract: 'ownpay', payload } });
    },
    ofInvoice: () => Promise.resolve(null),
    invoiceIssued: false,
  },
  deliveries: {
    delaysSeconds: ATTEMPT_DELAYS_SECONDS,
    signsAtOnce: false,
    headers: ownpayHeaders,
  },
  keys: {
    haveScopes: true,
    /** 192 random bits need no slow hash; SHA-256 is enough. */
    create() {
      const prefix = `op_${randomBytes(4).toString('hex')}`;
      const apiKey = `${prefix}.${randomBytes(24).toString('hex')}`;
      return Promise.resolve({ apiKey, apiSecret: null, secretHash: null, prefix });
    },
    bind: (_statements, { apiKey }) => Promise.resolve({ keyHash: sha256(apiKey), business: null }),
  },
  payer: {
    returnUrl: ownpayReturnUrl,
    sendsBack: true,
    opensGatewayAtOnce: false,
    hasCheckoutDocument: true,
    receiptNamesPayer: false,
  },
  invoices: {
    gateways: null,
    reopenAfterRefund: true,
    paymentTerms() {
      throw new Error("an invoice cannot be of OwnPay's contract");
    },
  },
};
