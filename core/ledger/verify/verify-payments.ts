import { unappliedPaymentReceipt, paymentPosting } from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Finding, Findings } from './findings.ts';
import { postedFinding, postedJson, type PostedTransaction } from './posted.ts';
import { eachRow, ROWS_PER_PAGE } from './rows.ts';

/** The facts in a gateway's stored answer, read by that gateway's adapter. */
export interface EvidenceFacts {
  readonly attemptReference: string;
  readonly validationId: string;
  readonly gatewayTxnId: string;
  readonly grossMinor: bigint | null;
  readonly feeMinor: bigint;
  readonly currency: string;
}

/** Returns null if the text is not a confirmation of a charge by that gateway. */
export type ReadEvidence = (evidence: { readonly gateway: string; readonly text: string }) => EvidenceFacts | null;

interface VerifyOptions {
  readonly findings: Findings;
  readonly readEvidence: ReadEvidence;
}

/** A confirmed charge as our rows describe it. */
interface ConfirmedCharge {
  readonly table: 'payment_attempts' | 'unapplied_payments';
  readonly id: string;
  readonly attemptReference: string;
  readonly gateway: string;
  readonly validationId: string | null;
  readonly gatewayTxnId: string | null;
  readonly gross: string | null;
  readonly fee: string | null;
  readonly currency: string;
  readonly evidence: string | null;
}

interface Owned {
  readonly id: string;
  readonly applicationId: string;
  readonly mode: Mode;
  readonly currency: string;
}

type PaidPayment = Owned & {
  readonly reference: string;
  readonly status: string;
  readonly amount: string;
  readonly fee: string | null;
  readonly overpayment: string;
  readonly heldOverpayment: string;
  readonly gatewayTxnId: string | null;
  readonly charges: readonly ConfirmedCharge[];
  readonly posted: PostedTransaction | null;
};

const PAID = `('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED')`;

/** Late charges have a row and evidence of their own, even if their attempt also finalized the payment. */
const NOT_LATE = `not exists (select from unapplied_payments l where l.attempt_id = a.id and l.validation_id = a.validation_id and l.kind = 'late')`;

const PAID_PAYMENTS = `
select p.id::text, p.reference, p.status, p.application_id::text as "applicationId", p.mode, p.currency, p.amount_minor::text as amount,
  p.fee_minor::text as fee, p.overpayment_minor::text as overpayment, p.gateway_txn_id as "gatewayTxnId",
  (select coalesce(sum(l.gross_minor), 0)::text from unapplied_payments l where l.payment_id = p.id and l.kind = 'overpayment') as "heldOverpayment",
  (select coalesce(jsonb_agg(jsonb_build_object('table', 'payment_attempts', 'id', a.id::text, 'attemptReference', a.reference,
      'gateway', a.gateway, 'validationId', a.validation_id, 'gatewayTxnId', a.gateway_txn_id, 'gross', a.gross_minor::text,
      'fee', a.fee_minor::text, 'currency', p.currency, 'evidence', a.evidence) order by a.id), '[]')
    from payment_attempts a where a.payment_id = p.id and a.status = 'CONFIRMED' and ${NOT_LATE}) as charges,
  (select ${postedJson('t')} from ledger_transactions t
    where t.cause_type = 'payment' and t.cause_id = p.reference and t.kind = 'charge') as posted
from payments p where p.id > ?::bigint and p.status in ${PAID} order by p.id limit ${ROWS_PER_PAGE}`;

/** Compares every paid payment with its confirmed attempt, the gateway's stored answer and its ledger transaction. Returns the number of payments. */
export function verifyPaidPayments(em: EntityManager, options: VerifyOptions): Promise<number> {
  return eachRow<PaidPayment>(em, PAID_PAYMENTS, (payment) => {
    const finding = paidPaymentFinding(payment, options.readEvidence);
    if (finding !== null) {
      options.findings.add({ check: 'payment', ...finding });
    }
  });
}

type Bad = Omit<Finding, 'check'>;

