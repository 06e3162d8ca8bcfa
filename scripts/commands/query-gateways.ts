import { confirmedCharges, type StoredCharge } from '../../core/ledger/verify/confirmed-charges.ts';
import type { Database } from '../../database/connection.ts';
import type { Findings } from '../../core/ledger/verify/findings.ts';
import { GatewayFailure, type AttemptAnswer, type GatewayRegistry } from '../../gateways/port.ts';

const QUESTIONS_AT_ONCE = 4;

/**
 * Queries each gateway again for every charge that Lenden recorded as confirmed. Returns how many were queried. A charge that cannot be queried is a
 * finding too.
 */
export async function queryGateways({
  database,
  gateways,
  findings,
}: {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly findings: Findings;
}): Promise<number> {
  let asked = 0;
  for await (const page of confirmedCharges(database)) {
    for (let start = 0; start < page.length; start += QUESTIONS_AT_ONCE) {
      const charges = page.slice(start, start + QUESTIONS_AT_ONCE);
      const answers = await Promise.all(charges.map((charge) => disagreementOf(charge, gateways)));
      for (const [index, what] of answers.entries()) {
        const charge = charges[index];
        if (what !== null && charge !== undefined) {
          findings.add({ check: 'gateway', table: charge.table, id: charge.id, what });
        }
      }
      asked += charges.length;
    }
  }
  return asked;
}

async function disagreementOf(charge: StoredCharge, gateways: GatewayRegistry): Promise<string | null> {
  const { attemptReference, sessionKey, validationId } = charge;
  try {
    const gateway = gateways.open(charge.gateway, charge.mode, charge);
    if (gateway === undefined) {
      return `cannot be queried: the ${charge.mode} credentials of its store at ${charge.gateway} are not configured here`;
    }
    const answer = await gateway.queryAttempt({
      attemptReference,
      sessionKey,
      claimedValidationId: validationId,
      knownValidationIds: [],
    });
    return differenceBetween(charge, answer);
  } catch (error) {
    if (error instanceof GatewayFailure) {
      return `could not be queried: ${charge.gateway} is ${error.kind}`;
    }
    throw error;
  }
}

function differenceBetween(charge: StoredCharge, answer: AttemptAnswer): string | null {
  if (answer.kind !== 'charged') {
    return `is recorded as confirmed, but ${charge.gateway} now answers: ${answer.kind}`;
  }
  const said = answer.charge;
  const compared: readonly (readonly [string, string, string])[] = [
    ['attempt reference', charge.attemptReference, said.attemptReference],
    ['validation id', charge.validationId, said.validationId],
    ['gateway transaction', charge.gatewayTxnId, said.gatewayTxnId],
    ['currency', charge.currency, said.currency],
    ['gross', charge.gross, said.grossMinor?.toString() ?? 'nothing'],
    ['fee', charge.fee, said.feeMinor.toString()],
  ];
  const wrong = compared.find(([, ours, theirs]) => ours !== theirs);
  return wrong === undefined ? null : `has ${wrong[0]} ${wrong[1]}, but ${charge.gateway} says ${wrong[2]}`;
}
