import type { Statements } from '../../database/statements.ts';
import { readManualAttempt } from '../../core/manual-payments/store/submissions.ts';
import { submit } from '../../core/manual-payments/submit.ts';
import type { PaymentRecord } from '../../core/payments/store/payments.ts';
import type { PublicPayment } from '../../core/payments/store/public-references.ts';
import { holdsCardNumber } from '../../domain/card-number.ts';
import { DomainError } from '../../domain/errors.ts';
import { compareTransaction, TRANSACTION_LENGTH } from '../../domain/manual-payment.ts';
import { checkoutPath } from '../../domain/payment-view.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { Language } from '../../web/language.ts';
import type { CheckoutState, SubmissionProblem } from '../../web/checkout/view.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readText } from '../http/body.ts';
import type { Context } from '../http/surface.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';
/** Percent-encoded Bangla text takes nine bytes per character. */
const FORM_BYTES_MAX = 4_000;
const SENDER_LENGTH_MAX = 120;
/** Invisible characters: controls, lone surrogates and line breaks. */
const UNSEEN = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/** Returns whether the payment is made on our own page: the gateway has no page and sends no callbacks. */
export function paysOnOurPage({ gateways }: ApiDependencies, { gateway }: PaymentRecord): boolean {
  return typeof gateway === 'string' && gateways.capabilities(gateway)?.takesCallbacks === false;
}

export interface ManualPage {
  readonly found: PublicPayment;
  readonly language: Language;
  readonly otherWaysPath: string | null;
  readonly problem: SubmissionProblem | null;
}

/** Returns the state of a payment without a gateway; null while its attempt is not open or its instructions cannot be read. */
export async function manualState(
  deps: ApiDependencies,
  statements: Statements,
  { found, language, otherWaysPath, problem }: ManualPage,
): Promise<CheckoutState | null> {
  const { payment } = found;
  const attempt = await readManualAttempt(statements, payment.id);
  if (attempt === null || typeof payment.gateway !== 'string') {
    return null;
  }
  const { submission, reference: code } = attempt;
  const submitAction = `${checkoutPath(payment.reference)}/submission`;
  if (submission !== null && submission.decided !== 'reject') {
    const { transaction, submittedAt: since, decided, begun } = submission;
    const isOver = decided !== null || begun || payment.expiresAt <= payment.readAt;
    return { kind: 'submitted', since, transaction, code, correctAction: isOver ? null : submitAction, problem };
  }
  const instructions = openOrAlert(deps, {
    gateway: payment.gateway,
    mode: payment.mode,
    store: attempt,
  })?.instructions;
  if (instructions === undefined || payment.expiresAt <= payment.readAt) {
    return null;
  }
  return {
    kind: 'manual',
    expiresAt: payment.expiresAt,
    instructions: { label: instructions.label[language], text: instructions.text[language] },
    code,
    submitAction,
    cancelAction: `${checkoutPath(payment.reference)}/cancel`,
    otherWaysPath,
    rejected: submission === null ? null : { transaction: submission.transaction, reason: submission.reason ?? '' },
    problem,
  };
}

/**
 * Stores the transaction that the payer reports. Returns the problem with it, or null if it is stored or nothing can be stored any more; the page
 * then shows the state.
 * @throws DomainError for a form that is not the page's, and too many corrections
 */
export async function acceptSubmission(
  deps: ApiDependencies,
  context: Context,
  found: PublicPayment,
): Promise<SubmissionProblem | null> {
  const said = await readForm(context);
  if (typeof said === 'string') {
    return said;
  }
  await submit(deps, found, said);
  return null;
}

interface Said {
  readonly transaction: string;
  readonly normalized: string;
  readonly sender: string | null;
}

async function readForm(context: Context): Promise<Said | SubmissionProblem> {
  if (!context.is(FORM_TYPE)) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'send the form as application/x-www-form-urlencoded');
  }
  const fields = new URLSearchParams(await readText(context.req, FORM_BYTES_MAX));
  const transactions = fields.getAll('transaction');
  const senders = fields.getAll('sender');
  if (transactions.length !== 1 || senders.length > 1) {
    throw new DomainError('VALIDATION_ERROR', 'the form does not belong to this page');
  }
  const transaction = (transactions[0] ?? '').trim();
  const sender = (senders[0] ?? '').trim();
  const compared = compareTransaction(transaction);
  if (compared.kind === 'characters') {
    return 'transaction-characters';
  }
  if (compared.kind === 'length' || !isLengthOf(transaction, TRANSACTION_LENGTH)) {
    return 'transaction';
  }
  if (!isLengthOf(sender, { min: 0, max: SENDER_LENGTH_MAX }) || UNSEEN.test(sender) || holdsCardNumber(sender)) {
    return 'sender';
  }
  return { transaction, normalized: compared.normalized, sender: sender === '' ? null : sender };
}

/** Counts characters as the database does. */
function isLengthOf(text: string, { min, max }: { readonly min: number; readonly max: number }): boolean {
  const { length } = [...text];
  return min <= length && length <= max;
}