function paidPaymentFinding(payment: PaidPayment, readEvidence: ReadEvidence): Bad | null {
  const name = `payment ${payment.reference}`;
  const bad = (what: string): Bad => ({ table: 'payments', id: payment.id, what: `(${payment.reference}) ${what}` });
  const [charge] = payment.charges;
  if (payment.posted === null) {
    const confirmed = charge === undefined ? ', and no attempt of it was confirmed by the gateway' : '';
    return bad(`is ${payment.status}, but nothing is posted for it${confirmed}`);
  }
  if (charge === undefined || payment.charges.length > 1) {
    return bad(`is ${payment.status} with ${payment.charges.length} confirmed attempts instead of one`);
  }
  if (payment.amount !== charge.gross) {
    return bad(`is for ${payment.amount}, but its attempt ${charge.id} was confirmed for ${charge.gross ?? 'nothing'}`);
  }
  if (payment.fee !== charge.fee || payment.gatewayTxnId !== charge.gatewayTxnId) {
    return bad(
      `has fee ${payment.fee ?? 'null'} and gateway transaction ${payment.gatewayTxnId ?? 'null'}, ` +
        `but its attempt ${charge.id} has ${charge.fee ?? 'null'} and ${charge.gatewayTxnId ?? 'null'}`,
    );
  }
  if (payment.overpayment !== payment.heldOverpayment) {
    return bad(
      `has an overpayment of ${payment.overpayment}, but ${payment.heldOverpayment} is held as an unapplied payment`,
    );
  }
  const owner = { ...ownerOf(payment), reference: payment.reference, overpaymentMinor: BigInt(payment.overpayment) };
  return (
    evidenceFinding(charge, readEvidence) ??
    postedFinding({
      name,
      posted: payment.posted,
      expected: () => paymentPosting({ ...owner, ...moneyOf(charge) }),
      bad,
    })
  );
}

type UnappliedPayment = Owned & { readonly charge: ConfirmedCharge; readonly posted: PostedTransaction | null };

const UNAPPLIED_PAYMENTS = `
select l.id::text, l.application_id::text as "applicationId", l.mode, l.currency,
  jsonb_build_object('table', 'unapplied_payments', 'id', l.id::text, 'attemptReference', a.reference, 'gateway', l.gateway,
    'validationId', l.validation_id, 'gatewayTxnId', l.gateway_txn_id, 'gross', l.gross_minor::text, 'fee', l.fee_minor::text,
    'currency', l.currency, 'evidence', l.evidence) as charge,
  (select ${postedJson('t')} from ledger_transactions t
    where t.cause_type = 'unapplied-payment' and t.cause_id = a.reference || ':' || l.validation_id and t.kind = 'unapplied') as posted
from unapplied_payments l left join payment_attempts a on a.id = l.attempt_id
where l.id > ?::bigint and l.kind = 'late' order by l.id limit ${ROWS_PER_PAGE}`;

/**
 * Compares every unapplied payment with the gateway's stored answer and its ledger transaction. Overpayments are posted and compared with their
 * payment. Returns the number of unapplied payments.
 */
export function verifyUnappliedPayments(em: EntityManager, { findings, readEvidence }: VerifyOptions): Promise<number> {
  return eachRow<UnappliedPayment>(em, UNAPPLIED_PAYMENTS, ({ charge, posted, ...late }) => {
    const bad = (what: string): Bad => ({ table: 'unapplied_payments', id: late.id, what });
    const { attemptReference, validationId } = charge;
    const owner = { ...ownerOf(late), attemptReference, validationId: validationId ?? '' };
    const finding =
      posted === null
        ? bad('has arrived, but nothing is posted for it')
        : (evidenceFinding(charge, readEvidence) ??
          postedFinding({
            name: `unapplied payment ${late.id}`,
            posted,
            expected: () => unappliedPaymentReceipt({ ...owner, ...moneyOf(charge) }),
            bad,
          }));
    if (finding !== null) {
      findings.add({ check: 'unapplied-payment', ...finding });
    }
  });
}

/** Compares the columns of our row with the gateway's stored answer. */
function evidenceFinding(charge: ConfirmedCharge, readEvidence: ReadEvidence): Bad | null {
  const bad = (what: string): Bad => ({ table: charge.table, id: charge.id, what });
  const facts = readEvidence({ gateway: charge.gateway, text: charge.evidence ?? '' });
  if (facts === null) {
    return bad(`has no readable confirmation by ${charge.gateway}`);
  }
  const compared: readonly (readonly [string, string | null, string | null])[] = [
    ['gross', charge.gross, facts.grossMinor?.toString() ?? null],
    ['fee', charge.fee, facts.feeMinor.toString()],
    ['currency', charge.currency, facts.currency],
    ['attempt reference', charge.attemptReference, facts.attemptReference],
    ['validation id', charge.validationId, facts.validationId],
    ['gateway transaction', charge.gatewayTxnId, facts.gatewayTxnId],
  ];
  const wrong = compared.find(([, ours, theirs]) => ours !== theirs);
  return wrong === undefined
    ? null
    : bad(`has ${wrong[0]} ${wrong[1] ?? 'null'}, but the gateway's stored answer says ${wrong[2] ?? 'nothing'}`);
}

function ownerOf({ applicationId, mode, currency }: Owned): { applicationId: bigint; mode: Mode; currency: string } {
  return { applicationId: BigInt(applicationId), mode, currency };
}

function moneyOf({ gateway, gross, fee }: ConfirmedCharge): { gateway: string; grossMinor: bigint; feeMinor: bigint } {
  return { gateway, grossMinor: BigInt(gross ?? 0), feeMinor: BigInt(fee ?? 0) };
}
