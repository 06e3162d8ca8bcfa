import { createPayoutActivities } from '../../../activities/payouts.ts';
import { createReconciliationActivities } from '../../../activities/reconciliation.ts';
import type { CoreDependencies } from '../../../core/dependencies.ts';
import { duePayoutImports, removeAbandonedUploads } from '../../../core/payouts/sweep.ts';
import { stillRuns } from '../../../core/reconciliation/sweep.ts';
import { deliveriesByWorkflow } from '../../../core/webhooks/deliveries.ts';
import { runSweep } from '../../../core/sweep/engine.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { DomainError } from '../../../domain/errors.ts';
import { GatewayFailure, type Gateway, type PayoutPage, type PayoutWindow } from '../../../gateways/port.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { createDispatch } from '../../../temporal/dispatch.ts';
import { registryOf } from '../../../test/support/gateways.ts';
import type { DatabaseFaults } from '../pglite/one-session.ts';
import type { PgliteServer } from '../pglite/server.ts';
import type { Random } from '../random.ts';
import { simulatedClient } from '../temporal/client.ts';
import { TemporalServer, type WorkflowCode } from '../temporal/server.ts';
import { Life, whose, type Timeline } from '../timeline.ts';
import { FAULTS_FOR_MS, PROCESSES, type Blow, type PayoutPlan, type Slot } from './plan.ts';

export const CALENDAR = calendarIn(BUSINESS_TIME_ZONE);
const CLIENT_TIMEOUT_MS = 30_000;
const SWEEP_EVERY_MS = 60_000;
const UNFINISHED = `select from payout_files where state in ('UPLOADING', 'UPLOADED', 'IMPORTING')
  union all select from reconciliation_runs where state = 'RUNNING'`;
/** A person asks until there is an answer. */
const ASKS_MAX = 200;

export interface PayoutWorldOptions {
  readonly plan: PayoutPlan;
  readonly random: Random;
  readonly timeline: Timeline;
  readonly server: PgliteServer;
  readonly workflows: Readonly<Record<string, WorkflowCode>>;
  readonly told: (line: string) => void;
  /** Whether processes die and messages are lost. */
  readonly disturbed: boolean;
}

interface Process {
  life: Life;
  deps: CoreDependencies | null;
  /** Requests that wait for its answer. */
  readonly waiting: Set<(error: Error) => void>;
}

/** The product's imports and reconciliation in one thread: its own code on PostgreSQL in this process, and a stand-in for Temporal. */
export class PayoutWorld {
  readonly timeline: Timeline;
  readonly temporal: TemporalServer;
  readonly branches = new Map<string, number>();
  /** Errors that the simulation itself found. */
  readonly wrong: string[] = [];
  /** What the gateway's API says. */
  payoutsOf: (window: PayoutWindow) => PayoutPage = () => ({ payouts: [], lines: [], rejected: [], next: null });
  /** What people still wait for. */
  pending = 0;
  private readonly options: PayoutWorldOptions;
  private readonly network: Random;
  private readonly processes = new Map<string, Process>();
  private sweeping = false;
  private faultsEndMs = 0;
  private blows: Blow[] = [];
  private counted = new Map<string, number>();

  constructor(options: PayoutWorldOptions) {
    const { plan, random, timeline, workflows, told } = options;
    this.options = options;
    this.timeline = timeline;
    this.network = random.fork('network');
    this.temporal = new TemporalServer({
      timeline,
      workflows,
      reached: (branch) => this.reached(branch),
      told,
      latencyMs: () => this.latencyMs(0, 8),
      longHistory: plan.longHistory,
      newId: () => this.network.text(16),
      isLoop: () => false,
      wrong: (what) => this.wrong.push(what),
      taken: () => undefined,
      begins: () => undefined,
    });
    for (const name of PROCESSES) {
      this.boot(name);
    }
  }

  /** What happens to the statements of a process. Whoever is no process has a database that does not fail. */
  faults(): DatabaseFaults {
    const { plan } = this.options;
    return {
      latencyMs: () => {
        this.count('statement');
        return whose.getStore() === undefined ? 0 : this.latencyMs(0, 3);
      },
      lostBefore: () => this.fails(plan.loss, 'connection lost'),
      refused: () => this.fails(plan.refusal, 'statement refused'),
      commitAnswerLost: () => {
        this.count('commit');
        return this.fails(plan.loss, "commit's answer lost");
      },
    };
  }

