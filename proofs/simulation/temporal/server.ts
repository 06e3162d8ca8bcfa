import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  RetryState,
  TerminatedFailure,
} from '@temporalio/common';
import { msOptionalToNumber, type Duration } from '@temporalio/common/lib/time.js';
import { whose, type Life, type Planned, type Timeline } from '../timeline.ts';
import { ActivityExecution, inExecution } from './activity-sdk.ts';
import { RunOfCode, type Command, type Job, type Outcome } from './run-of-code.ts';

const TASK_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 8_000;
const NO_WORKER_PAUSE_MS = 1_000;
const STARTED_TOO_LONG_AGO = 'startToClose timeout';
const SILENT_FOR_TOO_LONG = 'heartbeat timeout';

export type WorkflowCode = (...args: unknown[]) => Promise<unknown>;
export type ActivityCode = Readonly<Record<string, (input: never) => Promise<unknown>>>;

/** A worker process. Its code in memory and its activities end when its life ends. */
export interface WorkerProcess {
  readonly life: Life;
  readonly activities: ActivityCode;
}

export interface ServerOptions {
  readonly timeline: Timeline;
  readonly workflows: Readonly<Record<string, WorkflowCode>>;
  /** Time of one message between server and worker. */
  readonly latencyMs: () => number;
  /** Number of events after which a run is asked to continue as new. */
  readonly longHistory: number;
  readonly newId: () => string;
  readonly reached: (branch: string) => void;
  readonly wrong: (what: string) => void;
  readonly told: (line: string) => void;
  /** Called with each message that the server accepts. */
  readonly taken: (job: Job) => void;
  /** Called before a run begins. */
  readonly begins: (run: ServerRun) => void;
  /** Returns whether a workflow of this type waits for ever, so that its waits do not keep the story going. */
  readonly isLoop: (type: string) => boolean;
}

interface Activation {
  readonly jobs: readonly Job[];
  readonly nowMs: number;
  readonly historyIsLong: boolean;
  readonly commands: readonly Command[];
}

/** One workflow task: what a worker does with a run until only outside events can advance it. */
interface Task {
  readonly worker: WorkerProcess;
  /** Jobs from the server since the last heartbeat. If the task is lost, they are handed out again. */
  jobs: Job[];
  activations: Activation[];
  commands: Command[];
  localsRunning: number;
  timeout: Planned;
}

interface PendingActivity {
  readonly command: Extract<Command, { kind: 'activity' }>;
  attempt: number;
  /** The last attempt that has ended: that was answered, or timed out. */
  attemptsEnded: number;
  readonly scheduledAtMs: number;
  heardAtMs: number;
  ended: boolean;
}

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'continued';

export interface Update {
  readonly ended: Promise<unknown>;
  readonly end: (result: unknown) => void;
  readonly fail: (error: Error) => void;
}

export class ServerRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly args: readonly unknown[];
  status: RunStatus = 'running';
  closedAtMs = 0;
  readonly attributes = new Map<string, unknown>();
  readonly updates = new Map<string, Update>();
  history: Activation[] = [];
  inbox: Job[] = [{ kind: 'start' }];
  code: RunOfCode | null = null;
  worker: WorkerProcess | null = null;
  task: Task | null = null;
  taskPlanned = false;
  /** Local activities of a lost task must run again, even if no new job has arrived. */
  interrupted = false;
  readonly activities = new Map<number, PendingActivity>();
  readonly timers = new Map<number, Planned>();
  readonly children = new Map<number, string>();
  /** The run that waits for its end, if any. */
  parent: { readonly run: ServerRun; readonly seq: number } | null = null;
  cancelRequested = false;

  constructor(facts: { workflowId: string; runId: string; type: string; args: readonly unknown[] }) {
    this.workflowId = facts.workflowId;
    this.runId = facts.runId;
    this.type = facts.type;
    this.args = facts.args;
  }

  /** Returns roughly the number of events that a real server would count: one for each job and command. */
  get events(): number {
    return this.history.reduce((sum, { jobs, commands }) => sum + jobs.length + commands.length, 1);
  }

  /** Returns whether only an outside event can advance it. */
  atRest(): boolean {
    return (
      this.status !== 'running' ||
      (this.task === null && this.inbox.length === 0 && this.timers.size === 0 && this.activities.size === 0)
    );
  }
}

