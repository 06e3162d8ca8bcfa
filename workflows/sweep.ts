/**
 * The sweeper: a loop that restarts whatever is stored but not picked up. See `core/sweep/sweep.ts` for what one pass resumes. A pass is a local
 * activity, because one every half minute would otherwise be most of what Temporal stores.
 */
import { proxyLocalActivities } from '@temporalio/workflow';
import { Loop, type Passed } from './loop.ts';
import type { SweepAction, SweepActivities, SweepResult } from './messages/maintenance.ts';
import { SWEEP } from './options.ts';
import { renewWhenLong } from './renew.ts';

const { sweep } = proxyLocalActivities<SweepActivities>(SWEEP);

export function sweepWorkflow(): Promise<never> {
  const loop = new Loop();
  return loop.run(
    async () => passedOf(await sweep()),
    () => renewWhenLong<typeof sweepWorkflow>(loop.inbox),
  );
}

function passedOf({ actions, nextInMs }: SweepResult): Passed {
  const done = ACTIONS.flatMap(([action, words]) => {
    const times = actions[action] ?? 0;
    return times === 0 ? [] : [`${times} ${words}`];
  });
  return { said: done.length === 0 ? 'nothing was due' : done.join(', '), nextInMs };
}

const ACTION_WORDS = {
  paymentsStarted: 'payments or ended workflows checked',
  callbacksSignalled: 'callbacks signalled',
  lateQueriesSent: 'late queries begun',
  refundsStarted: 'refunds checked',
  unappliedStarted: 'unapplied payments checked',
  decisionsSignalled: 'decisions signalled',
  casesDecided: 'decisions about cases carried out',
  invoicesNotified: 'invoices notified',
  deliveriesStarted: 'deliveries started',
  importsStarted: 'payout imports started',
  runsStarted: 'reconciliations started',
  uploadsForgotten: 'broken uploads deleted',
  keysForgotten: 'idempotency keys deleted',
  callbacksForgotten: 'old callbacks deleted',
  deliveriesForgotten: 'old delivery attempts deleted',
  sessionsForgotten: 'old sessions deleted',
} as const satisfies Readonly<Record<SweepAction, string>>;
const ACTIONS = Object.entries(ACTION_WORDS) as [SweepAction, string][];
