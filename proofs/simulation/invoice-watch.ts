import { isOpen, isPaid, type PaymentStatus } from '../../domain/payment.ts';
import type { InvoiceEvidence, InvoiceState } from './invoice-evidence.ts';
import { stateOf } from './invoice-evidence.ts';
import { dueOf, isOpenState, noticesOf, unpaidDays } from './invoice-schedule.ts';
import type { Value, Values } from './postgres/values.ts';
import type { World } from './world.ts';

const CLOCKS_APART_MS = 2_000;

const STEPS: ReadonlySet<string> = new Set([
  'DRAFT ISSUED',
  'ISSUED PARTIALLY_PAID',
  'ISSUED PAID',
  'ISSUED VOID',
  'PARTIALLY_PAID PAID',
  'PARTIALLY_PAID ISSUED',
  'PAID PARTIALLY_PAID',
  'PAID ISSUED',
]);

type Watched = Omit<InvoiceEvidence, 'answers' | 'looks' | 'emails'>;

/**
 * Checks the invoices after every commit. It computes the effect of each payment, decision and refund independently, from the invoice's previous
 * state.
 */
export class InvoiceWatch implements Watched {
  readonly stands = new Map<bigint, InvoiceState[]>();
  readonly miscounted: string[] = [];
  readonly misnumbered: string[] = [];
  readonly missteps: string[] = [];
  readonly overpaymentLost: string[] = [];
  readonly payingForVoid: string[] = [];
  readonly toldAmiss: string[] = [];
  private readonly world: World;
  private readonly numbers = new Map<unknown, unknown>();
  private readonly counted = new Set<string>();

  constructor(world: World) {
    this.world = world;
    const { postgres } = world;
    const watch = postgres.onCommit;
    postgres.onCommit = () => {
      watch();
      if (postgres.rows('invoices').length > 0) {
        this.look();
      }
    };
  }

  private rows(table: string): Values[] {
    return this.world.postgres.rows(table);
  }

  private look(): void {
    const { nowMs } = this.world.timeline;
    const installments = this.rows('invoice_installments');
    const changes = this.newMoney();
    for (const row of this.rows('invoices')) {
      const id = row['id'] as bigint;
      const known = this.stands.get(id) ?? [];
      const before = known.at(-1);
      const stand = stateOf(row, { installments, atMs: nowMs });
      this.count(row, { before, stand, money: changes.get(id) ?? [] });
      this.follow(row, { before, stand });
      if (before === undefined || !same(before, stand)) {
        this.stands.set(id, [...known, stand]);
      }
    }
    this.number();
    this.watchVoid();
    this.watchNotices();
  }

  private once(sight: string): boolean {
    const first = !this.counted.has(sight);
    this.counted.add(sight);
    return first;
  }

  /** Returns the money that this commit added to invoices or took from them, in the order in which the product must count it. */
  private newMoney(): Map<bigint, Money[]> {
    const invoiceOf = new Map(
      this.rows('payments')
        .filter(({ invoice_id: id }) => typeof id === 'bigint')
        .map((payment) => [payment['id'], payment['invoice_id'] as bigint] as const),
    );
    const found = [
      ...this.rows('payments')
        .filter((row) => isPaid(row['status'] as PaymentStatus))
        .map((row): Money => ({ kind: 'payment', row, paymentId: row['id'] })),
      ...this.rows('unapplied_payments')
        .filter(({ status }) => status === 'KEPT')
        .map((row): Money => ({ kind: 'kept', row, paymentId: row['payment_id'] })),
      ...this.rows('refunds')
        .filter(({ status, unapplied_payment_id: late }) => status === 'SUCCEEDED' && late === null)
        .map((row): Money => ({ kind: 'refund', row, paymentId: row['payment_id'] })),
    ].filter(({ kind, row, paymentId }) => invoiceOf.has(paymentId) && this.once(`${kind} ${String(row['id'])}`));
    return Map.groupBy(found, ({ paymentId }) => invoiceOf.get(paymentId) ?? 0n);
  }

  private count(
    row: Values,
    { before, stand, money }: { before: InvoiceState | undefined; stand: InvoiceState; money: readonly Money[] },
  ): void {
    let paid = before?.paidMinor ?? 0n;
    const open = before !== undefined && isOpenState(before);
    let keptMinor = 0n;
    let appliedMinor = 0n;
    for (const { kind, row: cause } of money) {
      const due = open ? stand.totalMinor - paid : 0n;
      switch (kind) {
        case 'payment': {
          const amount = cause['amount_minor'] as bigint;
          const applied = amount < due ? amount : due;
          paid += applied;
          this.requireOverpayment(cause, amount - applied);
          break;
        }
        case 'kept': {
          const gross = cause['gross_minor'] as bigint;
          // Money in another currency counts as nothing for an invoice, because its value has not been determined.
          const counts = cause['currency'] === row['currency'] ? due : 0n;
          const applied = gross < counts ? gross : counts;
          paid += applied;
          keptMinor += applied;
          appliedMinor += cause['applied_minor'] as bigint;
          break;
        }
        case 'refund':
          if (this.reopens(row) !== cause['reopens_invoice']) {
            this.miscounted.push(`refund ${String(cause['id'])} does not say whether it re-opened its invoice`);
          }
          paid -= this.reopens(row) ? (cause['amount_minor'] as bigint) : 0n;
      }
    }
    if (paid !== stand.paidMinor || keptMinor !== appliedMinor) {
      this.miscounted.push(
        `invoice ${String(row['id'])} has ${stand.paidMinor} paid of ${stand.totalMinor}, its money comes to ${paid}`,
      );
    }
  }

