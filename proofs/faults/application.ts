import { z } from 'zod';
import type { Registration } from '../../core/applications/store/applications.ts';
import type { Mode } from '../../domain/mode.ts';
import type { Answer, Journal } from './journal.ts';
import type { Bill, Billed } from './bill-plan.ts';
import type { Errand } from './plan.ts';
import type { AppRefund } from './refund-plan.ts';

const Payment = z.object({
  id: z.int(),
  reference: z.string(),
  status: z.string(),
  applicationId: z.int(),
  amountMinor: z.int(),
  checkoutUrl: z.string(),
  redirectUrl: z.string().nullable(),
  gatewayTxnId: z.string().nullable(),
  review: z.object({ reason: z.string() }).nullable(),
});
export type PaymentView = z.infer<typeof Payment>;
const OneAnswer = z.object({ data: Payment });
const ListAnswer = z.object({ data: z.array(Payment) });

const Refund = z.object({
  id: z.int(),
  paymentId: z.int(),
  amountMinor: z.int(),
  reason: z.string().nullable(),
  status: z.string(),
  gatewayRefundId: z.string().nullable(),
  failureCode: z.string().nullable(),
  review: z.object({ reason: z.string() }).nullable(),
  createdBy: z.string(),
  approvedBy: z.string().nullable(),
});
export type RefundView = z.infer<typeof Refund>;
/** The answer to a call about refunds: one refund, the result of a decision, or a list. */
const RefundAnswer = z.object({
  data: z.union([
    Refund.transform((refund) => [refund]),
    z.object({ refund: Refund }).transform(({ refund }) => [refund]),
    z.array(Refund),
  ]),
});

/** An application of the run, in the one mode that it uses. */
export interface Tenant {
  readonly index: 0 | 1 | 2;
  readonly mode: Mode;
  readonly registration: Registration;
  /** The key for OwnPay's API, in the same mode. */
  readonly ownpayKey: string;
  /** Index of the receiver of its events; null if it has none. */
  readonly receiver: 0 | 1 | null;
  /** Above this amount an operator's refund needs a second person; null if no amount does. */
  readonly thresholdMinor: number | null;
}

/** Marks used as payer data, which must never leave the database. */
export const PAYER_CANARIES = {
  email: (mark: string): string => `canary-${mark}@payer.example`,
  name: 'Canary Payername',
  phone: '+8801555987654',
} as const;

export interface CallOptions {
  readonly api: 0 | 1;
  readonly kind: Answer['kind'];
  readonly timeoutMs: number;
}

/** One tenant's calls to either API, each of which is recorded. */
export interface Caller {
  create(errand: Errand, options: CallOptions): Promise<Answer>;
  /** Creates a payment through OwnPay's API. */
  intent(errand: Errand, options: CallOptions): Promise<Answer>;
  bill(bill: Bill, options: CallOptions): Promise<Answer>;
  changeBill(bill: Bill, change: BillChange, options: CallOptions): Promise<Answer>;
  readBill(bill: Bill, id: number, options: CallOptions): Promise<Answer>;
  read(errand: Errand, id: number, options: CallOptions): Promise<Answer>;
  list(errand: Errand, options: CallOptions): Promise<Answer>;
  refund(errand: Errand, refund: RefundRequest, options: CallOptions): Promise<Answer>;
  refunds(errand: Errand, paymentId: number, options: CallOptions): Promise<Answer>;
  readRefund(errand: Errand, refundId: number, options: CallOptions): Promise<Answer>;
}

export interface BillChange {
  readonly id: number;
  readonly change: 'issue' | 'void';
}

export type RefundRequest = AppRefund & { readonly paymentId: number };

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Key of the requested refund. */
  readonly refund?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface CallerSettings {
  readonly apis: readonly string[];
  readonly journal: Journal;
  readonly billed?: () => Billed;
}

