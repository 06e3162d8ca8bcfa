import type { PlainDate } from '../plain-date.ts';
import { magnitude } from './conversion.ts';
import type { Movement, StoredLine } from './matching.ts';

/** Why a movement may be the one that a line means. */
export type ProposalReason =
  | 'SAME_AMOUNT'
  | 'SAME_NET_AMOUNT'
  | 'SAME_DAY'
  | 'WITHIN_A_WEEK'
  | 'SAME_STORE'
  | 'LEADING_ZEROS_DIFFER'
  | 'REFERENCE_CONTAINED';

/** A guess for a person. It moves nothing and matches nothing. */
export interface Proposal {
  readonly movementKey: string;
  /** The sum of the weights of its reasons. */
  readonly score: number;
  readonly reasons: readonly ProposalReason[];
}

const WEIGHTS: Readonly<Record<ProposalReason, number>> = {
  LEADING_ZEROS_DIFFER: 50,
  REFERENCE_CONTAINED: 40,
  SAME_AMOUNT: 30,
  SAME_NET_AMOUNT: 20,
  SAME_DAY: 15,
  WITHIN_A_WEEK: 5,
  SAME_STORE: 5,
};

const PROPOSALS_MAX = 10;
/** A shorter reference is part of too many others. */
const CONTAINED_CHARS_MIN = 6;
const DAY_MS = 86_400_000;

/**
 * Proposes the movements that resemble a line most: by amount, or by a reference that was damaged. Each is of the line's direction and currency.
 *
 * @param occurredOn - the line's business day
 */
export function proposalsFor(
  line: StoredLine,
  { movements, occurredOn }: { readonly movements: readonly Movement[]; readonly occurredOn: PlainDate | null },
): Proposal[] {
  return movements
    .filter(({ kind, currency }) => currency === line.currency && directionsOf(line).includes(kind))
    .map((movement): Proposal => {
      const reasons = reasonsOf(line, movement, occurredOn);
      return { movementKey: movement.key, reasons, score: reasons.reduce((sum, reason) => sum + WEIGHTS[reason], 0) };
    })
    .filter(({ reasons }) => reasons.some((reason) => !WEAK.has(reason)))
    .sort((a, b) => b.score - a.score || (a.movementKey < b.movementKey ? -1 : 1))
    .slice(0, PROPOSALS_MAX);
}

/** Alone they say nothing. */
const WEAK: ReadonlySet<ProposalReason> = new Set(['SAME_DAY', 'WITHIN_A_WEEK', 'SAME_STORE']);

function directionsOf({ kind, netMinor }: StoredLine): readonly Movement['kind'][] {
  switch (kind) {
    case 'CHARGE':
    case 'DISPUTE':
      return ['CHARGE'];
    case 'REFUND':
      return ['REFUND'];
    case 'ADJUSTMENT':
      return [netMinor < 0n ? 'REFUND' : 'CHARGE'];
    case 'FEE':
    case 'TAX':
    case 'RESERVE':
      return [];
  }
}

function reasonsOf(line: StoredLine, movement: Movement, occurredOn: PlainDate | null): ProposalReason[] {
  const { amountMinor, feeMinor, storeId, happenedOn } = movement;
  const grossMinor = magnitude(line.grossMinor);
  const daysApart = occurredOn === null ? null : Math.abs(Date.parse(occurredOn) - Date.parse(happenedOn)) / DAY_MS;
  const resemblance = resemblanceOf(line, movement);
  const holds: readonly (readonly [ProposalReason, boolean])[] = [
    ['LEADING_ZEROS_DIFFER', resemblance === 'LEADING_ZEROS_DIFFER'],
    ['REFERENCE_CONTAINED', resemblance === 'REFERENCE_CONTAINED'],
    ['SAME_AMOUNT', grossMinor === amountMinor],
    ['SAME_NET_AMOUNT', grossMinor !== amountMinor && feeMinor !== null && grossMinor === amountMinor - feeMinor],
    ['SAME_DAY', daysApart === 0],
    ['WITHIN_A_WEEK', daysApart !== null && daysApart > 0 && daysApart <= 7],
    ['SAME_STORE', line.storeId === storeId],
  ];
  return holds.filter(([, isSo]) => isSo).map(([reason]) => reason);
}

function resemblanceOf(line: StoredLine, movement: Movement): 'LEADING_ZEROS_DIFFER' | 'REFERENCE_CONTAINED' | null {
  const ours = [
    movement.gatewayTxnId,
    movement.attemptReference,
    movement.refundReference,
    movement.gatewayRefundId,
  ].flatMap((reference) => (reference === null || reference.trim() === '' ? [] : [reference]));
  const theirs = [line.gatewayTxnId, line.attemptReference, line.lineReference].filter((text) => text !== null);
  if (theirs.some((text) => ours.some((reference) => withoutZeros(text) === withoutZeros(reference)))) {
    return 'LEADING_ZEROS_DIFFER';
  }
  const texts = [...theirs, line.description ?? ''];
  const isContained = (part: string, whole: string): boolean =>
    part.length >= CONTAINED_CHARS_MIN && whole.toUpperCase().includes(part.toUpperCase());
  return texts.some((text) => ours.some((reference) => isContained(reference, text) || isContained(text, reference)))
    ? 'REFERENCE_CONTAINED'
    : null;
}

function withoutZeros(reference: string): string {
  return reference.replace(/^0+/, '');
}
