import { earlier, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement } from '../../../database/typed-statements.ts';
import type { ApprovalKind, ToApprove } from '../../../domain/approval.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Money } from '../../../domain/money.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import { APPLICATION_CHANGES, OPERATOR_CHANGES, type ChangeKind } from '../../../domain/pending-change.ts';
import type { Permission } from '../../../domain/permissions.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';
import { IS_CORRECTED } from '../../manual-payments/store/newest-submission.ts';

/** Something that waits for a person to decide it. */
export interface WaitingApproval extends ToApprove {
  readonly kind: ApprovalKind;
  /** Unique among those of its kind. */
  readonly id: bigint;
  readonly applicationName: string | null;
  /** Null: it belongs to both modes. */
  readonly mode: Mode | null;
  readonly amount: Money | null;
  /** The page of the dashboard where it is decided, behind the mode. */
  readonly page: string;
}

/** What has waited for longer was told, or waited before the installation sent email. */
const WAITS_SINCE = '7 days';
const OF_KIND_MAX = 500;

const REFUNDS = statement((db) =>
  db
    .selectFrom('refunds as r')
    .innerJoin('applications as a', 'a.id', 'r.applicationId')
    .select(['r.id', 'r.applicationId', 'a.name as applicationName', 'r.mode', 'r.amountMinor', 'r.currency'])
    .select('r.createdByOperatorId as askedById')
    .where('r.status', '=', 'AWAITING_APPROVAL')
    .where('r.reviewReason', 'is', null)
    .where('r.createdAt', '>', earlier(WAITS_SINCE))
    .orderBy('r.id')
    .limit(OF_KIND_MAX),
);

/** Decisions above a threshold that only one person has made. */
const DECISIONS = statement((db) =>
  db
    .selectFrom('decisions as d')
    .innerJoin('applications as a', 'a.id', 'd.applicationId')
    .select(['d.id', 'd.applicationId', 'a.name as applicationName', 'd.mode', 'd.amountMinor', 'd.currency'])
    .select(['d.kind as about', 'd.paymentId', 'd.refundId', 'd.operatorId as askedById'])
    .where('d.consumedAt', 'is', null)
    .where((eb) => eb.not(COMPLETE))
    .where('d.createdAt', '>', earlier(WAITS_SINCE))
    .orderBy('d.id')
    .limit(OF_KIND_MAX),
);

/** The newest submission of each open payment on which nobody has decided. */
const SUBMISSIONS = statement((db) =>
  db
    .selectFrom('manual_submissions as s')
    .innerJoin('payments as p', 'p.id', 's.paymentId')
    .innerJoin('applications as a', 'a.id', 's.applicationId')
    .select(['s.id', 's.applicationId', 'a.name as applicationName', 's.mode', 's.paymentId'])
    .select(['p.amountMinor', 'p.currency'])
    .where('p.status', 'in', OPEN_STATUSES)
    .where('s.createdAt', '>', earlier(WAITS_SINCE))
    .where((eb) => eb.not(IS_CORRECTED))
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('decisions as d').select('d.id').whereRef('d.manualSubmissionId', '=', 's.id'))),
    )
    .orderBy('s.id')
    .limit(OF_KIND_MAX),
);

const CHANGES = statement((db) =>
  db
    .selectFrom('pending_changes as c')
    .leftJoin('applications as a', 'a.id', 'c.applicationId')
    .select(['c.id', 'c.applicationId', 'a.name as applicationName', 'c.mode', 'c.kind as about'])
    .select('c.proposedByOperatorId as askedById')
    .where('c.status', '=', 'PENDING')
    .where('c.expiresAt', '>', now)
    .orderBy('c.id')
    .limit(OF_KIND_MAX),
);

/** Answers to differences of payouts that only one person has given. */
const CASE_ACTIONS = statement((db) =>
  db
    .selectFrom('reconciliation_case_entries as y')
    .innerJoin('reconciliation_cases as c', 'c.id', 'y.caseId')
    .leftJoin('applications as a', 'a.id', 'y.applicationId')
    .select(['y.id', 'y.applicationId', 'a.name as applicationName', 'y.mode', 'y.amountMinor', 'y.currency'])
    .select(['c.reference', 'y.operatorId as askedById'])
    .where('y.kind', '=', 'action')
    .where('y.consumedAt', 'is', null)
    .where('y.needsSecond', '=', true)
    .where('y.secondOperatorId', 'is', null)
    .where('y.createdAt', '>', earlier(WAITS_SINCE))
    .orderBy('y.id')
    .limit(OF_KIND_MAX),
);

/** Returns what waits, of each kind at most `OF_KIND_MAX`. Must run as the system. */
export async function waitingApprovals(statements: Statements): Promise<WaitingApproval[]> {
  const [refunds, decisions, submissions, changes, caseActions] = await Promise.all([
    REFUNDS.all(statements, {}),
    DECISIONS.all(statements, {}),
    SUBMISSIONS.all(statements, {}),
    CHANGES.all(statements, {}),
    CASE_ACTIONS.all(statements, {}),
  ]);
  return [
    ...refunds.map(({ amountMinor, currency, ...refund }) => ({
      ...refund,
      kind: 'REFUND' as const,
      permission: 'refund:approve' as const,
      amount: { amountMinor, currency },
      page: `refunds/${refund.id}`,
    })),
    ...decisions.map(({ about, paymentId, refundId, amountMinor, currency, ...decision }) => ({
      ...decision,
      kind: 'DECISION' as const,
      permission: about === 'refund' ? ('refund:approve' as const) : ('payment:review' as const),
      amount: moneyOf(amountMinor, currency),
      page: refundId === null ? `payments/${paymentId}` : `refunds/${refundId}`,
    })),
    ...submissions.map(({ paymentId, amountMinor, currency, ...submission }) => ({
      ...submission,
      kind: 'MANUAL_SUBMISSION' as const,
      permission: 'payment:review' as const,
      askedById: null,
      amount: { amountMinor, currency },
      page: `payments/${paymentId}`,
    })),
    ...changes.map(({ about, ...change }) => ({
      ...change,
      kind: 'CHANGE' as const,
      permission: permissionFor(about),
      amount: null,
      page: 'changes',
    })),
    ...caseActions.map(({ reference, amountMinor, currency, ...action }) => ({
      ...action,
      kind: 'CASE_ACTION' as const,
      permission: 'reconciliation:manage' as const,
      amount: moneyOf(amountMinor, currency),
      page: `cases/${reference}`,
    })),
  ];
}

function moneyOf(amountMinor: bigint | null, currency: string | null): Money | null {
  return amountMinor === null || currency === null ? null : { amountMinor, currency };
}

function permissionFor(kind: ChangeKind): Permission {
  const isOf = (kinds: readonly ChangeKind[]): boolean => kinds.includes(kind);
  if (isOf(APPLICATION_CHANGES)) {
    return 'app:manage';
  }
  return isOf(OPERATOR_CHANGES) ? 'user:manage' : 'reconciliation:manage';
}