/**
 * A Temporal server with its workers, as far as the product can observe: durable runs, tasks that a dead worker loses and another one resumes by
 * replay, local and regular activities with the product's own retry policies, timers, signals and updates.
 */
export class TemporalServer {
  readonly options: ServerOptions;
  readonly runs = new Map<string, ServerRun>();
  /** Every run that failed or was terminated, for visibility queries. */
  readonly closed: ServerRun[] = [];
  workers: WorkerProcess[] = [];

  constructor(options: ServerOptions) {
    this.options = options;
  }

  start(facts: { workflowId: string; type: string; args: readonly unknown[] }): ServerRun {
    const run = new ServerRun({ ...facts, args: asJson(facts.args), runId: this.options.newId() });
    this.options.begins(run);
    this.runs.set(run.workflowId, run);
    this.options.reached(`${run.type}: started`);
    this.ensureTask(run);
    return run;
  }

  deliver(run: ServerRun, job: Job): void {
    if (run.status === 'running') {
      this.options.taken(job);
      run.inbox.push(job);
      this.ensureTask(run);
    }
  }

  terminate(run: ServerRun): void {
    this.close(run, 'terminated', { failure: new TerminatedFailure('workflow terminated') });
  }

  /** Asks a run to stop, as often as one likes. */
  cancel(run: ServerRun): void {
    if (run.status === 'running' && !run.cancelRequested) {
      run.cancelRequested = true;
      this.options.reached(`${run.type}: cancel requested`);
      this.deliver(run, { kind: 'cancel' });
    }
  }

  /** Removes a worker's memory. Its tasks and activities time out by themselves. */
  forget(life: Life): void {
    this.workers = this.workers.filter((worker) => worker.life !== life);
    for (const run of this.runs.values()) {
      if (run.worker?.life === life && run.task === null) {
        run.code = null;
        run.worker = null;
      }
    }
  }

  private later(ms: number, work: () => void | Promise<void>, { idle = false } = {}): Planned {
    const { timeline } = this.options;
    return timeline.at(timeline.nowMs + ms, work, { life: null, idle });
  }

  private ready(worker: WorkerProcess | null): boolean {
    return worker !== null && worker.life.alive && worker.life.frozenUntilMs <= this.options.timeline.nowMs;
  }

  private ensureTask(run: ServerRun): void {
    const wanted = run.inbox.length > 0 || run.interrupted;
    if (run.status === 'running' && run.task === null && !run.taskPlanned && wanted) {
      run.taskPlanned = true;
      this.later(this.options.latencyMs(), () => this.beginTask(run));
    }
  }

  private async beginTask(run: ServerRun): Promise<void> {
    run.taskPlanned = false;
    if (run.status !== 'running') {
      return;
    }
    const worker = this.ready(run.worker)
      ? run.worker
      : (this.workers.find((candidate) => this.ready(candidate)) ?? null);
    if (worker === null) {
      run.taskPlanned = true;
      this.later(NO_WORKER_PAUSE_MS, () => this.beginTask(run));
      return;
    }
    if (run.worker !== worker) {
      run.code = null;
      run.worker = worker;
    }
    const orphans = run.code === null ? await this.replay(run) : [];
    run.interrupted = false;
    const task: Task = {
      worker,
      jobs: run.inbox,
      activations: [],
      commands: [],
      localsRunning: 0,
      timeout: this.later(TASK_TIMEOUT_MS, () => this.taskTimedOut(run, task)),
    };
    run.inbox = [];
    run.task = task;
    this.planHeartbeat(run, task);
    for (const orphan of orphans) {
      this.startLocal(run, task, orphan);
    }
    await this.advance(run, task, task.jobs);
  }

