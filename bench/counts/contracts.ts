import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ShopKeys } from './shop-keys.ts';

/** A payment as its application sees it. */
export interface Opened {
  /** The payment's id or reference in the paths of its contract. */
  readonly id: string;
  /** Our page, where the application sends its payer. */
  readonly checkoutUrl: string;
}

/** The calls of an application that integrates one of the contracts. */
export interface ContractCalls {
  /** Creates a payment at the gateway, or at the default one. */
  create(gateways?: readonly string[]): Promise<Opened>;
  read(payment: Opened): Promise<void>;
}

export interface NativeCalls extends ContractCalls {
  refund(payment: Opened): Promise<void>;
  /** Issues an invoice and returns its payable link. */
  invoice(): Promise<string>;
}

export interface Contracts {
  readonly native: NativeCalls;
  readonly ownpay: ContractCalls;
  readonly shadhinpay: ContractCalls;
}

export function callContracts(api: string, keys: ShopKeys): Contracts {
  return {
    native: callNative({ api, headers: { 'x-api-key': keys.native.apiKey, 'x-api-secret': keys.native.apiSecret } }),
    ownpay: callOwnpay({ api, headers: { authorization: `Bearer ${keys.ownpay}` } }),
    shadhinpay: callShadhinpay({ api, headers: keys.shadhinpay }),
  };
}

interface Caller {
  readonly api: string;
  readonly headers: Readonly<Record<string, string>>;
}

const NativePayment = z.object({
  data: z.object({ id: z.int(), checkoutUrl: z.url(), status: z.literal('PENDING') }),
});
const NativeInvoice = z.object({ data: z.object({ payableUrl: z.url(), status: z.literal('ISSUED') }) });

function callNative(caller: Caller): NativeCalls {
  const post = (path: string, body: object): Promise<unknown> =>
    call(caller, { method: 'POST', path, body, idempotencyHeader: 'idempotency-key' });
  return {
    async create(gateways) {
      const order = { amountMinor: 10_000, currency: 'BDT', customerReference: 'bench', productName: 'Bench' };
      const answer = await post('/payments', gateways === undefined ? order : { ...order, gateways });
      const { id, checkoutUrl } = NativePayment.parse(answer).data;
      return { id: String(id), checkoutUrl };
    },
    async read({ id }) {
      const answer = await call(caller, { method: 'GET', path: `/payments/${id}` });
      z.object({ data: z.object({ status: z.literal('SUCCEEDED') }) }).parse(answer);
    },
    async refund({ id }) {
      await post(`/payments/${id}/refunds`, { amountMinor: 4_000, reason: 'Bench' });
    },
    async invoice() {
      const lineItems = [{ description: 'Bench', qty: 1, unitAmountMinor: 10_000 }];
      const answer = await post('/invoices', { currency: 'BDT', customerReference: 'bench', lineItems });
      return NativeInvoice.parse(answer).data.payableUrl;
    },
  };
}

const Intent = z.object({ transaction_id: z.string(), payment_url: z.url() });

function callOwnpay(caller: Caller): ContractCalls {
  return {
    async create() {
      const body = {
        gateway: 'sslcommerz',
        amount: 100,
        currency: 'BDT',
        order_id: randomUUID(),
        customer_name: 'Bench',
        customer_email: 'bench@payer.example',
        customer_phone: '+8801555987654',
        description: 'Bench',
        return_url: 'https://shop.example/done',
      };
      const answer = await call(caller, {
        method: 'POST',
        path: '/payment-intents',
        body,
        idempotencyHeader: 'idempotency-key',
      });
      const { transaction_id: id, payment_url: checkoutUrl } = Intent.parse(answer);
      return { id, checkoutUrl };
    },
    async read({ id }) {
      await call(caller, { method: 'GET', path: `/payment-intents/${id}` });
    },
  };
}

const Initiated = z.object({ data: z.object({ paymentId: z.string(), paymentUrl: z.url() }) });
const Completed = z.object({ data: z.object({ status: z.literal('COMPLETED') }) });

function callShadhinpay(caller: Caller): ContractCalls {
  return {
    async create() {
      const body = {
        amount: '100.00',
        currency: 'BDT',
        merchantTxnId: randomUUID(),
        callbackUrl: 'https://shop.example/done',
        preferredVendor: 'BKASH',
        isSandbox: true,
      };
      const answer = await call(caller, {
        method: 'POST',
        path: '/payments',
        body,
        idempotencyHeader: 'x-idempotency-key',
      });
      const { paymentId: id, paymentUrl: checkoutUrl } = Initiated.parse(answer).data;
      return { id, checkoutUrl };
    },
    async read({ id }) {
      Completed.parse(await call(caller, { method: 'GET', path: `/payments/${id}` }));
    },
  };
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  /** The name of the header that carries a new idempotency key. */
  readonly idempotencyHeader?: string;
}

async function call({ api, headers }: Caller, { method, path, body, idempotencyHeader }: Call): Promise<unknown> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      ...headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyHeader === undefined ? {} : { [idempotencyHeader]: randomUUID() }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
  }
  return JSON.parse(text);
}
