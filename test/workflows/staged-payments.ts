import { join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { FinalStatus } from '../../domain/payment.ts';
import { attemptReference, paymentReference } from '../../domain/references.ts';
import type { Dispatch, PaymentHandle } from '../../core/dispatch.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import type {
  UnappliedDecisionInput,
  UnappliedPaymentActivities,
  UnappliedPaymentInput,
  UnappliedPaymentResult,
} from '../../workflows/messages/unapplied-payment.ts';
import { TASK_QUEUES, workflowIds } from '../../workflows/messages/names.ts';
import {
  callbackSignal,
  progressQuery,
  type OpenCheckoutResult,
  type PaymentActivities,
  type PaymentProgress,
  type PaymentWorkflowInput,
  type ReviewDecision,
  type ReviewDecisionInput,
  type ReviewInput,
  type FinalizeInput,
  type Verdict,
  type VerifyInput,
} from '../../workflows/messages/payment.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const EXPIRY_MS = 30 * 60_000;
const SLOW_INTERCEPTOR = join(import.meta.dirname, 'slow-interceptor.ts');

/** The results of the activities. `call` counts from 1, including retries. */
export interface Script {
  readonly open?: (call: number) => OpenCheckoutResult | Promise<OpenCheckoutResult>;
  readonly verify?: (call: number, input: VerifyInput) => Verdict | Promise<Verdict>;
  readonly settle?: (call: number, input: FinalizeInput) => FinalStatus | Promise<FinalStatus>;
  readonly review?: (call: number, input: ReviewInput) => void | Promise<void>;
  readonly reviewDecision?: (call: number, input: ReviewDecisionInput) => ReviewDecision | Promise<ReviewDecision>;
  readonly unappliedDecision?: (
    call: number,
    input: UnappliedDecisionInput,
  ) => UnappliedPaymentResult | Promise<UnappliedPaymentResult>;
  readonly lookedAt?: (call: number) => UnappliedPaymentResult | Promise<UnappliedPaymentResult>;
  readonly late?: (
    call: number,
    input: UnappliedPaymentInput,
  ) => UnappliedPaymentResult | Promise<UnappliedPaymentResult>;
}

/** A payment whose activities follow a script, and the inputs that they got. */
export interface StagedPayment {
  readonly payment: PaymentHandle;
  readonly attemptReference: string;
  readonly expiresAtMs: number;
  readonly asked: {
    readonly open: PaymentWorkflowInput[];
    readonly verify: VerifyInput[];
    readonly settle: FinalizeInput[];
    readonly review: ReviewInput[];
    readonly late: UnappliedPaymentInput[];
    readonly lookedAt: UnappliedPaymentInput[];
    readonly parked: UnappliedPaymentInput[];
    readonly decisions: string[];
    readonly declined: string[];
    readonly lookedForLate: PaymentWorkflowInput[];
  };
  script: Script;
  /** The latest run of the workflow. */
  handle(): WorkflowHandle;
  late(): WorkflowHandle;
  progress(): Promise<PaymentProgress>;
}

