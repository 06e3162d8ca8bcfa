import { DomainError } from '../../domain/errors.ts';
import { isOpen, isPaid, type PaymentStatus } from '../../domain/payment.ts';
import type { AnsweredRefund } from './evidence.ts';
import type { RefundPlan } from './money-story.ts';
import type { Values } from './postgres/values.ts';
import type { Random } from './random.ts';
import { isReply, type Operation, type Reply, type World } from './world.ts';

const CLIENT_TRIES_MAX = 500;
const LOOKS_MAX = 400;

interface Wish {
  readonly app: number;
  readonly payment: Values;
  readonly amountMinor: number;
  /** Null if the app sends none. */
  readonly key: string | null;
}

/** Everyone who requests refunds: apps through their API, operators through theirs. */
export class RefundClients {
  readonly answers: AnsweredRefund[] = [];
  /** Refunds that were wrongly refused as exceeding the balance. */
  readonly wronglyRefused: string[] = [];
  private readonly world: World;
  private readonly random: Random;
  private readonly operate: (operation: Operation) => Promise<Reply | DomainError | null>;

  constructor(world: World, random: Random, operate: RefundClients['operate']) {
    this.world = world;
    this.random = random;
    this.operate = operate;
  }

  /** `paymentKey` is the payment's key or its reference. */
  enter(
    plans: readonly RefundPlan[],
    { app, paymentKey, name }: { app: number; paymentKey: string; name: string },
  ): void {
    plans.forEach((plan, number) => {
      this.world.later(0, () => this.play(plan, { app, paymentKey, key: `refund-${name}-${number}` }));
    });
  }

  private async play(
    plan: RefundPlan,
    { app, paymentKey, key }: { app: number; paymentKey: string; key: string },
  ): Promise<void> {
    const { world, random } = this;
    const payment = await this.paid(paymentKey, plan.impatient);
    if (payment === null) {
      return;
    }
    await world.timeline.pause(plan.afterMs);
    const amountMinor = this.amountOf(plan, payment);
    world.reached(`refund wanted: ${plan.share}`);
    const wish = { app, payment, amountMinor, key: plan.keyed ? key : null };
    if (plan.by === 'operator') {
      const operatorId = random.pick([1, 2, 4]);
      for (let duplicate = 0; duplicate <= (plan.keyed ? plan.duplicates : 0); duplicate += 1) {
        world.later(duplicate * random.between(0, 3_000), () => this.askAsOperator(wish, operatorId));
      }
      return;
    }
    for (let duplicate = 0; duplicate <= (plan.keyed ? plan.duplicates : 0); duplicate += 1) {
      world.later(duplicate * random.between(0, 3_000), () => this.ask(wish, key));
    }
    if (plan.keyed && plan.conflict) {
      world.later(500, () => this.ask({ ...wish, amountMinor: amountMinor + 1 }, key));
    }
  }

