import { appendFileSync } from 'node:fs';

/** One call of an application and what came of it. The driver writes it down as soon as it knows, and reads nothing of ours. */
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
  /** Null when no answer came. */
  readonly status: number | null;
  readonly replayed: boolean;
  readonly text: string;
  /** Key of the refund that was asked for. */
  readonly refund?: string;
  /** Of an operator's call: who he is, which refund or unapplied payment he speaks of, and when by the clock on the wall. */
  readonly desk?: { readonly operatorId: number; readonly subjectId: number | null; readonly atMs: number };
}

/** An application's calls to create a payment over OwnPay's API. */
export type IntentCall = 'intent' | 'intent-repeat';
/** An application's calls about refunds. */
export type RefundCall = 'refund' | 'refund-repeat' | 'refund-other-body' | 'refund-list';
/** An application's calls about invoices. */
export type BillCall = 'bill' | 'bill-repeat' | 'bill-issue' | 'bill-void' | 'bill-look';
/** What a payer who pays by hand has written; 200 where the page showed it to him. The text is that of his transaction. */
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

/** The journal of one round, appended to a file that outlives the driver. */
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
