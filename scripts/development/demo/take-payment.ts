import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  registerApplication,
  updateApplication,
  type Registration,
} from '../../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../../database/connection.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import { workflowIds } from '../../../workflows/messages/names.ts';
import type { DevFile } from '../dev-file.ts';
import { open, press, titleOf, type Page } from './payer.ts';
import { startReceiver, type ReceivedEvent, type Receiver } from './receiver.ts';

export interface DemoResult {
  readonly paymentId: number;
  readonly reference: string;
  readonly status: string;
  readonly amountMinor: number;
  readonly resultPage: string;
  readonly webhook: { readonly id: string; readonly type: string; readonly signatureValid: boolean };
  readonly postings: readonly LedgerLine[];
  readonly workflowUrl: string;
}

export interface LedgerLine {
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: string;
  readonly currency: string;
}

const WEBHOOK_TIMEOUT_MS = 30_000;
const RESULT_TIMEOUT_MS = 30_000;

const Payment = z.object({
  data: z.object({
    id: z.int(),
    reference: z.string(),
    status: z.string(),
    amountMinor: z.int(),
    checkoutUrl: z.url(),
  }),
});

/** Takes one payment, acting as the application and its payer, step by step. Throws at the first failed check. */
export async function takePayment(dev: DevFile, masterKey: string, tell: (step: string) => void): Promise<DemoResult> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 2 });
  let signingSecret = '';
  const receiver = await startReceiver(() => signingSecret);
  try {
    const app = await registerApplication(
      { database, secrets: createSecretBox(masterKey) },
      { name: 'Demo shop', webhookUrl: receiver.url },
    );
    signingSecret = app.testSigningSecret;
    const result = await shop({ dev, database, receiver, app, tell });
    await updateApplication({ database }, { applicationId: app.applicationId, webhookUrl: null });
    return result;
  } finally {
    await receiver.close();
    await database.close();
  }
}

interface Shop {
  readonly dev: DevFile;
  readonly database: Database;
  readonly receiver: Receiver;
  readonly app: Registration;
  readonly tell: (step: string) => void;
}

async function shop({ dev, database, receiver, app, tell }: Shop): Promise<DemoResult> {
  const created = await createPayment(dev, app);
  tell(`Created payment ${created.id} (${created.reference}), ${created.status}. Checkout: ${created.checkoutUrl}`);
  const result = await payAsPayer(created.checkoutUrl, tell);
  const event = await receiver.next('payment.succeeded', WEBHOOK_TIMEOUT_MS);
  checkEvent(event, created.reference);
  tell(`Webhook ${event.type} (${event.id}) arrived; its signature is valid.`);
  const paid = await readPayment(dev, app, created.id);
  require(paid.status === 'SUCCEEDED', `GET /payments/${paid.id} says ${paid.status}`);
  tell(`Read back: payment ${paid.id} is ${paid.status}.`);
  const postings = await ledgerOf(database, app, created.reference);
  require(postings.length > 0, 'the ledger has no posting of this payment');
  return {
    paymentId: paid.id,
    reference: paid.reference,
    status: paid.status,
    amountMinor: paid.amountMinor,
    resultPage: titleOf(result),
    webhook: { id: event.id, type: event.type, signatureValid: event.signatureValid },
    postings,
    workflowUrl: `${dev.temporal.ui}/namespaces/${dev.temporal.namespace}/workflows/${encodeURIComponent(workflowIds.payment(paid.reference))}`,
  };
}

async function createPayment(dev: DevFile, app: Registration): Promise<z.infer<typeof Payment>['data']> {
  const response = await fetch(`${dev.api}/payments`, {
    method: 'POST',
    headers: { ...credentials(app), 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
    body: JSON.stringify({
      amountMinor: 10_000,
      currency: 'BDT',
      customerReference: 'cust_123',
      customerEmail: 'jane@example.com',
      productName: 'Pro plan',
    }),
  });
  require(response.status === 201, `POST /payments answered ${response.status}`);
  const { data } = Payment.parse(await response.json());
  require(data.status === 'PENDING', `the new payment is ${data.status}`);
  return data;
}

/** Goes from Lenden's page to the gateway's page and back, using only links and forms. */
async function payAsPayer(checkoutUrl: string, tell: (step: string) => void): Promise<Page> {
  const checkout = await open(checkoutUrl);
  require(checkout.status === 200, `the checkout page answered ${checkout.status}`);
  tell(`The payer sees "${titleOf(checkout)}" and continues to the gateway.`);
  const gateway = await press(checkout, { form: 'form[action*="/continue"]' });
  tell(`The payer pays on "${titleOf(gateway)}" at ${gateway.url.host}.`);
  const returning = await press(gateway, { form: 'form', button: 'pay' });
  const back = await press(returning, { form: 'form#return' });
  tell(`The gateway sends the payer back to "${titleOf(back)}".`);
  return resultOf(back);
}

/** Reloads the page, as it does itself, until it shows the outcome. */
async function resultOf(page: Page): Promise<Page> {
  const deadline = Date.now() + RESULT_TIMEOUT_MS;
  let current = page;
  while (current.document.querySelector('meta[http-equiv="refresh"]') !== null && Date.now() < deadline) {
    await sleep(500);
    current = await open(current.url);
  }
  return current;
}

async function readPayment(dev: DevFile, app: Registration, id: number): Promise<z.infer<typeof Payment>['data']> {
  const response = await fetch(`${dev.api}/payments/${id}`, { headers: credentials(app) });
  require(response.status === 200, `GET /payments/${id} answered ${response.status}`);
  return Payment.parse(await response.json()).data;
}

function credentials({ test }: Registration): Record<string, string> {
  return { 'X-Api-Key': test.apiKey, 'X-Api-Secret': test.apiSecret };
}

function checkEvent(event: ReceivedEvent, reference: string): void {
  require(event.signatureValid, `the webhook ${event.id} has no valid signature`);
  const body = z.object({ data: z.object({ reference: z.string(), status: z.string() }) }).parse(event.body);
  require(body.data.reference === reference &&
    body.data.status === 'SUCCEEDED', 'the webhook is about another payment');
}

async function ledgerOf(database: Database, app: Registration, reference: string): Promise<LedgerLine[]> {
  const rows = await database.withScope({ applicationId: app.applicationId, mode: 'TEST' }, (statements) =>
    statements.execute<{ debit: string; credit: string; amount_minor: string; currency: string }[]>(
      `select d.name as debit, c.name as credit, p.amount_minor, p.currency
       from ledger_transactions t join ledger_postings p on p.transaction_id = t.id
       join ledger_accounts d on d.id = p.debit_account_id join ledger_accounts c on c.id = p.credit_account_id
       where t.cause_type = 'payment' and t.cause_id = ? order by p.id`,
      [reference],
    ),
  );
  return rows.map(({ debit, credit, amount_minor, currency }) => ({
    debit,
    credit,
    amountMinor: String(amount_minor),
    currency,
  }));
}

function require(holds: boolean, otherwise: string): asserts holds {
  if (!holds) {
    throw new Error(otherwise);
  }
}