export function openCaller(tenant: Tenant, { apis, journal, billed }: CallerSettings): Caller {
  const { mode, registration } = tenant;
  // Each body is built once, so that a repetition after midnight still names the same days.
  const bodies = new Map<string, string>();
  const billBody = (bill: Bill): string => {
    const body = bodies.get(bill.mark) ?? JSON.stringify(billBodyOf(bill));
    bodies.set(bill.mark, body);
    return body;
  };
  const credentials = mode === 'TEST' ? registration.test : registration.live;
  const call = async (mark: string, request: Request, options: CallOptions): Promise<Answer> => {
    const sentAtMs = performance.now();
    const known = {
      mark,
      app: tenant.index,
      kind: options.kind,
      api: options.api,
      sentAtMs,
      ...(request.refund === undefined ? {} : { refund: request.refund }),
    };
    const { apiKey, apiSecret } = credentials;
    const got = await exchange(`${apis[options.api]}/api/v1${request.path}`, {
      ...request,
      headers:
        options.kind === 'intent' || options.kind === 'intent-repeat'
          ? { ...request.headers, authorization: `Bearer ${tenant.ownpayKey}` }
          : { ...request.headers, 'x-api-key': apiKey, 'x-api-secret': apiSecret },
      timeoutMs: options.timeoutMs,
    });
    const answer = { ...known, answeredAtMs: performance.now(), ...got };
    journal.write(answer);
    return answer;
  };
  return {
    create: async (errand, options) =>
      call(
        errand.mark,
        {
          method: 'POST',
          path: '/payments',
          headers: { 'content-type': 'application/json', 'idempotency-key': `key-${errand.mark}` },
          body: JSON.stringify(
            bodyOf(errand, { kind: options.kind, invoiceId: (await billed?.().get(errand.bill ?? '')) ?? null }),
          ),
        },
        options,
      ),
    intent: (errand, options) =>
      call(
        errand.mark,
        {
          method: 'POST',
          path: '/payment-intents',
          headers: { 'content-type': 'application/json', 'idempotency-key': `key-${errand.mark}` },
          body: JSON.stringify(intentOf(errand)),
        },
        options,
      ),
    bill: (bill, options) =>
      call(
        bill.mark,
        {
          method: 'POST',
          path: '/invoices',
          headers: { 'content-type': 'application/json', 'idempotency-key': `key-${bill.mark}` },
          body: billBody(bill),
        },
        options,
      ),
    changeBill: (bill, { id, change }, options) =>
      call(bill.mark, { method: 'POST', path: `/invoices/${id}/${change}` }, options),
    readBill: (bill, id, options) => call(bill.mark, { method: 'GET', path: `/invoices/${id}` }, options),
    read: (errand, id, options) => call(errand.mark, { method: 'GET', path: `/payments/${id}` }, options),
    list: (errand, options) =>
      call(errand.mark, { method: 'GET', path: `/payments?customerReference=${customerOf(errand)}` }, options),
    refund: (errand, { key, amountMinor, paymentId }, options) =>
      call(
        errand.mark,
        {
          method: 'POST',
          path: `/payments/${paymentId}/refunds`,
          refund: key,
          headers: { 'content-type': 'application/json', 'idempotency-key': `refund-${key}` },
          body: JSON.stringify({ amountMinor, reason: options.kind === 'refund-other-body' ? `${key} changed` : key }),
        },
        options,
      ),
    refunds: (errand, paymentId, options) =>
      call(errand.mark, { method: 'GET', path: `/payments/${paymentId}/refunds` }, options),
    readRefund: (errand, refundId, options) =>
      call(errand.mark, { method: 'GET', path: `/refunds/${refundId}` }, options),
  };
}

/** Returns the application's reference for its customer. It is unique for each key, so that a list shows every payment created with the key. */
function customerOf({ mark }: Errand): string {
  return `customer-${mark}`;
}

function bodyOf(errand: Errand, { kind, invoiceId }: { kind: Answer['kind']; invoiceId: number | null }) {
  return {
    ...(invoiceId === null ? {} : { invoiceId }),
    ...(errand.gateways === null ? {} : { gateways: errand.gateways }),
    amountMinor: errand.amountMinor,
    customerReference: customerOf(errand),
    customerEmail: PAYER_CANARIES.email(errand.mark),
    customerName: PAYER_CANARIES.name,
    customerPhone: PAYER_CANARIES.phone,
    productName: kind === 'other-body' ? `${errand.mark} changed` : errand.mark,
  };
}

/** The order has the name that the customer has elsewhere. Payments without a customer are listed by their order. */
function intentOf(errand: Errand) {
  return {
    gateway: errand.gateways?.[0],
    amount: errand.amountMinor / 100,
    currency: 'BDT',
    order_id: customerOf(errand),
    customer_name: PAYER_CANARIES.name,
    customer_email: PAYER_CANARIES.email(errand.mark),
    customer_phone: PAYER_CANARIES.phone,
    description: errand.mark,
    return_url: `${SHOP_ORIGIN}/done`,
  };
}

/** Where payers are sent at the end; no server answers there. */
export const SHOP_ORIGIN = 'https://shop.example';

const Intent = z.object({ transaction_id: z.string(), payment_url: z.string() });

/** Returns the payment that an answer of OwnPay's API says it created. */
export function intentIn({ text }: Pick<Answer, 'text'>): { reference: string; checkoutUrl: string } | null {
  const parsed = Intent.safeParse(parseJson(text));
  return parsed.success ? { reference: parsed.data.transaction_id, checkoutUrl: parsed.data.payment_url } : null;
}

const DAY_MS = 86_400_000;

/** Counts days in UTC, because a few hours more or less do not matter here. */
function billBodyOf({ mark, totalMinor, parts, draftFirst }: Bill) {
  const billedAtMs = Date.now();
  return {
    currency: 'BDT',
    customerReference: mark,
    customerEmail: PAYER_CANARIES.email(mark),
    customerName: PAYER_CANARIES.name,
    lineItems: [{ description: mark, qty: 1, unitAmountMinor: totalMinor }],
    installments: parts.map(({ inDays, amountMinor }) => ({
      dueDate: new Date(billedAtMs + inDays * DAY_MS).toISOString().slice(0, 10),
      amountMinor,
    })),
    issue: !draftFirst,
  };
}

interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
}

/** Makes one call and returns its result. A missing answer is a result too. */
export async function exchange(
  url: string,
  { method, headers, body, timeoutMs }: Exchange,
): Promise<Pick<Answer, 'status' | 'replayed' | 'text'>> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    return { status: response.status, replayed: response.headers.get('idempotent-replayed') === 'true', text };
  } catch (error) {
    return { status: null, replayed: false, text: error instanceof Error ? error.name : String(error) };
  }
}

export function paymentIn({ text }: Answer): PaymentView | null {
  const parsed = OneAnswer.safeParse(parseJson(text));
  return parsed.success ? parsed.data.data : null;
}

export function paymentsIn({ text }: Answer): readonly PaymentView[] | null {
  const parsed = ListAnswer.safeParse(parseJson(text));
  return parsed.success ? parsed.data.data : null;
}

export function refundsIn({ text }: Pick<Answer, 'text'>): readonly RefundView[] | null {
  const parsed = RefundAnswer.safeParse(parseJson(text));
  return parsed.success ? parsed.data.data : null;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
