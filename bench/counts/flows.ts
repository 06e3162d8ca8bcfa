import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import type { Page } from '../../scripts/development/demo/payer.ts';
import type { Contracts, Opened } from './contracts.ts';
import { hasReturnForm, newPayer, type Payer } from './payer.ts';

/** What a flow may use. Only what happens in a step is counted. */
export interface Stage {
  readonly contracts: Contracts;
  readonly dev: DevFile;
  readonly nextWebhooks: (count: number) => Promise<void>;
  /** Counts `work` and everything that it causes, `webhooks` delivered events included. */
  readonly step: <T>(name: string, work: () => Promise<T>, ends?: { readonly webhooks?: number }) => Promise<T>;
}

/** A way of taking or returning money whose cost is limited by bench/budgets.json. */
export interface Flow {
  /** The name in bench/budgets.json. */
  readonly name: string;
  readonly what: string;
  /** It contains a wait of several seconds, so it is measured less often. */
  readonly slow?: boolean;
  readonly run: (stage: Stage) => Promise<void>;
}

/** A payment of the native contract at SSLCOMMERZ. */
export const NATIVE: Flow = paymentFlow({
  name: 'native',
  what: 'native contract, SSLCOMMERZ',
  contract: 'native',
});

export const FLOWS: readonly Flow[] = [
  NATIVE,
  paymentFlow({ name: 'ownpay', what: 'OwnPay’s contract, SSLCOMMERZ', contract: 'ownpay' }),
  // ShadhinPay's contract knows only bKash and Nagad.
  paymentFlow({ name: 'shadhinpay', what: 'ShadhinPay’s contract, bKash', contract: 'shadhinpay' }),
  paymentFlow({ name: 'bkash', what: 'native contract, bKash', contract: 'native', gateways: ['bkash'] }),
  paymentFlow({ name: 'nagad', what: 'native contract, Nagad', contract: 'native', gateways: ['nagad'] }),
  paymentFlow({ name: 'stripe', what: 'native contract, Stripe', contract: 'native', gateways: ['stripe'] }),
  paymentFlow({
    name: 'choice',
    what: 'native contract, the payer chooses bKash of three gateways',
    contract: 'native',
    gateways: ['sslcommerz', 'bkash', 'nagad'],
    chosen: 'bkash',
  }),
  { name: 'manual', what: 'native contract, a manual payment that an operator confirms', run: manualPayment },
  { name: 'refund', what: 'part of a payment at bKash refunded', slow: true, run: refund },
  { name: 'invoice', what: 'an invoice issued and paid at SSLCOMMERZ', run: invoicePayment },
];

interface PaymentFlow extends Omit<Flow, 'run'> {
  readonly contract: keyof Contracts;
  readonly gateways?: readonly string[];
  /** The gateway that the payer chooses on our page. */
  readonly chosen?: string;
}

function paymentFlow({ name, what, contract, gateways, chosen }: PaymentFlow): Flow {
  const run = async ({ contracts, step }: Stage): Promise<void> => {
    const calls = contracts[contract];
    const payment = await step('create', () => calls.create(gateways));
    await asPayer(async (payer) => {
      const page = await step('page', async () => payer.goOn(await payer.open(payment.checkoutUrl), chosen));
      await payAndReturn(payer, { page, step });
    });
    await step('read', () => calls.read(payment));
  };
  return { name, what, run };
}

/** A gateway that sends a notification leaves the return to the payer; otherwise the return is what makes Lenden query. */
async function payAndReturn(
  payer: Payer,
  { page, step, webhooks = 1 }: Pick<Stage, 'step'> & { page: Page; webhooks?: number },
): Promise<void> {
  const paid = await step('pay', () => payer.pay(page), { webhooks });
  if (hasReturnForm(paid)) {
    await step('return', () => payer.comeBack(paid));
  }
}

async function manualPayment({ contracts, dev, step }: Stage): Promise<void> {
  const confirm = await openDesk(dev);
  const payment = await step('create', () => contracts.native.create(['manual']));
  await asPayer(async (payer) => {
    const page = await step('page', () => payer.open(payment.checkoutUrl));
    await step('submit', () => payer.submit(page, randomUUID().slice(0, 18)));
  });
  await step('confirm', () => confirm(payment), { webhooks: 1 });
  await step('read', () => contracts.native.read(payment));
}

async function refund({ contracts, nextWebhooks, step }: Stage): Promise<void> {
  const payment = await contracts.native.create(['bkash']);
  await asPayer(async (payer) => {
    const arrived = nextWebhooks(1);
    await payer.pay(await payer.goOn(await payer.open(payment.checkoutUrl)));
    await arrived;
  });
  await step('refund', () => contracts.native.refund(payment), { webhooks: 2 });
}

async function invoicePayment({ contracts, step }: Stage): Promise<void> {
  const payableUrl = await step('issue', () => contracts.native.invoice(), { webhooks: 1 });
  await asPayer(async (payer) => {
    const page = await step('page', async () => payer.goOn(await payer.payInvoice(await payer.open(payableUrl))));
    await payAndReturn(payer, { page, step, webhooks: 2 });
  });
}

async function asPayer(visit: (payer: Payer) => Promise<void>): Promise<void> {
  const payer = newPayer();
  await visit(payer).finally(() => payer.leave());
}

const Session = z.object({ data: z.object({ token: z.string() }) });
const Submissions = z.object({ data: z.array(z.object({ id: z.int() })) });

/** Logs in an operator, and returns how they confirm a payment's submission. */
async function openDesk({ api, operators }: DevFile): Promise<(payment: Opened) => Promise<void>> {
  const { email, password } = operators.find(({ role }) => role === 'Finance') ?? { email: '', password: '' };
  const send = async (path: string, { token, body }: { token?: string; body?: object }): Promise<unknown> => {
    const response = await fetch(`${api}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    }
    return response.json();
  };
  const { token } = Session.parse(await send('/auth/login', { body: { email, password } })).data;
  return async ({ id: paymentId }) => {
    const waiting = Submissions.parse(await send(`/admin/manual-payments?paymentId=${paymentId}`, { token }));
    const decision = { decision: 'confirm', reason: 'Bench' };
    await send(`/admin/manual-payments/${waiting.data[0]?.id}/decision`, { token, body: decision });
  };
}
