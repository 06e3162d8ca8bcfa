import type { CheckoutState, ErrorPageKind, SubmissionProblem, UnappliedMoney } from './view.ts';

/** A state's heading and its one paragraph. `#app` and `#gateway` stand for the names, `#time`, `#number`, `#reason` and `#reference` for texts beside them. */
export type Notice = { title: string; text: string };

/** Every word on the checkout's pages; a language that lacks one does not compile. */
export type Words = {
  payTo: string;
  merchant: string;
  amount: string;
  product: string;
  reference: string;
  continue: string;
  continueNote: string;
  chooseHow: string;
  chooseNote: string;
  otherWays: string;
  /** Where a gateway's name would stand while none is chosen. */
  theGateway: string;
  /** Above the code that the payer writes on his transfer. */
  codeToWrite: string;
  manualNote: string;
  tellUs: string;
  transaction: string;
  transactionHint: string;
  sender: string;
  senderHint: string;
  submit: string;
  correct: string;
  rejected: string;
  problems: Record<SubmissionProblem, string>;
  returnedUnpaid: string;
  nothingPaid: string;
  payUntil: string;
  timeLeft: string;
  cancel: string;
  cancelQuestion: string;
  cancelConfirm: string;
  backToApp: string;
  print: string;
  downloadReceipt: string;
  paidAt: string;
  paidThrough: string;
  receiptNumber: string;
  gatewayTransaction: string;
  refunded: string;
  kept: string;
  closedAt: string;
  receivedAt: string;
  /** Beside a sum: what has become of it. */
  unappliedSum: Record<UnappliedMoney['status'], string>;
  /** In place of the text of a payment that ended unpaid. */
  invoicePaid: string;
  /** A page of its own: money that came for a payment that had ended unpaid. */
  unapplied: Record<UnappliedMoney['status'], Notice>;
  /** Beside the outcome of a payment that succeeded, by `#amount`. */
  beyond: Record<UnappliedMoney['status'], string>;
  /** Beside the outcome: another attempt is being asked about. */
  searchingBeyond: string;
  tryAgain: string;
  waitSeconds: string;
  requestId: string;
  states: Record<
    Exclude<CheckoutState['kind'], 'open' | 'choosing' | 'manual' | 'unapplied'> | 'cancelling' | 'searching',
    Notice
  >;
  errors: Record<ErrorPageKind, Notice>;
};
