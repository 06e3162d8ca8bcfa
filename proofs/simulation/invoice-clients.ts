import { CreateInvoice, EditInvoice, type DueDates } from '../../api/native/invoices/schemas.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Cast } from './cast.ts';
import { dayAt, daysLater } from './dhaka-days.ts';
import type { InvoiceOperation, Payable } from './invoice-api.ts';
import type { InvoiceAnswer, InvoiceLook, InvoiceShown } from './invoice-evidence.ts';
import { noticeAtMs } from './invoice-schedule.ts';
import type { InvoiceActPlan, InvoicePaymentPlan, InvoicePlan, SchedulePlan } from './invoice-story.ts';
import type { Values } from './postgres/values.ts';
import type { Random } from './random.ts';
import type { RefundClients } from './refund-clients.ts';
import type { World } from './world.ts';

const CLIENT_TRIES_MAX = 500;
const LOOKS_MAX = 60;

interface Named {
  readonly app: number;
  /** Idempotency key and the customer's reference. */
  readonly key: string;
}

const WORDS = {
  issue: 'issued',
  void: 'voided',
  delete: 'deleted',
  pause: 'changed',
  resume: 'changed',
  edit: 'changed',
  'new due dates': 'changed',
} as const satisfies Record<InvoiceOperation['kind'], InvoiceAnswer['what']>;

/** The apps that create invoices and the payers who pay them. */
export class InvoiceClients {
  readonly answers: InvoiceAnswer[] = [];
  readonly looks: InvoiceLook[] = [];
  private readonly world: World;
  private readonly random: Random;
  private readonly cast: Cast;
  /** Null in stories without refunds. */
  private readonly refunds: RefundClients | null;

  constructor(world: World, random: Random, { cast, refunds }: { cast: Cast; refunds: RefundClients | null }) {
    this.world = world;
    this.random = random;
    this.cast = cast;
    this.refunds = refunds;
  }

  enter(plan: InvoicePlan, index: number): void {
    const { world } = this;
    const named = { app: index % world.story.apps.length, key: `invoice-${index}` };
    const body = this.bodyOf(plan, named.key);
    for (let duplicate = 0; duplicate <= plan.duplicates; duplicate += 1) {
      world.later(plan.createAfterMs + duplicate * this.random.between(0, 3_000), () => this.create(plan, named, body));
    }
    plan.payments.forEach((payment, number) => {
      world.later(plan.createAfterMs + payment.afterMs, () => this.pay(payment, named, `key-${named.key}-${number}`));
    });
    for (const act of plan.acts) {
      world.later(plan.createAfterMs + act.afterMs, () => this.act(act, plan, named));
    }
    this.bringTrouble(plan);
  }

  /** Adds faults around the times at which due-date notices are sent. */
  private bringTrouble({ schedule }: InvoicePlan): void {
    const { world, random } = this;
    const today = dayAt(world.timeline.nowMs);
    for (const dueDate of daysOf(schedule, today)) {
      for (const [kind, offsetDays] of [
        ['overdue', 1],
        ['reminder', random.pick([-3, -1, 0, 1, 2])],
      ] as const) {
        const inMs = noticeAtMs({ kind, dueDate, offsetDays }) - world.timeline.nowMs - random.between(0, 400);
        if (inMs > 0) {
          world.later(inMs, () => world.troubleNow());
        }
      }
    }
  }

  private bodyOf(plan: InvoicePlan, key: string): CreateInvoice {
    return CreateInvoice.parse({
      customerReference: key,
      ...(plan.email ? { customerEmail: 'payer@example.com' } : {}),
      currency: 'BDT',
      lineItems: plan.lines.map((line, index) => ({ description: `Line ${index + 1}`, ...line })),
      ...(plan.discountBasisPoints > 0 ? { discount: { basisPoints: plan.discountBasisPoints } } : {}),
      ...(plan.taxBasisPoints > 0 ? { taxes: [{ name: 'VAT', basisPoints: plan.taxBasisPoints }] } : {}),
      ...scheduleBody(plan.schedule, dayAt(this.world.timeline.nowMs)),
      partialPayments: plan.partialPayments,
      reminders: plan.reminders,
      issue: plan.issued,
    });
  }

