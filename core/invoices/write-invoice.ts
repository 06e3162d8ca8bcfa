import type { Scope } from '../../database/connection.ts';
import { bindKey, claimKey, type KeyName } from '../idempotency/store.ts';
import { insertDraft, type InvoiceContent, type ShadhinpayTerms } from './store/drafts.ts';
import { readInvoice, type InvoiceRecord } from './store/invoices.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { claimOf, findDuplicate, keepingAnswer, type Lease, type Outcome } from '../idempotency/idempotency.ts';
import { findInvoice } from './find-invoice.ts';
import { issue, recordChange, type ChangedInvoice } from './issue.ts';

/** Storing is one short transaction: a caller that has not answered by then has died. */
const LEASE_SECONDS = 10;

/** An invoice that a contract has validated. */
export interface WantedInvoice {
  readonly scope: Scope;
  readonly applicationName: string;
  /** The reference of the payable link. */
  readonly reference: string;
  readonly content: InvoiceContent;
  readonly shadhinpay?: ShadhinpayTerms | undefined;
  /** False: the invoice stays a draft. */
  readonly issue: boolean;
  readonly key: KeyName | null;
  readonly lease: Omit<Lease, 'leaseSeconds'>;
}

/**
 * Stores an invoice and issues it if wanted. Key, draft, number and event are one transaction.
 * @throws DomainError the errors of a duplicate request, INVALID_OPERATION_STATE for an invoice that would have expired already
 */
export async function writeInvoice(deps: CoreDependencies, wanted: WantedInvoice): Promise<Outcome<InvoiceRecord>> {
  const { key } = wanted;
  const made = await store(deps, wanted);
  if ('text' in made) {
    return { kind: 'replay', ...made };
  }
  if ('change' in made) {
    await recordChange(deps, wanted.applicationName, made);
  }
  const invoice = 'change' in made ? made.invoice : made;
  return key === null
    ? { kind: 'made', made: invoice }
    : { kind: 'made', made: invoice, keep: keepingAnswer(deps, key) };
}

async function store(
  deps: CoreDependencies,
  { scope, reference, content, shadhinpay, issue: wantsIssue, key, lease }: WantedInvoice,
): Promise<InvoiceRecord | ChangedInvoice | { status: number; text: string }> {
  const claim = claimOf(key, { ...lease, leaseSeconds: LEASE_SECONDS });
  const made = await deps.database.inTransaction(scope, async (statements) => {
    if (claim !== null && !(await claimKey(statements, claim))) {
      return null;
    }
    const invoiceId = await insertDraft(statements, { scope, reference, content, shadhinpay });
    if (claim !== null) {
      await bindKey(statements, claim, { invoiceId });
    }
    const draft = await readInvoice(statements, scope, invoiceId);
    if (draft === null) {
      throw new Error('an invoice was not stored');
    }
    return wantsIssue ? issue(deps, statements, draft) : draft;
  });
  if (made !== null) {
    return made;
  }
  const duplicate = await findDuplicate(deps, claim);
  return duplicate.kind === 'replay' ? duplicate : findInvoice(deps, scope, duplicate.made.invoiceId);
}
