import { expressionBuilder, sql } from 'kysely';
import { earlier, now } from '../../../database/expressions.ts';
import { filtered, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Money } from '../../../domain/money.ts';
import { amountsAtRisk } from '../../../domain/payouts/at-risk.ts';
import {
  APPROVAL_SUM_HOURS,
  type ApprovalThresholds,
  isThresholdSet,
  needsApproval,
  RESERVING_STATUSES,
  strictestLimit,
} from '../../../domain/refund.ts';
import { thresholdsFrom, thresholdsOfStore, type UsedStore } from './store-thresholds.ts';

interface Whose {
  /** Null: a case of no application, for which every application counts. */
  readonly applicationId?: bigint | null;
}

const THRESHOLDS = filtered((db, $: Given<ValuesOf<Whose>>) => {
  const applications = db.selectFrom('applications').where('isInstallation', '=', false);
  return {
    rows: applications.select(['refundApprovalThresholdMinor as bdtMinor', 'refundApprovalThresholds as others']),
    conditions: { applicationId: expressionBuilder(applications)('id', '=', $('applicationId')) },
  };
});

interface Acted extends Whose {
  readonly operatorId: bigint;
  readonly currency: string;
  readonly mode: Mode;
}

/** In every application, for a case of none. */
const LOCK_OPERATOR = statement((db, $: Given<{ operatorId: bigint; mode: Mode; applicationId: bigint | null }>) =>
  db
    .insertInto('acting_operators')
    .columns(['applicationId', 'mode', 'operatorId'])
    .expression((insert) =>
      insert
        .selectFrom('applications as a')
        .select([
          'a.id',
          sql<Mode>`${$('mode')}::text`.as('mode'),
          sql<bigint>`${$('operatorId')}::bigint`.as('operatorId'),
        ])
        .where('a.isInstallation', '=', false)
        .where(sql<boolean>`(${$('applicationId')}::bigint is null or a.id = ${$('applicationId')}::bigint)`)
        .orderBy('a.id'),
    )
    .onConflict((conflict) => conflict.columns(['applicationId', 'mode', 'operatorId']).doUpdateSet({ actedAt: now })),
);

const SINCE = earlier(`${APPROVAL_SUM_HOURS} hours`);
const sumOf = sql<bigint>`coalesce(sum(amount_minor), 0)::bigint`.as('sum');

const REFUNDS = filtered((db, $: Given<ValuesOf<Acted>>) => {
  const refunds = db
    .selectFrom('refunds')
    .where('unappliedPaymentId', 'is', null)
    .where('status', 'in', RESERVING_STATUSES)
    .where('createdAt', '>', SINCE);
  const eb = expressionBuilder(refunds);
  return {
    rows: refunds.select(sumOf),
    conditions: {
      operatorId: eb('createdByOperatorId', '=', $('operatorId')),
      currency: eb('currency', '=', $('currency')),
      mode: eb('mode', '=', $('mode')),
      applicationId: eb('applicationId', '=', $('applicationId')),
    },
  };
});
const DECISIONS = filtered((db, $: Given<ValuesOf<Acted>>) => {
  const decisions = db
    .selectFrom('decisions')
    .where('decision', '<>', 'reject')
    .where((eb) => eb(eb.fn.coalesce('outcome', sql.lit('')), 'not in', ['TAKEN_BACK', 'LAPSED']))
    .where('createdAt', '>', SINCE);
  const eb = expressionBuilder(decisions);
  return {
    rows: decisions.select(sumOf),
    conditions: {
      operatorId: eb('operatorId', '=', $('operatorId')),
      currency: eb('currency', '=', $('currency')),
      mode: eb('mode', '=', $('mode')),
      applicationId: eb('applicationId', '=', $('applicationId')),
    },
  };
});
const ACTIONS = filtered((db, $: Given<ValuesOf<Acted>>) => {
  const actions = db
    .selectFrom('reconciliation_case_entries as y')
    .innerJoin('reconciliation_cases as c', 'c.id', 'y.caseId')
    .where('y.action', 'in', ['accept', 'post-correction'])
    .where((eb) => eb(eb.fn.coalesce('y.outcome', sql.lit('DONE')), '=', 'DONE'))
    .where('y.createdAt', '>', SINCE);
  const eb = expressionBuilder(actions);
  return {
    rows: actions.select(sql<bigint>`coalesce(sum(coalesce(y.at_risk_minor, y.amount_minor)), 0)::bigint`.as('sum')),
    conditions: {
      operatorId: eb('y.operatorId', '=', $('operatorId')),
      currency: eb('y.currency', '=', $('currency')),
      mode: eb('c.mode', '=', $('mode')),
      applicationId: eb('c.applicationId', '=', $('applicationId')),
    },
  };
});

/** What they have stated alone of what arrived in the bank. */
const STATED = filtered((db, $: Given<ValuesOf<Acted>>) => {
  const payouts = db.selectFrom('payouts').where('bankStatedAt', '>', SINCE);
  const eb = expressionBuilder(payouts);
  return {
    rows: payouts.select(sql<bigint>`coalesce(sum(bank_stated_moved_minor), 0)::bigint`.as('sum')),
    conditions: {
      operatorId: eb('bankStatedBy', '=', $('operatorId')),
      currency: eb('currency', '=', $('currency')),
      mode: eb('mode', '=', $('mode')),
      applicationId: eb('storeApplicationId', '=', $('applicationId')),
    },
  };
});

