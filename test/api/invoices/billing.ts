import type { CredentialPair, Registration } from '../../../core/applications/store/applications.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { addDays } from '../../../domain/plain-date.ts';
import { openApiWorld, type ApiWorld } from '../api-world.ts';
import { call, type Answer } from '../contract-client.ts';
import { httpCall, type HttpAnswer } from '../http-call.ts';

/** The sample from the documentation. */
export const SAMPLE = {
  customerReference: 'cust_123',
  customerEmail: 'jane@example.com',
  currency: 'BDT',
  lineItems: [
    { description: 'Setup fee', qty: 1, unitAmountMinor: 50_000 },
    { description: 'Monthly plan', qty: 2, unitAmountMinor: 25_000 },
  ],
};

/** Returns the date in Dhaka this many days from today. */
export function day(offset: number): string {
  return addDays(calendarIn(BUSINESS_TIME_ZONE).today(new Date()), offset);
}

interface Sending {
  readonly method?: string;
  readonly body?: unknown;
  readonly credentials?: CredentialPair;
  readonly headers?: Record<string, string>;
  readonly at?: string;
}

/** A shop that creates invoices over HTTP. Every answer is checked against the contract. */
export interface Billing {
  readonly world: ApiWorld;
  readonly origin: string;
  readonly shop: Registration;
  /** The origin of the pages. */
  readonly pages: string;
  send(path: string, sending?: Sending): Promise<Answer>;
  /** Creates the sample invoice with these changes; issued by default. */
  create(change?: object, sending?: Sending & { readonly key?: string }): Promise<Answer>;
  draft(change?: object): Promise<Answer>;
  read(id: unknown): Promise<Answer>;
  /** Calls POST /invoices/{id}/{action}. */
  act(id: unknown, action: string): Promise<Answer>;
  /** Creates a payment of an invoice through the API. */
  pay(invoiceId: unknown, change?: object, headers?: Record<string, string>): Promise<Answer>;
  /** Creates a payment of an invoice that the gateway confirmed and that counts as paid. */
  payUp(invoiceId: unknown, amountMinor: number): Promise<Answer>;
  /** Sends a request to the pages. */
  page(path: string, sending?: Sending): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export async function openBilling(): Promise<Billing> {
  const world = await openApiWorld();
  const origin = await world.listen();
  const pages = await world.listen({ pages: true });
  const shop = await world.register({
    rateLimitPerMinute: 1_000_000,
    receiptsEnabled: true,
    webhookUrl: 'https://shop.example/hooks',
  });
  const billing: Billing = {
    world,
    origin,
    pages,
    shop,
    send: (path, { at = origin, credentials = shop.test, ...rest } = {}) =>
      call({ origin: at, path, credentials, ...rest }),
    create: (change = {}, { key, headers, ...rest } = {}) =>
      billing.send('/invoices', {
        method: 'POST',
        body: { ...SAMPLE, ...change },
        headers: { ...(key === undefined ? {} : { 'idempotency-key': key }), ...headers },
        ...rest,
      }),
    draft: (change = {}) => billing.create({ ...change, issue: false }),
    read: (id) => billing.send(`/invoices/${String(id)}`),
    act: (id, action) => billing.send(`/invoices/${String(id)}/${action}`, { method: 'POST' }),
    pay: (invoiceId, change = {}, headers = {}) =>
      billing.send('/payments', {
        method: 'POST',
        headers,
        body: { amountMinor: 10_000, customerReference: 'cust_123', invoiceId, ...change },
      }),
    async payUp(invoiceId, amountMinor) {
      const payment = await billing.pay(invoiceId, { amountMinor });
      await world.pay(String(payment.data['id']));
      await world.settle(invoiceId, amountMinor);
      return payment;
    },
    page: (path, sending = {}) => httpCall({ origin: pages, path, ...sending }),
    close: () => world.close(),
  };
  return billing;
}

/** Returns the `pay_…` reference from an issued invoice's link. */
export function referenceOf({ data }: Pick<Answer, 'data'>): string {
  return String(data['payableUrl']).split('/').at(-1) ?? '';
}

/** Returns the status, code and fields of a refusal for one comparison. */
export function refusal({ status, meta, data }: Answer): [number, string | null, Readonly<Record<string, unknown>>] {
  return [status, meta.errorCode, data];
}
