import type { CheckoutState, ErrorPageKind, SubmissionProblem, UnappliedMoney } from './view.ts';

/**
 * A state's heading and its paragraph. `#app` and `#gateway` are placeholders for names; `#time`, `#number`, `#reason` and `#reference` for other
 * texts.
 */
export type Notice = { title: string; text: string };

/** Every text of the checkout pages. A language that lacks one does not compile. */
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
  /** Used instead of a gateway's name while none is chosen. */
  theGateway: string;
  /** Above the code that the payer writes on the transfer. */
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
  /** Next to an amount: what has happened to it. */
  unappliedSum: Record<UnappliedMoney['status'], string>;
  /** Replaces the text of a payment that ended unpaid. */
  invoicePaid: string;
  /** For a page of its own: money that arrived for a payment that had ended unpaid. */
  unapplied: Record<UnappliedMoney['status'], Notice>;
  /** Next to the outcome of a successful payment, with `#amount`. */
  beyond: Record<UnappliedMoney['status'], string>;
  /** Next to the outcome: a gateway is being queried about another attempt. */
  searchingBeyond: string;
  tryAgain: string;
  waitSeconds: string;
  requestId: string;
  states: Record<
    | Exclude<CheckoutState['kind'], 'open' | 'choosing' | 'manual' | 'unapplied'>
    | 'unpaid'
    | 'cancelling'
    | 'searching',
    Notice
  >;
  errors: Record<ErrorPageKind, Notice>;
};
