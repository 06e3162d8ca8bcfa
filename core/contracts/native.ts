import { hash } from '@node-rs/bcrypt';
import type { Mode } from '../../domain/mode.ts';
import { paymentReference, randomBase62 } from '../../domain/references.ts';
import { ATTEMPT_DELAYS_SECONDS } from '../../domain/webhook.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { ContractPort, NewKey } from './port.ts';
import { signedHeaders } from './signature.ts';

const SECRET_LENGTH = 40;
const BCRYPT_COST = 10;

/** OI Payments' contract, with Lenden's additions. */
export const nativeContract: ContractPort = {
  events: {
    ofPayment: () => Promise.resolve({}),
    ofInvoice: () => Promise.resolve({}),
    invoiceIssued: true,
  },
  deliveries: {
    delaysSeconds: ATTEMPT_DELAYS_SECONDS,
    signsAtOnce: true,
    headers: signedHeaders,
  },
  keys: {
    haveScopes: false,
    create: createNativeKey,
    bind: (_statements, { apiKey }) => Promise.resolve({ keyHash: sha256(apiKey), business: null }),
  },
  payer: {
    returnUrl: ({ returnUrl }) => returnUrl ?? null,
    sendsBack: false,
    opensGatewayAtOnce: false,
    hasCheckoutDocument: true,
    receiptNamesPayer: true,
  },
  invoices: {
    gateways: null,
    reopenAfterRefund: true,
    paymentTerms: ({ contract }, { page, expiryMinutes }) => ({
      contract,
      reference: paymentReference(),
      expiryMinutes,
      customerPhone: null,
      returnUrl: page,
    }),
  },
};

/** 32 characters carry 190 bits. The secret is shorter than the 72 bytes that bcrypt reads. */
export async function createNativeKey(mode: Mode): Promise<NewKey & { readonly apiSecret: string }> {
  const apiKey = `oi_${mode.toLowerCase()}_${randomBase62(32)}`;
  const apiSecret = randomBase62(SECRET_LENGTH);
  return { apiKey, apiSecret, secretHash: await hash(apiSecret, BCRYPT_COST) };
}
