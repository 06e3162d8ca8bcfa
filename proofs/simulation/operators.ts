import { DomainError } from '../../domain/errors.ts';
import type { Act } from './evidence.ts';
import type { Value } from './postgres/values.ts';
import type { Random } from './random.ts';
import { isReply, type Operation, type Reply, type World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than any process stands still or any request is in progress, so that a person who looks at the gateway's panel sees all results. */
const BEFORE_LOOKING_MS = 15 * MINUTE_MS;
const REQUEST_TRIES_MAX = 6;
const RETRIES_MAX = 3;
const STEPS_UP: ReadonlySet<string> = new Set(['REAUTH_REQUIRED', 'SESSION_EXPIRED']);
/** Operators who may approve and decide. */
const DECIDERS = [1, 2, 3] as const;

/** How people handle an approval, with weights. */
const APPROVAL_WEIGHTS = {
  approves: 6,
  rejects: 2,
  'both approve': 1.5,
  'one approves, one rejects': 1.5,
  'approves his own': 1.5,
  'support approves': 0.7,
  'signals by hand': 1.5,
  'too late': 1,
  'at the last moment': 1,
  nobody: 0.5,
} as const;
export const APPROVAL_WAYS = Object.keys(APPROVAL_WEIGHTS);

/** A row that waits for a decision. */
interface Waiting {
  readonly id: Value | undefined;
  readonly reference: Value | undefined;
}

/** The operators. They see rows, alarms and the gateway's panel, and report truthfully what they see. */
export class Operators {
  readonly acts: Act[] = [];
  private readonly world: World;
  private readonly random: Random;
  private readonly seen = new Set<string>();
  private readonly retries = new Map<string, number>();

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
    const watch = world.postgres.onCommit;
    world.postgres.onCommit = () => {
      watch();
      this.look();
    };
  }

  /** Sends a request as a person would: again after a broken connection, and with the password when required. Returns null without an answer. */
  readonly operate = async (operation: Operation): Promise<Reply | DomainError | null> => {
    const { world } = this;
    for (let tries = 0; tries < REQUEST_TRIES_MAX; tries += 1) {
      this.acts.push({ ...operation, atMs: world.timeline.nowMs });
      world.troubleNow();
      const answer = await world.ask((api) => api.operate(operation)).catch((error: unknown) => error);
      const action = operation.path.replace(/\/\d+/, '').replace('/admin/', '');
      if (isReply(answer)) {
        world.reached(`operator: ${action} ${answer.status}`);
        return answer;
      }
      const code = answer instanceof DomainError ? answer.code : 'no answer';
      world.reached(`operator: ${action} ${code}`);
      world.told(`operator ${operation.operatorId}: ${action} ${code}`);
      if (STEPS_UP.has(code)) {
        await world.stepUp(operation.operatorId);
      } else if (answer instanceof DomainError && code !== 'IDEMPOTENCY_IN_PROGRESS') {
        return answer;
      }
      await world.timeline.pause(this.random.between(500, 20_000));
    }
    return null;
  };

  private once(sight: string, work: () => void): void {
    if (!this.seen.has(sight)) {
      this.seen.add(sight);
      work();
    }
  }

  private look(): void {
    const { postgres } = this.world;
    for (const { id, status, review_since: since, reference, created_by_operator_id: by } of postgres.rows('refunds')) {
      if (status === 'AWAITING_APPROVAL') {
        this.once(`approve ${String(id)}`, () => this.considerApproval({ id, creator: Number(by), reference }));
      } else if (since instanceof Date) {
        this.once(`review ${String(id)} ${since.getTime()}`, () => this.considerRefund({ id, reference }));
      }
    }
    for (const { id, status, updated_at: at } of postgres.rows('unapplied_payments')) {
      if (status === 'HELD' && at instanceof Date) {
        this.once(`late ${String(id)} ${at.getTime()}`, () => this.considerUnappliedMoney(id));
      }
    }
    for (const { id, status, review_reason: reason, reference } of postgres.rows('payments')) {
      if (status === 'PENDING' && reason !== null) {
        this.once(`payment ${String(id)}`, () => this.considerPayment({ id, reference }));
      }
    }
  }

  /** Returns seconds or hours, because people are not always there. */
  private whenThere(): number {
    const { random } = this;
    return random.chance(0.7) ? random.between(500, 20 * MINUTE_MS) : random.between(1, 40) * HOUR_MS;
  }

  private considerApproval({ id, creator, reference }: Waiting & { creator: number }): void {
    const { world, random } = this;
    const others = DECIDERS.filter((operatorId) => operatorId !== creator);
    const path = `/admin/refunds/${String(id)}`;
    const approve = (operatorId: number) => this.operate({ operatorId, path: `${path}/approve` });
    const reject = (operatorId: number) =>
      this.operate({ operatorId, path: `${path}/reject`, body: { reason: 'Not ours' } });
    const [first = 1, second = 2] = random.chance(0.5) ? others : [...others].reverse();
    const way = random.weighted(APPROVAL_WEIGHTS);
    world.later(this.whenThere(), async () => {
      world.reached(`approval: ${way}`);
      switch (way) {
        case 'approves':
          await approve(first);
          return;
        case 'rejects':
          await reject(first);
          return;
        case 'both approve':
          world.later(random.between(0, 300), async () => void (await approve(second)));
          await approve(first);
          return;
        case 'one approves, one rejects':
          world.later(random.between(0, 3_000), async () => void (await reject(second)));
          await approve(first);
          return;
        case 'approves his own':
          await approve(creator);
          await approve(first);
          return;
        case 'support approves':
          await approve(4);
          await reject(first);
          return;
        case 'signals by hand':
          this.signal(`refund:${String(reference)}`);
          await world.timeline.pause(random.between(1_000, HOUR_MS));
          await approve(first);
          return;
        case 'too late':
          await world.timeline.pause(this.untilDue(id) - random.between(0, 300));
          world.troubleNow();
          await world.timeline.pause(random.between(300, 2 * MINUTE_MS));
          await approve(first);
          return;
        case 'at the last moment':
          await world.timeline.pause(this.untilDue(id) + random.between(-1_500, 1_500));
          await (random.chance(0.7) ? approve(first) : reject(first));
          return;
        case 'nobody':
      }
    });
  }

  private untilDue(id: unknown): number {
    const due = this.world.postgres.rows('refunds').find((row) => row['id'] === id)?.['approval_due_at'];
    return due instanceof Date ? Math.max(0, due.getTime() - this.world.timeline.nowMs) : 0;
  }

  /** Sends a signal from the Temporal UI without any decision. */
  private signal(workflowId: string): void {
    const { random, world } = this;
    const { temporal } = world;
    const run = temporal.runs.get(workflowId);
    if (run?.status === 'running') {
      world.reached(`signal by hand: ${run.type}`);
      temporal.deliver(run, { kind: 'signal', name: 'decision', args: [String(random.between(1, 9_999))] });
    }
  }

  /** Decides a refund in review after a look at the gateway's panel. "not-refunded" is chosen only if the refund is certainly not in progress. */
  private considerRefund({ id, reference }: Waiting): void {
    const { world, random } = this;
    const key = String(reference);
    const path = `/admin/refunds/${String(id)}/review`;
    world.later(BEFORE_LOOKING_MS + this.whenThere(), async () => {
      if (random.chance(0.2)) {
        this.signal(`refund:${key}`);
      }
      const seen = world.gateway.refunds.seen(key);
      world.reached(`panel: ${seen}`);
      const retries = this.retries.get(key) ?? 0;
      if (seen === 'given back' || seen === 'under way' || random.chance(0.2)) {
        if (seen === 'under way') {
          await world.timeline.pause(world.gateway.refunds.leftMs(key) * (random.chance(0.7) ? 1 : 0.1));
        }
        this.retries.set(key, retries + 1);
        if (seen === 'given back' && random.chance(0.4)) {
          world.reached('people: refunded');
          await this.decide({ path, body: { decision: 'refunded', reason: 'The panel has it' } });
          return;
        }
        if (retries < RETRIES_MAX) {
          await this.operate({ operatorId: 1, path, body: { decision: 'retry', reason: 'Looked at the panel' } });
        }
        return;
      }
      await this.decide({ path, body: { decision: 'not-refunded', reason: 'The panel has none' } }, () =>
        ['none', 'not given back'].includes(world.gateway.refunds.seen(key)),
      );
    });
  }

  private considerUnappliedMoney(id: Value | undefined): void {
    const { random, world } = this;
    const decision = random.weighted({ refund: 4, keep: 2, nothing: 2 });
    if (decision === 'nothing') {
      return;
    }
    const path = `/admin/unapplied-payments/${String(id)}`;
    const late = world.postgres.rows('unapplied_payments').find((row) => row['id'] === id);
    const attempt = world.postgres.rows('payment_attempts').find((row) => row['id'] === late?.['attempt_id']);
    world.later(this.whenThere(), async () => {
      if (random.chance(0.15)) {
        this.signal(`unapplied:${String(attempt?.['reference'])}`);
      }
      if (random.chance(0.15)) {
        const other = { decision: decision === 'keep' ? 'refund' : 'keep', reason: 'Another view' };
        world.later(
          random.between(0, 500),
          async () => void (await this.operate({ operatorId: 3, path, body: other })),
        );
      }
      await this.decide({ path, body: { decision, reason: 'Asked the payer' } });
    });
  }

  private considerPayment({ id, reference }: Waiting): void {
    const { random, world } = this;
    const decision = random.weighted({ accept: 3, reject: 3, nothing: 4 });
    if (decision === 'nothing') {
      return;
    }
    world.later(this.whenThere(), async () => {
      if (random.chance(0.2)) {
        this.signal(`payment:${String(reference)}`);
      }
      const path = `/admin/payments/${String(id)}/review`;
      await this.decide({ path, body: { decision, reason: 'Looked at it' } });
    });
  }

  /** Sends a decision. If a second person must confirm it, one usually does. */
  private async decide(operation: { path: string; body: object }, stillSo: () => boolean = () => true): Promise<void> {
    const { random, world } = this;
    const [first, second] = random.pick([
      [1, 2],
      [2, 3],
      [3, 1],
    ] as const);
    const answer = await this.operate({ ...operation, operatorId: first });
    const waits =
      answer !== null && isReply(answer) && /awaiting-second-approval|"awaitsSecondPerson":true/.test(answer.text);
    if (!waits) {
      return;
    }
    world.reached('second person: wanted');
    if (random.chance(0.2)) {
      await this.operate({ ...operation, operatorId: first });
    }
    if (random.chance(0.85)) {
      await world.timeline.pause(this.whenThere());
      if (stillSo()) {
        await this.operate({ ...operation, operatorId: second });
      }
    }
  }
}
