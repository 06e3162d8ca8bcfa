import { DomainError } from '../../domain/errors.ts';
import type { Answered } from './evidence.ts';
import { noticeOf, type Oddity, type Try } from './gateway.ts';
import type { Values } from './postgres/values.ts';
import type { Random } from './random.ts';
import type { ForgeryPlan, PaymentPlan } from './payment-story.ts';
import { isReply, type World } from './world.ts';

const CLIENT_TRIES_MAX = 500;
const NOTICE_TRIES_MAX = 200;

/** A payment that an app requests. */
interface Wanted {
  readonly app: number;
  readonly key: string;
  readonly amountMinor: number;
  /** The invoice that it pays. */
  readonly invoiceId?: number;
}

/** Nothing is due any more, or less than the requested amount, or less than the minimum of a payment. */
const REFUSED_FOR_INVOICE: ReadonlySet<string> = new Set(['INVALID_OPERATION_STATE', 'AMOUNT_OUT_OF_BOUNDS']);

/** All parties outside the product: clients, payers, the gateway's courier and forgers. They see only what such parties see. */
export class Cast {
  readonly answers: Answered[] = [];
  /** Keys of payments that their invoice refused. */
  private readonly refused = new Set<string>();
  private readonly world: World;
  private readonly random: Random;

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
  }

  /** Lets the parties of one payment act, each at their own time. */
  enter(plan: PaymentPlan, index: number): void {
    const app = index % this.world.story.apps.length;
    this.play(plan, { app, key: `key-${index}`, amountMinor: plan.amountMinor });
  }

  /** Lets an app create a payment, and all parties act on it. */
  play(plan: PaymentPlan, request: Wanted): void {
    const { key } = request;
    this.world.later(plan.createAfterMs, async () => {
      const clients = Array.from({ length: plan.duplicates + 1 }, (_, duplicate) =>
        this.world.later(duplicate * this.random.between(0, 3_000), () => this.create(request)),
      );
      if (plan.conflict) {
        clients.push(this.world.later(500, () => this.create({ ...request, amountMinor: plan.amountMinor + 1 })));
      }
    });
    this.follow(plan, key);
  }

  /** Lets all parties act on a payment that is created elsewhere; `key` is its key or its reference. */
  follow(plan: PaymentPlan, key: string): void {
    if (plan.sessionRefused) {
      this.refuseSession(key);
    }
    this.world.later(plan.createAfterMs, () => this.pay(plan, key));
    for (const forgery of plan.forgeries) {
      this.world.later(plan.createAfterMs + forgery.afterMs, () => this.forge(forgery, key));
    }
    if (plan.cancelAfterMs !== null) {
      this.world.later(plan.createAfterMs + plan.cancelAfterMs, () => this.cancel(key));
    }
  }

  private paymentOf(key: string): Values | undefined {
    return this.world.postgres
      .rows('payments')
      .find(({ customer_reference: its, reference }) => its === key || reference === key);
  }

  private attemptOf(key: string): Values | undefined {
    const payment = this.paymentOf(key);
    return this.world.postgres.rows('payment_attempts').find(({ payment_id: id }) => id === payment?.['id']);
  }

  /** Waits for the attempt's row before it refuses the session, because the order's reference is not known before. */
  private refuseSession(key: string): void {
    const { world } = this;
    const watch = world.postgres.onCommit;
    world.postgres.onCommit = () => {
      watch();
      const reference = this.attemptOf(key)?.['reference'];
      if (typeof reference === 'string') {
        world.refusedSessions.add(reference);
      }
    };
  }

  /** A client that repeats the same request with the same key until an answer settles it. */
  private async create({ app, key, amountMinor, invoiceId }: Wanted): Promise<void> {
    const { world } = this;
    const ofInvoice = invoiceId === undefined ? {} : { invoiceId };
    const body = {
      amountMinor,
      currency: 'BDT',
      customerReference: key,
      returnUrl: 'https://shop.example/back',
      ...ofInvoice,
    };
    for (let tries = 0; tries < CLIENT_TRIES_MAX; tries += 1) {
      const answer = await world
        .ask((api) =>
          api.create({
            caller: world.callerOf(app),
            body,
            rawBody: {
              amountMinor: String(amountMinor),
              currency: 'BDT',
              customerReference: key,
              ...(invoiceId === undefined ? {} : { invoiceId: String(invoiceId) }),
            },
            idempotencyKey: key,
          }),
        )
        .catch((error: unknown) => error);
      if (this.noteAnswer({ app, key, amountMinor }, answer, invoiceId !== undefined)) {
        return;
      }
      await world.timeline.pause(this.random.between(300, 3_000) * Math.min(10, tries + 1));
    }
    world.wrong.push(`liveness: a client of ${key} never learned how its payment stands`);
  }

  /** Returns true when the client has its answer and stops. */
  private noteAnswer(request: Wanted, answer: unknown, ofInvoice: boolean): boolean {
    const atMs = this.world.timeline.nowMs;
    if (answer instanceof DomainError) {
      this.world.reached(`answer: ${answer.code}`);
      this.answers.push({ ...request, status: 0, code: answer.code, reference: null, text: '', atMs });
      const refused = ofInvoice && REFUSED_FOR_INVOICE.has(answer.code);
      if (refused) {
        this.refused.add(request.key);
      }
      return refused || answer.code === 'GATEWAY_ERROR' || answer.code === 'IDEMPOTENCY_KEY_CONFLICT';
    }
    if (!isReply(answer)) {
      this.world.told(`client of ${request.key}: ${answer instanceof Error ? answer.message : String(answer)}`);
      return false;
    }
    const { data } = JSON.parse(answer.text) as { data: { reference: string; status: string } };
    this.world.reached(`answer: ${answer.status} ${data.status}`);
    if ('headers' in answer) {
      this.world.reached('answer: replayed');
    }
    this.answers.push({ ...request, ...answer, code: null, reference: data.reference, atMs });
    return true;
  }

  private async pay(plan: PaymentPlan, key: string): Promise<void> {
    const { world } = this;
    const reference = await this.seePage(key);
    if (reference === null) {
      return;
    }
    await world.timeline.pause(
      plan.meetsAtMs === null ? plan.actAfterMs : Math.max(0, plan.meetsAtMs - world.sinceStartMs),
    );
    const odd = plan.way === 'pays oddly' && this.paymentOf(key)?.['status'] === 'PENDING' ? plan.oddity : null;
    world.reached(`payer: ${plan.way}`);
    switch (plan.way) {
      case 'leaves':
        return;
      case 'stays in the middle':
        await this.attempt(plan, { key, reference, odd: null, status: null });
        await this.clearUp(reference, 'EXPIRED');
        return;
      case 'fails':
        await this.attempt(plan, { key, reference, odd: null, status: 'FAILED' });
        return;
      case 'cancels at the gateway':
        await this.attempt(plan, { key, reference, odd: null, status: 'CANCELLED' });
        return;
      case 'lets the session expire':
        await this.attempt(plan, { key, reference, odd: null, status: 'EXPIRED' });
        return;
      case 'ends strangely':
        await this.attempt(plan, { key, reference, odd: null, status: 'UNDER_INVESTIGATION' });
        await world.timeline.pause(30 * 60_000);
        await this.attempt(plan, { key, reference, odd: null, status: 'VALID' });
        await this.clearUp(reference, 'FAILED');
        return;
      case 'fails, then pays':
        await this.attempt(plan, { key, reference, odd: null, status: 'FAILED' });
        await world.timeline.pause(this.random.between(500, 60_000));
        await this.attempt(plan, { key, reference, odd: null, status: 'VALID' });
        return;
      case 'pays twice':
        await this.attempt({ ...plan, noticeLost: false }, { key, reference, odd: null, status: 'VALID' });
        await world.timeline.pause(this.random.between(0, 20_000));
        await this.attempt({ ...plan, noticeLost: false }, { key, reference, odd: null, status: 'VALID' });
        return;
      case 'pays':
      case 'pays oddly':
        await this.attempt(plan, { key, reference, odd, status: 'VALID' });
    }
  }

  /** Returns the gateway's order reference once Lenden's page leads to the gateway; null if it never does. */
  private async seePage(key: string): Promise<string | null> {
    const { timeline } = this.world;
    for (let looks = 0; looks < 400; looks += 1) {
      const payment = this.paymentOf(key);
      const expiresAt = payment?.['expires_at'];
      if (typeof payment?.['gateway_redirect_url'] === 'string') {
        return String(this.attemptOf(key)?.['reference']);
      }
      const over = expiresAt instanceof Date && timeline.nowMs > expiresAt.getTime() + 60_000;
      if (payment === undefined && this.refused.has(key)) {
        return null;
      }
      if (over || (payment !== undefined && payment['status'] !== 'CREATED' && payment['status'] !== 'PENDING')) {
        return null;
      }
      await timeline.pause(looks < 20 ? 1_000 : 20_000);
    }
    return null;
  }

  private async attempt(
    plan: PaymentPlan,
    { key, reference, odd, status }: { key: string; reference: string; odd: Oddity | null; status: string | null },
  ): Promise<void> {
    const { world } = this;
    const made = world.gateway.begin(reference, { oddity: odd, lagMs: odd === null ? plan.lagMs : 0 });
    if (made === null) {
      return;
    }
    await world.timeline.pause(plan.takesMs);
    if (status === null) {
      return;
    }
    world.told(`gateway: ${status} for ${reference}, ${made.valId}`);
    world.gateway.end(made, status);
    this.world.later(plan.noticeAfterMs, () => this.notify(plan, { key, made }));
    if (plan.returnsAfterMs !== null) {
      this.world.later(plan.returnsAfterMs, () => this.comeBack(made));
    }
  }

  /** Resolves pending tries. It may take days, but in the end a gateway knows how a try ended. */
  private async clearUp(reference: string, status: string): Promise<void> {
    const { world } = this;
    await world.timeline.pause(this.random.between(1, 90) * 3_600_000);
    for (const attempt of world.gateway.sessions.get(reference)?.tries ?? []) {
      if (attempt.status === 'PENDING' || attempt.status === 'UNDER_INVESTIGATION') {
        world.gateway.end(attempt, status);
      }
    }
  }

  /**
   * Sends the gateway's notice. It may be lost while the payment will still query the gateway. A notice about money that no query would find is
   * always sent.
   */
  private async notify(plan: PaymentPlan, { key, made }: { key: string; made: Try }): Promise<void> {
    const asks = ['OPEN', 'UNKNOWN', 'CREATED'].includes(String(this.attemptOf(key)?.['status']));
    const open = this.paymentOf(key)?.['status'] === 'PENDING' && asks;
    if (plan.noticeLost && open && plan.lagMs === 0 && plan.cancelAfterMs === null && plan.way !== 'fails, then pays') {
      this.world.reached('notice: lost');
      return;
    }
    const { timeline } = this.world;
    await timeline.pause(Math.max(0, made.visibleFromMs - timeline.nowMs));
    for (let copy = 0; copy < plan.noticeCopies; copy += 1) {
      this.world.later(copy === 0 ? 0 : this.random.between(0, 60_000), () =>
        this.deliver('ipn', noticeOf(made, { signature: 'good' })),
      );
    }
  }

  /** Repeats a notice until it is accepted, as gateways do. A returning browser tries once. */
  private async deliver(kind: string, body: string): Promise<void> {
    for (let tries = 0; tries < NOTICE_TRIES_MAX; tries += 1) {
      const status = await this.world.ask((api) => api.callback(kind, body)).catch(() => 0);
      if (status === 200 || status === 303) {
        this.world.reached(`callback: ${kind} taken`);
        this.world.acknowledged.push({ kind, body });
        return;
      }
      if (kind !== 'ipn') {
        return;
      }
      await this.world.timeline.pause(this.random.between(5_000, 120_000));
    }
    this.world.wrong.push('liveness: a notice was refused for hours');
  }

  private async comeBack(made: Try): Promise<void> {
    const kind = made.status.startsWith('VALID') ? 'success' : made.status === 'CANCELLED' ? 'cancel' : 'fail';
    await this.deliver(kind, noticeOf(made, { signature: 'good' }));
  }

  private async forge({ signature, valId }: ForgeryPlan, key: string): Promise<void> {
    const { world } = this;
    const attempt = this.attemptOf(key);
    const real = world.gateway.charges.find(({ tranId }) => tranId === attempt?.['reference']);
    const grossMinor = BigInt(this.random.between(1_000, 9_000_000));
    const forged: Try = {
      tranId: this.random.chance(0.1) ? this.random.text(20) : String(attempt?.['reference'] ?? this.random.text(20)),
      valId: valId === 'real' && real !== undefined ? real.valId : this.random.text(20),
      bankTranId: this.random.text(16),
      orderMinor: grossMinor,
      status: this.random.pick(['VALID', 'VALID', 'FAILED', 'CANCELLED']),
      grossMinor,
      feeMinor: 0n,
      currency: 'BDT',
      risk: '0',
      storeId: '',
      shownTranId: '',
      visibleFromMs: 0,
    };
    world.reached(`forged: ${signature}`);
    await this.deliver(this.random.pick(['ipn', 'success', 'cancel']), noticeOf(forged, { signature }));
  }

  private async cancel(key: string): Promise<void> {
    const reference = this.paymentOf(key)?.['reference'];
    if (typeof reference === 'string') {
      this.world.reached('payer: presses cancel');
      await this.world.ask((api) => api.cancel(reference)).catch(() => undefined);
    }
  }
}