  /** Rebuilds the code's memory from its history, and checks that it issues the same commands. Returns the local activities without a result. */
  private async replay(run: ServerRun): Promise<Extract<Command, { kind: 'activity' }>[]> {
    const code = this.options.workflows[run.type];
    if (code === undefined) {
      throw new Error(`no workflow ${run.type}`);
    }
    const { workflowId, runId, type: workflowType, args } = run;
    run.code = new RunOfCode({ workflowId, runId, workflowType, args, code });
    if (run.history.length > 0) {
      this.options.reached(`${run.type}: replayed`);
    }
    const locals = new Map<number, Extract<Command, { kind: 'activity' }>>();
    for (const { jobs, commands, ...when } of run.history) {
      const again = await run.code.activate(jobs, when);
      if (textOf(again) !== textOf(commands)) {
        this.options.wrong(
          `replay: ${run.workflowId} asked for ${textOf(commands)} and, replayed, for ${textOf(again)}`,
        );
      }
      for (const job of jobs) {
        if (job.kind === 'activity-ended') {
          locals.delete(job.seq);
        }
      }
      for (const command of commands) {
        if (command.kind === 'activity' && command.local) {
          locals.set(command.seq, command);
        }
      }
    }
    return [...locals.values()];
  }

  private async advance(run: ServerRun, task: Task, jobs: readonly Job[]): Promise<void> {
    const { code } = run;
    if (code === null) {
      return;
    }
    const when = { nowMs: this.options.timeline.nowMs, historyIsLong: run.events > this.options.longHistory };
    const commands = await code.activate(jobs, when);
    task.activations.push({ jobs, commands, ...when });
    for (const command of commands) {
      if (command.kind === 'activity' && command.local) {
        this.startLocal(run, task, command);
      } else {
        task.commands.push(command);
      }
    }
    if (task.localsRunning === 0) {
      this.later(this.options.latencyMs(), () => this.completeTask(run, task));
    }
  }

  private planHeartbeat(run: ServerRun, task: Task): void {
    const { timeline } = this.options;
    timeline.at(
      timeline.nowMs + HEARTBEAT_MS,
      () => {
        if (run.task === task && task.localsRunning > 0) {
          this.options.reached('task: heartbeat');
          timeline.cancel(task.timeout);
          task.timeout = this.later(TASK_TIMEOUT_MS, () => this.taskTimedOut(run, task));
          this.record(run, task);
          task.jobs = run.inbox;
          run.inbox = [];
          this.planHeartbeat(run, task);
          if (task.jobs.length > 0) {
            return this.advance(run, task, task.jobs);
          }
        }
        return undefined;
      },
      { life: task.worker.life },
    );
  }

  private taskTimedOut(run: ServerRun, task: Task): void {
    if (run.task === task) {
      this.options.reached('task: timed out');
      this.loseTask(run, task);
    }
  }

  /** Discards what a task did only in a worker's memory, and hands out its jobs again. */
  private loseTask(run: ServerRun, task: Task): void {
    this.options.timeline.cancel(task.timeout);
    run.task = null;
    run.code = null;
    run.worker = null;
    run.inbox = [...task.jobs, ...run.inbox];
    run.interrupted = true;
    this.ensureTask(run);
  }

  private completeTask(run: ServerRun, task: Task): void {
    if (run.task !== task || !this.ready(task.worker) || task.localsRunning > 0) {
      return;
    }
    const closes = task.commands.some(({ kind }) => /^(completed|failed|cancelled|continued)$/.test(kind));
    if (closes && run.inbox.length > 0) {
      // A run cannot end while it has unseen messages: the server refuses, and the task is repeated.
      this.options.reached('task: end refused for news');
      this.loseTask(run, task);
      return;
    }
    this.options.timeline.cancel(task.timeout);
    run.task = null;
    this.record(run, task);
    this.ensureTask(run);
  }

