import { settled } from '../timeline.ts';
import {
  ContinueAsNew,
  setCurrentRun,
  type ActivityCall,
  type CurrentRun,
  type MessageDefinition,
} from './current-run.ts';

/** A message from the server to a run. */
export type Job =
  | { readonly kind: 'start' }
  | { readonly kind: 'signal'; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'update'; readonly name: string; readonly id: string; readonly args: readonly unknown[] }
  | { readonly kind: 'fired'; readonly seq: number }
  | {
      readonly kind: 'activity-ended';
      readonly seq: number;
      readonly outcome: { readonly result: unknown } | { readonly failure: Error };
    };

/** A request from a run to the server. */
export type Command =
  | ({ readonly kind: 'activity'; readonly seq: number } & ActivityCall)
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
  private readonly activities = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
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
      const order = { start: 0, signal: 1, update: 1, fired: 2, 'activity-ended': 2 };
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
      case 'activity-ended': {
        const waiting = this.activities.get(job.seq);
        this.activities.delete(job.seq);
        if ('failure' in job.outcome) {
          waiting?.reject(job.outcome.failure);
        } else {
          waiting?.resolve(job.outcome.result);
        }
        break;
      }
    }
  }

  private begin(): void {
    this.facts.code(...this.facts.args).then(
      (result) => this.commands.push({ kind: 'completed', result }),
      (error: unknown) =>
        this.commands.push(
          error instanceof ContinueAsNew
            ? { kind: 'continued', args: error.args }
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
    return holds()
      ? Promise.resolve()
      : new Promise((go) => {
          this.conditions.push({ holds, go });
        });
  }

  timer(ms: number): { readonly fired: Promise<void>; cancel(): void } {
    this.seq += 1;
    const seq = this.seq;
    this.commands.push({ kind: 'timer', seq, ms: Math.ceil(ms) });
    return {
      fired: new Promise((fire) => {
        this.timers.set(seq, fire);
      }),
      cancel: () => {
        if (this.timers.delete(seq)) {
          this.commands.push({ kind: 'cancel-timer', seq });
        }
      },
    };
  }

  activity(call: ActivityCall): Promise<unknown> {
    this.seq += 1;
    const seq = this.seq;
    this.commands.push({ kind: 'activity', seq, ...call });
    return new Promise((resolve, reject) => {
      this.activities.set(seq, { resolve, reject });
    });
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
