import { deliveriesByWorkflow } from '../../../core/webhooks/deliveries.ts';
import { createPaymentActivities } from '../../../activities/payments.ts';
import type { MailingDependencies } from '../../../core/dependencies.ts';
import { changeDueDates, issueInvoice, pauseInvoice, voidIssued } from '../../../api/native/invoices/change-invoice.ts';
import { contentOf } from '../../../api/native/invoices/content.ts';
import { issue } from '../../../core/invoices/issue.ts';
import { insertInvoicePayment } from '../../../core/payments/pay-invoice.ts';
import { CreateInvoice, type DueDates } from '../../../api/native/invoices/schemas.ts';
import type { NativeCaller } from '../../../api/native/authenticate.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { registerApplication, type ApplicationSettings } from '../../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../../database/connection.ts';
import { insertDraft, type ShadhinpayTerms } from '../../../core/invoices/store/drafts.ts';
import { readInvoice, type InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { verifyLedger, type LedgerReport } from '../../../core/ledger/verify/verify.ts';
import { reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import { BUSINESS_TIME_ZONE, calendarIn, type Calendar } from '../../../domain/calendar.ts';
import type { InvoiceView } from '../../../domain/invoice-view.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import {
  attemptReference,
  invoiceReference,
  paymentReference,
  refundReference,
  shadhinpayInvoiceReference,
} from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import type { GatewayRegistry } from '../../../gateways/port.ts';
import type { Mailer } from '../../../runtime/mailer.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createSecretBox } from '../../../runtime/secrets.ts';
import type { Dispatch } from '../../../core/dispatch.ts';
import type { InvoiceState, InvoiceWorkflowInput } from '../../../workflows/messages/invoice.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registryOf } from '../../support/gateways.ts';
import type { StoredPayment, StoredRefund } from '../../support/stored.ts';

export type Row = Record<string, unknown>;

const SHADHINPAY: ShadhinpayTerms = {
  contract: 'shadhinpay',
  numberLabel: 'HB_71c4',
  customerPhone: null,
  returnUrl: null,
  expiresAt: null,
};

/** A call that starts or signals something outside the database. Calls are kept in order. */
export type Call = readonly [name: keyof Dispatch, ...values: unknown[]];

/** Invoices on a real Postgres with the product's own functions. The gateway's answers are written straight into the rows. */
export interface InvoiceWorld {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly deps: ApiDependencies & MailingDependencies;
  readonly activities: ReturnType<typeof createPaymentActivities>;
  readonly caller: NativeCaller;
  readonly calls: Call[];
  readonly log: Row[];
  /**
   * Creates a draft or issued invoice with the given members, by default with one line of 100.00 BDT. With `shadhinpay` terms it uses
   * the ShadhinPay contract.
   */
  bill(given?: Partial<CreateInvoice>, shadhinpay?: Partial<ShadhinpayTerms>): Promise<InvoiceRecord>;
  read(invoice: Pick<InvoiceRecord, 'id'>): Promise<InvoiceRecord>;
  issue(invoice: Pick<InvoiceRecord, 'id'>): Promise<InvoiceView>;
  void(invoice: Pick<InvoiceRecord, 'id'>): Promise<InvoiceView>;
  pause(invoice: Pick<InvoiceRecord, 'id'>, paused: boolean): Promise<InvoiceView>;
  changeDueDates(invoice: Pick<InvoiceRecord, 'id'>, body: DueDates): Promise<InvoiceView>;
  drive(invoice: Pick<InvoiceRecord, 'id' | 'reference'>, now: Date): Promise<InvoiceState>;
  inputOf(invoice: Pick<InvoiceRecord, 'reference'>): InvoiceWorkflowInput;
  /** Begins a payment of an invoice and opens it at the gateway. */
  begin(invoice: Pick<InvoiceRecord, 'id'>, amountMinor: bigint): Promise<StoredPayment>;
  /** Confirms the charge in the rows and finalizes the payment. */
  confirm(payment: StoredPayment): Promise<void>;
  /** Only confirms the charge in the rows, without finalizing the payment. */
  charge(payment: StoredPayment): Promise<void>;
  pay(invoice: Pick<InvoiceRecord, 'id'>, amountMinor: bigint): Promise<StoredPayment>;
  /** Reserves a refund. The gateway has not answered yet. */
  queryRefund(payment: StoredPayment, amountMinor: bigint): Promise<StoredRefund>;
  refund(payment: StoredPayment, amountMinor: bigint): Promise<StoredRefund>;
  set(settings: { unappliedPaymentPolicy?: 'REVIEW' | 'REFUND'; refundedInvoices?: 'REOPEN' | 'KEEP' }): Promise<void>;
  /** Returns an invoice's events in order, with type and sequence. */
  events(invoice: Pick<InvoiceRecord, 'id'>): Promise<{ type: string; sequence: number; data: InvoiceView }[]>;
  rows<R extends object = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
  verify(): Promise<LedgerReport>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly calendar?: Calendar;
  readonly mailer?: Mailer | null;
  /** Replaces the dispatch that only records its calls. */
  readonly dispatch?: Dispatch;
  readonly settings?: Partial<ApplicationSettings>;
  readonly gateways?: GatewayRegistry;
  /** Replaces a fresh database. With an application id, it also replaces a new application. */
  readonly existing?: { readonly stored: TestDatabase; readonly applicationId?: bigint };
}

export async function openInvoiceWorld({
  calendar = calendarIn(BUSINESS_TIME_ZONE),
  mailer = null,
  dispatch,
  settings = {},
  gateways = registryOf(),
  existing,
}: WorldOptions = {}): Promise<InvoiceWorld> {
  const cloned = existing?.stored ?? (await createTestDatabase());
  const database = await openDatabase({ url: cloned.url, poolSize: 8 });
  const secrets = createSecretBox(`test:${Buffer.alloc(32, 7).toString('base64')}`);
  const applicationId =
    existing?.applicationId ??
    (
      await registerApplication(
        { database, secrets },
        { name: 'Shop', webhookUrl: 'http://127.0.0.1:9/hook', ...settings },
      )
    ).applicationId;
  const calls: Call[] = [];
  const log: Row[] = [];
  const scope = { applicationId, mode: 'TEST' as const };
  const sending = dispatch ?? notingDispatch(calls);
  const deps: InvoiceWorld['deps'] = {
    database,
    gateways,
    dispatch: sending,
    deliveries: deliveriesByWorkflow(sending),
    log: notingLogger(log),
    apiUrl: 'https://api.example',
    webUrl: 'https://pages.example',
    calendar,
    mailer,
    publicHttp: { send: () => Promise.reject(new Error('nothing is fetched')), close: () => Promise.resolve() },
    allow: parseAllowList(''),
  };
  const caller: NativeCaller = {
    scope,
    credentialId: 1n,
    application: {
      id: applicationId,
      name: 'Shop',
      returnOrigins: [],
      expiryMinutes: 30,
      rateLimitPerMinute: 1_000,
      receiptsEnabled: false,
      minAmountMinor: null,
      maxAmountMinor: null,
      gatewaysAllowed: null,
      checkoutGateways: null,
    },
  };
  const rows: InvoiceWorld['rows'] = (sql, parameters = []) =>
    database.withSystem((em) => em.execute(sql, [...parameters]));
  const product = createPaymentActivities(deps);
  const activities: InvoiceWorld['activities'] = {
    ...product,
    // These workflows skip time, and the row's test clock must follow.
    async driveInvoice(input) {
      await rows(
        `update invoices set clock_offset = ?::timestamptz - now() where reference = ? and mode = 'TEST' returning 1`,
        [new Date(input.nowMs), input.reference],
      );
      return product.driveInvoice(input);
    },
  };
  const of = ({ id: invoiceId }: Pick<InvoiceRecord, 'id'>) => ({ caller, invoiceId });
  const inputOf: InvoiceWorld['inputOf'] = ({ reference }) => ({
    reference,
    applicationId: applicationId.toString(),
    mode: 'TEST',
  });
  const world: Omit<InvoiceWorld, 'pay' | 'refund'> = {
    database,
    databaseUrl: cloned.url,
    deps,
    activities,
    caller,
    calls,
    log,
    inputOf,
    rows,
    async bill(given = {}, shadhinpay) {
      const body = CreateInvoice.parse({
        customerReference: 'cust_1',
        lineItems: [{ description: 'Book', qty: 1, unitAmountMinor: 10_000 }],
        ...given,
      });
      const id = await database.withScope(scope, async (statements) => {
        const content = contentOf(deps, { body, rules: caller.application });
        const reference = shadhinpay === undefined ? invoiceReference() : shadhinpayInvoiceReference();
        const terms = shadhinpay === undefined ? {} : { shadhinpay: { ...SHADHINPAY, ...shadhinpay } };
        const invoiceId = await insertDraft(statements, { scope, reference, content, ...terms });
        const draft = await readInvoice(statements, scope, invoiceId);
        if (body.issue && draft !== null) {
          await issue(deps, statements, draft);
        }
        return invoiceId;
      });
      return world.read({ id });
    },
    async read({ id }) {
      const invoice = await database.withScope(scope, (statements) => readInvoice(statements, scope, id));
      if (invoice === null) {
        throw new Error('no such invoice');
      }
      return invoice;
    },
    issue: (invoice) => issueInvoice(deps, of(invoice)),
    void: (invoice) => voidIssued(deps, of(invoice)),
    pause: (invoice, paused) => pauseInvoice(deps, of(invoice), paused),
    changeDueDates: (invoice, body) => changeDueDates(deps, { ...of(invoice), body }),
    drive: (invoice, now) => activities.driveInvoice({ ...inputOf(invoice), nowMs: now.getTime() }),
    async begin({ id: invoiceId }, amountMinor) {
      const reference = paymentReference();
      const paymentId = await database.withScope(scope, (statements) =>
        insertInvoicePayment(
          statements,
          {
            scope,
            reference,
            amountMinor,
            currency: 'BDT',
            customerReference: 'cust_1',
            customerEmail: null,
            customerPhone: null,
            customerName: null,
            productName: null,
            returnUrl: null,
            invoiceId,
            gateway: 'sslcommerz',
            expiresInSeconds: 1_800,
            attempt: { reference: attemptReference(), storeId: 'teststore' },
          },
          null,
        ),
      );
      return {
        paymentId: String(paymentId),
        reference,
        applicationId: applicationId.toString(),
        mode: 'TEST',
        paysInvoice: true,
      };
    },
    async charge({ paymentId }) {
      await rows(
        `update payment_attempts t set status = 'CONFIRMED', validation_id = 'V' || t.reference, gateway_txn_id = 'B' || t.reference,
           gross_minor = p.amount_minor, fee_minor = 0, confirmed_at = now(),
           evidence = jsonb_build_object('attemptReference', t.reference, 'validationId', 'V' || t.reference,
             'gatewayTxnId', 'B' || t.reference, 'gross', p.amount_minor::text)::text
         from payments p where p.id = t.payment_id and p.id = ?::bigint`,
        [paymentId],
      );
    },
    async confirm(payment) {
      await world.charge(payment);
      await activities.finalizePayment({ ...payment, status: 'SUCCEEDED' });
    },
    async queryRefund({ paymentId }, amountMinor) {
      const refund = await database.withScope(scope, (statements) =>
        reserveRefund(statements, {
          scope,
          paymentId: BigInt(paymentId),
          reference: refundReference(),
          amountMinor,
          reason: null,
          creator: { type: 'APP' },
          boundsOf: () => WITHOUT_REFUND_BOUNDS,
        }),
      );
      return {
        refundId: refund.id.toString(),
        reference: refund.reference,
        applicationId: applicationId.toString(),
        mode: 'TEST',
      };
    },
    async set({ unappliedPaymentPolicy, refundedInvoices }) {
      await rows(
        `update applications set unapplied_payment_policy = coalesce(?, unapplied_payment_policy), refunded_invoices = coalesce(?, refunded_invoices)
         where id = ?`,
        [unappliedPaymentPolicy ?? null, refundedInvoices ?? null, applicationId],
      );
    },
    async events({ id }) {
      const stored = await rows<{ type: string; sequence: number; payload: string }>(
        'select type, sequence, payload from webhook_events where invoice_id = ? order by sequence',
        [id],
      );
      return stored.map(({ type, sequence, payload }) => ({
        type,
        sequence,
        data: (JSON.parse(payload) as { data: InvoiceView }).data,
      }));
    },
    verify: () => verifyLedger(database, { witnesses: [], readEvidence: ({ text }) => factsOf(text) }),
    async close() {
      await database.close();
      await cloned.drop();
    },
  };
  return {
    ...world,
    async pay(invoice, amountMinor) {
      const payment = await world.begin(invoice, amountMinor);
      await world.confirm(payment);
      return payment;
    },
    async refund(payment, amountMinor) {
      const refund = await world.queryRefund(payment, amountMinor);
      await activities.endRefund({ ...refund, status: 'SUCCEEDED' });
      return refund;
    },
  };
}

function factsOf(text: string) {
  const facts = JSON.parse(text) as {
    attemptReference: string;
    validationId: string;
    gatewayTxnId: string;
    gross: string;
  };
  return { ...facts, grossMinor: BigInt(facts.gross), feeMinor: 0n, currency: 'BDT' };
}

function notingDispatch(calls: Call[]): Dispatch {
  const noted =
    <T>(name: keyof Dispatch, answer: T) =>
    (...values: unknown[]): Promise<T> => {
      calls.push([name, ...values]);
      return Promise.resolve(answer);
    };
  return {
    outcomeWaitMs: 0,
    openCheckout: noted('openCheckout', { status: 'PENDING' as const }),
    chooseGateway: noted('chooseGateway', { status: 'PENDING' as const }),
    signalChoice: noted('signalChoice', true),
    startPayment: noted('startPayment', 'running' as const),
    signalCallback: noted('signalCallback', true),
    signalCancel: noted('signalCancel', true),
    startUnappliedPayment: noted('startUnappliedPayment', undefined),
    startRefund: noted('startRefund', 'running' as const),
    signalReviewDecision: noted('signalReviewDecision', undefined),
    decideUnappliedPayment: noted('decideUnappliedPayment', undefined),
    signalRefundEnded: noted('signalRefundEnded', true),
    notifyInvoice: noted('notifyInvoice', undefined),
    rescheduleInvoice: noted('rescheduleInvoice', {
      status: 'ISSUED' as const,
      paused: false,
      nextNoticeAt: null,
      paidInstallments: 0,
      installments: 0,
    }),
    startDelivery: noted('startDelivery', undefined),
    resendDelivery: noted('resendDelivery', undefined),
    startReconciliation: noted('startReconciliation', undefined),
    cancelReconciliation: noted('cancelReconciliation', false),
    startPayoutImport: noted('startPayoutImport', undefined),
    wakeSweeper: noted('wakeSweeper', true),
    skipsTime: noted('skipsTime', true),
    skipTime: noted('skipTime', 'skipped' as const),
    endedWorkflows: noted('endedWorkflows', { payments: [], invoices: [], unappliedPayments: [] }),
  };
}

function notingLogger(lines: Row[]): ReturnType<typeof createLogger> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const write =
    (level: string) =>
    (fields: unknown, message?: string): void => {
      lines.push({ level, ...(typeof fields === 'object' ? fields : {}), msg: message });
    };
  return Object.assign(logger, { info: write('info'), warn: write('warn'), error: write('error') });
}
