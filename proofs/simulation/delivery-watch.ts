import type { WebhookWorkflowInput } from '../../workflows/messages/webhook.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import type { HttpReply, HttpRequest } from '../../runtime/http-client.ts';
import type { PostgresServer } from './postgres/server.ts';
import { whose, type Life, type Timeline } from './timeline.ts';
import type { ServerRun } from './temporal/server.ts';
import type { Story } from './story.ts';

/** A span in which something failed: in one process, or for all of them. */
export interface Trouble {
  readonly process: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A pending event whose transaction a worker committed. */
export interface RecordedByWorker {
  readonly eventId: string;
  readonly process: string;
  readonly atMs: number;
  /** Whether its receiver answers every request well and at once. */
  readonly wellReceived: boolean;
}

/** What was seen of first attempts and of the workflows beside them. */
export interface DeliveryEvidence {
  readonly troubles: readonly Trouble[];
  readonly recorded: readonly RecordedByWorker[];
  /** Workflows that began although no one needed them. */
  readonly needless: readonly string[];
}

interface FirstRequest {
  readonly life: Life;
  readonly fromMs: number;
}

/** How long a process may keep an event to itself. */
const LEASE_MS = 60_000;
/** From then on an attempt has to claim its event again. */
const WAITED_MS = 10_000;

/** What it watches, and what a dial does to it. */
export interface WatchedWorld {
  readonly timeline: Timeline;
  readonly postgres: PostgresServer;
  readonly story: Story;
  readonly temporal: { readonly runs: ReadonlyMap<string, unknown> };
  hangs(app: number): boolean;
  reached(branch: string): void;
  kill(name: string, forMs: number): void;
}

/** Follows each event from its commit to its delivery, and turns the dials of a story's deliveries. */
export class DeliveryWatch implements DeliveryEvidence {
  readonly troubles: Trouble[] = [];
  readonly recorded: RecordedByWorker[] = [];
  readonly needless: string[] = [];
  private readonly world: WatchedWorld;
  private readonly known = new Set<unknown>();
  private readonly firstRequests = new Map<string, FirstRequest>();
  private accepted = 0;

  constructor(world: WatchedWorld) {
    this.world = world;
  }

  trouble(process: string | null, forMs = 0): void {
    const { nowMs } = this.world.timeline;
    this.troubles.push({ process, fromMs: nowMs, toMs: nowMs + forMs });
  }

  /** Called after each commit, in the life of the process that committed. */
  committed(): void {
    const { world } = this;
    const events = world.postgres.rows('webhook_events');
    if (events.length === this.known.size) {
      return;
    }
    const life = whose.getStore();
    for (const { event_id: id, application_id: app, delivery_status: status } of events) {
      if (!this.known.has(id)) {
        this.known.add(id);
        if (status === 'PENDING' && life !== undefined && life.name !== 'api') {
          this.note(String(id), life, Number(app) - 1);
        }
      }
    }
  }

  private note(eventId: string, life: Life, app: number): void {
    const { world } = this;
    const { hang, deathBeforeAttempt: death } = world.story.deliveries;
    const hangs = hang?.app === app;
    const wellReceived = world.story.apps[app]?.receiver?.manner === 'well' && !hangs;
    this.recorded.push({ eventId, process: life.name, atMs: world.timeline.nowMs, wellReceived });
    if (hangs && world.hangs(app)) {
      world.reached('event of a receiver that hangs');
    }
    if (death?.atEvent === this.recorded.length && life.alive) {
      world.reached('died between commit and first attempt');
      world.kill(life.name, death.forMs);
    }
  }

  /** Sends a request to a receiver. */
  async request(request: HttpRequest, answer: () => Promise<HttpReply>): Promise<HttpReply> {
    const { world } = this;
    const eventId = request.headers['webhook-id'] ?? '';
    const life = whose.getStore();
    if (life !== undefined && !this.hasWorkflow(eventId)) {
      const fromMs = world.timeline.nowMs;
      this.firstRequests.set(eventId, { life, fromMs });
      const committed = this.recorded.find((event) => event.eventId === eventId);
      if (committed !== undefined && fromMs - committed.atMs > WAITED_MS) {
        world.reached('first attempt: waited');
      }
    }
    return answer();
  }

  /** Called when a receiver has accepted an event, before its answer leaves. */
  acceptedBy(eventId: string): void {
    const { world } = this;
    const death = world.story.deliveries.deathAfterAcceptance;
    const life = whose.getStore();
    if (life === undefined || death === null || this.hasWorkflow(eventId)) {
      return;
    }
    this.accepted += 1;
    if (this.accepted === death.atEvent) {
      world.timeline.at(
        world.timeline.nowMs + death.afterMs,
        () => {
          if (life.alive && this.isUnrecorded(eventId)) {
            world.reached('died after the receiver accepted');
            world.kill(life.name, death.forMs);
          }
        },
        { life: null },
      );
    }
  }

  /** Called before a workflow begins. */
  workflowBegins({ type, args: [input] }: Pick<ServerRun, 'type' | 'args'>): void {
    if (type !== 'webhookWorkflow') {
      return;
    }
    const { eventId, failed, progress } = input as WebhookWorkflowInput;
    if (this.hasWorkflow(eventId) || progress !== undefined) {
      return;
    }
    const { world } = this;
    world.reached(
      `webhookWorkflow: begun ${failed === undefined ? 'for the first attempt' : 'after a failed attempt'}`,
    );
    const { nowMs } = world.timeline;
    if (this.eventOf(eventId)?.['delivery_status'] === 'DELIVERED' && !this.troubled(null, nowMs - LEASE_MS)) {
      this.needless.push(`a workflow began for ${eventId}, which was delivered`);
    }
    const own = this.recorded.find((event) => event.eventId === eventId);
    if (own?.wellReceived === true && nowMs - own.atMs < LEASE_MS && !this.troubled(own.process, own.atMs - LEASE_MS)) {
      this.needless.push(`a workflow began for ${eventId}, which ${own.process} was to send`);
    }
    const first = this.firstRequests.get(eventId);
    if (
      first?.life.alive === true &&
      this.isUnrecorded(eventId) &&
      !this.troubled(first.life.name, first.fromMs - LEASE_MS)
    ) {
      this.needless.push(`a workflow began for ${eventId} while ${first.life.name} made the first attempt`);
    }
  }

  /** Returns whether anything has failed since a moment: for one process, or for any if none is named. */
  private troubled(process: string | null, sinceMs: number): boolean {
    return this.troubles.some(
      (trouble) =>
        trouble.toMs >= sinceMs && (process === null || trouble.process === null || trouble.process === process),
    );
  }

  private hasWorkflow(eventId: string): boolean {
    return this.world.temporal.runs.has(workflowIds.webhook(eventId));
  }

  private isUnrecorded(eventId: string): boolean {
    return Number(this.eventOf(eventId)?.['attempts'] ?? 0) === 0;
  }

  private eventOf(eventId: string) {
    return this.world.postgres.rows('webhook_events').find(({ event_id: id }) => id === eventId);
  }
}
