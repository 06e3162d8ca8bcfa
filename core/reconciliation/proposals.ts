import type { Calendar } from '../../domain/calendar.ts';
import type { Statements } from '../../database/statements.ts';
import { magnitude } from '../../domain/payouts/conversion.ts';
import type { Movement } from '../../domain/payouts/matching.ts';
import { type Proposal, proposalsFor } from '../../domain/payouts/proposals.ts';
import { addDays } from '../../domain/plain-date.ts';
import { withWord } from './words-of-lines.ts';
import { movementOfCharge, movementOfRefund } from './movement-of.ts';
import { findLinesById, referenceIn } from './store/lines.ts';
import { type AtGateway, findCharges, findRefunds } from './store/movements.ts';
import { movementsNear } from './store/near-movements.ts';

/** A proposal with what it proposes. */
export interface ShownProposal extends Proposal {
  readonly movement: Movement;
}

const DAYS_AROUND = 7;

interface Reading {
  readonly calendar: Calendar;
  readonly feeAtSettlement: boolean;
}

/** Returns what a line may mean, computed from the movements around its day that an operator may see. */
export async function proposalsOfLine(
  statements: Statements,
  reading: Reading,
  { mode, gateway, lineId, period }: AtGateway & { readonly lineId: bigint; readonly period: string },
): Promise<ShownProposal[]> {
  const [row] = await findLinesById(statements, { mode, gateway, ids: [lineId] });
  if (row === undefined) {
    return [];
  }
  const line = withWord(row, null);
  const { calendar } = reading;
  const occurredOn = line.occurredAt === null ? period : calendar.today(line.occurredAt);
  const near = await movementsNear(statements, {
    mode,
    gateway,
    currency: line.currency,
    amounts: [magnitude(line.grossMinor), magnitude(line.netMinor)],
    from: calendar.startOf(addDays(occurredOn, -DAYS_AROUND)),
    before: calendar.startOf(addDays(occurredOn, DAYS_AROUND + 1)),
  });
  const movements = [
    ...near.charges.map((charge) => movementOfCharge(charge, reading)),
    ...near.refunds.map((refund) => movementOfRefund(refund, reading)),
  ];
  return proposalsFor(line, { movements, occurredOn }).flatMap((proposal) => {
    const movement = movements.find(({ key }) => key === proposal.movementKey);
    return movement === undefined ? [] : [{ ...proposal, movement }];
  });
}

/** Reports whether an operator sees a movement with this key. */
export async function isMovement(statements: Statements, at: AtGateway, movementKey: string): Promise<boolean> {
  const reference = referenceIn(movementKey);
  if (reference === null) {
    return false;
  }
  const wanted = { ...at, keys: [reference] };
  const charges = await findCharges(statements, wanted);
  const refunds = await findRefunds(statements, { ...wanted, paymentIds: [] });
  return [
    ...charges.map(({ attemptReference, validationId }) => `charge:${attemptReference}:${validationId ?? ''}`),
    ...refunds.map((refund) => `refund:${refund.reference}`),
  ].includes(movementKey);
}