  private record(run: ServerRun, task: Task): void {
    run.history.push(...task.activations.splice(0));
    task.jobs = [];
    for (const command of task.commands.splice(0)) {
      this.carryOut(run, command);
    }
  }

  private carryOut(run: ServerRun, command: Command): void {
    const { timeline } = this.options;
    switch (command.kind) {
      case 'activity':
        this.scheduleActivity(run, command);
        break;
      case 'cancel-activity': {
        const activity = run.activities.get(command.seq);
        run.activities.delete(command.seq);
        if (activity !== undefined) {
          activity.ended = true;
        }
        break;
      }
      case 'child':
        this.startChild(run, command);
        break;
      case 'cancel-child': {
        const child = this.runs.get(run.children.get(command.seq) ?? '');
        if (child?.parent?.run === run) {
          this.cancel(child);
        }
        break;
      }
      case 'cancelled':
        this.options.reached(`${run.type}: cancelled`);
        this.close(run, 'cancelled', { failure: new CancelledFailure('workflow cancelled') });
        break;
      case 'timer':
        run.timers.set(
          command.seq,
          this.later(
            command.ms,
            () => {
              run.timers.delete(command.seq);
              this.deliver(run, { kind: 'fired', seq: command.seq });
            },
            { idle: this.options.isLoop(run.type) },
          ),
        );
        break;
      case 'cancel-timer': {
        const timer = run.timers.get(command.seq);
        run.timers.delete(command.seq);
        if (timer !== undefined) {
          timeline.cancel(timer);
        }
        break;
      }
      case 'upsert':
        for (const { name, value } of command.attributes) {
          run.attributes.set(name, value);
        }
        break;
      case 'update-ended':
        run.updates.get(command.id)?.end(command.result);
        break;
      case 'completed':
        this.options.reached(`${run.type}: completed${endOf(command.result)}`);
        this.close(run, 'completed', { result: asJson(command.result) });
        break;
      case 'failed':
        this.failRun(run, command.failure);
        break;
      case 'continued':
        this.options.reached(`${run.type}: continued as new`);
        this.close(run, 'continued');
        this.start({ workflowId: run.workflowId, type: run.type, args: command.args }).parent = run.parent;
        break;
    }
  }

  private failRun(run: ServerRun, failure: Error): void {
    if (!(failure instanceof ApplicationFailure || failure instanceof ActivityFailure)) {
      this.options.wrong(`workflow stuck: ${run.workflowId} threw ${failure.stack ?? failure.message}`);
    }
    this.options.reached(
      `${run.type}: failed ${failure instanceof ApplicationFailure ? (failure.type ?? '') : failure.name}`,
    );
    this.close(run, 'failed', { failure });
  }

  /** Starts a child unless a workflow of its id runs. */
  private startChild(
    parent: ServerRun,
    { seq, workflowId, workflowType, args }: Extract<Command, { kind: 'child' }>,
  ): void {
    const isTaken = this.runs.get(workflowId)?.status === 'running';
    const child = isTaken ? null : this.start({ workflowId, type: workflowType, args });
    if (child !== null) {
      child.parent = { run: parent, seq };
      parent.children.set(seq, workflowId);
    }
    this.options.reached(`${parent.type}: child ${isTaken ? 'refused' : 'started'}`);
    this.deliver(parent, { kind: 'child-started', seq, runId: child?.runId ?? null });
  }

  /** @param outcome - what a parent hears; none if another run goes on with the work */
  private close(run: ServerRun, status: RunStatus, outcome: Outcome | null = null): void {
    const { timeline, told } = this.options;
    run.status = status;
    run.closedAtMs = timeline.nowMs;
    run.code = null;
    if (run.task !== null) {
      timeline.cancel(run.task.timeout);
      run.task = null;
    }
    for (const timer of run.timers.values()) {
      timeline.cancel(timer);
    }
    run.timers.clear();
    for (const activity of run.activities.values()) {
      activity.ended = true;
    }
    run.activities.clear();
    for (const update of run.updates.values()) {
      update.fail(new Error('the workflow ended before it answered'));
    }
    this.closed.push(run);
    told(`${run.workflowId} ${status}`);
    if (outcome !== null && run.parent !== null) {
      this.deliver(run.parent.run, {
        kind: 'child-ended',
        seq: run.parent.seq,
        outcome: 'failure' in outcome ? { failure: childFailure(run, outcome.failure) } : outcome,
      });
    }
  }

