import type { PlainDate } from '../plain-date.ts';
import { addBusinessDays } from './business-days.ts';
import { amountFigures, deferred, type Finding, flagged, matched, ofEach } from './finding.ts';
import { judgeAmount } from './judge-amount.ts';
import { judgeDisputes } from './judge-disputes.ts';
import { judgeFee } from './judge-fee.ts';
import { inLineOrder } from './line-order.ts';
import type { LineVerdict, MatchSettings, Movement, MovementVerdict, StoredLine } from './matching.ts';

/** A movement with every stored line that points to it, whenever it came. */
export interface Group {
  readonly movement: Movement;
  readonly lines: readonly StoredLine[];
}

interface GroupVerdicts {
  readonly movement: MovementVerdict;
  /** One for each line, in the given order. */
  readonly lines: readonly LineVerdict[];
}

/** By what a movement is judged. */
export interface JudgedBy {
  /** The business day of the judgement. */
  readonly asOf: PlainDate;
  readonly settings: MatchSettings;
}

/**
 * Judges a movement by all of its lines together. The verdicts depend on what the lines say, not on their order or on when they came: a late line
 * changes them when the group is judged again.
 */
export function judgeGroup({ movement, lines }: Group, { asOf, settings }: JudgedBy): GroupVerdicts {
  const { foreign, amounts, costs, disputes } = partsOf(movement, inLineOrder(lines));
  const amount = judgeAmount(movement, amounts, settings);
  const otherStore = flagged('WRONG_STORE', 'OTHER_STORE');
  const charged = foreign.some(({ kind }) => kind !== 'FEE' && kind !== 'TAX' && kind !== 'DISPUTE');
  const unsaid = charged ? otherStore : judgeMissing(movement, { asOf, settings });
  const waits = amount.finding === null && unsaid.status === 'DEFERRED';
  const fee = judgeFee(movement, { explained: amount.explained, costs, waits }, settings);
  const found = new Map<bigint, Finding>([
    ...ofEach(foreign, otherStore),
    ...judgeDisputes(movement, disputes, settings),
    ...amount.findings,
    ...fee.findings,
  ]);
  const ofAmount = amount.finding?.status === 'FLAGGED' ? amount.finding : (fee.finding ?? amount.finding);
  const finding = ofAmount ?? unsaid;
  return {
    movement: { movementKey: movement.key, ...finding, bookFee: fee.bookFee },
    lines: lines.flatMap(({ id }) => {
      const finding = found.get(id);
      return finding === undefined ? [] : [{ lineId: id, movementKey: movement.key, candidateKeys: [], ...finding }];
    }),
  };
}

/** Judges a movement without a line, which may still come until so many business days have passed. */
export function judgeMissing(movement: Movement, { asOf, settings }: JudgedBy): Finding {
  if (movement.reversed) {
    return matched('NOTHING_DUE');
  }
  if (asOf <= addBusinessDays(movement.happenedOn, settings.expectedWithinDays, settings.businessDays)) {
    return deferred('NOT_YET_DUE');
  }
  const { currency, kind, amountMinor } = movement;
  const expectedMinor = kind === 'CHARGE' ? amountMinor : -amountMinor;
  const figures = amountFigures({ currency, rate: null }, { expectedMinor, settledMinor: 0n });
  return flagged('MISSING_IN_PAYOUT', 'NO_LINE', figures);
}

interface Parts {
  /** Lines that add up to the amount of the movement. */
  readonly amounts: StoredLine[];
  /** Fees and taxes in lines of their own. */
  readonly costs: StoredLine[];
  readonly disputes: StoredLine[];
  /** Lines of another store. */
  readonly foreign: StoredLine[];
}

function partsOf(movement: Movement, lines: readonly StoredLine[]): Parts {
  const parts: Parts = { amounts: [], costs: [], disputes: [], foreign: [] };
  for (const line of lines) {
    (line.storeId === movement.storeId ? partOf(line, parts) : parts.foreign).push(line);
  }
  return parts;
}

function partOf({ kind }: StoredLine, parts: Parts): StoredLine[] {
  switch (kind) {
    case 'CHARGE':
    case 'REFUND':
    case 'ADJUSTMENT':
      return parts.amounts;
    case 'FEE':
    case 'TAX':
    case 'RESERVE':
      return parts.costs;
    case 'DISPUTE':
      return parts.disputes;
  }
}