  reached(branch: string): void {
    this.branches.set(branch, (this.branches.get(branch) ?? 0) + 1);
  }

  told(line: string): void {
    this.options.told(line);
  }

  /** Lets this slot's faults begin. */
  trouble({ blows }: Slot): void {
    if (this.options.disturbed) {
      this.faultsEndMs = this.timeline.nowMs + FAULTS_FOR_MS;
      this.blows = [...blows];
      this.counted = new Map();
    }
  }

  calm(): void {
    this.faultsEndMs = 0;
    this.blows = [];
  }

  private faulty(): boolean {
    return this.timeline.nowMs < this.faultsEndMs;
  }

  private fails(share: number, branch: string): boolean {
    const fails = whose.getStore() !== undefined && this.faulty() && this.network.chance(share);
    if (fails) {
      this.reached(`database: ${branch}`);
      this.told(`${whose.getStore()?.name ?? ''}: ${branch}`);
    }
    return fails;
  }

  private latencyMs(from: number, to: number): number {
    const slow = this.faulty() && this.network.chance(this.options.plan.slowness);
    return slow ? this.network.between(1_000, 40_000) : this.network.between(from, to);
  }

  /** Counts what a process asks of the database, and strikes it when its time has come. */
  private count(at: Blow['at']): void {
    const life = whose.getStore();
    if (life === undefined || !life.alive || !this.faulty()) {
      return;
    }
    const key = `${life.name} ${at}`;
    const nth = (this.counted.get(key) ?? 0) + 1;
    this.counted.set(key, nth);
    for (const blow of this.blows.filter((one) => one.process === life.name && one.at === at && one.nth === nth)) {
      this.blows.splice(this.blows.indexOf(blow), 1);
      if (blow.deed === 'kill') {
        this.kill(life.name, blow);
      } else {
        this.freeze(life.name, blow);
      }
    }
  }

  private kill(name: string, { forMs, at }: Blow): void {
    const process = this.processes.get(name);
    if (process === undefined) {
      return;
    }
    this.reached(`killed at a ${at}: ${name}`);
    this.told(`${name} is killed at a ${at} for ${forMs} ms`);
    const { life } = process;
    life.alive = false;
    process.deps = null;
    this.options.server.abandon(life);
    this.temporal.forget(life);
    for (const cut of process.waiting) {
      cut(new Error('connection reset'));
    }
    this.timeline.at(this.timeline.nowMs + forMs, () => this.boot(name), { life: null });
  }

  private freeze(name: string, { forMs }: Blow): void {
    const process = this.processes.get(name);
    if (process !== undefined) {
      this.reached(`frozen: ${name}`);
      this.told(`${name} stands still for ${forMs} ms`);
      process.life.frozenUntilMs = this.timeline.nowMs + forMs;
    }
  }

  private boot(name: string): void {
    const { plan, disturbed } = this.options;
    const life = new Life(name, disturbed ? (plan.skewMs[name] ?? 0) : 0);
    const process: Process = this.processes.get(name) ?? { life, deps: null, waiting: new Set() };
    process.life = life;
    process.deps = this.dependencies();
    this.processes.set(name, process);
    if (name !== 'api') {
      this.temporal.workers.push({
        life,
        activities: { ...createPayoutActivities(process.deps), ...createReconciliationActivities(process.deps) },
      });
    }
  }

  private dependencies(): CoreDependencies {
    const { plan, server } = this.options;
    const lost = (): boolean => this.faulty() && this.network.chance(plan.temporalLoss);
    const client = simulatedClient(this.temporal, {
      timeline: this.timeline,
      faults: { latencyMs: () => this.latencyMs(0, 10), lostBefore: lost, answerLost: lost },
    });
    const dispatch = createDispatch(client);
    return {
      database: server.database,
      gateways: registryOf({
        open: () => ({ readPayouts: (window: PayoutWindow) => this.readPayouts(window) }) as unknown as Gateway,
      }),
      dispatch,
      deliveries: deliveriesByWorkflow(dispatch),
      log: this.log(),
      apiUrl: 'https://api.example',
      webUrl: 'https://pay.example',
      calendar: CALENDAR,
    };
  }