const ABOUT = statement((db, $: Given<{ resultId: bigint }>) =>
  db
    .selectFrom('reconciliation_results as r')
    .leftJoin('payments as p', 'p.id', 'r.paymentId')
    .leftJoin('payout_lines as n', 'n.id', 'r.lineId')
    .select([
      'r.lineId',
      'n.currency as lineCurrency',
      'n.grossMinor',
      'n.feeMinor',
      'n.taxMinor',
      'n.netMinor',
      'p.currency as paymentCurrency',
      'p.amountMinor as paymentMinor',
    ])
    .where('r.id', '=', $('resultId')),
);

/** A case, as far as it decides how much accepting it can book away. */
interface CaseAtStake {
  readonly resultId: bigint | null;
  readonly reason: string;
  readonly currency: string;
  readonly amountMinor: bigint;
}

/**
 * Returns the most that accepting a case can book away, in each currency. Null: the case is about a line that is not in the operator's view, so nobody can tell.
 */
export async function caseAtRisk(
  statements: Statements,
  { resultId, reason, currency, amountMinor }: CaseAtStake,
): Promise<Money[] | null> {
  const stake = { currency, amountMinor };
  const about = resultId === null ? undefined : await ABOUT.first(statements, { resultId });
  if (about === undefined || about.lineId === null) {
    return [stake];
  }
  const { lineCurrency, grossMinor, feeMinor, taxMinor, netMinor, paymentCurrency, paymentMinor } = about;
  if (lineCurrency === null || grossMinor === null || feeMinor === null || taxMinor === null || netMinor === null) {
    return null;
  }
  return amountsAtRisk({
    reason,
    stake,
    line: { currency: lineCurrency, grossMinor, feeMinor, taxMinor, netMinor },
    payment:
      paymentCurrency === null || paymentMinor === null
        ? null
        : { currency: paymentCurrency, amountMinor: paymentMinor },
  });
}

const STORE = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('reconciliation_cases as c')
    .leftJoin('reconciliation_results as r', 'r.id', 'c.resultId')
    .leftJoin('payouts as o', 'o.id', 'c.payoutId')
    .leftJoin('refunds as f', 'f.id', 'c.refundId')
    .leftJoin('disputes as d', 'd.id', 'c.disputeId')
    .select((eb) => [
      'c.mode',
      'c.gateway',
      eb.fn.coalesce('r.storeId', 'o.storeId', 'f.storeId', 'd.storeId').$castTo<string | null>().as('storeId'),
    ])
    .where('c.id', '=', $('id')),
);

/** Whose money a case is about. */
export interface Concerned {
  /** Null: of no application, so every application counts. */
  readonly applicationId: bigint | null;
  /** Null: nobody can tell. */
  readonly store: UsedStore | null;
}

/** Returns the store of a case, as far as the operator's view shows it. */
export async function storeOfCase(statements: Statements, id: bigint): Promise<UsedStore | null> {
  const found = await STORE.first(statements, { id });
  return found === undefined || found.storeId === null ? null : { ...found, storeId: found.storeId, isShared: false };
}

/** Returns the thresholds of the application, and of those that use the same store: its lines may be anybody's. */
async function thresholdsOf(
  statements: Statements,
  { applicationId, store }: Concerned,
): Promise<ApprovalThresholds[]> {
  const own = (await THRESHOLDS.all(statements, { applicationId })).map(thresholdsFrom);
  return store === null ? own : [...own, ...(await thresholdsOfStore(statements, store))];
}

/** Reports whether any application whose rule counts has a threshold. */
export async function hasThreshold(statements: Statements, concerned: Concerned): Promise<boolean> {
  return (await thresholdsOf(statements, concerned)).some(isThresholdSet);
}

/**
 * Reports whether accepting a difference needs a second operator: it brings what the operator has done within a day above the strictest threshold of the applications
 * that it concerns. Counted are their refunds, their decisions on money, what they accepted or corrected in cases, and what they stated of bank amounts. It locks the
 * operator's rows, as their refunds do, so that what they do at once is counted one after the other.
 */
export async function acceptingNeedsSecond(
  statements: Statements,
  {
    operatorId,
    mode,
    concerned,
    amount: { amountMinor, currency },
  }: {
    readonly operatorId: bigint;
    readonly mode: Mode;
    readonly concerned: Concerned;
    readonly amount: Money;
  },
): Promise<boolean> {
  const { applicationId } = concerned;
  const limitMinor = strictestLimit(await thresholdsOf(statements, concerned), currency);
  if (limitMinor === null) {
    return false;
  }
  await LOCK_OPERATOR.all(statements, { operatorId, mode, applicationId });
  const whose = { operatorId, currency, mode, applicationId };
  const sums = [
    ...(await REFUNDS.all(statements, whose)),
    ...(await DECISIONS.all(statements, whose)),
    ...(await ACTIONS.all(statements, whose)),
    ...(await STATED.all(statements, whose)),
  ];
  const actedMinor = sums.reduce((total, { sum }) => total + sum, 0n);
  return needsApproval({ amountMinor, actedMinor, limitMinor });
}