  /** Runs a local activity in the worker's own process, with its retries. It is recorded when the task is. */
  private startLocal(run: ServerRun, task: Task, command: Extract<Command, { kind: 'activity' }>): void {
    task.localsRunning += 1;
    const { timeline } = this.options;
    const { worker } = task;
    const ended = (outcome: Outcome): void => {
      timeline.at(
        timeline.nowMs,
        () => {
          task.localsRunning -= 1;
          return run.task === task
            ? this.advance(run, task, [{ kind: 'activity-ended', seq: command.seq, outcome }])
            : undefined;
        },
        { life: worker.life },
      );
    };
    whose.run(worker.life, () => {
      this.attemptLocal(worker, command).then(ended, (error: unknown) => {
        this.options.wrong(`simulation: ${String(error)}`);
      });
    });
  }

  private async attemptLocal(worker: WorkerProcess, command: Extract<Command, { kind: 'activity' }>): Promise<Outcome> {
    const { timeline } = this.options;
    const startedAtMs = timeline.nowMs;
    const limits = limitsOf(command.options);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.runActivity(worker, command, limits.startToCloseMs);
      if ('failure' in outcome && outcome.failure.message === STARTED_TOO_LONG_AGO) {
        this.options.reached(`local activity ${command.name}: timed out`);
      }
      const pauseMs = 'failure' in outcome ? retryPauseMs(outcome.failure, attempt, limits) : null;
      if (pauseMs === null || timeline.nowMs + pauseMs - startedAtMs > limits.scheduleToCloseMs) {
        return 'failure' in outcome ? { failure: activityFailure(command, outcome.failure) } : outcome;
      }
      this.options.reached(`activity ${command.name}: retried`);
      await timeline.pause(pauseMs);
    }
  }

  /** Runs an activity in the worker's life. After a timeout the work continues, as in a real process. */
  private runActivity(
    worker: WorkerProcess,
    { name, args }: Extract<Command, { kind: 'activity' }>,
    timeoutMs: number,
    execution = new ActivityExecution(() => undefined),
  ): Promise<Outcome> {
    const { timeline } = this.options;
    const work = worker.activities[name];
    if (work === undefined) {
      throw new Error(`no activity ${name}`);
    }
    return new Promise((resolve) => {
      const timeout = timeline.at(timeline.nowMs + timeoutMs, () =>
        resolve({ failure: new Error(STARTED_TOO_LONG_AGO) }),
      );
      const ended = (outcome: Outcome): void => {
        timeline.cancel(timeout);
        resolve(outcome);
      };
      inExecution(execution, () => work(asJson(args[0]) as never)).then(
        (result) => ended({ result: asJson(result) }),
        (error: unknown) => ended({ failure: error instanceof Error ? error : new Error(String(error)) }),
      );
    });
  }

  private scheduleActivity(run: ServerRun, command: Extract<Command, { kind: 'activity' }>): void {
    const activity = {
      command,
      attempt: 0,
      attemptsEnded: 0,
      scheduledAtMs: this.options.timeline.nowMs,
      heardAtMs: 0,
      ended: false,
    };
    run.activities.set(command.seq, activity);
    this.later(this.options.latencyMs(), () => this.attemptActivity(run, activity));
  }

  private attemptActivity(run: ServerRun, activity: PendingActivity): void {
    const ready = this.workers.filter((candidate) => this.ready(candidate));
    const worker = ready[activity.attempt % Math.max(1, ready.length)];
    const limits = limitsOf(activity.command.options);
    if (activity.ended) {
      return;
    }
    if (this.options.timeline.nowMs - activity.scheduledAtMs > limits.scheduleToCloseMs) {
      this.endActivity(run, activity, { failure: new Error('scheduleToClose timeout') });
      return;
    }
    if (worker === undefined) {
      this.later(NO_WORKER_PAUSE_MS, () => this.attemptActivity(run, activity));
      return;
    }
    activity.attempt += 1;
    const { attempt } = activity;
    const timeout = this.later(limits.startToCloseMs, () => {
      this.options.reached(`activity ${activity.command.name}: timed out`);
      this.attemptEnded(run, activity, { attempt, outcome: { failure: new Error(STARTED_TOO_LONG_AGO) } });
    });
    const silence = this.watchHeartbeats(run, activity, { attempt, within: limits.heartbeatMs, startToClose: timeout });
    whose.run(worker.life, () => {
      const { timeline } = this.options;
      const execution = new ActivityExecution(() => this.takeHeartbeat(worker, activity, { attempt, execution }));
      // The result reaches the server only if the worker is still alive.
      const report = (outcome: Outcome): Planned =>
        timeline.at(timeline.nowMs + this.options.latencyMs(), () => {
          timeline.cancel(timeout);
          silence();
          this.attemptEnded(run, activity, { attempt, outcome });
        });
      this.runActivity(worker, activity.command, limits.startToCloseMs, execution).then(report, (error: unknown) =>
        this.options.wrong(`simulation: ${String(error)}`),
      );
    });
  }

  /** Takes a heartbeat of a worker, which learns so that nobody waits for its attempt any more. */
  private takeHeartbeat(
    worker: WorkerProcess,
    activity: PendingActivity,
    { attempt, execution }: { attempt: number; execution: ActivityExecution },
  ): void {
    this.later(this.options.latencyMs(), () => {
      if (!activity.ended && activity.attempt === attempt && activity.attemptsEnded < attempt) {
        activity.heardAtMs = this.options.timeline.nowMs;
        return;
      }
      const { timeline } = this.options;
      timeline.at(timeline.nowMs + this.options.latencyMs(), () => execution.cancel(), { life: worker.life });
    });
  }

  /** Ends an attempt whose worker is silent. Returns how to stop watching. */
  private watchHeartbeats(
    run: ServerRun,
    activity: PendingActivity,
    { attempt, within, startToClose }: { attempt: number; within: number; startToClose: Planned },
  ): () => void {
    const { timeline } = this.options;
    if (within === Infinity) {
      return () => undefined;
    }
    activity.heardAtMs = timeline.nowMs;
    let planned: Planned;
    const watch = (): void => {
      planned = this.later(activity.heardAtMs + within - timeline.nowMs, () => {
        if (activity.ended || activity.attempt !== attempt) {
          timeline.cancel(startToClose);
        } else if (timeline.nowMs - activity.heardAtMs < within) {
          watch();
        } else {
          this.options.reached(`activity ${activity.command.name}: silent`);
          timeline.cancel(startToClose);
          this.attemptEnded(run, activity, { attempt, outcome: { failure: new Error(SILENT_FOR_TOO_LONG) } });
        }
      });
    };
    watch();
    return () => timeline.cancel(planned);
  }

  private attemptEnded(
    run: ServerRun,
    activity: PendingActivity,
    { attempt, outcome }: { attempt: number; outcome: Outcome },
  ): void {
    // The server refuses the result of an attempt that it has timed out.
    if (activity.ended || activity.attempt !== attempt || activity.attemptsEnded >= attempt) {
      return;
    }
    activity.attemptsEnded = attempt;
    const limits = limitsOf(activity.command.options);
    const pauseMs = 'failure' in outcome ? retryPauseMs(outcome.failure, attempt, limits) : null;
    const { nowMs } = this.options.timeline;
    if (pauseMs === null || nowMs + pauseMs - activity.scheduledAtMs > limits.scheduleToCloseMs) {
      this.endActivity(run, activity, outcome);
      return;
    }
    this.options.reached(`activity ${activity.command.name}: retried`);
    this.later(pauseMs, () => this.attemptActivity(run, activity));
  }

  private endActivity(run: ServerRun, activity: PendingActivity, outcome: Outcome): void {
    const { command } = activity;
    activity.ended = true;
    run.activities.delete(command.seq);
    this.deliver(run, {
      kind: 'activity-ended',
      seq: command.seq,
      outcome: 'failure' in outcome ? { failure: activityFailure(command, outcome.failure) } : outcome,
    });
  }
}

