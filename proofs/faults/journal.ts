import { appendFileSync } from 'node:fs';

/** One call of an application and what came of it. The driver writes it down as soon as it knows, and reads nothing of ours. */
export interface Answer {
  readonly mark: string;
  readonly app: number;
  readonly kind: 'create' | 'repeat' | 'other-body' | 'read' | 'foreign-read' | 'list' | RefundCall | DeskCall;
  readonly api: 0 | 1;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** Null when no answer came. */
  readonly status: number | null;
  readonly replayed: boolean;
  readonly text: string;
  /** Key of the refund that was asked for. */
  readonly refund?: string;
  /** Of an operator's call: who he is, which refund or late payment he speaks of, and when by the clock on the wall. */
  readonly desk?: { readonly operatorId: number; readonly subjectId: number | null; readonly atMs: number };
}

/** An application's calls about refunds. */
export type RefundCall = 'refund' | 'refund-repeat' | 'refund-other-body' | 'refund-list';
/** Operators' calls. `unrefunded` says that no money moved. */
export type DeskCall = 'desk-refund' | 'desk-look' | 'approve' | 'reject' | 'unrefunded' | 'late-refund' | 'late-keep';

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