  private async readPayouts(window: PayoutWindow): Promise<PayoutPage> {
    await this.timeline.pause(this.latencyMs(8, 250));
    if (this.faulty() && this.network.chance(this.options.plan.gatewayLoss)) {
      this.reached('gateway: unreachable');
      throw new GatewayFailure('unavailable', 'the gateway does not answer');
    }
    this.reached('gateway: a page read');
    return this.payoutsOf(window);
  }

  private log(): Logger {
    const line = (fields: Record<string, unknown>, message = ''): void => {
      if (typeof fields['alert'] === 'string') {
        this.reached(`alert: ${fields['alert']}`);
      }
      this.told(`${whose.getStore()?.name ?? ''}: ${message} ${JSON.stringify(fields)}`);
    };
    return { info: line, warn: line, error: line, debug: line } as unknown as Logger;
  }

  /** Lets somebody act. Nothing ends before they have done so. */
  act(work: () => Promise<void>): void {
    this.pending += 1;
    work()
      .catch((error: unknown) => {
        this.wrong.push(`simulation: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      })
      .finally(() => {
        this.pending -= 1;
      });
  }

  /** Asks the API until it answers. @throws DomainError */
  async insist<T>(work: (deps: CoreDependencies) => Promise<T>): Promise<T> {
    for (let asked = 1; ; asked += 1) {
      try {
        return await this.ask(work);
      } catch (error) {
        if (error instanceof DomainError || asked === ASKS_MAX) {
          throw error;
        }
        this.told(`asks again, after: ${String(error)}`);
        await this.timeline.pause(this.network.between(1_000, 10_000));
      }
    }
  }

  private ask<T>(work: (deps: CoreDependencies) => Promise<T>): Promise<T> {
    const { timeline } = this;
    const process = this.processes.get('api');
    return new Promise((resolve, reject) => {
      if (process === undefined || process.deps === null) {
        reject(new Error('connection refused'));
        return;
      }
      const { deps, life, waiting } = process;
      const settle = (end: () => void): void => {
        if (waiting.delete(cut)) {
          timeline.cancel(timeout);
          timeline.at(timeline.nowMs + 1, end, { life: null });
        }
      };
      const cut = (error: Error): void => settle(() => reject(error));
      waiting.add(cut);
      const timeout = timeline.at(timeline.nowMs + CLIENT_TIMEOUT_MS, () => cut(new Error('no answer in time')), {
        life: null,
      });
      const answer = (end: () => void): void => {
        timeline.at(timeline.nowMs + this.latencyMs(0, 20), () =>
          settle(
            this.faulty() && this.network.chance(this.options.plan.answerLoss)
              ? () => reject(new Error('connection reset'))
              : end,
          ),
        );
      };
      whose.run(life, () => {
        work(deps).then(
          (result) => answer(() => resolve(result)),
          (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error)))),
        );
      });
    });
  }

  /** Lets a worker look after imports as the sweeper does, as long as something goes on. */
  keepSweeping(): void {
    if (this.sweeping) {
      return;
    }
    this.sweeping = true;
    this.timeline.at(
      this.timeline.nowMs + SWEEP_EVERY_MS,
      async () => {
        this.sweeping = false;
        if (!this.atRest() || this.faulty() || (await this.options.server.read(UNFINISHED)).length > 0) {
          this.sweep();
          this.keepSweeping();
        }
      },
      { life: null },
    );
  }

  private sweep(): void {
    const process = ['worker-a', 'worker-b'].map((name) => this.processes.get(name)).find((one) => one?.life.alive);
    if (process?.deps === null || process === undefined) {
      return;
    }
    const { deps, life } = process;
    whose.run(life, () => {
      (async () => {
        this.options.told(`${life.name} sweeps`);
        const started = await runSweep(deps, duePayoutImports(deps));
        const runs = await runSweep(deps, stillRuns(deps));
        const removed = await removeAbandonedUploads(deps);
        if (runs > 0) {
          this.reached('sweeper: run started');
        }
        if (started > 0) {
          this.reached('sweeper: import started');
        }
        if (removed > 0) {
          this.reached('sweeper: broken upload removed');
        }
      })().catch(() => undefined);
    });
  }

  /** Returns whether nothing can change any more without a person or the schedule. */
  atRest(): boolean {
    return this.pending === 0 && [...this.temporal.runs.values()].every(({ status }) => status !== 'running');
  }
}
