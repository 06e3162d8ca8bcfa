import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import type { MailingDependencies } from '../../../core/dependencies.ts';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { registerApplication } from '../../../core/applications/store/applications.ts';
import { openDatabase } from '../../../database/connection.ts';
import { attemptReference, paymentReference } from '../../../domain/references.ts';
import type {
  AttemptAnswer,
  AttemptHandle,
  Charge,
  Gateway,
  ParsedCallback,
  SessionOrder,
  SessionOutcome,
} from '../../../gateways/port.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import type { EventHandle } from '../../../core/dispatch.ts';
import type { UnappliedPaymentActivities } from '../../../workflows/messages/unapplied-payment.ts';
import type { PaymentActivities } from '../../../workflows/messages/payment.ts';
import { registryOf } from '../../support/gateways.ts';
import { createTestDatabase } from '../../support/database.ts';
import type { StoredPayment } from '../../support/stored.ts';

/** A gateway that notifies of every charge, and one that does not. */
const SCRIPTED: readonly string[] = ['sslcommerz', 'bkash'];

export type Row = Record<string, unknown>;

/** A gateway whose answers a test sets, and which records what it was asked. */
export interface ScriptedGateway {
  configured: boolean;
  readonly orders: SessionOrder[];
  readonly asked: AttemptHandle[];
  openSession: (order: SessionOrder) => Promise<SessionOutcome>;
  queryAttempt: (attempt: AttemptHandle) => Promise<AttemptAnswer>;
}

export interface AttemptFields {
  readonly number?: number;
  readonly status?: string;
  readonly sessionKey?: string | null;
  readonly validationId?: string;
}

