import type { Database } from '../../../database/connection.ts';
import { headingKey } from '../../../domain/payouts/heading.ts';
import { isRejection, mapRecord } from '../../../domain/payouts/map-record.ts';
import { PayoutMapping, type PayoutMappingInput } from '../../../domain/payouts/mapping.ts';
import type { PayoutPage, PayoutWindow } from '../../../gateways/port.ts';
import { makeRefund, payPayment, receiveLate, type PaidPayment } from '../../../test/core/ledger/ledger-fixture.ts';
import type { Random } from '../random.ts';

export const GATEWAY = 'sslcommerz';
export const STORE = 'teststore';
const GROSS_MINOR = 10_000n;
const FEE_MINOR = 250n;

/** SSLCOMMERZ's records state what is left of a payment after its fee. */
export const MAPPING: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    payoutReference: { headings: ['payout'] },
    kind: { headings: ['kind'] },
    lineReference: { headings: ['id'] },
    gatewayTxnId: { headings: ['txn'] },
    gross: { headings: ['gross'] },
    paidOutOn: { headings: ['day'] },
    currency: { headings: ['currency'] },
    originalCurrency: { headings: ['paid in'] },
    exchangeRate: { headings: ['rate'] },
  },
  kinds: (['CHARGE', 'REFUND', 'FEE', 'TAX', 'DISPUTE', 'RESERVE'] as const).map((kind) => ({ words: [kind], kind })),
  dateOrder: 'year-first',
};
const HEADINGS = 'payout,kind,id,txn,gross,day,currency,paid in,rate';
const KEYS = HEADINGS.split(',').map(headingKey);
const READ_BY = PayoutMapping.parse(MAPPING);
const LINES_PER_PAGE = 4;

/** What a gateway does with what it owes. */
const FAULTS = [
  'right',
  'right',
  'right',
  'right',
  'missing',
  'late',
  'another amount',
  'a wrong fee',
  'twice',
  'split',
  'equal rows',
  'garbled',
  'an unknown name',
] as const;
const EXTRAS = ['none', 'none', 'FEE', 'TAX', 'RESERVE', 'CHARGE', 'REFUND', 'DISPUTE', 'its FEE'] as const;
export const DAMAGES = [...new Set([...FAULTS, ...EXTRAS])].filter((name) => name !== 'none');

interface Owed {
  readonly kind: 'CHARGE' | 'REFUND';
  readonly txn: string;
  readonly minor: bigint;
}

/** A row of a file, and the payout that it belongs to. */
interface Row {
  readonly text: string;
  readonly payout: string;
  readonly day: string;
  readonly minor: bigint;
  /** Null if nobody can read it. */
  readonly id: string | null;
}

/** Payments, refunds, and the gateway that pays them out, rightly or not. It keeps its own books, by which the judges go. */
export class PayoutGateway {
  readonly rows: Row[] = [];
  private readonly database: Database;
  private readonly random: Random;
  private readonly reached: (branch: string) => void;
  private readonly scope: { readonly applicationId: bigint; readonly mode: 'LIVE' };
  private readonly paid: PaidPayment[] = [];
  private readonly late = new Set<string>();
  private readonly owed: Owed[] = [];
  /** What the bank was told of each payout. */
  private readonly arrived = new Map<string, bigint>();
  private number = 0;

  constructor({
    database,
    random,
    reached,
    applicationId,
  }: {
    readonly database: Database;
    readonly random: Random;
    readonly reached: (branch: string) => void;
    readonly applicationId: bigint;
  }) {
    this.database = database;
    this.random = random;
    this.reached = reached;
    this.scope = { applicationId, mode: 'LIVE' };
  }

  /** Takes some payments, gives some back, and pays some out. */
  async trade(day: string, bulk: number): Promise<void> {
    const { random } = this;
    for (let count = random.between(this.paid.length === 0 ? 2 : 0, 3); count > 0; count -= 1) {
      await this.pay();
    }
    if (random.chance(0.4)) {
      await this.refund();
    }
    if (random.chance(0.2)) {
      await this.payAgain();
    }
    if (random.chance(0.7)) {
      this.payOut(day);
    }
    for (let row = 0; row < bulk; row += 1) {
      this.write({ kind: 'FEE', txn: '', minor: -BigInt(100 + row) }, day);
    }
  }

  private async pay(): Promise<void> {
    const attemptReference = this.random.text(20);
    const money = { grossMinor: GROSS_MINOR, feeMinor: FEE_MINOR, storeId: STORE, attemptReference };
    const payment = await payPayment(this.database, { ...this.scope, ...money });
    this.paid.push(payment);
    this.owed.push({ kind: 'CHARGE', txn: `B${attemptReference}`, minor: GROSS_MINOR - FEE_MINOR });
  }

  /** Takes the money of an attempt a second time. */
  private async payAgain(): Promise<void> {
    const payment = this.random.pick(this.paid);
    const { attemptReference } = payment;
    if (!this.late.has(attemptReference)) {
      this.late.add(attemptReference);
      await receiveLate(this.database, { ...payment, ...this.scope });
      this.owed.push({ kind: 'CHARGE', txn: `LB${attemptReference}`, minor: GROSS_MINOR - FEE_MINOR });
    }
  }

  private async refund(): Promise<void> {
    const payment = this.random.pick(this.paid);
    const amountMinor = BigInt(this.random.pick([1_000, 2_500]));
    const made = await makeRefund(
      this.database,
      { ...payment, ...this.scope },
      amountMinor,
      `ref_${this.random.text(22)}`,
    ).catch((error: unknown) => {
      // More than was paid.
      if (!String(error).includes('balance')) {
        throw error;
      }
      return null;
    });
    if (made !== null) {
      this.owed.push({ kind: 'REFUND', txn: `B${payment.attemptReference}`, minor: -amountMinor });
    }
  }