interface Limits {
  readonly startToCloseMs: number;
  readonly heartbeatMs: number;
  readonly scheduleToCloseMs: number;
  readonly initialMs: number;
  readonly coefficient: number;
  readonly maximumMs: number;
  readonly attempts: number;
}

interface Options {
  readonly startToCloseTimeout?: Duration;
  readonly heartbeatTimeout?: Duration;
  readonly scheduleToCloseTimeout?: Duration;
  readonly retry?: {
    readonly initialInterval?: Duration;
    readonly backoffCoefficient?: number;
    readonly maximumInterval?: Duration;
    readonly maximumAttempts?: number;
  };
}

/** Returns the product's own options, with the server's defaults for missing ones. */
function limitsOf({ startToCloseTimeout, heartbeatTimeout, scheduleToCloseTimeout, retry = {} }: Options): Limits {
  const initialMs = msOptionalToNumber(retry.initialInterval) ?? 1_000;
  return {
    startToCloseMs: msOptionalToNumber(startToCloseTimeout) ?? Infinity,
    heartbeatMs: msOptionalToNumber(heartbeatTimeout) ?? Infinity,
    scheduleToCloseMs: msOptionalToNumber(scheduleToCloseTimeout) ?? Infinity,
    initialMs,
    coefficient: retry.backoffCoefficient ?? 2,
    maximumMs: msOptionalToNumber(retry.maximumInterval) ?? 100 * initialMs,
    attempts: retry.maximumAttempts ?? Infinity,
  };
}

