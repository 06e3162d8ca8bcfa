import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../../simulators/bkash/settings.ts';
import { startBkashSimulator } from '../../../simulators/bkash/server.ts';
import { payingWallets, rightOtp, rightPin } from '../../../simulators/bkash/wallets.ts';

export type Answer = Record<string, unknown>;
export type Form = Record<string, string>;

/** Short waits and enough token calls for tests. Everything else is the default. */
const quickSettings: Partial<Settings> = { hangMs: 250, slowMs: 250, tokenCallsPerHour: 1_000 };

const base = '/v1.2.0-beta/tokenized/checkout';
const user = { username: 'lenden_test', password: 'lenden_test@bkash' };
const app = { app_key: 'lenden_test_app', app_secret: 'lenden_test_app_secret' };

let made = 0;

/** Starts a simulator with its own folder and returns a client that uses only fetch. */
export async function startBkash(settings: Partial<Settings> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bkash-'));
  const simulator = await startBkashSimulator({ dataDir, settings: { ...quickSettings, ...settings } });
  const { url } = simulator;
  const post = (path: string, body: object, headers: Form): Promise<Response> =>
    fetch(`${url}${base}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  let token: string | undefined;
  const grant = (changes: { headers?: Form; body?: Form } = {}): Promise<Response> =>
    post('/token/grant', { ...app, ...changes.body }, { ...user, ...changes.headers });
  const authorized = async (): Promise<Form> => {
    token ??= String((await json(await grant()))['id_token']);
    return { authorization: token, 'x-app-key': app.app_key };
  };
  const raw = async (path: string, body: object, headers: Form = {}): Promise<Response> =>
    post(path, body, { ...(await authorized()), ...headers });
  const call = async (path: string, body: object): Promise<Answer> => json(await raw(path, body));
  const control = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${url}/__sim/${path}`, { method, ...sent });
    return { status: answer.status, body: await answer.json() };
  };
  return {
    url,
    dataDir,
    post,
    grant,
    refresh: (body: Form) => post('/token/refresh', { ...app, ...body }, user),
    raw,
    create: (changes: Answer = {}) => call('/create', creation(changes)),
    execute: (paymentID: unknown) => call('/execute', { paymentID }),
    query: (paymentID: unknown) => call('/payment/status', { paymentID }),
    search: (trxID: unknown) => call('/general/searchTransaction', { trxID }),
    refund: (body: object) => call('/payment/refund', body),
    control,
    charges: async () => (await control('GET', 'charges')).body as Form[],
    close: async () => {
      await simulator.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export type Bkash = Awaited<ReturnType<typeof startBkash>>;

/** Returns a valid creation request. */
export function creation(changes: Answer = {}): Answer {
  made += 1;
  return {
    mode: '0011',
    payerReference: 'payer',
    callbackURL: 'http://shop.example/back',
    amount: '100.00',
    currency: 'BDT',
    intent: 'sale',
    merchantInvoiceNumber: `INVOICE${made}`,
    ...changes,
  };
}

export async function json(answer: Response): Promise<Answer> {
  return (await answer.json()) as Answer;
}

/** Goes through the page like a browser without JavaScript. Returns the URL of the redirect, or the page on which it ends. */
export async function walk(
  session: Answer,
  last: Form = {},
): Promise<{ status: number; back: URL | null; html: string }> {
  const page = String(session['bkashURL']);
  const send = (form: Form): Promise<Response> =>
    fetch(page, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  await fetch(page);
  const wallet = last['wallet'] ?? payingWallets[0];
  await send({ outcome: 'next', wallet });
  await send({ outcome: 'next', wallet, otp: rightOtp });
  const answer = await send({ outcome: 'pay', wallet, otp: rightOtp, pin: rightPin, ...last });
  const location = answer.headers.get('location');
  return { status: answer.status, back: location === null ? null : new URL(location), html: await answer.text() };
}
