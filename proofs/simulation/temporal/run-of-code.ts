import {
  ActivityFailure,
  CancelledFailure,
  RetryState,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import { settled } from '../timeline.ts';
import {
  ContinueAsNew,
  setCurrentRun,
  type ActivityCall,
  type Child,
  type ChildCall,
  type CurrentRun,
  type MessageDefinition,
} from './current-run.ts';

/** A message from the server to a run. */
export type Job =
  | { readonly kind: 'start' }
  | { readonly kind: 'cancel' }
  /** Without a run it was refused, since one of its id runs. */
  | { readonly kind: 'child-started'; readonly seq: number; readonly runId: string | null }
  | { readonly kind: 'child-ended'; readonly seq: number; readonly outcome: Outcome }
  | { readonly kind: 'signal'; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'update'; readonly name: string; readonly id: string; readonly args: readonly unknown[] }
  | { readonly kind: 'fired'; readonly seq: number }
  | {
      readonly kind: 'activity-ended';
      readonly seq: number;
      readonly outcome: Outcome;
    };

export type Outcome = { readonly result: unknown } | { readonly failure: Error };

/** A request from a run to the server. */
export type Command =
  | ({ readonly kind: 'activity'; readonly seq: number } & ActivityCall)
  | { readonly kind: 'cancel-activity'; readonly seq: number }
  | ({ readonly kind: 'child'; readonly seq: number } & ChildCall)
  | { readonly kind: 'cancel-child'; readonly seq: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'timer'; readonly seq: number; readonly ms: number }
  | { readonly kind: 'cancel-timer'; readonly seq: number }
  | { readonly kind: 'upsert'; readonly attributes: readonly { readonly name: string; readonly value: unknown }[] }
  | { readonly kind: 'update-ended'; readonly id: string; readonly result: unknown }
  | { readonly kind: 'completed'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: Error }
  | { readonly kind: 'continued'; readonly args: readonly unknown[] };

export interface RunFacts {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly code: (...args: unknown[]) => Promise<unknown>;
  readonly args: readonly unknown[];
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The code that a cancellation does not reach. */
const shield = new AsyncLocalStorage<true>();

export function isCancellation(error: unknown): boolean {
  return (
    error instanceof CancelledFailure ||
    (error instanceof Error &&
      /^(ActivityFailure|ChildWorkflowFailure)$/.test(error.name) &&
      isCancellation(error.cause))
  );
}

/** One execution of a workflow's code in a worker's memory. Its behaviour depends only on its jobs, so that replaying the same jobs reproduces it. */
export class RunOfCode implements CurrentRun {
  nowMs = 0;
  details = '';
  private handlersRunning = 0;
  private historyIsLong = false;
  private readonly facts: RunFacts;
  private commands: Command[] = [];
  private seq = 0;
  private conditions: { holds: () => boolean; go: () => void }[] = [];
  private readonly attributes = new Map<string, unknown>();
  private readonly timers = new Map<number, () => void>();
  private readonly activities = new Map<number, Waiting>();
  private readonly childStarts = new Map<number, { readonly workflowId: string } & Waiting>();
  private readonly childResults = new Map<number, Waiting>();
  private cancelled = false;
  /** What the cancellation does to each thing that the code waits for. */
  private readonly cancellations = new Set<() => void>();
  private readonly handlers = new Map<string, (...args: never[]) => unknown>();
  private readonly early: Extract<Job, { kind: 'signal' | 'update' }>[] = [];

  constructor(facts: RunFacts) {
    this.facts = facts;
  }

  /** Passes jobs to the code and returns the commands that it then issues. Messages go first, as in the real SDK. */
  async activate(
    jobs: readonly Job[],
    { nowMs, historyIsLong }: { nowMs: number; historyIsLong: boolean },
  ): Promise<Command[]> {
    this.nowMs = nowMs;
    this.historyIsLong = historyIsLong;
    setCurrentRun(this);
    try {
      const order = {
        start: 0,
        cancel: 1,
        signal: 1,
        update: 1,
        fired: 2,
        'activity-ended': 2,
        'child-started': 2,
        'child-ended': 2,
      };
      for (const job of [...jobs].sort((a, b) => order[a.kind] - order[b.kind])) {
        this.take(job);
        await this.goOn();
      }
    } finally {
      setCurrentRun(null);
    }
    return this.commands.splice(0);
  }

  private async goOn(): Promise<void> {
    await settled();
    for (let met = true; met;) {
      const holding = this.conditions.filter(({ holds }) => holds());
      this.conditions = this.conditions.filter((waiting) => !holding.includes(waiting));
      for (const { go } of holding) {
        go();
      }
      met = holding.length > 0;
      if (met) {
        await settled();
      }
    }
  }

  private take(job: Job): void {
    switch (job.kind) {
      case 'start':
        this.begin();
        break;
      case 'signal':
      case 'update':
        this.deliver(job);
        break;
      case 'fired':
        this.timers.get(job.seq)?.();
        this.timers.delete(job.seq);
        break;
      case 'activity-ended':
        settle(this.activities, job);
        break;
      case 'child-started':
        this.childStarted(job);
        break;
      case 'child-ended':
        settle(this.childResults, job);
        break;
      case 'cancel':
        this.cancelled = true;
        for (const cancel of this.cancellations) {
          cancel();
        }
        this.cancellations.clear();
        break;
    }
  }

  private childStarted({ seq, runId }: Extract<Job, { kind: 'child-started' }>): void {
    const waiting = this.childStarts.get(seq);
    this.childStarts.delete(seq);
    if (waiting === undefined) {
      return;
    }
    const { workflowId, resolve, reject } = waiting;
    if (runId === null) {
      reject(new WorkflowExecutionAlreadyStartedError('workflow execution already started', workflowId, ''));
      return;
    }
    const ended = new Promise<unknown>((end, fail) => {
      this.childResults.set(seq, { resolve: end, reject: fail });
    });
    ended.catch(() => undefined);
    resolve({ workflowId, firstExecutionRunId: runId, result: () => ended } satisfies Child);
  }

  private begin(): void {
    this.facts.code(...this.facts.args).then(
      (result) => this.commands.push({ kind: 'completed', result }),
      (error: unknown) =>
        this.commands.push(
          error instanceof ContinueAsNew
            ? { kind: 'continued', args: error.args }
            : this.cancelled && isCancellation(error)
              ? { kind: 'cancelled' }
              : { kind: 'failed', failure: error instanceof Error ? error : new Error(String(error)) },
        ),
    );
  }

  private deliver(job: Extract<Job, { kind: 'signal' | 'update' }>): void {
    const handler = this.handlers.get(`${job.kind} ${job.name}`);
    if (handler === undefined) {
      this.early.push(job);
      return;
    }
    const result = handler(...(job.args as never[]));
    if (result instanceof Promise) {
      this.handlersRunning += 1;
      const ended = (value: unknown): void => {
        this.handlersRunning -= 1;
        if (job.kind === 'update') {
          this.commands.push({ kind: 'update-ended', id: job.id, result: value });
        }
      };
      result.then(ended, ended);
    }
  }

  setHandler({ type, name }: MessageDefinition, handler: (...args: never[]) => unknown): void {
    this.handlers.set(`${type} ${name}`, handler);
    for (const job of this.early.filter((waiting) => waiting.kind === type && waiting.name === name)) {
      this.early.splice(this.early.indexOf(job), 1);
      this.deliver(job);
    }
  }

  handlersRun(): boolean {
    return this.handlersRunning > 0;
  }

  describe(details: string): void {
    this.details = details;
  }

  until(holds: () => boolean): Promise<void> {
    if (this.isCancelled()) {
      return Promise.reject(new CancelledFailure('condition cancelled'));
    }
    return holds()
      ? Promise.resolve()
      : new Promise((resolve, reject) => {
          const stop = this.onCancel(() => {
            this.conditions = this.conditions.filter((waiting) => waiting.go !== go);
            reject(new CancelledFailure('condition cancelled'));
          });
          const go = (): void => {
            stop();
            resolve();
          };
          this.conditions.push({ holds, go });
        });
  }

  timer(ms: number): { readonly fired: Promise<void>; cancel(): void } {
    if (this.isCancelled()) {
      return { fired: Promise.reject(new CancelledFailure('timer cancelled')), cancel: () => undefined };
    }
    this.seq += 1;
    const seq = this.seq;
    this.commands.push({ kind: 'timer', seq, ms: Math.ceil(ms) });
    const { promise: fired, resolve, reject } = Promise.withResolvers<void>();
    const cancel = (): void => {
      stop();
      if (this.timers.delete(seq)) {
        this.commands.push({ kind: 'cancel-timer', seq });
      }
    };
    const stop = this.onCancel(() => {
      cancel();
      reject(new CancelledFailure('timer cancelled'));
    });
    this.timers.set(seq, () => {
      stop();
      resolve();
    });
    return { fired, cancel };
  }

  activity(call: ActivityCall): Promise<unknown> {
    if (this.isCancelled()) {
      return Promise.reject(new CancelledFailure('activity cancelled before it was scheduled'));
    }
    this.seq += 1;
    const seq = this.seq;
    this.commands.push({ kind: 'activity', seq, ...call });
    return new Promise((resolve, reject) => {
      const stop = this.onCancel(() => {
        this.activities.delete(seq);
        if (!call.local) {
          this.commands.push({ kind: 'cancel-activity', seq });
        }
        reject(cancelledActivity(call.name, seq));
      });
      this.activities.set(seq, {
        resolve: (value) => {
          stop();
          resolve(value);
        },
        reject: (error) => {
          stop();
          reject(error);
        },
      });
    });
  }

  /** A child whose parent is cancelled is asked to stop too, and the parent waits for its end. */
  child(call: ChildCall): Promise<Child> {
    if (this.isCancelled()) {
      return Promise.reject(new CancelledFailure('child cancelled before it was started'));
    }
    this.seq += 1;
    const seq = this.seq;
    this.commands.push({ kind: 'child', seq, ...call });
    this.onCancel(() => this.commands.push({ kind: 'cancel-child', seq }));
    return new Promise<unknown>((resolve, reject) => {
      this.childStarts.set(seq, { workflowId: call.workflowId, resolve, reject });
    }) as Promise<Child>;
  }

  shielded<T>(work: () => Promise<T>): Promise<T> {
    return shield.run(true, work);
  }

  isCancelled(): boolean {
    return this.cancelled && shield.getStore() !== true;
  }

  /** Returns how to forget it. */
  private onCancel(cancel: () => void): () => void {
    if (shield.getStore() === true) {
      return () => undefined;
    }
    this.cancellations.add(cancel);
    return () => this.cancellations.delete(cancel);
  }

  upsert(attributes: readonly { key: { name: string }; value: unknown }[]): void {
    for (const { key, value } of attributes) {
      this.attributes.set(key.name, value);
    }
    this.commands.push({ kind: 'upsert', attributes: attributes.map(({ key, value }) => ({ name: key.name, value })) });
  }

  info(): object {
    const { workflowId, runId, workflowType } = this.facts;
    return {
      workflowId,
      runId,
      workflowType,
      // Those of the start are not simulated: a run writes each once more.
      typedSearchAttributes: { get: ({ name }: { name: string }) => this.attributes.get(name) ?? undefined },
      continueAsNewSuggested: this.historyIsLong,
    };
  }
}

function settle(
  waitings: Map<number, Waiting>,
  { seq, outcome }: { readonly seq: number; readonly outcome: Outcome },
): void {
  const waiting = waitings.get(seq);
  waitings.delete(seq);
  if ('failure' in outcome) {
    waiting?.reject(outcome.failure);
  } else {
    waiting?.resolve(outcome.result);
  }
}

function cancelledActivity(name: string, seq: number): ActivityFailure {
  return new ActivityFailure(
    'activity cancelled',
    name,
    String(seq),
    RetryState.CANCEL_REQUESTED,
    undefined,
    new CancelledFailure('activity cancelled'),
  );
}
