import type { CheckoutState, ErrorPageKind } from './view.ts';

/** A state's heading and its one paragraph. `#app` and `#gateway` stand for the names, `#time` for a text beside them. */
export type Notice = { title: string; text: string };

/** Every word on the checkout's pages; a language that lacks one does not compile. */
export type Words = {
  languageName: string;
  skipToContent: string;
  testMode: string;
  payTo: string;
  merchant: string;
  amount: string;
  product: string;
  reference: string;
  continue: string;
  continueNote: string;
  returnedUnpaid: string;
  payUntil: string;
  timeLeft: string;
  cancel: string;
  cancelQuestion: string;
  cancelConfirm: string;
  checkAgain: string;
  updatesItself: string;
  backToApp: string;
  print: string;
  paidAt: string;
  paidThrough: string;
  receiptNumber: string;
  gatewayTransaction: string;
  refunded: string;
  kept: string;
  closedAt: string;
  operatedBy: string;
  tryAgain: string;
  waitSeconds: string;
  requestId: string;
  states: Record<Exclude<CheckoutState['kind'], 'open'> | 'cancelling', Notice>;
  errors: Record<ErrorPageKind, Notice>;
};
