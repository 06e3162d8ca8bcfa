import { type Choice, keysOf } from './choose-movement.ts';
import { deferred, type Finding, flagged, matched } from './finding.ts';
import type { FlagReason, LineVerdict, Movement, StoredLine, VerdictDetail } from './matching.ts';

interface Surroundings {
  /** What `chooseMovement` or `chooseMovements` says of the line. */
  readonly choice: Exclude<Choice, Movement>;
  /**
   * Identifiers of what may still be confirmed: attempts that are not final, and for refund lines also refunds in progress, by our reference, the gateway's or
   * those of their charge.
   */
  readonly pendingReferences: ReadonlySet<string>;
}

/** A person cannot choose among more. */
const CANDIDATES_MAX = 20;

/** Judges a line that points to no movement. */
export function judgeAlone(line: StoredLine, { choice, pendingReferences }: Surroundings): LineVerdict {
  const candidates = choice === null ? [] : choice.ambiguous;
  return {
    lineId: line.id,
    movementKey: null,
    candidateKeys: candidates
      .map(({ key }) => key)
      .sort()
      .slice(0, CANDIDATES_MAX),
    ...findingOf(line, { candidates, pendingReferences }),
  };
}

function findingOf(
  line: StoredLine,
  { candidates, pendingReferences }: { candidates: readonly Movement[]; pendingReferences: ReadonlySet<string> },
): Finding {
  switch (line.kind) {
    case 'FEE':
    case 'TAX':
    case 'RESERVE':
      return matched('EXPLAINED_BY_KIND');
    case 'CHARGE':
    case 'DISPUTE':
    case 'ADJUSTMENT':
    case 'REFUND': {
      const keys = keysOf(line);
      const reason: FlagReason = line.kind === 'REFUND' ? 'REFUND_UNKNOWN' : 'MISSING_INTERNALLY';
      if (candidates.length > 0) {
        return flagged(reason, severalDetail(line, candidates));
      }
      if (keys.some((key) => pendingReferences.has(key))) {
        return deferred('NOT_YET_CONFIRMED');
      }
      return flagged(reason, keys.length === 0 ? 'NO_REFERENCE' : 'UNKNOWN_REFERENCE');
    }
  }
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
