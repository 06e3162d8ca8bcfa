import type { Movement } from '../../domain/payouts/matching.ts';
import type { Random } from '../simulation/random.ts';
import { type Fact, netOf } from './fact.ts';
import type { Gateway } from './gateways.ts';
import { PLAIN, type Style } from './pen.ts';

/** What a row or a movement is: the truth by which the matcher is judged. */
export type Label = 'MATCHED' | 'DEFERRED' | `FLAGGED ${string}` | `REJECTED ${string}`;

export interface PlannedRow {
  readonly fact: Fact;
  readonly kind: string;
  readonly label: Label;
  /** Damages the written cells. */
  readonly spoil?: ((cells: string[]) => string[]) | undefined;
  /** Writes only so many cells, and the row's end. */
  readonly cutAfterCells?: number | undefined;
}

export interface PlannedFile {
  readonly name: string;
  readonly store: string;
  /** Who uploads it. */
  readonly uploader: string;
  readonly style: Style;
  /** It comes after a run that has judged everything else. */
  readonly late: boolean;
  readonly rows: PlannedRow[];
}

export interface PlannedMovement {
  readonly movement: Movement;
  readonly kind: string;
  label: Label;
  /** Before the late files came. Null: as after them. */
  labelBefore: Label | null;
}

/** A charge with what its gateway took. */
export interface Sale {
  readonly movement: Movement;
  readonly feeMinor: bigint;
  readonly taxMinor: bigint;
  readonly at: string;
}

type Changes = Partial<Movement> & { readonly date?: string; readonly time?: string };
/** One person may explain so much of each currency at this store by files, and any amount at the others. */
export const GUARDED_STORE = 'shop-3';
export const WORD_MAX_MINOR = 1_000_000n;

type FileChoice = Partial<Pick<PlannedFile, 'store' | 'late'>> & { readonly file?: PlannedFile };

/** Writes a row, and what of it really moved to the bank: all of it unless stated. */
interface Writing extends FileChoice {
  readonly label?: Label;
  readonly movedMinor?: bigint;
  readonly spoil?: PlannedRow['spoil'];
  readonly cutAfterCells?: number;
}

const STORES = ['shop-1', 'shop-2'] as const;
const LETTERS = [...'ABCDFGHJKLMNPQRSTVWXYZ'];

/** The trade at one gateway: what moved, what the gateway's files say, and what is true of each row. */
export class Scene {
  readonly gateway: Gateway;
  readonly random: Random;
  readonly movements: PlannedMovement[] = [];
  readonly files: PlannedFile[] = [];
  readonly pending = new Set<string>();
  /** What the bank received, by payout and currency. */
  readonly bank = new Map<string, bigint>();
  kind = 'plain';
  #count = 0;

  constructor(gateway: Gateway, random: Random) {
    this.gateway = gateway;
    this.random = random;
  }

  /** Makes a charge that our books know. */
  sale({ date, time, ...changes }: Changes = {}): Sale {
    const number = this.next();
    const day = date ?? `2026-11-${String(this.random.between(2, 17)).padStart(2, '0')}`;
    const attempt = `LD${this.random.text(12).toUpperCase()}${String(number).padStart(6, '0')}`;
    const amountMinor = changes.amountMinor ?? BigInt(this.random.between(10_000, 5_000_000));
    const feeMinor = share(amountMinor, this.gateway.feeBps);
    const taxMinor = share(feeMinor, this.gateway.taxBps);
    const movement: Movement = {
      kind: 'CHARGE',
      key: `charge:${attempt}:V${number}`,
      storeId: STORES[this.random.chance(0.2) ? 1 : 0],
      gatewayTxnId: this.txnId(number),
      attemptReference: attempt,
      refundReference: null,
      gatewayRefundId: null,
      currency: this.gateway.currency,
      amountMinor,
      feeMinor: this.gateway.feeKnownWithTheCharge ? feeMinor + taxMinor : null,
      reversed: false,
      disputedMinor: null,
      happenedOn: day,
      ...changes,
    };
    this.#know(movement);
    return { movement, feeMinor, taxMinor, at: `${day} ${time ?? this.#time()}` };
  }

  /** Makes a refund that our books know. */
  refund({ movement }: Sale, amountMinor: bigint, changes: Partial<Movement> = {}): Movement {
    const number = this.next();
    const refund: Movement = {
      ...movement,
      kind: 'REFUND',
      key: `refund:REF${number}`,
      refundReference: `REF${String(number).padStart(8, '0')}`,
      gatewayRefundId: this.txnId(number),
      amountMinor,
      feeMinor: this.gateway.feeKnownWithTheCharge ? 0n : null,
      ...changes,
    };
    this.#know(refund);
    return refund;
  }

  /** Labels a movement, which is matched unless stated. */
  expect({ key }: Movement, label: Label, labelBefore: Label | null = null): void {
    const planned = this.movements.find(({ movement }) => movement.key === key);
    if (planned === undefined) {
      throw new RangeError(`no movement ${key}`);
    }
    planned.label = label;
    planned.labelBefore = labelBefore;
  }

  /** What the gateway would say of a charge. */
  factOf({ movement, feeMinor, taxMinor, at }: Sale, changes: Partial<Fact> = {}): Fact {
    const paidOutOn = changes.paidOutOn ?? daysLater(at.slice(0, 10), 2);
    return {
      kind: 'CHARGE',
      payout: `PO-${movement.storeId}-${paidOutOn}`,
      lineId: `L${this.next()}`,
      txnId: movement.gatewayTxnId ?? '',
      attempt: movement.attemptReference,
      currency: movement.currency,
      grossMinor: movement.amountMinor,
      feeMinor,
      taxMinor,
      paidIn: '',
      rate: '',
      at,
      paidOutOn,
      text: '',
      ...changes,
    };
  }

