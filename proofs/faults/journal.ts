import { appendFileSync } from 'node:fs';

/** One call of an application and its result. The driver records it as soon as it knows the result. */
export interface Answer {
  readonly mark: string;
  readonly app: number;
  readonly kind:
    | 'create'
    | 'repeat'
    | 'other-body'
    | 'read'
    | 'foreign-read'
    | 'list'
    | IntentCall
    | RefundCall
    | DeskCall
    | BillCall
    | PayerCall;
  readonly api: 0 | 1;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** Null if no answer came. */
  readonly status: number | null;
  readonly replayed: boolean;
  readonly text: string;
  /** Key of the requested refund. */
  readonly refund?: string;
  /** For an operator's call: the operator, the refund or unapplied payment concerned, and the wall-clock time. */
  readonly desk?: { readonly operatorId: number; readonly subjectId: number | null; readonly atMs: number };
}

/** An application's calls to create a payment through OwnPay's API. */
export type IntentCall = 'intent' | 'intent-repeat';
/** An application's calls about refunds. */
export type RefundCall = 'refund' | 'refund-repeat' | 'refund-other-body' | 'refund-list';
/** An application's calls about invoices. */
export type BillCall = 'bill' | 'bill-repeat' | 'bill-issue' | 'bill-void' | 'bill-look';
/** A submission for a manual payment; its text is the transaction number. The status is 200 if the page showed it to the payer. */
export type PayerCall = 'submission';
/** Operators' calls. `unrefunded` says that no money moved. */
export type DeskCall =
  | 'desk-refund'
  | 'desk-look'
  | 'approve'
  | 'reject'
  | 'unrefunded'
  | 'late-refund'
  | 'late-keep'
  | 'manual-look'
  | 'manual-confirm'
  | 'manual-reject'
  | 'manual-end';

export interface Journal {
  write(answer: Answer): void;
  readonly answers: readonly Answer[];
}

/** Opens the journal of one round, which is appended to a file that outlives the driver. */
export function openJournal(file: string): Journal {
  const answers: Answer[] = [];
  return {
    answers,
    write(answer) {
      appendFileSync(file, `${JSON.stringify(answer)}\n`);
      answers.push(answer);
    },
  };
}