  private payOut(day: string): void {
    const { random } = this;
    for (const owed of this.owed.splice(0, random.between(1, 6))) {
      const fault = random.pick(FAULTS);
      this.reached(`payout: ${fault}`);
      this.payOutOne(owed, fault, day);
    }
    const extra = random.pick(EXTRAS);
    const charge = `B${random.pick(this.paid).attemptReference}`;
    if (extra !== 'none') {
      this.reached(`payout: ${extra}`);
    }
    if (extra === 'its FEE') {
      this.write({ kind: 'FEE', txn: charge, minor: -2n }, day);
    } else if (extra !== 'none') {
      const txn = extra === 'DISPUTE' ? charge : extra === 'CHARGE' ? `X${this.number}` : '';
      this.write({ kind: extra, txn, minor: extra === 'CHARGE' ? 500n : -500n }, day);
    }
  }

  private payOutOne(owed: Owed, fault: (typeof FAULTS)[number], day: string): void {
    const { minor } = owed;
    switch (fault) {
      case 'right':
        this.write(owed, day);
        break;
      case 'missing':
        break;
      case 'late':
        this.owed.push(owed);
        break;
      case 'another amount':
        this.write({ ...owed, minor: minor - 250n }, day);
        break;
      case 'a wrong fee':
        this.write({ ...owed, minor: minor - 7n }, day);
        break;
      case 'twice':
        this.write(owed, day);
        this.write(owed, day);
        break;
      case 'split':
        this.write({ ...owed, minor: minor / 2n }, day);
        this.write({ ...owed, minor: minor - minor / 2n }, day);
        break;
      case 'equal rows': {
        this.write(owed, day);
        const row = this.rows.at(-1);
        this.rows.push(...(row === undefined ? [] : [row]));
        break;
      }
      case 'garbled':
        this.rows.push({
          text: `SETTLE-1000,CHARGE,L,${owed.txn},12.3.4,${day},BDT,,`,
          payout: '',
          day,
          minor: 0n,
          id: null,
        });
        this.owed.push(owed);
        break;
      case 'an unknown name':
        this.write({ ...owed, txn: `${owed.txn}X` }, day);
        break;
    }
  }

  private write({ kind, txn, minor }: { kind: string; txn: string; minor: bigint }, day: string): void {
    this.number += 1;
    const payout = `SETTLE-${1_000 + this.random.between(0, 3)}`;
    const id = `L${this.number}`;
    this.rows.push({ text: `${payout},${kind},${id},${txn},${decimal(minor)},${day},BDT,,`, payout, day, minor, id });
  }

  /** A file of some of the rows, or of all. */
  file({ all = false } = {}): string {
    const { length } = this.rows;
    const from = all ? 0 : this.random.between(0, Math.max(0, length - 1));
    const to = all ? length : this.random.between(Math.min(from + 1, length), length);
    return `${HEADINGS}\n${this.rows
      .slice(from, to)
      .map(({ text }) => `${text}\n`)
      .join('')}`;
  }

  /** A page of its API, which says each row as its file does. */
  page({ from, to, after }: PayoutWindow): PayoutPage {
    const rows = this.rows.filter(({ day }) => day >= from && day <= to);
    const start = Number(after ?? 0);
    const read = rows
      .slice(start, start + LINES_PER_PAGE)
      .map(({ text }) => mapRecord(new Map(text.split(',').map((cell, index) => [KEYS[index] ?? '', cell])), READ_BY));
    return {
      payouts: [],
      lines: read.flatMap((outcome) => (isRejection(outcome) ? [] : [outcome])),
      rejected: read
        .filter(isRejection)
        .map((rejection) => ({ payoutReference: null, lineReference: null, rejection })),
      next: start + LINES_PER_PAGE < rows.length ? String(start + LINES_PER_PAGE) : null,
    };
  }

  /** What the bank received for the payouts that it has not spoken of: sometimes a taka short. Null if there is none. */
  statement(day: string): string | null {
    const sums = new Map<string, bigint>();
    for (const { payout, minor, id } of this.rows) {
      if (id !== null && !this.arrived.has(payout)) {
        sums.set(payout, (sums.get(payout) ?? 0n) + minor);
      }
    }
    const entries = [...sums]
      .filter(([, minor]) => minor > 0n && this.random.chance(0.7))
      .map(([payout, minor]) => ({ payout, minor: minor - BigInt(this.random.pick([0, 0, 100])) }))
      .filter(({ minor }) => minor > 0n);
    if (entries.length === 0) {
      return null;
    }
    for (const { payout, minor } of entries) {
      this.arrived.set(payout, minor);
    }
    const date = day.slice(2).replaceAll('-', '');
    const sum = entries.reduce((total, { minor }) => total + minor, 0n);
    return [
      `:20:STMT${this.number}`,
      ':25:BD01/123',
      ':28C:1/1',
      `:60F:C${date}BDT0,00`,
      ...entries.map(
        ({ payout, minor }) => `:61:${date}${date.slice(2)}C${decimal(minor).replace('.', ',')}NTRF${payout}`,
      ),
      `:62F:C${date}BDT${decimal(sum).replace('.', ',')}`,
      '',
    ].join('\r\n');
  }
}

function decimal(minor: bigint): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, '0');
  return `${minor < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
