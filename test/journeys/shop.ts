import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { registerApplication, type ApplicationSettings } from '../../core/applications/store/applications.ts';
import { openDatabase } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';

const Payment = z.object({
  id: z.int(),
  reference: z.string(),
  status: z.string(),
  checkoutUrl: z.url(),
  redirectUrl: z.string().nullable(),
});

export type ShopPayment = z.infer<typeof Payment>;

/** An application with its own credentials on a running stack, and the calls that it makes. */
export interface TestShop {
  readonly applicationId: bigint;
  /** The signing secret of TEST. */
  readonly signingSecret: string;
  /** Switches to the addresses where the stack now runs. */
  moveTo(dev: DevFile): void;
  /** Creates a payment, of 100.00 BDT unless `body` contains another amount. */
  create(body?: Record<string, unknown>, idempotencyKey?: string): Promise<ShopPayment>;
  /** Sends a create request and returns its response, successful or not. */
  post(body: Record<string, unknown>, idempotencyKey: string): Promise<Response>;
  read(id: number): Promise<ShopPayment>;
  /** Sends any other call of the native API. Returns `data`, and fails unless the response has the given status. */
  call(method: string, path: string, wanted?: { body?: object; status?: number }): Promise<unknown>;
  /** Fetches a document with `Accept: application/pdf`. */
  pdf(path: string): Promise<Uint8Array>;
  explain(id: number): Promise<{ summary: string; waitingFor: string; timeline: { at: string; event: string }[] }>;
}

const Explanation = z.object({
  data: z.object({
    summary: z.string(),
    waitingFor: z.string(),
    timeline: z.array(z.object({ at: z.string(), event: z.string() })),
  }),
});

const ANSWER_TIMEOUT_MS = 20_000;

export async function openTestShop(
  { dev, directory }: { dev: DevFile; directory: string },
  settings: ApplicationSettings = {},
): Promise<TestShop> {
  const app = await register({ dev, directory }, settings);
  let { api } = dev;
  const headers = { 'X-Api-Key': app.test.apiKey, 'X-Api-Secret': app.test.apiSecret };
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(api + path, { headers, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return answered(response, 200);
  };
  const post: TestShop['post'] = (body, idempotencyKey) =>
    fetch(`${api}/payments`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: JSON.stringify({ amountMinor: 10_000, customerReference: 'cust_123', productName: 'Pro plan', ...body }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
  return {
    applicationId: app.applicationId,
    signingSecret: app.testSigningSecret,
    moveTo: (moved) => ({ api } = moved),
    post,
    create: async (body = {}, idempotencyKey = randomUUID()) =>
      paymentIn(await answered(await post(body, idempotencyKey), 201)),
    async call(method, path, { body, status = 200 } = {}) {
      const response = await fetch(api + path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      return z.object({ data: z.unknown() }).parse(await answered(response, status)).data;
    },
    async pdf(path) {
      const response = await fetch(api + path, {
        headers: { ...headers, Accept: 'application/pdf' },
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      if (response.status !== 200 || response.headers.get('content-type') !== 'application/pdf') {
        throw new Error(`no PDF: ${response.status} ${await response.text()}`);
      }
      return new Uint8Array(await response.arrayBuffer());
    },
    read: async (id) => paymentIn(await get(`/payments/${id}`)),
    explain: async (id) => Explanation.parse(await get(`/payments/${id}/explain`)).data,
  };
}

export function paymentIn(answer: unknown): ShopPayment {
  return z.object({ data: Payment }).parse(answer).data;
}

async function register({ dev, directory }: { dev: DevFile; directory: string }, settings: ApplicationSettings) {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 1 });
  try {
    const secrets = createSecretBox(readOrMakeMasterKey(directory));
    return await registerApplication({ database, secrets }, { name: 'Rupali Books', ...settings });
  } finally {
    await database.close();
  }
}

async function answered(response: Response, status: number): Promise<unknown> {
  const text = await response.text();
  if (response.status !== status) {
    throw new Error(`${new URL(response.url).pathname} answered ${response.status}: ${text}`);
  }
  return JSON.parse(text);
}