/** Returns null if it is not retried. */
function retryPauseMs(failure: Error, attempt: number, limits: Limits): number | null {
  if (attempt >= limits.attempts || (failure instanceof ApplicationFailure && failure.nonRetryable === true)) {
    return null;
  }
  const asked =
    failure instanceof ApplicationFailure ? msOptionalToNumber(failure.nextRetryDelay ?? undefined) : undefined;
  return asked ?? Math.min(limits.maximumMs, limits.initialMs * limits.coefficient ** (attempt - 1));
}

function childFailure({ workflowId, runId, type }: ServerRun, cause: Error): ChildWorkflowFailure {
  return new ChildWorkflowFailure(undefined, { workflowId, runId }, type, RetryState.NON_RETRYABLE_FAILURE, cause);
}

function activityFailure({ name, seq }: Extract<Command, { kind: 'activity' }>, cause: Error): ActivityFailure {
  return new ActivityFailure(
    'activity failed',
    name,
    String(seq),
    RetryState.MAXIMUM_ATTEMPTS_REACHED,
    undefined,
    cause,
  );
}

/** A reference says nothing of how a workflow ended. */
function endOf(result: unknown): string {
  if (typeof result === 'object' && result !== null && 'state' in result) {
    return ` ${String(result.state)}`;
  }
  return /^[a-z]+_[0-9A-Za-z]{22}$/.test(String(result)) ? '' : ` ${String(result)}`;
}

/** Converts a value to JSON and back, like everything sent to the server: no bigint, no classes, no undefined members. */
function asJson<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

function textOf(commands: readonly Command[]): string {
  return JSON.stringify(commands, (_name, value: unknown) =>
    value instanceof Error ? `${value.name}: ${value.message}` : value,
  );
}
