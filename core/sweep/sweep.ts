import { readNow } from '../../database/clock.ts';
import { describeError } from '../../runtime/logger.ts';
import type { SweepAction } from '../../workflows/messages/maintenance.ts';
import { revokeUnconfirmed } from '../applications/store/credentials.ts';
import { beginTellingApprovers } from '../approvals/tell-approvers.ts';
import { unreadDecisions } from '../decisions/sweep.ts';
import type { MailingDependencies } from '../dependencies.ts';
import { dueCallbacks } from '../gateway-callbacks/sweep.ts';
import { dueDisputeSearches } from '../disputes/searches.ts';
import { dueDisputes } from '../disputes/sweep.ts';
import { dueInvoices, resumeEndedInvoices } from '../invoices/sweep.ts';
import { RETIRED_MAX, RETIREMENTS, type Retention } from '../maintenance/store/retention.ts';
import { beginOperatorLinks } from '../operators/send-links.ts';
import { forgetExpiredSecrets } from '../operators/store/pending-changes.ts';
import { duePayoutImports, removeAbandonedUploads } from '../payouts/sweep.ts';
import { duePayments, resumeEndedPayments } from '../payments/sweep.ts';
import { dueRefunds } from '../refunds/sweep.ts';
import { dueCaseRefunds } from '../reconciliation/case-refund.ts';
import { dueCaseActions } from '../reconciliation/carry-out.ts';
import { stillRuns } from '../reconciliation/sweep.ts';
import { summarizeEnded } from '../reports/sweep.ts';
import { dueHeldMoney, dueLateQueries, resumeEndedUnapplied } from '../unapplied-payments/sweep.ts';
import { dueEvents } from '../webhooks/sweep.ts';
import { BATCH_MAX, runSweep, SWEEP_MAX_MS } from './engine.ts';
import { IDLE_MS, nextPassInMs } from './next-pass.ts';

export interface SweepDependencies extends MailingDependencies {
  /** If absent, only expired idempotency keys are deleted. */
  readonly retention?: Retention;
}

export interface Swept {
  readonly actions: Readonly<Record<SweepAction, number>>;
  readonly nextInMs: number;
}

/**
 * Restarts whatever is stored but not being worked on, so that a crash between storing and signalling loses nothing. Each step runs on its own: its
 * failure does not stop the others.
 */
export async function sweep(deps: SweepDependencies): Promise<Swept> {
  let failed = false;
  const step = async (name: string, work: () => Promise<number>): Promise<number> => {
    try {
      return await work();
    } catch (error) {
      failed = true;
      deps.log.error({ step: name, error: describeError(error), alert: 'sweep-step-failed' }, 'a sweeper step failed');
      return 0;
    }
  };
  const paymentsStarted = await step('payments', () => runSweep(deps, duePayments(deps)));
  const restarted = await step('ended workflows', () => resumeEndedWorkflows(deps));
  const callbacksSignalled = await step('callbacks', () => runSweep(deps, dueCallbacks(deps)));
  const lateQueriesSent = await step('late queries', () => runSweep(deps, dueLateQueries(deps)));
  const refundsStarted = await step('refunds', () => runSweep(deps, dueRefunds(deps)));
  const unappliedStarted = await step('unapplied payments', () => runSweep(deps, dueHeldMoney(deps)));
  const decisionsSignalled = await step('decisions', () => runSweep(deps, unreadDecisions(deps)));
  const casesDecided =
    (await step('cases', () => runSweep(deps, dueCaseActions(deps)))) +
    (await step('refunds of cases', () => runSweep(deps, dueCaseRefunds(deps))));
  const invoicesNotified = await step('invoices', () => runSweep(deps, dueInvoices(deps)));
  const deliveriesStarted = await step('deliveries', () => runSweep(deps, dueEvents(deps)));
  const importsStarted = await step('payout imports', () => runSweep(deps, duePayoutImports(deps)));
  const runsStarted = await step('runs', () => runSweep(deps, stillRuns(deps)));
  await step('lost disputes', () => runSweep(deps, dueDisputeSearches(deps)));
  await step('disputes', () => runSweep(deps, dueDisputes(deps)));
  await step('operator links', async () => (await beginOperatorLinks(deps)).length);
  await step('approvers', async () => (await beginTellingApprovers(deps)).length);
  await step('expired changes', () =>
    deps.database.withSystem(async (em) => (await forgetExpiredSecrets(em)) + (await revokeUnconfirmed(em))),
  );
  await step('reports', () => summarizeEnded(deps));
  const uploadsForgotten = await step('broken uploads', () => removeAbandonedUploads(deps));
  const keysForgotten = await step('idempotency keys', () => retire(deps, 'keys'));
  const callbacksForgotten = await step('old callbacks', () => retire(deps, 'callbacks'));
  const deliveriesForgotten = await step('old deliveries', () => retire(deps, 'deliveries'));
  const sessionsForgotten = await step('old sessions', () => retire(deps, 'sessions'));
  return {
    actions: {
      paymentsStarted: paymentsStarted + restarted,
      callbacksSignalled,
      lateQueriesSent,
      refundsStarted,
      unappliedStarted,
      decisionsSignalled,
      casesDecided,
      invoicesNotified,
      deliveriesStarted,
      importsStarted,
      runsStarted,
      uploadsForgotten,
      keysForgotten,
      callbacksForgotten,
      deliveriesForgotten,
      sessionsForgotten,
    },
    // What a failed step left is still due. It is not tried more often for that.
    nextInMs: failed ? IDLE_MS : await nextPassInMs(deps),
  };
}

const ENDED_WITHIN_MS = 10 * 60_000;

/** Resumes workflows that were terminated or failed in the last ten minutes and still have work to do. */
async function resumeEndedWorkflows(deps: SweepDependencies): Promise<number> {
  const now = await deps.database.withSystem(readNow);
  const since = new Date(now.getTime() - ENDED_WITHIN_MS);
  const ended = await deps.dispatch.endedWorkflows({ since, max: BATCH_MAX });
  const payments = await resumeEndedPayments(deps, ended.payments);
  const invoices = await resumeEndedInvoices(deps, ended.invoices);
  const unapplied = await resumeEndedUnapplied(deps, ended.unappliedPayments);
  return payments + invoices + unapplied;
}

/** Without a retention setting only expired keys are deleted; they have no use. */
const NOTHING_BUT_KEYS = { keyDays: 0 };

/** Deletes rows past their retention in batches, each in its own transaction, so that an interrupted run loses only time. */
async function retire(deps: SweepDependencies, what: keyof typeof RETIREMENTS): Promise<number> {
  const { database, retention } = deps;
  if (retention === undefined && what !== 'keys') {
    return 0;
  }
  const days = retention ?? { ...NOTHING_BUT_KEYS, callbackDays: 0, deliveryDays: 0, sessionDays: 0 };
  const stopAtMs = Date.now() + SWEEP_MAX_MS;
  for (let sum = 0; ;) {
    const { found, removed } = await RETIREMENTS[what](database, days);
    sum += removed;
    if (found < RETIRED_MAX || Date.now() >= stopAtMs) {
      return sum;
    }
  }
}
