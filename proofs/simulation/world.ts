import { Readable } from 'node:stream';
import { deliveriesByWorkflow } from '../../core/webhooks/deliveries.ts';
import { createEndpointGate } from '../../core/webhooks/endpoint-gate.ts';
import { FirstAttempts } from '../../core/webhooks/first-attempts.ts';
import { createPaymentActivities } from '../../activities/payments.ts';
import { createSweepActivities } from '../../activities/sweep.ts';
import { createWebhookActivities } from '../../activities/webhooks.ts';
import { adminSurface } from '../../api/admin/surface.ts';
import { createCallbackReceiver } from '../../api/gateway-callbacks/receive.ts';
import { createDispatcher } from '../../api/http/dispatch.ts';
import { createRateLimiter } from '../../api/http/rate-limit.ts';
import type { Context } from '../../api/http/surface.ts';
import type { NativeCaller } from '../../api/native/authenticate.ts';
import { createPayment, type CreateRequest } from '../../api/native/create-payment.ts';
import { createRefund, type RefundCreation } from '../../api/native/create-refund.ts';
import { renderNative } from '../../api/native/envelope.ts';
import { createPages } from '../../api/pages/pages.ts';
import type { Database } from '../../database/connection.ts';
import { GatewayExecutions } from '../../core/gateways/store/executions.ts';
import { GatewayTokens } from '../../core/gateways/store/tokens.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { createGatewayRegistry } from '../../gateways/registry.ts';
import type { HttpClient } from '../../runtime/http-client.ts';
import type { Logger } from '../../runtime/logger.ts';
import { signingSecretPlace } from '../../runtime/sealed-places.ts';
import { createSecretBox, sha256 } from '../../runtime/secrets.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { ensureLoop, SWEEPER } from '../../temporal/loops.ts';
import { wakeSignal } from '../../workflows/messages/loop.ts';
import type { SweepActivities } from '../../workflows/messages/maintenance.ts';
import { GATEWAY_URL, SimulatedGateway, STORE } from './gateway.ts';
import type { Acknowledged } from './evidence.ts';
import { DeliveryWatch } from './delivery-watch.ts';
import { simulatedDatabase } from './postgres/entity-manager.ts';
import type { Schema } from './postgres/schema.ts';
import { PostgresServer } from './postgres/server.ts';
import type { Values } from './postgres/values.ts';
import { invoiceApiOf, type InvoiceApi } from './invoice-api.ts';
import { SimulatedMailServer } from './mail-server.ts';
import type { Random } from './random.ts';
import { SimulatedReceivers } from './receivers.ts';
import { registerStaff, stepUp, tokenOf } from './staff.ts';
import type { Story } from './story.ts';
import { simulatedClient } from './temporal/client.ts';
import { TemporalServer, type WorkflowCode } from './temporal/server.ts';
import { Life, whose, type Timeline } from './timeline.ts';

export const START_MS = Date.UTC(2026, 0, 15, 6, 0, 0);
const API_URL = 'https://api.example';
const WEB_URL = 'https://pay.example';
const MASTER_KEY = `sim:${Buffer.alloc(32, 5).toString('base64')}`;
const SECRETS = createSecretBox(MASTER_KEY);
export const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const ALLOW = parseAllowList('');
const CLIENT_TIMEOUT_MS = 20_000;
const SWEEP_EVERY_MS = 30_000;
/** The sweeper's own wait once nothing fails, because the long waits of a story would otherwise consist of sweeps only. */
const CALM_SWEEP_EVERY_MS = 86_400_000;
const CLOCKS_APART_MS = 2_000;
const isLoop = (type: string): boolean => type === SWEEPER.workflowType;
/** The product's own defaults. */
const CALENDAR = calendarIn(BUSINESS_TIME_ZONE);
/** No story fetches a logo. */
const NO_HTTP: HttpClient = {
  send: () => Promise.reject(new Error('nothing outside is reached')),
  close: () => Promise.resolve(),
};
const SESSION_LIMITS = { idleMs: 30 * 60_000, absoluteMs: 12 * 3_600_000 };

export interface WorldOptions {
  readonly story: Story;
  readonly random: Random;
  readonly timeline: Timeline;
  readonly schema: Schema;
  readonly workflows: Readonly<Record<string, WorkflowCode>>;
  readonly told: (line: string) => void;
}