  /** What the gateway would say of a refund of that charge: with its own id, or with the charge's ids only. */
  refundFactOf(sale: Sale, refund: Movement, by: 'own id' | 'charge', changes: Partial<Fact> = {}): Fact {
    const own = refund.gatewayRefundId ?? '';
    const inTxnColumn = this.gateway.name === 'bkash' || this.gateway.name === 'nagad';
    return this.factOf(sale, {
      kind: 'REFUND',
      grossMinor: -refund.amountMinor,
      feeMinor: 0n,
      taxMinor: 0n,
      at: `${daysLater(sale.at.slice(0, 10), 1)} ${this.#time()}`,
      ...(by === 'charge' ? {} : inTxnColumn ? { txnId: own, attempt: '' } : { lineId: own }),
      ...changes,
    });
  }

  /** A line that moves money without a charge. */
  factAlone(kind: Fact['kind'], grossMinor: bigint, changes: Partial<Fact> = {}): Fact {
    const day = `2026-11-${String(this.random.between(2, 17)).padStart(2, '0')}`;
    return {
      kind,
      payout: `PO-shop-1-${daysLater(day, 2)}`,
      lineId: `L${this.next()}`,
      txnId: '',
      attempt: '',
      currency: this.gateway.currency,
      grossMinor,
      feeMinor: 0n,
      taxMinor: 0n,
      paidIn: '',
      rate: '',
      at: `${day} ${this.#time()}`,
      paidOutOn: daysLater(day, 2),
      text: '',
      ...changes,
    };
  }

  /** Ids of a charge that our books do not know. */
  strangeIds(): { txnId: string; attempt: string } {
    const number = this.next();
    return { txnId: this.txnId(number), attempt: `XX${this.random.text(12).toUpperCase()}${number}` };
  }

  write(fact: Fact, { label = 'MATCHED', movedMinor, spoil, cutAfterCells, ...choice }: Writing = {}): PlannedRow {
    const row: PlannedRow = { fact, kind: this.kind, label, spoil, cutAfterCells };
    this.#fileOf(fact, choice).rows.push(row);
    this.moved(fact, movedMinor ?? netOf(fact));
    return row;
  }

  /** Writes the row again: the same, not another one. */
  repeat(row: PlannedRow, file: PlannedFile): void {
    file.rows.push(row);
  }

  /** Money reached the bank, whatever the file says. */
  moved({ payout, currency }: Pick<Fact, 'payout' | 'currency'>, minor: bigint): void {
    const key = `${payout} ${currency}`;
    this.bank.set(key, (this.bank.get(key) ?? 0n) + minor);
  }

  file(changes: Partial<Omit<PlannedFile, 'rows' | 'name'>> & { readonly name?: string } = {}): PlannedFile {
    const name = `${this.gateway.name}-${changes.name ?? `${this.kind}-${this.next()}`}.csv`;
    const file: PlannedFile = {
      store: STORES[0],
      uploader: 'ann',
      style: PLAIN,
      late: false,
      ...changes,
      name,
      rows: [],
    };
    this.files.push(file);
    return file;
  }

  /** A file of the guarded store, of a person who has uploaded no other, unless stated. */
  guardedFile(uploader = `person ${this.next()}`): PlannedFile {
    return this.file({ store: GUARDED_STORE, uploader });
  }

  next(): number {
    this.#count += 1;
    return this.#count;
  }

  /** An id as this gateway makes them; each is another. */
  txnId(number: number): string {
    const serial = String(number).padStart(6, '0');
    switch (this.gateway.name) {
      case 'sslcommerz':
        return `2611${serial}${this.random.text(8)}`;
      case 'bkash':
        return `B${this.random.pick(LETTERS)}${this.random.pick(LETTERS)}${serial}${this.random.pick(LETTERS)}`;
      case 'nagad':
        return `00${serial}${this.random.between(100_000, 999_999)}`;
      case 'stripe':
        return `pi_3${this.random.text(17)}${serial}`;
    }
  }

  #know(movement: Movement): void {
    this.movements.push({ movement, kind: this.kind, label: 'MATCHED', labelBefore: null });
  }

  #time(): string {
    const part = (max: number): string => String(this.random.between(0, max)).padStart(2, '0');
    return `${part(23)}:${part(59)}:${part(59)}`;
  }

  /** Unless stated, a row is in the file of its store and half of the month. */
  #fileOf(fact: Fact, { file, store, late = false }: FileChoice): PlannedFile {
    if (file !== undefined) {
      return file;
    }
    const of = store ?? STORES.find((name) => fact.payout.includes(name)) ?? STORES[0];
    const half = fact.paidOutOn < '2026-11-10' ? 'first' : 'second';
    const name = `${of}-${late ? 'late' : half}`;
    const known = this.files.find((planned) => planned.name === `${this.gateway.name}-${name}.csv`);
    return known ?? this.file({ name, store: of, late });
  }
}

/** A share in ten-thousandths, the half rounded up. */
export function share(minor: bigint, bps: bigint): bigint {
  const tenThousandths = minor * bps;
  return tenThousandths / 10_000n + (tenThousandths % 10_000n >= 5_000n ? 1n : 0n);
}

export function daysLater(date: string, days: number): string {
  const day = new Date(`${date}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  return day.toISOString().slice(0, 10);
}