export interface Theatre {
  /** Workflows that it starts skip their timers. */
  readonly skipping: { readonly temporal: TestTemporal; readonly dispatch: Dispatch };
  readonly realTime: { readonly temporal: TestTemporal; readonly dispatch: Dispatch };
  stage(script?: Script, expiresInMs?: number): StagedPayment;
  /** Runs `meanwhile` without a worker. The next worker gets all messages at once, and updates a little later. */
  withoutWorker<T>(meanwhile: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The payment and unapplied-payment workflows on the real server, under their real names, with scripted activities. */
export async function openTheatre(): Promise<Theatre> {
  const namespace = await createTestNamespace();
  const skipping = await connectTestTemporal({ timeSkipping: true, namespace });
  const realTime = await connectTestTemporal({ timeSkipping: false, namespace });
  const stages = new Map<string, StagedPayment>();
  const start = async (workflowModules: string[] = []) => {
    const worker = await Worker.create({
      connection: skipping.nativeConnection,
      namespace,
      taskQueue: TASK_QUEUES.payments,
      ...WORKFLOWS,
      activities: scriptedActivities(stages),
      interceptors: { workflowModules },
    });
    return { worker, running: worker.run() };
  };
  let { worker, running } = await start();
  return {
    skipping: { temporal: skipping, dispatch: createDispatch(skipping.client) },
    realTime: { temporal: realTime, dispatch: createDispatch(realTime.client) },
    stage(script = {}, expiresInMs = EXPIRY_MS) {
      const staged = newStage(realTime.client, script, Date.now() + expiresInMs);
      stages.set(staged.payment.reference, staged);
      return staged;
    },
    async withoutWorker(meanwhile) {
      worker.shutdown();
      const [result] = await Promise.all([meanwhile(), running]);
      ({ worker, running } = await start([SLOW_INTERCEPTOR]));
      return result;
    },
    async close() {
      worker.shutdown();
      await running;
      await skipping.close();
      await realTime.close();
    },
  };
}

function newStage(client: Client, script: Script, expiresAtMs: number): StagedPayment {
  const payment: PaymentHandle = {
    reference: paymentReference(),
    applicationId: 7n,
    applicationName: 'Shop',
    mode: 'TEST',
    amount: { amountMinor: 10_000n, currency: 'BDT' },
    gateway: 'sslcommerz',
  };
  const attempt = attemptReference();
  const handle = (): WorkflowHandle => client.workflow.getHandle(workflowIds.payment(payment.reference));
  return {
    payment,
    attemptReference: attempt,
    expiresAtMs,
    asked: {
      open: [],
      verify: [],
      settle: [],
      review: [],
      late: [],
      lookedAt: [],
      parked: [],
      decisions: [],
      declined: [],
      lookedForLate: [],
    },
    script,
    handle,
    late: () => client.workflow.getHandle(workflowIds.unappliedPayment(attempt)),
    progress: () => handle().query(progressQuery),
  };
}

function scriptedActivities(
  stages: ReadonlyMap<string, StagedPayment>,
): PaymentActivities & UnappliedPaymentActivities {
  const stageOf = ({ reference }: PaymentWorkflowInput): StagedPayment => {
    const staged = stages.get(reference);
    if (staged === undefined) {
      throw new Error(`nothing is staged for ${reference}`);
    }
    return staged;
  };
  return {
    async openCheckout(input) {
      const { script, asked, expiresAtMs } = stageOf(input);
      const call = asked.open.push(input);
      return script.open?.(call) ?? { kind: 'open', expiresAtMs, attention: false };
    },
    async verifyPayment(input) {
      const { script, asked } = stageOf(input);
      const call = asked.verify.push(input);
      return (
        script.verify?.(call, input) ?? (input.final ? { kind: 'expired' } : { kind: 'undecided', hopeful: false })
      );
    },
    async finalizePayment(input) {
      const { script, asked } = stageOf(input);
      const call = asked.settle.push(input);
      return script.settle?.(call, input) ?? input.status;
    },
    async markForReview(input) {
      const { script, asked } = stageOf(input);
      const call = asked.review.push(input);
      await script.review?.(call, input);
    },
    async readReviewDecision(input) {
      const { script, asked } = stageOf(input);
      const call = asked.decisions.push(...input.decisionIds);
      return script.reviewDecision?.(call, input) ?? { kind: 'none' };
    },
    declineDecision(input) {
      stageOf(input).asked.declined.push(input.outcome);
      return Promise.resolve();
    },
    lookForUnappliedMoney(input) {
      stageOf(input).asked.lookedForLate.push(input);
      return Promise.resolve();
    },
    async decideUnappliedPayment(input) {
      const { script, asked } = stageOf(input);
      const call = asked.decisions.push(...input.decisionIds);
      return script.unappliedDecision?.(call, input) ?? { kind: 'nothing' };
    },
    async readUnappliedPayment(input) {
      const { script, asked } = stageOf(input);
      const call = asked.lookedAt.push(input);
      return script.lookedAt?.(call) ?? { kind: 'nothing' };
    },
    parkUnappliedPayment(input) {
      stageOf(input).asked.parked.push(input);
      return Promise.resolve();
    },
    async recordUnappliedPayment(input) {
      const { script, asked } = stageOf(input);
      const call = asked.late.push(input);
      return script.late?.(call, input) ?? { kind: 'nothing' };
    },
  };
}

/** At this length the server suggests to continue as new. */
const LONG_HISTORY_EVENTS = 4_096;
const SIGNALS_AT_ONCE = 50;

/** Makes a history so long that the server suggests to continue as new, by sending callbacks without effect. */
export async function lengthen(handle: WorkflowHandle): Promise<void> {
  for (let sent = 0; sent < LONG_HISTORY_EVENTS; sent += SIGNALS_AT_ONCE) {
    await Promise.all(Array.from({ length: SIGNALS_AT_ONCE }, () => handle.signal(callbackSignal, '1')));
  }
}

/** Returns what the Temporal UI shows as a workflow's current state. */
export async function detailsOf(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

export function eventNames(history: History): string[] {
  return (history.events ?? []).map((event) => {
    const [name = 'unknown'] = Object.keys(event).filter((key) => key.endsWith('EventAttributes'));
    return name.replace('EventAttributes', '');
  });
}

/** Returns when the gateway was queried, by either kind of activity, in the workflow's own time. */
export function queryTimesOf(history: History): number[] {
  return (history.events ?? [])
    .filter(({ markerRecordedEventAttributes: marker, activityTaskScheduledEventAttributes: scheduled }) => {
      const local = marker?.details?.['data']?.payloads?.[0]?.data;
      return scheduled?.activityType?.name === 'verifyPayment' || String(local).includes('"verifyPayment"');
    })
    .map(timeOf);
}

function timeOf({ eventTime }: NonNullable<History['events']>[number]): number {
  return Number(eventTime?.seconds ?? 0) * 1_000 + Number(eventTime?.nanos ?? 0) / 1e6;
}

/** Returns when events of a kind were written, in the workflow's own time. */
export function timesOf(history: History, name: string): number[] {
  const names = eventNames(history);
  return (history.events ?? []).filter((_event, index) => names[index] === name).map(timeOf);
}
