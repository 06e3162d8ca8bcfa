import { z } from 'zod';
import type { CredentialPair } from '../../core/applications/store/applications.ts';
import type { Plan } from './plan.ts';

const Answer = z.object({
  data: z.object({ id: z.int(), reference: z.string(), status: z.string(), checkoutUrl: z.url() }),
});

export type ShopPayment = z.infer<typeof Answer>['data'];

/** The application's side of the native API. */
export interface Shop {
  create(plan: Plan): Promise<ShopPayment>;
  read(id: number): Promise<ShopPayment>;
}

export interface ShopAccess {
  readonly api: string;
  readonly credentials: CredentialPair;
  /** Makes the idempotency keys unique to one run. */
  readonly run: string;
}

const ANSWER_TIMEOUT_MS = 30_000;

export function openShop({ api, credentials, run }: ShopAccess): Shop {
  const headers = { 'X-Api-Key': credentials.apiKey, 'X-Api-Secret': credentials.apiSecret };
  return {
    create: ({ number, amountMinor }) =>
      ask(`${api}/payments`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': `${run}-${number}` },
        body: JSON.stringify({
          amountMinor,
          customerReference: `payer-${number}`,
          customerEmail: `payer-${number}@example.com`,
          productName: 'One of many',
        }),
      }),
    read: (id) => ask(`${api}/payments/${id}`, { headers }),
  };
}

async function ask(url: string, init: RequestInit): Promise<ShopPayment> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${init.method ?? 'GET'} ${new URL(url).pathname} answered ${response.status}: ${text}`);
  }
  return Answer.parse(JSON.parse(text)).data;
}
