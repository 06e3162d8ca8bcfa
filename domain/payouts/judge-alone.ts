import { type Choice, keysOf } from './choose-movement.ts';
import { isBeyondWord, isGuarded, movedBy } from './file-word.ts';
import { amountFigures, deferred, type Finding, flagged, matched } from './finding.ts';
import type { FlagReason, LineVerdict, Movement, StoredLine, VerdictDetail } from './matching.ts';

interface Surroundings {
  /** What `chooseMovement` or `chooseMovements` says of the line. */
  readonly choice: Exclude<Choice, Movement>;
  /**
   * Identifiers of what may still be confirmed: attempts that are not final, and for refund lines also refunds in progress, by our reference, the gateway's or
   * those of their charge.
   */
  readonly pendingReferences: ReadonlySet<string>;
  /** By what the movements are found that are judged with the line. */
  readonly movementKeys: ReadonlySet<string>;
  /** What the costs of no charge of the same word add up to, this one included. */
  readonly costMinor: bigint;
}

/** A person cannot choose among more. */
const CANDIDATES_MAX = 20;

/** Judges a line that points to no movement. */
export function judgeAlone(line: StoredLine, surroundings: Surroundings): LineVerdict {
  const { choice } = surroundings;
  const candidates = choice === null ? [] : choice.ambiguous;
  return {
    lineId: line.id,
    movementKey: null,
    candidateKeys: candidates
      .map(({ key }) => key)
      .sort()
      .slice(0, CANDIDATES_MAX),
    ...findingOf(line, { ...surroundings, candidates }),
  };
}

interface Around extends Surroundings {
  readonly candidates: readonly Movement[];
}

function findingOf(line: StoredLine, around: Around): Finding {
  switch (line.kind) {
    case 'FEE':
    case 'TAX':
    case 'RESERVE':
      return isGuarded(line) ? findingOfCost(line, around) : matched('EXPLAINED_BY_KIND');
    case 'CHARGE':
    case 'DISPUTE':
    case 'ADJUSTMENT':
      return unknown(line, 'MISSING_INTERNALLY', around);
    case 'REFUND':
      return unknown(line, 'REFUND_UNKNOWN', around);
  }
}

/** A person's word explains a cost up to a limit, and only one that names no charge. A reserve may name the charge for which it is kept. */
function findingOfCost(line: StoredLine, around: Around): Finding {
  const { movementKeys, costMinor } = around;
  const keys = keysOf(line);
  const isReserve = line.kind === 'RESERVE';
  if (keys.length > 0 && !(isReserve && keys.some((key) => movementKeys.has(key)))) {
    return unknown(line, 'MISSING_INTERNALLY', around);
  }
  if (!isBeyondWord([line], { currency: line.currency, amountMinor: costMinor })) {
    return matched('EXPLAINED_BY_KIND');
  }
  return flagged(isReserve ? 'AMOUNT' : 'FEE', 'COST_UNPROVEN', {
    ...amountFigures({ currency: line.currency, rate: null }, { expectedMinor: 0n, settledMinor: line.grossMinor }),
    feeExpectedMinor: 0n,
    feeSettledMinor: movedBy(line),
  });
}

function unknown(line: StoredLine, reason: FlagReason, { candidates, pendingReferences }: Around): Finding {
  const keys = keysOf(line);
  if (candidates.length > 0) {
    return flagged(reason, severalDetail(line, candidates));
  }
  if (keys.some((key) => pendingReferences.has(key))) {
    return takesBeyondWord(line) ? flagged(reason, 'TAKEN_UNCONFIRMED') : deferred('NOT_YET_CONFIRMED');
  }
  return flagged(reason, keys.length === 0 ? 'NO_REFERENCE' : 'UNKNOWN_REFERENCE');
}

/** What a person says was taken must not explain a payout while it waits. */
function takesBeyondWord(line: StoredLine): boolean {
  const { currency, netMinor } = line;
  return netMinor < 0n && isBeyondWord([line], { currency, amountMinor: movedBy(line) });
}

/** Either each reference of the line names something else, or they all name the same several movements. */
function severalDetail({ gatewayTxnId, attemptReference }: StoredLine, candidates: readonly Movement[]): VerdictDetail {
  const disagree = candidates.some(
    (movement) =>
      (gatewayTxnId !== null && gatewayTxnId !== movement.gatewayTxnId && gatewayTxnId !== movement.gatewayRefundId) ||
      (attemptReference !== null &&
        attemptReference !== movement.attemptReference &&
        attemptReference !== movement.refundReference),
  );
  return disagree ? 'REFERENCES_DISAGREE' : 'SEVERAL_CANDIDATES';
}