  private invoiceOf({ key }: Named): Values | undefined {
    return this.world.postgres.rows('invoices').find(({ customer_reference: reference }) => reference === key);
  }

  /** Repeats a request until an answer settles it. Returns null if it is refused. Every invoice request is safe to repeat. */
  private async insist<T>(what: string, ask: () => Promise<T>): Promise<T | null> {
    const { world } = this;
    for (let tries = 0; tries < CLIENT_TRIES_MAX; tries += 1) {
      try {
        if (tries === 0) {
          world.troubleNow();
        }
        const answer = await ask();
        world.reached(`invoice answer: ${what}`);
        return answer;
      } catch (error) {
        if (error instanceof DomainError) {
          world.reached(`invoice answer: ${what} ${error.code}`);
          if (error.code !== 'IDEMPOTENCY_IN_PROGRESS') {
            return null;
          }
        }
        world.told(`client, ${what}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await world.timeline.pause(this.random.between(300, 3_000) * Math.min(10, tries + 1));
    }
    world.wrong.push(`liveness: a client never learned what became of "${what}"`);
    return null;
  }

  private async create(plan: InvoicePlan, { app, key }: Named, body: CreateInvoice): Promise<void> {
    const { world } = this;
    const rawBody = JSON.parse(
      JSON.stringify(body, (_name, value: unknown) => (typeof value === 'number' ? `${value}` : value)),
    ) as string;
    const view = await this.insist('create', () =>
      world.ask((api) => api.invoices.create({ caller: world.callerOf(app), body, rawBody, idempotencyKey: key })),
    );
    // A duplicate request may arrive after the draft was deleted.
    if (view === null && !plan.acts.some(({ kind }) => kind === 'delete')) {
      world.wrong.push(`liveness: ${key} could not be created`);
    }
    if (view !== null) {
      this.note({ app, key }, 'created', view);
    }
  }

  private note({ app, key }: Named, what: InvoiceAnswer['what'], view: InvoiceShown | null): void {
    this.answers.push({ app, key, what, view });
  }

  private async act({ kind, schedule }: InvoiceActPlan, plan: InvoicePlan, named: Named): Promise<void> {
    const { world } = this;
    const invoice = await this.seen(named, () => true);
    if (invoice === null) {
      return;
    }
    if (kind === 'look') {
      await this.look(invoice);
      return;
    }
    const operation = this.operationOf(kind, { schedule, plan, key: named.key });
    const answer = await this.insist(kind, async () => ({
      view: await world.ask((api) =>
        api.invoices.change(world.callerOf(named.app), invoice['id'] as bigint, operation),
      ),
    }));
    if (answer !== null) {
      this.note(named, WORDS[kind], answer.view);
    }
  }

  private operationOf(
    kind: InvoiceOperation['kind'],
    { schedule, plan, key }: { schedule: SchedulePlan; plan: InvoicePlan; key: string },
  ): InvoiceOperation {
    switch (kind) {
      case 'edit': {
        const lines = plan.lines.map((line) => ({ ...line, qty: line.qty + 1 }));
        return { kind, body: EditInvoice.parse(this.bodyOf({ ...plan, lines, schedule }, key)) };
      }
      case 'new due dates':
        return { kind, body: scheduleBody(schedule, dayAt(this.world.timeline.nowMs)) };
      default:
        return { kind };
    }
  }

  /** Returns the invoice's row once it meets the condition; null if that does not happen. */
  private async seen(named: Named, wanted: (invoice: Values) => boolean): Promise<Values | null> {
    const { timeline } = this.world;
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const invoice = this.invoiceOf(named);
      if (invoice !== undefined && wanted(invoice)) {
        return invoice;
      }
      await timeline.pause(looks < 20 ? 1_000 : 120_000);
    }
    return null;
  }

  /** Reads the payable link. Returns null without an answer or if the link does not exist. */
  private async look({ id, reference }: Values): Promise<Payable | null> {
    const { world } = this;
    const queriedAtMs = world.timeline.nowMs;
    const payable = await world.ask((api) => api.invoices.payable(String(reference))).catch(() => null);
    if (payable !== null) {
      const { requestedMinor, amountDueMinor, amountPaidMinor, totalMinor } = payable;
      const answeredAtMs = world.timeline.nowMs;
      world.reached('invoice: link looked at');
      this.looks.push({
        invoiceId: id as bigint,
        queriedAtMs,
        answeredAtMs,
        requestedMinor,
        amountDueMinor,
        amountPaidMinor,
        totalMinor,
      });
    }
    return payable;
  }

  /** A payer opens the link, sees the requested amount and pays all or a part of it, through the app or on the page. */
  private async pay(plan: InvoicePaymentPlan, named: Named, key: string): Promise<void> {
    const { world } = this;
    const invoice = await this.seen(named, ({ status }) => status !== 'DRAFT');
    const payable = invoice === null ? null : await this.look(invoice);
    if (invoice === null || payable === null || payable.amountDueMinor === 0) {
      return;
    }
    world.reached(`invoice payer: ${plan.share}${plan.onPage ? ' on the page' : ''}`);
    const paymentKey = plan.onPage ? await this.begin(plan, String(invoice['reference']), payable) : key;
    if (paymentKey === null) {
      return;
    }
    if (plan.onPage) {
      this.cast.follow(plan.payment, paymentKey);
    } else {
      this.cast.play(plan.payment, {
        app: named.app,
        key,
        amountMinor: amountOf(plan, payable),
        invoiceId: Number(invoice['id']),
      });
    }
    this.refunds?.enter(plan.refunds, { app: named.app, paymentKey, name: key });
  }

  /** Submits the page's form and returns the reference of the resulting payment. A browser that gets no answer does not retry. */
  private async begin(plan: InvoicePaymentPlan, reference: string, payable: Payable): Promise<string | null> {
    const { world } = this;
    const form = new URLSearchParams(
      plan.share === 'asked'
        ? { choice: 'asked', expected: String(payable.requestedMinor) }
        : plan.share === 'all'
          ? { choice: 'rest', expected: String(payable.amountDueMinor) }
          : {
              choice: 'amount',
              expected: String(payable.amountDueMinor),
              amount: (amountOf(plan, payable) / 100).toFixed(2),
            },
    );
    const answer = await world.ask((api) => api.pay(reference, form.toString())).catch(() => null);
    world.reached(`invoice page: ${answer === null ? 'no answer' : answer.status}`);
    return answer === null ? null : (/^\/checkout\/(pay_\w+)/.exec(answer.text)?.[1] ?? null);
  }
}

function amountOf({ share, percent }: InvoicePaymentPlan, { requestedMinor, amountDueMinor }: Payable): number {
  switch (share) {
    case 'asked':
      return requestedMinor;
    case 'all':
      return amountDueMinor;
    case 'part':
      return Math.min(amountDueMinor, Math.max(1_000, Math.floor((amountDueMinor * percent) / 100)));
  }
}

function scheduleBody(schedule: SchedulePlan, today: string): DueDates {
  switch (schedule.kind) {
    case 'none':
      return {};
    case 'day':
      return { dueDate: daysLater(today, schedule.inDays) };
    case 'parts':
      return {
        installments: schedule.inDays.map((inDays, index) => ({
          dueDate: daysLater(today, inDays),
          basisPoints: schedule.shares[index] ?? 0,
        })),
      };
    case 'plan':
      return {
        plan: { count: schedule.count, every: schedule.every, firstDueDate: daysLater(today, schedule.inDays) },
      };
  }
}

/** Approximate for plans by months. */
function daysOf(schedule: SchedulePlan, today: string): string[] {
  switch (schedule.kind) {
    case 'none':
      return [];
    case 'day':
      return [daysLater(today, schedule.inDays)];
    case 'parts':
      return schedule.inDays.map((inDays) => daysLater(today, inDays));
    case 'plan': {
      const stepDays = { WEEK: 7, TWO_WEEKS: 14, MONTH: 31 }[schedule.every];
      return Array.from({ length: schedule.count }, (_, index) => daysLater(today, schedule.inDays + index * stepDays));
    }
  }
}
