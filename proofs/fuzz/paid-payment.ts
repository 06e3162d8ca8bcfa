import { z } from 'zod';
import type { CredentialPair } from '../../core/applications/store/applications.ts';
import { actAsPayer } from '../thousand/payers.ts';

const PAID_TIMEOUT_MS = 60_000;
const Payment = z.object({
  data: z.object({ id: z.int(), reference: z.string(), status: z.string(), checkoutUrl: z.url() }),
});
type Payment = z.infer<typeof Payment>['data'];

interface Order {
  readonly credentials: CredentialPair;
  readonly amountMinor: number;
  /** The payer's number. */
  readonly number: number;
}

/** Creates a payment through the native API and pays it. Throws if it does not succeed. */
export async function paidPayment(api: string, { credentials, amountMinor, number }: Order): Promise<Payment> {
  const headers = { 'X-Api-Key': credentials.apiKey, 'X-Api-Secret': credentials.apiSecret };
  const body = { amountMinor, customerReference: `payer-${number}` };
  const { id } = Payment.parse(await send(`${api}/payments`, { headers, body })).data;
  const read = async (): Promise<Payment> => Payment.parse(await send(`${api}/payments/${id}`, { headers })).data;
  await actAsPayer((await read()).checkoutUrl, { choice: 'pay', number });
  for (const giveUpAt = Date.now() + PAID_TIMEOUT_MS; Date.now() < giveUpAt;) {
    const payment = await read();
    if (payment.status === 'SUCCEEDED') {
      return payment;
    }
  }
  throw new Error('a payment that was paid did not succeed');
}

export async function send(
  url: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: object },
): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) {
    throw new Error(`${new URL(url).pathname} answered ${response.status}: ${await response.text()}`);
  }
  return response.json();
}