/** One process of the product in its current life. */
interface Process {
  life: Life;
  /** Starts the sweeper if it does not run, as every worker does each minute. */
  keepSweeper: () => Promise<unknown>;
  /** Requests that wait for its answer. They are cut off when it dies. */
  readonly waiting: Set<(error: Error) => void>;
  api: Api | null;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A request from an operator's dashboard. */
export interface Operation {
  readonly operatorId: number;
  /** Path without the prefix. */
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
}

interface Api {
  readonly invoices: InvoiceApi;
  /** Submits an invoice page's form. Returns where it leads. */
  pay(reference: string, form: string): Promise<Reply>;
  create(request: CreateRequest): Promise<Reply>;
  refund(request: RefundCreation): Promise<Reply>;
  operate(operation: Operation): Promise<Reply>;
  callback(kind: string, body: string): Promise<number>;
  cancel(reference: string): Promise<void>;
}

/** The whole product in one thread: its own code on a simulated Postgres, Temporal, gateway and network. */
export class World {
  readonly timeline: Timeline;
  readonly story: Story;
  readonly gateway: SimulatedGateway;
  readonly receivers: SimulatedReceivers;
  readonly postgres: PostgresServer;
  readonly temporal: TemporalServer;
  readonly database: Database;
  /** Null in stories without invoices. */
  readonly mailServer: SimulatedMailServer | null;
  readonly deliveries: DeliveryWatch;
  /** How often each branch was taken. */
  readonly branches = new Map<string, number>();
  /** Errors that the simulation itself found. */
  readonly wrong: string[] = [];
  readonly alerts: string[] = [];
  readonly terminationsMs: number[] = [];
  readonly leftToPeople: string[] = [];
  /** Signals that named a callback whose row could not be read yet. */
  readonly unfounded: string[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly refusedSessions = new Set<string>();
  furnished = false;
  private readonly options: WorldOptions;
  private readonly network: Random;
  private readonly squalls: Random;
  private squallUntilMs = 0;
  private booksFullUntilMs = 0;
  private readonly processes = new Map<string, Process>();

  constructor(options: WorldOptions) {
    const { story, random, timeline, schema, workflows, told } = options;
    this.options = options;
    this.story = story;
    this.timeline = timeline;
    this.deliveries = new DeliveryWatch(this);
    this.network = random.fork('network');
    this.squalls = random.fork('squalls');
    const reached = (branch: string): void => this.reached(branch);
    this.gateway = new SimulatedGateway({
      timeline,
      random: random.fork('gateway'),
      reached,
      weather: {
        fault: () => this.gatewayFault(),
        latencyMs: () => this.latencyMs(8, 250),
        refuses: (tranId) => this.refusedSessions.has(tranId),
        // Short histories restart the pauses between queries, so a refund that takes weeks would be queried all the time.
        refundsTakeDays: story.longHistory >= 1_000,
        refundAnswered: () => this.troubleNow(),
      },
    });
    this.receivers = new SimulatedReceivers({
      timeline,
      random: random.fork('receivers'),
      reached,
      manners: new Map(
        story.apps.flatMap(({ receiver }, index) => (receiver === null ? [] : [[hostOf(index), receiver] as const])),
      ),
      hangs: (host) => story.apps.some((_, index) => hostOf(index) === host && this.hangs(index)),
      accepted: (eventId) => this.deliveries.acceptedBy(eventId),
    });
    this.postgres = new PostgresServer({
      schema,
      timeline,
      skewMs: story.skewMs.database,
      faults: {
        latencyMs: () => this.latencyMs(0, 3),
        lostBefore: () => this.loses(story.databaseLoss),
        refusesRows: (table) => this.booksFull() && table === 'webhook_events',
        commitAnswerLost: () => this.loses(story.databaseLoss),
      },
    });
    this.temporal = new TemporalServer({
      timeline,
      workflows,
      reached,
      told,
      latencyMs: () => this.latencyMs(0, 8),
      longHistory: story.longHistory,
      newId: () => this.network.text(16),
      isLoop,
      wrong: (what) => this.wrong.push(what),
      taken: (job) => {
        if (job.kind === 'signal' && job.name === 'callback') {
          this.noteSignal(String(job.args[0]));
        }
      },
      begins: (run) => this.deliveries.workflowBegins(run),
    });
    this.database = simulatedDatabase(this.postgres);
    const { invoices } = story;
    this.mailServer =
      invoices === null
        ? null
        : new SimulatedMailServer({ timeline, random: random.fork('mail'), plan: invoices.mail, reached });
    for (const name of ['api', 'worker-a', 'worker-b']) {
      this.boot(name);
    }
  }

  reached(branch: string): void {
    this.branches.set(branch, (this.branches.get(branch) ?? 0) + 1);
  }

  told(line: string): void {
    this.options.told(line);
  }

  get sinceStartMs(): number {
    return this.timeline.nowMs - START_MS;
  }

  faulty(): boolean {
    return this.furnished && this.sinceStartMs < this.faultsEndMs;
  }

  /** Returns when faults end, including the later ones that `troubleNow` adds. */
  get faultsEndMs(): number {
    return Math.max(this.story.faultsEndMs, this.squallUntilMs, this.booksFullUntilMs);
  }

  private booksFull(): boolean {
    return this.sinceStartMs < Math.max(this.story.booksFullUntilMs, this.booksFullUntilMs);
  }

  /** Adds faults and a process failure at a moment when something happens to money, even long after the story's first faults. */
  troubleNow(): void {
    const { story, squalls } = this;
    const troubled = Math.max(story.money?.troubled ?? 0, story.invoices?.troubled ?? 0);
    if (story.faultsEndMs === 0) {
      return;
    }
    if (squalls.chance(troubled)) {
      this.squallUntilMs = Math.max(this.squallUntilMs, this.sinceStartMs + squalls.between(10_000, 300_000));
    }
    if (squalls.chance(troubled / 10)) {
      this.booksFullUntilMs = this.sinceStartMs + squalls.between(5, 45) * 60_000;
    }
    if (squalls.chance(troubled)) {
      const name = squalls.pick(['api', 'worker-a', 'worker-b']);
      const forMs = squalls.between(500, 90_000);
      const strike = squalls.chance(0.7) ? () => this.kill(name, forMs) : () => this.freeze(name, forMs);
      this.timeline.at(this.timeline.nowMs + squalls.between(0, 400), strike, { life: null });
    }
  }

  private latencyMs(from: number, to: number): number {
    if (!this.loses(this.story.slowness)) {
      return this.network.between(from, to);
    }
    const ms = this.network.between(1_000, 40_000);
    this.deliveries.trouble(whose.getStore()?.name ?? null, ms);
    return ms;
  }

  /** Draws whether a message is lost, and notes it. */
  private loses(share: number): boolean {
    const lost = this.faulty() && this.network.chance(share);
    if (lost) {
      this.deliveries.trouble(whose.getStore()?.name ?? null);
    }
    return lost;
  }

  /** Returns whether an application's receiver takes requests at present and answers none. */
  hangs(app: number): boolean {
    const { hang } = this.story.deliveries;
    return hang?.app === app && this.sinceStartMs >= hang.fromMs && this.sinceStartMs < hang.untilMs;
  }

  private gatewayFault() {
    const { gatewayAwayUntilMs, gatewayTrouble, gatewayFaults } = this.story;
    if (this.sinceStartMs < gatewayAwayUntilMs) {
      return 'unreachable' as const;
    }
    return this.faulty() && this.network.chance(gatewayTrouble) ? this.network.pick(gatewayFaults) : null;
  }

  private boot(name: string): void {
    const { story } = this;
    const skewMs = name === 'api' ? story.skewMs.api : story.skewMs.worker;
    const before = this.processes.get(name);
    const process: Process = before ?? {
      life: new Life(name, skewMs),
      keepSweeper: () => Promise.resolve(),
      waiting: new Set(),
      api: null,
    };
    process.life = new Life(name, skewMs);
    this.processes.set(name, process);
    whose.run(process.life, () => {
      const deps = this.dependencies(name);
      if (name === 'api') {
        process.api = apiOf(deps);
      } else {
        process.keepSweeper = () => ensureLoop(deps.temporal, SWEEPER);
        this.temporal.workers.push({
          life: process.life,
          activities: {
            ...createPaymentActivities(deps),
            ...this.sweepingSparingly(createSweepActivities(deps)),
            ...createWebhookActivities(deps),
          },
        });
      }
    });
  }

  /** Passes that would find nothing are skipped, because they would change nothing. Once nothing fails, `keepSweeper` wakes the sweeper. */
  private sweepingSparingly({ sweep }: SweepActivities): SweepActivities {
    return {
      sweep: async () => {
        const { actions, nextInMs } = this.isSweepDue() ? await sweep() : { actions: {}, nextInMs: SWEEP_EVERY_MS };
        return { actions, nextInMs: this.isCalm() ? CALM_SWEEP_EVERY_MS : nextInMs };
      },
    };
  }

  /** Returns whether nothing has failed for an hour. */
  isCalm(): boolean {
    return this.sinceStartMs > this.faultsEndMs + 3_600_000;
  }

  private isSweepDue(): boolean {
    return this.nextSweepMs() <= this.timeline.nowMs + CLOCKS_APART_MS;
  }

  /** Lets the living workers look after the sweeper. Once nothing fails, it is also woken for what is due, because its own passes are rare then. */
  keepSweeper(): void {
    for (const { life, keepSweeper } of this.processes.values()) {
      if (life.alive) {
        whose.run(life, () => {
          keepSweeper().catch(() => undefined);
        });
      }
    }
    const loop = this.temporal.runs.get(SWEEPER.workflowId);
    if (loop !== undefined && this.isCalm() && this.isSweepDue()) {
      this.temporal.deliver(loop, { kind: 'signal', name: wakeSignal.name, args: [] });
    }
  }

  private dependencies(name: string) {
    const { timeline, story } = this;
    const http: HttpClient = {
      send: (request) =>
        request.url.startsWith(GATEWAY_URL)
          ? this.gateway.answer(request)
          : this.deliveries.request(request, () => this.receivers.answer(request)),
      close: () => Promise.resolve(),
    };
    const temporal = simulatedClient(this.temporal, {
      timeline,
      faults: {
        latencyMs: () => this.latencyMs(0, 10),
        lostBefore: () => this.loses(story.temporalLoss),
        answerLost: () => this.loses(story.temporalLoss),
      },
    });
    const config = {
      sslcommerz: new Map([['TEST', { baseUrl: GATEWAY_URL, store: STORE }]] as const),
      bkash: new Map(),
      nagad: new Map(),
      stripe: new Map(),
    };
    const { database } = this;
    const dispatch = createDispatch(temporal);
    const log = this.log();
    const gate = createEndpointGate();
    const sending = { database, dispatch, gate, http, log, secrets: SECRETS, allow: ALLOW };
    return {
      ...sending,
      deliveries:
        name === 'api'
          ? deliveriesByWorkflow(dispatch)
          : new FirstAttempts({ ...sending, onResult: (kind) => this.reached(`first attempt: ${kind}`) }),
      gateways: createGatewayRegistry({
        config,
        http,
        secrets: SECRETS,
        readManual: () => Promise.resolve(null),
        bkashTokens: new GatewayTokens({ transaction: (work) => this.database.withSystem(work), secrets: SECRETS }),
        bkashExecutions: new GatewayExecutions(this.database, 'bkash'),
      }),
      temporal,
      apiUrl: API_URL,
      webUrl: WEB_URL,
      calendar: CALENDAR,
      mailer: this.mailServer?.mailer() ?? null,
      publicHttp: NO_HTTP,
    };
  }

  private noteSignal(callbackId: string): void {
    // A rejected review looks for unapplied payments by itself, without a callback.
    if (callbackId !== '0' && !this.postgres.rows('gateway_callbacks').some(({ id }) => String(id) === callbackId)) {
      this.unfounded.push(callbackId);
    }
  }

  private log(): Logger {
    const line = (fields: Record<string, unknown>, message = ''): void => {
      if (typeof fields['alert'] === 'string') {
        this.alerts.push(fields['alert']);
        if (fields['alert'] === 'unapplied-payment-unclear') {
          this.leftToPeople.push(String(fields['attempt']));
        }
        this.reached(`alert: ${fields['alert']}`);
      }
      this.told(`${whose.getStore()?.name ?? ''}: ${message} ${summary(fields)}`);
    };
    return { info: line, warn: line, error: line, debug: line } as unknown as Logger;
  }

  kill(name: string, forMs: number): void {
    const process = this.processes.get(name);
    if (process === undefined || !process.life.alive) {
      return;
    }
    this.told(`${name} is killed for ${forMs} ms`);
    this.reached(`killed: ${name}`);
    this.deliveries.trouble(name, forMs);
    const { life } = process;
    life.alive = false;
    process.api = null;
    this.postgres.abandon(life);
    this.temporal.forget(life);
    for (const cut of process.waiting) {
      cut(new Error('connection reset'));
    }
    process.waiting.clear();
    this.timeline.at(this.timeline.nowMs + forMs, () => this.boot(name), { life: null });
  }

  freeze(name: string, forMs: number): void {
    const process = this.processes.get(name);
    if (process?.life.alive === true) {
      this.told(`${name} is frozen for ${forMs} ms`);
      this.reached(`frozen: ${name}`);
      this.deliveries.trouble(name, forMs);
      process.life.frozenUntilMs = this.timeline.nowMs + forMs;
    }
  }

  /** Lets an outside party act. Its story continues with its own events; no event waits for a whole story. */
  later(ms: number, work: () => Promise<void> | void): void {
    const { timeline } = this;
    timeline.at(timeline.nowMs + ms, () => {
      Promise.resolve(work()).catch((error: unknown) => {
        this.wrong.push(`simulation: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      });
    });
  }

  /** Returns an app as identified by its credential. */
  callerOf(app: number): NativeCaller {
    const application = {
      id: BigInt(app + 1),
      name: `Shop ${app + 1}`,
      returnOrigins: [],
      expiryMinutes: this.story.apps[app]?.expiryMinutes ?? 30,
      rateLimitPerMinute: 1_000,
      receiptsEnabled: false,
      minAmountMinor: null,
      maxAmountMinor: null,
      gatewaysAllowed: null,
      checkoutGateways: null,
    };
    return { scope: { applicationId: application.id, mode: 'TEST' }, credentialId: 1n, application };
  }

  /** Sends a request to the API from outside. It is answered, refused, cut off, or given up. */
  ask<T>(work: (api: Api) => Promise<T>): Promise<T> {
    const { timeline } = this;
    const process = this.processes.get('api');
    return new Promise((resolve, reject) => {
      if (process === undefined || process.api === null) {
        timeline.at(timeline.nowMs + 1, () => reject(new Error('connection refused')), { life: null });
        return;
      }
      const { api, life, waiting } = process;
      const settle = (end: () => void): void => {
        if (waiting.delete(cut)) {
          timeline.cancel(timeout);
          end();
        }
      };
      const cut = (error: Error): void => {
        timeline.cancel(timeout);
        timeline.at(timeline.nowMs + 1, () => reject(error), { life: null });
      };
      waiting.add(cut);
      const timeout = timeline.at(
        timeline.nowMs + CLIENT_TIMEOUT_MS,
        () => settle(() => reject(new Error('no answer in time'))),
        { life: null },
      );
      const answer = (end: () => void): void => {
        // Sent only if the process is still alive, and possibly lost on the way.
        timeline.at(timeline.nowMs + this.latencyMs(0, 20), () =>
          settle(
            this.faulty() && this.network.chance(this.story.answerLoss)
              ? () => reject(new Error('connection reset'))
              : end,
          ),
        );
      };
      whose.run(life, () => {
        timeline.at(timeline.nowMs + this.latencyMs(0, 20), () => {
          whose.run(life, () => {
            work(api).then(
              (result) => answer(() => resolve(result)),
              (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error)))),
            );
          });
        });
      });
    });
  }

  /** Returns whether nothing can change any more without a person or a payer. A review holds everything that belongs to its payment. */
  atRest(): boolean {
    const { postgres, temporal } = this;
    const open = postgres
      .rows('payments')
      .filter(({ status, review_reason: reason }) => (status === 'CREATED' || status === 'PENDING') && reason === null);
    const underReview = this.underReview();
    const unread = postgres
      .rows('gateway_callbacks')
      .some(
        ({ consumed_at: consumedAt, payment_id: payment = null }) =>
          consumedAt === null && payment !== null && !underReview.has(payment),
      );
    const undelivered = postgres
      .rows('webhook_events')
      .some(({ delivery_status: status }) => status === 'PENDING' || status === 'RETRYING');
    const openRefunds = postgres
      .rows('refunds')
      .some(
        ({ status, review_reason: reason }) =>
          status === 'AWAITING_APPROVAL' || (status === 'PENDING' && reason === null),
      );
    const undecided = openRefunds || this.waitingDecisions().length > 0;
    return (
      this.invoicesAtRest() &&
      open.length === 0 &&
      !unread &&
      !undecided &&
      !undelivered &&
      [...temporal.runs.values()].every((run) => isLoop(run.type) || run.atRest())
    );
  }

  /** Every open invoice has a running workflow, and every closed one is fully processed. */
  private invoicesAtRest(): boolean {
    return this.postgres.rows('invoices').every(({ status, reference, next_sweep_at: at }) => {
      const running = this.temporal.runs.get(`invoice:${String(reference)}`)?.status === 'running';
      return status === 'DRAFT' || (status === 'PAID' || status === 'VOID' ? at === null && !running : running);
    });
  }

  /** Returns decisions that are complete but not carried out. */
  private waitingDecisions(): Values[] {
    return this.postgres
      .rows('decisions')
      .filter(
        ({ consumed_at: consumedAt, needs_second: needsSecond, second_operator_id: second }) =>
          consumedAt === null && (needsSecond !== true || second !== null),
      );
  }

  /** Returns the ids of payments that wait for an operator. */
  private underReview(): Set<Values[string]> {
    return new Set(
      this.postgres
        .rows('payments')
        .filter(({ status, review_reason: reason }) => status === 'PENDING' && reason !== null)
        .map(({ id = null }) => id),
    );
  }

  /** Returns the unread callbacks to sweep. Once nothing fails, sweeping one of a payment under review would change nothing before the decision. */
  private sweptCallbacks(): Values[] {
    const waiting = this.isCalm() ? this.underReview() : new Set();
    return this.postgres
      .rows('gateway_callbacks')
      .filter(({ consumed_at: consumedAt, payment_id: payment }) => consumedAt === null && !waiting.has(payment));
  }

  /** Returns the open refunds to sweep. Once nothing fails, sweeping a refund whose workflow runs would change nothing. */
  private sweptRefunds(): Values[] {
    return this.postgres
      .rows('refunds')
      .filter(({ status }) => status === 'AWAITING_APPROVAL' || status === 'PENDING')
      .filter(
        ({ reference }) => this.faulty() || this.temporal.runs.get(`refund:${String(reference)}`)?.status !== 'running',
      );
  }

  /** Returns when the sweeper has its next work: the earliest due time in its own statements. Infinity for never. */
  nextSweepMs(): number {
    const { runs, closed } = this.temporal;
    const badly = closed.some(
      ({ status, closedAtMs }) =>
        (status === 'failed' || status === 'terminated') && closedAtMs > this.timeline.nowMs - 600_000,
    );
    if (badly && runs.size > 0) {
      return 0;
    }
    const due = [
      ...this.postgres
        .rows('payments')
        .filter(({ status, review_reason: r }) => (status === 'CREATED' || status === 'PENDING') && r === null),
      ...this.sweptCallbacks(),
      ...this.sweptRefunds(),
      ...this.waitingDecisions(),
      ...this.postgres.rows('webhook_events').filter(({ next_sweep_at: at }) => at !== null),
      ...this.postgres.rows('invoices').filter(({ next_sweep_at: at }) => at !== null),
    ].map(({ next_sweep_at: at }) => (at instanceof Date ? at.getTime() : Infinity));
    return Math.min(...due);
  }

  async registerApps(): Promise<void> {
    await this.database.withSystem(async (em) => {
      for (const [index, { expiryMinutes, receiver, failingForDays }] of this.story.apps.entries()) {
        await em.execute(`insert into applications (name, expiry_minutes) values (?, ?) returning id`, [
          `Shop ${index + 1}`,
          expiryMinutes,
        ]);
        await em.execute(
          `insert into webhook_endpoints (application_id, mode, url, failing_since, consecutive_failures)
           values (?::bigint, 'TEST', ?, case when ? > 0 then now() - ? * interval '1 day' end, ?)`,
          [
            index + 1,
            receiver === null ? null : `https://${hostOf(index)}/hook`,
            failingForDays,
            failingForDays,
            failingForDays > 0 ? 4 : 0,
          ],
        );
        await em.execute(
          `insert into webhook_signing_secrets (application_id, mode, sealed, fingerprint) values (?::bigint, 'TEST', ?, ?)`,
          [
            index + 1,
            SECRETS.seal(SIGNING_SECRET, signingSecretPlace({ applicationId: BigInt(index + 1), mode: 'TEST' })),
            sha256(SIGNING_SECRET),
          ],
        );
      }
    });
    const { money } = this.story;
    if (money !== null) {
      await this.database.withSystem(async (em) => {
        // No story reads a report, so none has the row of their progress, and the sweeper finds nothing to summarize.
        await registerStaff(
          em,
          this.options.schema.seeds.filter((text) => !text.includes('report_progress')),
        );
        for (const [index, threshold] of money.thresholds.entries()) {
          await em.execute(
            'update applications set refund_approval_threshold_minor = ?, unapplied_payment_policy = ? where id = ?',
            [threshold, money.givesLateBack[index] === true ? 'REFUND' : 'REVIEW', index + 1],
          );
        }
      });
    }
    for (const [index, reopens] of (this.story.invoices?.reopens ?? []).entries()) {
      await this.database.withSystem((em) =>
        em.execute('update applications set refunded_invoices = ? where id = ?', [
          reopens ? 'REOPEN' : 'KEEP',
          index + 1,
        ]),
      );
    }
    this.furnished = true;
  }

  /** Repeats the password entry. As with every request, the database may fail. */
  async stepUp(operatorId: number): Promise<void> {
    await this.database.withSystem((em) => stepUp(em, operatorId)).catch(() => undefined);
  }
}

export function isReply(answer: unknown): answer is Reply {
  return typeof answer === 'object' && answer !== null && 'text' in answer && 'status' in answer;
}

export function hostOf(app: number): string {
  return `shop-${app + 1}.example`;
}

type Dependencies = ReturnType<World['dependencies']>;

function apiOf(deps: Dependencies): Api {
  const receive = createCallbackReceiver(deps, createRateLimiter());
  const pages = createPages(deps, createRateLimiter());
  const operators = operatorsOf(deps);
  return {
    async create(request) {
      const reply = await createPayment(deps, request);
      if ('text' in reply) {
        return reply;
      }
      const text = renderNative(reply);
      await reply.onSerialized?.(text).catch(() => undefined);
      return { status: reply.status, text };
    },
    async refund(request) {
      const reply = await createRefund(deps, request);
      if ('text' in reply) {
        return reply;
      }
      const text = renderNative(reply);
      await reply.onSerialized?.(text).catch(() => undefined);
      return { status: reply.status, text };
    },
    invoices: invoiceApiOf(deps),
    async pay(reference, form) {
      const context = contextOf(`/pay/${reference}/pay`, form);
      await pages(context);
      return { status: context.status, text: context.response.get('Location') };
    },
    operate: operators,
    async callback(kind, body) {
      const context = contextOf(`/gateway/sslcommerz/test/${kind}`, body);
      await receive(context);
      return context.status;
    },
    async cancel(reference) {
      await pages(contextOf(`/checkout/${reference}/cancel`, ''));
    },
  };
}

/** Returns the operators' whole API, from the session to the answer. It is created on first use, because most process lives never use it. */
function operatorsOf(deps: Dependencies): Api['operate'] {
  let made: ReturnType<typeof createDispatcher> | undefined;
  return async ({ operatorId, path, body, idempotencyKey }) => {
    const admin = {
      ...deps,
      secrets: SECRETS,
      allow: ALLOW,
      sessionLimits: SESSION_LIMITS,
      sendsEmail: false,
      updates: { follow: () => () => undefined, close: () => undefined },
      temporalUi: null,
    };
    made ??= createDispatcher([adminSurface(admin, createRateLimiter())], deps.log);
    const context = contextOf(`/api/v1${path}`, JSON.stringify(body ?? {}), {
      authorization: `Bearer ${tokenOf(operatorId)}`,
      'content-type': 'application/json',
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    });
    await made(context);
    return { status: context.status, text: String(context.body) };
  };
}

/** Returns the part of Koa's context that the product's handlers use. */
function contextOf(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Context {
  const answered = new Map<string, string>();
  return {
    path,
    headers,
    method: 'POST',
    state: { requestId: 'simulated' },
    status: 404,
    ip: '203.0.113.1',
    querystring: '',
    query: {},
    is: () => true,
    get: (name: string) => headers[name] ?? '',
    set: (fields: string | Readonly<Record<string, string>>, value = '') => {
      for (const [name, text] of typeof fields === 'string' ? [[fields, value] as const] : Object.entries(fields)) {
        answered.set(name, text);
      }
    },
    response: { get: (name: string) => answered.get(name) ?? '' },
    req: Object.assign(Readable.from([Buffer.from(body)]), { headers: {} }),
  } as unknown as Context;
}

function summary(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? messageOf(value) : String(value)}`)
    .join(' ');
}

function messageOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'message' in value ? String(value.message) : '';
}