  private reopens({ application_id: id }: Values): boolean {
    return this.rows('applications').some((row) => row['id'] === id && row['refunded_invoices'] === 'REOPEN');
  }

  /** Requires that the transaction that finalizes a payment also creates an unapplied payment for the excess over the invoice's due amount. */
  private requireOverpayment(payment: Values, overpaymentMinor: bigint): void {
    const held = this.rows('unapplied_payments')
      .filter(({ payment_id: id, kind }) => id === payment['id'] && kind === 'overpayment')
      .map((row) => row['gross_minor']);
    const wanted = overpaymentMinor > 0n ? [overpaymentMinor] : [];
    if (overpaymentMinor > 0n) {
      this.world.reached('invoice: paid beyond what was due');
    }
    if (payment['overpayment_minor'] !== overpaymentMinor || held.join() !== wanted.join()) {
      this.overpaymentLost.push(
        `payment ${String(payment['id'])} brought ${overpaymentMinor} too much; [${held.join()}] of it is held`,
      );
    }
  }

  private follow(row: Values, { before, stand }: { before: InvoiceState | undefined; stand: InvoiceState }): void {
    const id = String(row['id']);
    if (before !== undefined && before.status !== stand.status) {
      this.world.told(`invoice ${id}: ${before.status} → ${stand.status}, ${stand.paidMinor} of ${stand.totalMinor}`);
      this.world.reached(`invoice: ${before.status} → ${stand.status}`);
      if (!STEPS.has(`${before.status} ${stand.status}`)) {
        this.missteps.push(`invoice ${id} went from ${before.status} to ${stand.status}`);
      }
    }
    if (before !== undefined && before.status !== 'DRAFT' && before.totalMinor !== stand.totalMinor) {
      this.missteps.push(`invoice ${id} was issued over ${before.totalMinor} and is now over ${stand.totalMinor}`);
    }
    const number = this.numbers.get(row['id']);
    if (typeof number === 'bigint' && number !== row['number']) {
      this.missteps.push(`invoice ${id} had the number ${number} and has ${String(row['number'])}`);
    }
    this.numbers.set(row['id'], row['number']);
  }

  /** Requires that the numbers are consecutive from one at every moment. */
  private number(): void {
    const numbered = this.rows('invoices').filter(({ number }) => number !== null);
    for (const [app, all] of Map.groupBy(numbered, ({ application_id: id }) => id)) {
      const numbers = all.map(({ number }) => Number(number)).sort((a, b) => a - b);
      if (numbers.some((number, index) => number !== index + 1) && this.once(`numbers ${numbers.join()}`)) {
        this.misnumbered.push(`the invoices of app ${String(app)} have the numbers ${numbers.join(', ')}`);
      }
    }
  }

  private watchVoid(): void {
    const voided = new Set(
      this.rows('invoices')
        .filter(({ status }) => status === 'VOID')
        .map(({ id }) => id),
    );
    for (const { id, invoice_id: invoice, status } of this.rows('payments')) {
      const paying = isOpen(status as PaymentStatus) && voided.has(invoice ?? null);
      if (paying && this.once(`paying for void ${String(id)}`)) {
        this.payingForVoid.push(`payment ${String(id)} is under way for invoice ${String(invoice)}, which is void`);
      }
    }
  }

  /** Requires that a notice is sent when it is due, about something unpaid, for an open invoice that is not paused. */
  private watchNotices(): void {
    const { nowMs } = this.world.timeline;
    for (const { id, invoice_id: invoice, kind, due_date: dueDate, offset_days: offset, skipped } of this.rows(
      'invoice_notices',
    )) {
      const name = `${String(kind)} ${String(dueDate)} ${String(offset)} of invoice ${String(invoice)}`;
      const stand = this.stands.get(invoice as bigint)?.at(-1);
      if (!this.once(`notice ${String(id)}`) || stand === undefined) {
        continue;
      }
      this.world.reached(`notice: ${String(kind)}${skipped === true ? ' left out' : ''}`);
      const due = noticesOf(stand).find(
        (notice) => notice.kind === kind && notice.dueDate === dueDate && notice.offsetDays === offset,
      );
      const overtaken = noticesOf(stand).some(
        (other) => other.dueDate === dueDate && due !== undefined && other.atMs > due.atMs && other.atMs <= nowMs,
      );
      if (stand.paused || dueOf(stand) === 0n || !unpaidDays(stand).includes(String(dueDate))) {
        this.toldAmiss.push(`${name} was told of what nobody was to be told of`);
      } else if (due === undefined || due.atMs > nowMs + CLOCKS_APART_MS) {
        this.toldAmiss.push(`${name} was told before its time, or was never to be told`);
      } else if (skipped === true && !overtaken) {
        this.toldAmiss.push(`${name} was left out, and nothing was told instead`);
      }
    }
  }
}

interface Money {
  readonly kind: 'payment' | 'kept' | 'refund';
  readonly row: Values;
  readonly paymentId: Value | undefined;
}

function same({ fromMs: _a, ...before }: InvoiceState, { fromMs: _b, ...stand }: InvoiceState): boolean {
  return textOf(before) === textOf(stand);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member));
}
