import { deliveriesByWorkflow } from '../../../core/webhooks/deliveries.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MailingDependencies } from '../../../core/dependencies.ts';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { createCallbackReceiver } from '../../../api/gateway-callbacks/receive.ts';
import { createRateLimiter } from '../../../api/http/rate-limit.ts';
import { createListener } from '../../../api/http/server.ts';
import { registerApplication, type Registration } from '../../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../../database/connection.ts';
import { GatewayExecutions } from '../../../core/gateways/store/executions.ts';
import { GatewayTokens } from '../../../core/gateways/store/tokens.ts';
import { manualRecords } from '../../../core/manual-payments/store/manual-records.ts';
import type { Mode } from '../../../domain/mode.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { paymentReference } from '../../../domain/references.ts';
import { createGatewayRegistry } from '../../../gateways/registry.ts';
import type { BkashAccount, NagadAccount, StripeAccount } from '../../../runtime/gateway-settings.ts';
import { createHttpClient } from '../../../runtime/http-client.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import { signFields } from '../../../simulators/sslcommerz/signature.ts';
import { startSslcommerzSimulator } from '../../../simulators/sslcommerz/server.ts';
import type { Dispatch, PaymentHandle } from '../../../core/dispatch.ts';
import type { UnappliedPaymentActivities } from '../../../workflows/messages/unapplied-payment.ts';
import type { PaymentActivities } from '../../../workflows/messages/payment.ts';
import type { RefundActivities } from '../../../workflows/messages/refund.ts';
import { createTestDatabase } from '../../support/database.ts';
import type { StoredPayment } from '../../support/stored.ts';

export type Form = Record<string, string>;
export type Row = Record<string, unknown>;

export const STORES = {
  TEST: { id: 'lenden_test', password: 'lenden_test@ssl' },
  LIVE: { id: 'lenden_live', password: 'lenden_live@ssl' },
} as const;
export const secrets = createSecretBox(`test:${Buffer.alloc(32, 7).toString('base64')}`);

/** What was started or signalled, in order. */
export interface Sent {
  readonly payments: string[];
  readonly callbacks: { readonly reference: string; readonly callbackId: bigint }[];
  readonly cancels: string[];
  readonly choices: string[];
  readonly late: { readonly attemptReference: string; readonly callbackId: bigint }[];
  readonly refunds: string[];
  readonly decisions: bigint[];
  readonly refundsEnded: string[];
  readonly deliveries: string[];
  /** The signals that invoices' workflows received. */
  readonly invoices: { readonly reference: string; readonly change: string }[];
}

export interface NewPayment {
  readonly amountMinor?: bigint;
  readonly mode?: Mode;
  /** A negative value creates a payment that has already expired. */
  readonly expiresInMs?: number;
  readonly productName?: string;
  readonly customerName?: string;
  readonly customerEmail?: string;
  readonly customerPhone?: string;
  readonly customerReference?: string;
  readonly gateway?: string;
  /** The payment's application; by default the world's own. */
  readonly applicationId?: bigint;
  /** The gateways that the payer can choose from. */
  readonly gatewayChoices?: readonly string[];
}

