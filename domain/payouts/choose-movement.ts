import { magnitude } from './conversion.ts';
import type { Movement, StoredLine } from './matching.ts';
import type { PayoutLine } from './payout-line.ts';

/** The movement of a line, those among which a person has to choose, or none. */
export type Choice = Movement | { readonly ambiguous: readonly Movement[] } | null;

/** A reference that names something. Nothing is found by an empty one. */
function isReference(text: string | null): text is string {
  return text !== null && text.trim() !== '';
}

/**
 * Returns the identifiers by which a line is looked up, strongest first: the gateway's transaction id, our attempt reference and, where a refund may
 * be meant, the source's own id. Each may be the id of a charge or of a refund.
 */
export function keysOf(line: PayoutLine): string[] {
  const keys = [line.gatewayTxnId, line.attemptReference, ...(mayBeRefund(line) ? [line.lineReference] : [])];
  return [...new Set(keys.filter(isReference))];
}

/** Returns the identifiers by which lines find a movement. */
export function keysOfMovement(movement: Movement): string[] {
  const { gatewayTxnId, attemptReference, refundReference, gatewayRefundId } = movement;
  return [...new Set([gatewayTxnId, attemptReference, refundReference, gatewayRefundId].filter(isReference))];
}

/** Reports whether a line may name a refund by the source's own id. */
export function mayBeRefund({ kind }: PayoutLine): boolean {
  return kind === 'REFUND' || kind === 'ADJUSTMENT';
}

/**
 * Returns the movement that a line names: by the gateway's transaction id, then by our attempt reference, never by its amount alone. References that name
 * different movements leave the choice to a person.
 *
 * @param candidates - every movement that `keysOf` the line finds
 */
export function chooseMovement(line: StoredLine, candidates: readonly Movement[]): Choice {
  const charges = candidates.filter(({ kind }) => kind === 'CHARGE');
  const refunds = candidates.filter(({ kind }) => kind === 'REFUND');
  switch (line.kind) {
    case 'CHARGE':
    case 'DISPUTE':
    case 'FEE':
    case 'TAX':
      return named(line, charges);
    case 'REFUND':
      return namedByRefundId(line, candidates) ?? refundOfCharge(line, refunds);
    case 'ADJUSTMENT':
      return namedByRefundId(line, candidates) ?? named(line, charges);
    case 'RESERVE':
      return null;
  }
}

/** Reports whether the line carries our reference of the refund, or the gateway's. */
export function namesRefund(line: PayoutLine, { refundReference, gatewayRefundId }: Movement): boolean {
  return [line.gatewayTxnId, line.lineReference, line.attemptReference].some(
    (reference) => isReference(reference) && (reference === refundReference || reference === gatewayRefundId),
  );
}

/** A reference that names another charge contradicts the refund's. */
function namedByRefundId(line: StoredLine, candidates: readonly Movement[]): Choice {
  const own = candidates.filter((movement) => namesRefund(line, movement));
  const [first] = own;
  if (first === undefined) {
    return null;
  }
  const contradicting = candidates.filter(
    (movement) => namesCharge(line, movement) && !own.some((refund) => isOfSameCharge(refund, movement)),
  );
  return own.length === 1 && contradicting.length === 0 ? first : { ambiguous: [...own, ...contradicting] };
}

function namesCharge(line: StoredLine, { gatewayTxnId, attemptReference }: Movement): boolean {
  return [line.gatewayTxnId, line.attemptReference].some(
    (key) => isReference(key) && (key === gatewayTxnId || key === attemptReference),
  );
}

function isOfSameCharge(a: Movement, b: Movement): boolean {
  return a.attemptReference === b.attemptReference && a.gatewayTxnId === b.gatewayTxnId;
}

/** Of several refunds of one charge, the amount may choose: all of them are named. */
function refundOfCharge(line: StoredLine, refunds: readonly Movement[]): Choice {
  const choice = named(line, refunds);
  if (choice === null || !('ambiguous' in choice) || !areOfOneCharge(choice.ambiguous)) {
    return choice;
  }
  const exact = choice.ambiguous.filter(({ amountMinor }) => amountMinor === magnitude(line.grossMinor));
  const [only] = exact;
  return exact.length === 1 && only !== undefined ? only : choice;
}

export function areOfOneCharge(movements: readonly Movement[]): boolean {
  const [first] = movements;
  return first !== undefined && movements.every((other) => isOfSameCharge(first, other));
}

function named(line: StoredLine, movements: readonly Movement[]): Choice {
  const byTxnId = movements.filter(
    ({ gatewayTxnId }) => isReference(gatewayTxnId) && gatewayTxnId === line.gatewayTxnId,
  );
  const byAttempt = movements.filter(
    ({ attemptReference }) => isReference(attemptReference) && attemptReference === line.attemptReference,
  );
  if (byTxnId.length > 0) {
    const both = byTxnId.filter(({ attemptReference }) => attemptReference === line.attemptReference);
    if (byAttempt.length > 0 && both.length === 0) {
      return { ambiguous: [...byTxnId, ...byAttempt] };
    }
    return oneOf(both.length > 0 ? both : byTxnId);
  }
  if (byAttempt.length > 0 && isReference(line.gatewayTxnId)) {
    // The line names a transaction, so it is not about one with another id: an attempt may have been charged twice.
    const withoutId = byAttempt.filter(({ gatewayTxnId }) => !isReference(gatewayTxnId));
    return withoutId.length === 0 ? { ambiguous: byAttempt } : oneOf(withoutId);
  }
  return oneOf(byAttempt);
}

function oneOf(movements: readonly Movement[]): Choice {
  const [first] = movements;
  if (first === undefined) {
    return null;
  }
  return movements.length === 1 ? first : { ambiguous: movements };
}