  /** Returns the payment once it is paid, or at once if `impatient`. Returns null if it is never paid. */
  private async paid(key: string, impatient: boolean): Promise<Values | null> {
    const { postgres, timeline } = this.world;
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const payment = postgres
        .rows('payments')
        .find(({ customer_reference: its, reference }) => its === key || reference === key);
      const status = payment?.['status'] as PaymentStatus | undefined;
      if (payment !== undefined && status !== undefined && (isPaid(status) || impatient)) {
        return payment;
      }
      if (status !== undefined && !isOpen(status)) {
        return null;
      }
      await timeline.pause(looks < 60 ? 3_000 : 900_000);
    }
    return null;
  }

  private amountOf({ share, percent }: RefundPlan, payment: Values): number {
    const amount = Number(payment['amount_minor']);
    switch (share) {
      case 'part':
        return Math.max(1, Math.floor((amount * percent) / 100));
      case 'all':
        return amount;
      case 'too much':
        return amount + 1;
      case 'rest':
        return Math.max(1, amount - this.reservedOf(payment));
    }
  }

  private refundsOf({ id }: Values): Values[] {
    return this.world.postgres
      .rows('refunds')
      .filter((row) => row['payment_id'] === id && row['unapplied_payment_id'] === null);
  }

  private stateOf(payment: Values): string {
    return this.refundsOf(payment)
      .map(({ id, status }) => `${String(id)} ${String(status)}`)
      .join();
  }

  private reservedOf(payment: Values): number {
    return this.refundsOf(payment)
      .filter(({ status }) => status !== 'FAILED' && status !== 'REJECTED')
      .reduce((sum, row) => sum + Number(row['amount_minor']), 0);
  }

  /** Assumes that a refusal is correct if any refund changed meanwhile. */
  private async watched<T>({ payment, amountMinor }: Pick<Wish, 'payment' | 'amountMinor'>, ask: () => Promise<T>) {
    const before = this.stateOf(payment);
    const answer = await ask();
    const after = this.stateOf(payment);
    // Once the payment is paid, its row shows how much of it is an overpayment.
    const now = this.world.postgres.rows('payments').find(({ id }) => id === payment['id']) ?? payment;
    const mostMinor = Number(now['amount_minor']) - Number(now['overpayment_minor']);
    const enough = this.reservedOf(payment) + amountMinor <= mostMinor;
    const refused = answer instanceof DomainError && answer.code === 'REFUND_EXCEEDS_BALANCE';
    if (refused && enough && before === after) {
      this.wronglyRefused.push(`${amountMinor} of payment ${String(payment['id'])} was refused as too much`);
    }
    return answer;
  }

  /**
   * An app with a key repeats the request until it has an answer. An app without one asks once, because a second request would be a second refund.
   */
  private async ask(wish: Wish, reason: string): Promise<void> {
    const { world } = this;
    const { app, payment, amountMinor, key } = wish;
    for (let tries = 0; tries < CLIENT_TRIES_MAX; tries += 1) {
      const answer = await this.watched(wish, () =>
        world
          .ask((api) =>
            api.refund({
              caller: world.callerOf(app),
              paymentId: payment['id'] as bigint,
              body: { amountMinor, reason },
              rawBody: { amountMinor: String(amountMinor), reason },
              idempotencyKey: key ?? undefined,
            }),
          )
          .catch((error: unknown) => error),
      );
      if (this.note(wish, answer) || key === null) {
        return;
      }
      await world.timeline.pause(this.random.between(300, 3_000) * Math.min(10, tries + 1));
    }
    world.wrong.push(`liveness: a client of ${key} never learned how its refund stands`);
  }

  /** Without a key, an operator who gets no answer may request a second refund. The balance limits the effect. */
  private async askAsOperator({ payment, amountMinor, key, app }: Wish, operatorId: number): Promise<void> {
    const path = `/admin/payments/${String(payment['id'])}/refunds`;
    const body = { amountMinor, reason: key ?? 'Without a key' };
    const named = key === null ? {} : { idempotencyKey: key };
    const answer = await this.watched({ payment, amountMinor }, () =>
      this.operate({ operatorId, path, body, ...named }),
    );
    if (answer !== null) {
      this.note({ payment, amountMinor, key, app }, answer);
    }
  }

  /** Returns true when the client has its answer and stops. */
  private note({ key, amountMinor, payment }: Wish, answer: unknown): boolean {
    const { world } = this;
    if (answer instanceof DomainError) {
      world.reached(`refund answer: ${answer.code}`);
      return answer.code !== 'IDEMPOTENCY_IN_PROGRESS';
    }
    if (!isReply(answer)) {
      world.told(`client of ${key}: ${answer instanceof Error ? answer.message : String(answer)}`);
      return false;
    }
    const { data } = JSON.parse(answer.text) as { data: { id: number; status: string } };
    world.reached(`refund answer: ${answer.status} ${'headers' in answer ? 'replayed' : data.status}`);
    this.answers.push({ key, amountMinor, paymentId: payment['id'] as bigint, refundId: BigInt(data.id) });
    return true;
  }
}