/** Uses real Postgres and a scripted gateway, which can give every possible answer at once. */
export interface ScriptedWorld {
  readonly deps: MailingDependencies;
  readonly activities: PaymentActivities & UnappliedPaymentActivities;
  readonly gateway: ScriptedGateway;
  readonly log: Row[];
  readonly deliveries: EventHandle[];
  /** Replaces the start of a delivery. */
  startDelivery: ((event: EventHandle) => Promise<void>) | null;
  readonly applicationId: bigint;
  /** Takes columns by their database names. The other columns get plain values. */
  payment(columns?: Readonly<Record<string, string | number | null>>): Promise<StoredPayment>;
  /** Returns the attempt's id and reference. */
  attempt(input: StoredPayment, fields?: AttemptFields): Promise<{ id: string; reference: string }>;
  /** Stores a callback of an attempt as the gateway would read it. Returns its id. */
  callback(input: StoredPayment, attempt: { id: string }, parsed?: Partial<ParsedCallback>): Promise<bigint>;
  charge(attempt: { reference: string }, changes?: Partial<Charge>): Charge;
  rows(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  paymentRow(input: StoredPayment): Promise<Row | undefined>;
  attemptRows(input: StoredPayment): Promise<Row[]>;
  /** Returns the outcome of each stored callback, oldest first; null while it waits. */
  outcomes(input: StoredPayment): Promise<(string | null)[]>;
  /** Returns `debit → credit amount` for everything that was posted for a cause. */
  postings(causeId: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function createScriptedWorld({ poolSize = 4 } = {}): Promise<ScriptedWorld> {
  const cloned = await createTestDatabase();
  const database = await openDatabase({ url: cloned.url, poolSize });
  const secrets = createSecretBox(`test:${Buffer.alloc(32, 7).toString('base64')}`);
  const { applicationId } = await registerApplication(
    { database, secrets },
    { name: 'Shop', webhookUrl: 'http://127.0.0.1:9/hook' },
  );
  const log: Row[] = [];
  const deliveries: EventHandle[] = [];
  const gateway = scriptedGateway();
  const rows: ScriptedWorld['rows'] = (sql, parameters = []) =>
    database.withSystem((em) => em.execute(sql, [...parameters]));
  const inserted = async (sql: string, parameters: readonly unknown[]): Promise<string> =>
    String((await rows(sql, parameters))[0]?.['id']);
  const world: Pick<ScriptedWorld, 'startDelivery'> = { startDelivery: null };
  const deps: MailingDependencies = {
    database,
    gateways: registryOf({
      names: SCRIPTED,
      open: (name, mode, { storeId }) =>
        gateway.configured && SCRIPTED.includes(name) && mode === 'TEST' ? asPort(gateway, storeId) : undefined,
      defaultStoreId: () => (gateway.configured ? 'store' : undefined),
    }),
    dispatch: noDispatch(),
    deliveries: {
      begin: (event) => {
        deliveries.push(event);
        return world.startDelivery?.(event) ?? Promise.resolve();
      },
    },
    log: recordingLogger(log),
    apiUrl: 'https://api.example',
    webUrl: 'https://pages.example',
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    mailer: null,
  };
  return Object.assign(world, {
    deps,
    activities: createPaymentActivities(deps),
    gateway,
    log,
    deliveries,
    applicationId,
    async payment(columns = {}) {
      const values = {
        application_id: applicationId.toString(),
        mode: 'TEST',
        reference: paymentReference(),
        amount_minor: 10_000,
        currency: 'BDT',
        customer_reference: 'customer',
        gateway: 'sslcommerz',
        expires_at: '2031-01-02T03:04:05Z',
        next_sweep_at: '2030-01-01T00:00:00Z',
        ...columns,
      };
      const names = Object.keys(values);
      const id = await inserted(
        `insert into payments (${names.join(', ')}) values (${names.map(() => '?').join(', ')}) returning id`,
        Object.values(values),
      );
      return { paymentId: id, reference: values.reference, applicationId: applicationId.toString(), mode: 'TEST' };
    },
    async attempt(input, { number = 1, status = 'OPEN', sessionKey = 'session', validationId } = {}) {
      const reference = attemptReference();
      const facts = status === 'CONFIRMED' ? [10_000, 250, '{}'] : [null, null, null];
      const id = await inserted(
        `insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status, session_key,
           validation_id, gross_minor, fee_minor, evidence)
         values (?, 'TEST', ?, ?, ?, 'sslcommerz', 'store', ?, ?, ?, ?, ?, ?) returning id`,
        [applicationId, input.paymentId, number, reference, status, sessionKey, validationId ?? null, ...facts],
      );
      return { id, reference };
    },
    async callback(input, attempt, parsed = {}) {
      const { signatureValid = true, claims = 'unknown', claimedValidationId = null } = parsed;
      callbacks += 1;
      const raw = JSON.stringify({ claims, claimedValidationId, n: callbacks });
      return BigInt(
        await inserted(
          `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, kind, signature_valid, raw_payload, digest)
           values (?, 'TEST', ?, ?, 'sslcommerz', 'ipn', ?, ?, sha256(?::bytea)) returning id`,
          [applicationId, input.paymentId, attempt.id, signatureValid, raw, Buffer.from(raw)],
        ),
      );
    },
    charge: ({ reference }, changes = {}) => ({
      validationId: `V-${reference}`,
      gatewayTxnId: `B-${reference}`,
      attemptReference: reference,
      storeId: 'store',
      orderAmountMinor: 10_000n,
      orderCurrency: 'BDT',
      grossMinor: 10_000n,
      currency: 'BDT',
      feeMinor: 250n,
      netText: '97.50',
      riskFlagged: false,
      evidence: `{"val_id":"V-${reference}"}`,
      ...changes,
    }),
    rows,
    paymentRow: async (input) => (await rows('select * from payments where id = ?::bigint', [input.paymentId]))[0],
    attemptRows: (input) =>
      rows('select * from payment_attempts where payment_id = ?::bigint order by number', [input.paymentId]),
    async outcomes(input) {
      const stored = await rows(
        'select outcome, consumed_at from gateway_callbacks where payment_id = ?::bigint order by id',
        [input.paymentId],
      );
      return stored.map(({ outcome, consumed_at: at }) => (at === null ? null : String(outcome)));
    },
    async postings(causeId) {
      const posted = await rows(
        `select d.name || ' → ' || c.name || ' ' || p.amount_minor as posting from ledger_postings p
         join ledger_transactions t on t.id = p.transaction_id join ledger_accounts d on d.id = p.debit_account_id
         join ledger_accounts c on c.id = p.credit_account_id where t.cause_id = ? order by p.id`,
        [causeId],
      );
      return posted.map(({ posting }) => String(posting));
    },
    async close() {
      await database.close();
      await cloned.drop();
    },
  } satisfies Omit<ScriptedWorld, 'startDelivery'>);
}

let callbacks = 0;

function scriptedGateway(): ScriptedGateway {
  return {
    configured: true,
    orders: [],
    asked: [],
    openSession: () => Promise.reject(new Error('the test said nothing of sessions')),
    queryAttempt: () => Promise.reject(new Error('the test said nothing of answers')),
  };
}

const NO_REFUNDS = {
  refunds: false,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
  feeKnown: 'with-the-charge',
  questionsProveStore: true,
  notifies: true,
  executes: false,
  sessionLifeMinutes: null,
  takesCallbacks: true,
  payouts: 'file',
  disputes: 'none',
} as const;

function asPort(gateway: ScriptedGateway, storeId: string): Gateway {
  const unused = (): never => {
    throw new Error('payments refund nothing');
  };
  return {
    capabilities: { name: 'sslcommerz', displayName: 'SSLCOMMERZ', limits: new Map(), ...NO_REFUNDS },
    storeId,
    openSession: (order) => {
      gateway.orders.push(order);
      return gateway.openSession(order);
    },
    queryAttempt: (attempt) => {
      gateway.asked.push(attempt);
      return gateway.queryAttempt(attempt);
    },
    parseCallback: (raw) => ({ attemptReference: null, signatureValid: true, note: null, ...JSON.parse(raw) }),
    refund: unused,
    queryRefund: unused,
  };
}

function noDispatch(): MailingDependencies['dispatch'] {
  const unused = (): never => {
    throw new Error('activities of a payment start nothing but deliveries');
  };
  return {
    outcomeWaitMs: 0,
    openCheckout: unused,
    chooseGateway: unused,
    signalChoice: unused,
    startPayment: unused,
    signalCallback: unused,
    signalCancel: unused,
    startUnappliedPayment: unused,
    startRefund: unused,
    notifyInvoice: unused,
    rescheduleInvoice: unused,
    signalReviewDecision: unused,
    decideUnappliedPayment: unused,
    signalRefundEnded: unused,
    resendDelivery: unused,
    startDelivery: unused,
    endedWorkflows: unused,
    startReconciliation: unused,
    cancelReconciliation: unused,
    startPayoutImport: unused,
    wakeSweeper: unused,
    skipsTime: unused,
    skipTime: unused,
  };
}

function recordingLogger(lines: Row[]): ReturnType<typeof createLogger> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const write =
    (level: string) =>
    (fields: unknown, message?: string): void => {
      lines.push({ level, ...(typeof fields === 'object' ? fields : {}), msg: message });
    };
  return Object.assign(logger, { info: write('info'), warn: write('warn'), error: write('error') });
}