/** Uses real Postgres, the simulator over HTTP and the callback endpoint. Only Temporal is replaced, by a list of what would be sent. */
export interface PaymentWorld {
  readonly database: Database;
  readonly deps: MailingDependencies;
  readonly activities: PaymentActivities & UnappliedPaymentActivities & RefundActivities;
  readonly app: Registration;
  readonly sent: Sent;
  /** Replaces parts of the dispatch, for example with a Temporal that is unreachable or a workflow that has ended. */
  readonly temporal: Partial<Dispatch>;
  readonly log: Row[];
  readonly apiUrl: string;
  payment(fields?: NewPayment): Promise<StoredPayment>;
  /** Opens the checkout as the workflow does. Returns the attempt's row. */
  opened(fields?: NewPayment): Promise<{ input: StoredPayment; attempt: Row }>;
  handleOf(input: StoredPayment): PaymentHandle;
  paymentRow(input: StoredPayment): Promise<Row>;
  attemptRow(input: StoredPayment): Promise<Row>;
  callbacksOf(input: StoredPayment): Promise<Row[]>;
  rows(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Calls the simulator's control plane. */
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Acts as the payer on the gateway's page; the simulator then sends the IPN. */
  finish(attempt: Row, status?: string): Promise<void>;
  /** Signs a callback as the gateway does. */
  signed(fields: Form, mode?: Mode): Form;
  /** Returns the gateway's newest notice about an attempt. */
  notice(attempt: Row): Promise<Form>;
  post(kind: string, body: string | Form, options?: { mode?: 'test' | 'live' }): Promise<Response>;
  close(): Promise<void>;
}

const QUICK = {
  noticeRetryMs: [40, 40],
  noticeTimeoutMs: 10_000,
  afterReturnMs: 100,
  lateNoticeMs: 100,
  hangMs: 1_000,
  slowMs: 200,
};

export interface PaymentWorldOptions {
  readonly dispatch?: Dispatch;
  /** The origin of a bKash simulator whose own merchants both modes use. */
  readonly bkashUrl?: string;
  readonly nagad?: ReadonlyMap<Mode, NagadAccount>;
  /** The origin of a Stripe simulator whose own accounts both modes use. */
  readonly stripeUrl?: string;
}

/** The bKash simulator's default merchants. */
function bkashAccounts(baseUrl: string | undefined): ReadonlyMap<Mode, BkashAccount> {
  const account = (mode: Mode): readonly [Mode, BkashAccount] => {
    const id = `lenden_${mode.toLowerCase()}`;
    const secret = { password: `${id}@bkash`, appKey: `${id}_app`, appSecret: `${id}_app_secret` };
    return [mode, { baseUrl: baseUrl ?? '', store: { id, secret: JSON.stringify(secret) } }];
  };
  return new Map(baseUrl === undefined ? [] : [account('TEST'), account('LIVE')]);
}

/** The Stripe simulator's default accounts. */
function stripeAccounts(baseUrl: string | undefined): ReadonlyMap<Mode, StripeAccount> {
  const account = (mode: Mode): readonly [Mode, StripeAccount] => {
    const name = mode.toLowerCase();
    const secret = { secretKey: `sk_${name}_lenden`, webhookSecret: `whsec_lenden_${name}` };
    return [mode, { baseUrl: baseUrl ?? '', store: { id: `acct_lenden_${name}`, secret: JSON.stringify(secret) } }];
  };
  return new Map(baseUrl === undefined ? [] : [account('TEST'), account('LIVE')]);
}

export async function createPaymentWorld({
  dispatch,
  bkashUrl,
  stripeUrl,
  nagad = new Map(),
}: PaymentWorldOptions = {}): Promise<PaymentWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sslcommerz-'));
  const [test, simulator] = await Promise.all([
    createTestDatabase(),
    startSslcommerzSimulator({ dataDir, settings: QUICK }),
  ]);
  const database = await openDatabase({ url: test.url, poolSize: 20 });
  const http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
  const store = (mode: Mode) => [mode, { baseUrl: simulator.url, store: STORES[mode] }] as const;
  const sent: Sent = {
    payments: [],
    callbacks: [],
    cancels: [],
    choices: [],
    late: [],
    refunds: [],
    decisions: [],
    refundsEnded: [],
    deliveries: [],
    invoices: [],
  };
  const temporal: Partial<Dispatch> = {};
  const log: Row[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sending = dispatch ?? recordingDispatch(sent, temporal);
  const deps: MailingDependencies = {
    database,
    gateways: createGatewayRegistry({
      config: {
        sslcommerz: new Map([store('TEST'), store('LIVE')]),
        bkash: bkashAccounts(bkashUrl),
        nagad,
        stripe: stripeAccounts(stripeUrl),
      },
      http,
      secrets,
      bkashTokens: new GatewayTokens({ transaction: database.withSystem, secrets }),
      bkashExecutions: new GatewayExecutions(database, 'bkash'),
      readManual: manualRecords(database),
    }),
    dispatch: sending,
    deliveries: deliveriesByWorkflow(sending),
    log: recordingLogger(log),
    apiUrl,
    webUrl: 'http://pages.example',
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    mailer: null,
  };
  const receiver = createCallbackReceiver(deps, createRateLimiter());
  server.on(
    'request',
    createListener({ log: deps.log, handlers: [receiver], trustedProxies: 1, https: false }).callback(),
  );
  const app = await registerApplication({ database, secrets }, { name: 'Shop', webhookUrl: 'http://127.0.0.1:9/hook' });
  const rows: PaymentWorld['rows'] = (sql, parameters = []) =>
    database.withSystem((em) => em.execute(sql, [...parameters]));
  const activities = jumping(createPaymentActivities(deps), rows);
  const one = async (sql: string, parameters: readonly unknown[]): Promise<Row> =>
    (await rows(sql, parameters))[0] ?? {};
  const payment = (fields: NewPayment = {}) =>
    insertPayment(database, fields.applicationId ?? app.applicationId, fields);
  const attemptRow = (input: StoredPayment) =>
    one('select * from payment_attempts where payment_id = ?::bigint order by number desc limit 1', [input.paymentId]);
  const control: PaymentWorld['control'] = async (method, path, body) => {
    const sentBody =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${simulator.url}/__sim/${path}`, { method, ...sentBody });
    if (!answer.ok) {
      throw new Error(`the simulator answered ${answer.status}: ${await answer.text()}`);
    }
    return answer.json();
  };
  const post: PaymentWorld['post'] = (kind, body, { mode = 'test' } = {}) =>
    fetch(`${apiUrl}/gateway/sslcommerz/${mode}/${kind}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
    });
  return {
    database,
    deps,
    activities,
    app,
    sent,
    temporal,
    log,
    apiUrl,
    payment,
    async opened(fields) {
      const input = await payment(fields);
      const opened = await activities.openCheckout(input);
      if (opened.kind !== 'open') {
        throw new Error(`the checkout did not open: ${opened.kind}`);
      }
      return { input, attempt: await attemptRow(input) };
    },
    handleOf: (input) => ({
      reference: input.reference,
      applicationId: BigInt(input.applicationId),
      applicationName: 'Shop',
      mode: input.mode,
      amount: { amountMinor: 10_000n, currency: 'BDT' },
      gateway: 'sslcommerz',
    }),
    paymentRow: (input) => one('select * from payments where id = ?::bigint', [input.paymentId]),
    attemptRow,
    callbacksOf: (input) =>
      rows('select * from gateway_callbacks where payment_id = ?::bigint order by id', [input.paymentId]),
    rows,
    control,
    async finish(attempt, status = 'VALID') {
      await control('POST', `sessions/${String(attempt['reference'])}/finish`, { status });
    },
    signed: (fields, mode = 'TEST') => ({
      ...fields,
      ...signFields({ fields, password: STORES[mode].password, mode: 'good' }),
    }),
    async notice(attempt) {
      const sessions = (await control('GET', `sessions/${String(attempt['reference'])}`)) as {
        deliveries: { body: string }[];
      }[];
      const body = sessions.at(-1)?.deliveries.at(-1)?.body;
      if (body === undefined) {
        throw new Error('the gateway has made no notice');
      }
      return Object.fromEntries(new URLSearchParams(body));
    },
    post,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await simulator.close();
      await http.close();
      await database.close();
      await test.drop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/**
 * Makes what a workflow's timer would trigger due at once, so that no test waits for half an hour. There is no test clock for payments, so this
 * changes the due time in the row.
 */
function jumping(product: PaymentWorld['activities'], rows: PaymentWorld['rows']): PaymentWorld['activities'] {
  return {
    ...product,
    async verifyPayment(input) {
      if (input.final) {
        await rows(
          `update payments set clock_offset = case when mode = 'TEST' then expires_at - now() else interval '0 seconds' end,
             expires_at = case when mode = 'TEST' then expires_at else now() end
           where reference = ? and expires_at > lenden_now(clock_offset) returning 1`,
          [input.reference],
        );
      }
      return product.verifyPayment(input);
    },
    async decideRefund(input) {
      if (input.expired) {
        await rows(
          `update refunds set clock_offset = case when mode = 'TEST' then approval_due_at - now() else interval '0 seconds' end,
             approval_due_at = case when mode = 'TEST' then approval_due_at else now() end
           where reference = ? and approval_due_at > lenden_now(clock_offset) returning 1`,
          [input.reference],
        );
      }
      return product.decideRefund(input);
    },
  };
}

async function insertPayment(database: Database, applicationId: bigint, fields: NewPayment): Promise<StoredPayment> {
  const { amountMinor = 10_000n, mode = 'TEST', expiresInMs = 30 * 60_000 } = fields;
  const reference = paymentReference();
  const [row] = await database.withScope({ applicationId, mode }, (em) =>
    em.execute<{ id: string }[]>(
      `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, customer_name, customer_email,
         customer_phone, product_name, gateway, gateway_choices, expires_at, next_sweep_at)
       values (?, ?, ?, ?, 'BDT', ?, ?, ?, ?, ?, ?, string_to_array(?, ','), ?, now() + interval '30 seconds') returning id`,
      [
        applicationId,
        mode,
        reference,
        amountMinor,
        fields.customerReference ?? 'customer-1',
        fields.customerName ?? null,
        fields.customerEmail ?? null,
        fields.customerPhone ?? null,
        fields.productName ?? null,
        fields.gatewayChoices === undefined ? (fields.gateway ?? 'sslcommerz') : null,
        fields.gatewayChoices?.join(',') ?? null,
        new Date(Date.now() + expiresInMs).toISOString(),
      ],
    ),
  );
  return { paymentId: row?.id ?? '0', reference, applicationId: applicationId.toString(), mode };
}

function recordingDispatch(sent: Sent, replaced: Partial<Dispatch>): Dispatch {
  return {
    outcomeWaitMs: 0,
    openCheckout: (payment, wait) => {
      sent.payments.push(payment.reference);
      return replaced.openCheckout?.(payment, wait) ?? Promise.resolve({ status: 'PENDING' });
    },
    chooseGateway: (payment, choice) =>
      replaced.chooseGateway?.(payment, choice) ?? Promise.resolve({ status: 'PENDING' }),
    signalChoice: (reference) => {
      sent.choices.push(reference);
      return replaced.signalChoice?.(reference) ?? Promise.resolve(true);
    },
    startPayment: (payment) => {
      sent.payments.push(payment.reference);
      return replaced.startPayment?.(payment) ?? Promise.resolve('running');
    },
    signalCallback: (reference, callbackId) => {
      sent.callbacks.push({ reference, callbackId });
      return replaced.signalCallback?.(reference, callbackId) ?? Promise.resolve(true);
    },
    signalCancel: (reference) => {
      sent.cancels.push(reference);
      return replaced.signalCancel?.(reference) ?? Promise.resolve(true);
    },
    startUnappliedPayment: (payment, late) => {
      sent.late.push(late);
      return replaced.startUnappliedPayment?.(payment, late) ?? Promise.resolve();
    },
    startRefund: (refund, decisionId) => {
      sent.refunds.push(refund.reference);
      return replaced.startRefund?.(refund, decisionId) ?? Promise.resolve('running');
    },
    signalReviewDecision: (payment, decisionId) => {
      sent.decisions.push(decisionId);
      return replaced.signalReviewDecision?.(payment, decisionId) ?? Promise.resolve();
    },
    signalRefundEnded: (attemptReference) => {
      sent.refundsEnded.push(attemptReference);
      return replaced.signalRefundEnded?.(attemptReference) ?? Promise.resolve(true);
    },
    decideUnappliedPayment: (payment, late) => {
      sent.decisions.push(late.decisionId);
      return replaced.decideUnappliedPayment?.(payment, late) ?? Promise.resolve();
    },
    notifyInvoice: ({ reference }, change) => {
      sent.invoices.push({ reference, change });
      return Promise.resolve();
    },
    rescheduleInvoice: () => Promise.reject(new Error('no workflow runs here')),
    resendDelivery: (event) => replaced.resendDelivery?.(event) ?? Promise.resolve(),
    startReconciliation: () => Promise.resolve(),
    cancelReconciliation: () => Promise.resolve(false),
    startPayoutImport: (file) => replaced.startPayoutImport?.(file) ?? Promise.resolve(),
    wakeSweeper: () => replaced.wakeSweeper?.() ?? Promise.resolve(true),
    skipsTime: () => replaced.skipsTime?.() ?? Promise.resolve(true),
    skipTime: (workflow, skip) => replaced.skipTime?.(workflow, skip) ?? Promise.resolve('skipped'),
    endedWorkflows: (ended) =>
      replaced.endedWorkflows?.(ended) ?? Promise.resolve({ payments: [], invoices: [], unappliedPayments: [] }),
    startDelivery: (event) => {
      sent.deliveries.push(event.eventId);
      return replaced.startDelivery?.(event) ?? Promise.resolve();
    },
  };
}

function recordingLogger(lines: Row[]): ReturnType<typeof createLogger> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const write = (fields: unknown, message?: string): void => {
    lines.push({ ...(typeof fields === 'object' ? fields : {}), msg: message });
  };
  return Object.assign(logger, { info: write, warn: write, error: write });
}
