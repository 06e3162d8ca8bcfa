import { createSweepActivities } from '../../../activities/sweep.ts';
import type { Dispatch, EndedWorkflows } from '../../../core/dispatch.ts';
import type { SweepDependencies } from '../../../core/sweep/sweep.ts';
import { refundReference } from '../../../domain/references.ts';
import type { SweepAction } from '../../../workflows/messages/maintenance.ts';
import { createScriptedWorld, type Row, type ScriptedWorld } from '../payments/scripted-payments.ts';
import type { StoredPayment } from '../../support/stored.ts';

type Call = readonly [name: keyof Dispatch, ...values: unknown[]];

/** A scripted world with a sweeper that records what it starts and signals. */
export interface SweepWorld extends ScriptedWorld {
  /** What the sweeper started or signalled, in order. */
  readonly calls: Call[];
  /** The names of these calls. */
  called(): string[];
  /** Replaces parts of the fake Temporal. By default every workflow runs and takes every signal. */
  temporal: Partial<Dispatch>;
  /** The workflows that ended without a result. */
  ended: Partial<EndedWorkflows>;
  /** The sweeper's queries for ended workflows. */
  readonly listed: Parameters<Dispatch['endedWorkflows']>[0][];
  /** Runs one pass. */
  sweep(changes?: Partial<SweepDependencies>): Promise<Readonly<Record<SweepAction, number>>>;
  /** Runs one pass and returns the time until the next. */
  nextInMs(changes?: Partial<SweepDependencies>): Promise<number>;
  /** Forgets what was recorded and makes nothing due. */
  reset(): Promise<void>;
  paymentDue(input: StoredPayment, ago?: string): Promise<unknown>;
  callbackDue(callbackId: bigint): Promise<unknown>;
  /** Stores a refund of a payment of its own. By default it is open and due. */
  refund(columns?: { readonly status?: string; readonly due?: boolean }): Promise<{ id: string; reference: string }>;
  /** Returns how long the row's next check is away. */
  secondsUntilNext(table: string, column: string, id: unknown): Promise<number>;
  handleOf(input: StoredPayment): Readonly<Record<string, unknown>>;
}

/** The result of a pass that found nothing to do. */
export const QUIET: Readonly<Record<SweepAction, number>> = {
  paymentsStarted: 0,
  callbacksSignalled: 0,
  lateQueriesSent: 0,
  refundsStarted: 0,
  unappliedStarted: 0,
  decisionsSignalled: 0,
  casesDecided: 0,
  invoicesNotified: 0,
  deliveriesStarted: 0,
  importsStarted: 0,
  runsStarted: 0,
  uploadsForgotten: 0,
  keysForgotten: 0,
  callbacksForgotten: 0,
  deliveriesForgotten: 0,
  sessionsForgotten: 0,
};

export const AT = '2026-01-01T00:00:00Z';
/** Columns of payments that have ended. */
export const EXPIRED = { status: 'EXPIRED', ended_at: AT };
export const SUCCEEDED = { status: 'SUCCEEDED', ended_at: AT, paid_at: AT };
/** A call to a Temporal that cannot be reached. */
export const AWAY = (): Promise<never> => Promise.reject(new Error('Temporal is away'));

export async function createSweepWorld(): Promise<SweepWorld> {
  const scripted = await createScriptedWorld();
  const { rows } = scripted;
  const calls: Call[] = [];
  const listed: SweepWorld['listed'] = [];
  const pass = (changes: Partial<SweepDependencies>) =>
    createSweepActivities({ ...scripted.deps, dispatch: recordingDispatch(world), ...changes }).sweep();
  const world: SweepWorld = Object.assign(scripted, {
    calls,
    called: () => calls.map(([name]) => name),
    temporal: {},
    ended: {},
    listed,
    sweep: async (changes: Partial<SweepDependencies> = {}) => ({ ...QUIET, ...(await pass(changes)).actions }),
    nextInMs: async (changes: Partial<SweepDependencies> = {}) => (await pass(changes)).nextInMs,
    async reset() {
      calls.length = 0;
      listed.length = 0;
      world.temporal = {};
      world.ended = {};
      world.log.length = 0;
      world.gateway.configured = true;
      world.startDelivery = null;
      for (const table of ['payments', 'gateway_callbacks', 'webhook_events', 'refunds', 'decisions']) {
        await rows(`update ${table} set next_sweep_at = now() + interval '1 day' returning 1`);
      }
    },
    paymentDue: (input: StoredPayment, ago = '1 second') =>
      rows(`update payments set next_sweep_at = now() - ?::interval where id = ?::bigint returning 1`, [
        ago,
        input.paymentId,
      ]),
    callbackDue: (id: bigint) =>
      rows(`update gateway_callbacks set next_sweep_at = now() - interval '1 second' where id = ? returning 1`, [id]),
    async refund({ status = 'PENDING', due = true } = {}) {
      const { paymentId } = await scripted.payment(SUCCEEDED);
      const reference = refundReference();
      const isOpen = status === 'PENDING' || status === 'AWAITING_APPROVAL';
      const [row] = await rows(
        `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
           created_by_type, ended_at, succeeded_at, next_sweep_at)
         select application_id, mode, id, ?, ?, 2500, 'BDT', 'sslcommerz', 's', 't', 'APP', ?::timestamptz, ?::timestamptz,
           now() + case when ? then interval '-1 second' else interval '1 minute' end
         from payments where id = ?::bigint returning id::text`,
        [reference, status, isOpen ? null : AT, status === 'SUCCEEDED' ? AT : null, due, paymentId],
      );
      return { id: String(row?.['id']), reference };
    },
    async secondsUntilNext(table: string, column: string, id: unknown) {
      const [row]: Row[] = await rows(
        `select extract(epoch from next_sweep_at - now())::float8 as seconds from ${table} where ${column} = ?`,
        [id],
      );
      return Number(row?.['seconds']);
    },
    handleOf: ({ reference, applicationId }: StoredPayment) => ({
      reference,
      applicationId: BigInt(applicationId),
      applicationName: 'Shop',
      mode: 'TEST',
      amount: { amountMinor: 10_000n, currency: 'BDT' },
      gateway: 'sslcommerz',
      invoiceId: null,
    }),
  });
  return world;
}

function recordingDispatch(world: Pick<SweepWorld, 'calls' | 'temporal' | 'ended' | 'listed'>): Dispatch {
  const { calls } = world;
  const unused = (): never => {
    throw new Error('the sweeper does not do this');
  };
  return {
    outcomeWaitMs: 0,
    openCheckout: unused,
    chooseGateway: unused,
    rescheduleInvoice: unused,
    signalRefundEnded: unused,
    startReconciliation: unused,
    cancelReconciliation: unused,
    startPayoutImport: async ({ reference }) => {
      calls.push(['startPayoutImport', reference]);
    },
    wakeSweeper: unused,
    skipsTime: unused,
    skipTime: unused,
    resendDelivery: unused,
    signalChoice: async (reference) => {
      calls.push(['signalChoice', reference]);
      return (await world.temporal.signalChoice?.(reference)) ?? true;
    },
    startPayment: async (payment) => {
      calls.push(['startPayment', payment]);
      return (await world.temporal.startPayment?.(payment)) ?? 'running';
    },
    signalCallback: async (reference, callbackId) => {
      calls.push(['signalCallback', reference, callbackId]);
      return (await world.temporal.signalCallback?.(reference, callbackId)) ?? true;
    },
    signalCancel: async (reference) => {
      calls.push(['signalCancel', reference]);
      return (await world.temporal.signalCancel?.(reference)) ?? true;
    },
    startUnappliedPayment: async (payment, found) => {
      calls.push(['startUnappliedPayment', payment, found]);
      await world.temporal.startUnappliedPayment?.(payment, found);
    },
    startRefund: async (refund, decisionId) => {
      calls.push(['startRefund', refund, decisionId]);
      return (await world.temporal.startRefund?.(refund, decisionId)) ?? 'running';
    },
    notifyInvoice: async (invoice, change) => {
      calls.push(['notifyInvoice', invoice, change]);
      await world.temporal.notifyInvoice?.(invoice, change);
    },
    signalReviewDecision: async (payment, decisionId) => {
      calls.push(['signalReviewDecision', payment, decisionId]);
      await world.temporal.signalReviewDecision?.(payment, decisionId);
    },
    decideUnappliedPayment: async (payment, decided) => {
      calls.push(['decideUnappliedPayment', payment, decided]);
      await world.temporal.decideUnappliedPayment?.(payment, decided);
    },
    startDelivery: async (event) => {
      calls.push(['startDelivery', event]);
      await world.temporal.startDelivery?.(event);
    },
    endedWorkflows: (period) => {
      world.listed.push(period);
      return (
        world.temporal.endedWorkflows?.(period) ??
        Promise.resolve({ payments: [], invoices: [], unappliedPayments: [], ...world.ended })
      );
    },
  };
}
