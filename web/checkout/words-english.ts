import type { Words } from './word-list.ts';

/** English, the default language. */
export const englishWords: Words = {
  payTo: 'You are paying',
  merchant: 'Merchant',
  amount: 'Amount',
  product: 'For',
  reference: 'Reference',
  continue: 'Continue to payment',
  continueNote:
    'You pay on the secure page of this service: #gateway. This page never asks for card or wallet details.',
  chooseHow: 'How do you want to pay?',
  chooseNote:
    'You pay on the secure page of the service that you choose. This page never asks for card or wallet details.',
  otherWays: 'Pay in another way',
  theGateway: 'the payment service',
  codeToWrite: 'Write this code on your transfer',
  manualNote: 'Pay exactly the amount above. Nobody here ever asks for a PIN, a password or a card number.',
  tellUs: 'Have you paid? Tell us the transaction',
  transaction: 'Transaction number',
  transactionHint: 'As your bank, your wallet or the receipt shows it.',
  sender: 'Your number or name (optional)',
  senderHint: 'From which the money comes.',
  submit: 'I have paid',
  correct: 'Correct the transaction number',
  rejected: 'The transaction #number could not be accepted: #reason',
  problems: {
    transaction: 'Please enter the transaction number: 4 to 64 letters and digits.',
    'transaction-characters':
      'This number holds a character that we cannot read. Please type it yourself, with the letters A to Z and digits only.',
    sender: 'Please use at most 120 characters for your number or name.',
  },
  returnedUnpaid:
    'We know of no completed payment so far. If you have just paid, wait a moment and do not pay a second time.',
  nothingPaid: 'Nothing was paid. Try again, or choose another way.',
  payUntil: 'Pay by #time',
  timeLeft: '#time left',
  cancel: 'Cancel this payment',
  cancelQuestion: 'This cannot be undone. If you have already paid, please do not cancel.',
  cancelConfirm: 'Yes, cancel the payment',
  backToApp: 'Back to #app',
  print: 'Print',
  downloadReceipt: 'Download receipt',
  paidAt: 'Paid on',
  paidThrough: 'Paid through',
  receiptNumber: 'Receipt number',
  gatewayTransaction: 'Transaction',
  refunded: 'Refunded',
  kept: 'Paid after refund',
  closedAt: 'Closed on',
  receivedAt: 'Received on',
  unappliedSum: {
    held: 'Held',
    refunding: 'Being refunded',
    refunded: 'Refunded',
    kept: 'Accepted',
  },
  invoicePaid: 'The invoice has been paid in another way, so there is nothing left to pay.',
  unapplied: {
    held: {
      title: 'Your money has arrived',
      text: 'It arrived after this payment had been closed, so nothing is paid with it yet. It is held safely until #app decides whether to refund or accept it. Please do not pay again. If you ask about it, give this reference: #reference.',
    },
    refunding: {
      title: 'Your money is being refunded',
      text: 'It arrived after this payment had been closed, so it goes back to you. It may take some days until you see it in your account.',
    },
    refunded: {
      title: 'Your money has been refunded',
      text: 'It arrived after this payment had been closed, so it was sent back to you. It may take some days until you see it in your account. To pay, start a new payment at #app.',
    },
    kept: {
      title: 'Your money has arrived',
      text: 'It arrived after this payment had been closed, and #app has accepted it. Please do not pay again. Ask them what happens next, and give this reference: #reference.',
    },
  },
  beyond: {
    held: 'You paid #amount more than was asked for. It is held safely until #app decides whether to refund or accept it.',
    refunding:
      'You paid #amount more than was asked for. It is being refunded; it may take some days until you see it in your account.',
    refunded:
      'You paid #amount more than was asked for. It has been refunded; it may take some days until you see it in your account.',
    kept: 'You paid #amount more than was asked for, and #app has accepted it.',
  },
  searchingBeyond:
    'There is news of one more payment. We are asking whether you were charged a second time. This page updates by itself.',
  tryAgain: 'Try again',
  waitSeconds: 'Please wait #time, then try again.',
  requestId: 'Request',
  states: {
    opening: {
      title: 'Preparing your payment',
      text: 'We are connecting to #gateway. This usually takes a few seconds.',
    },
    confirming: {
      title: 'Confirming your payment',
      text: 'We are asking #gateway how your payment ended. Please do not pay a second time.',
    },
    unpaid: {
      title: 'You came back without paying',
      text: 'We are asking #gateway whether anything was taken. If you have paid all the same, do not pay a second time.',
    },
    cancelling: {
      title: 'Checking before we cancel',
      text: 'We are asking #gateway whether anything was paid. If not, the payment will be cancelled.',
    },
    searching: {
      title: 'Looking for your money',
      text: 'This payment is closed, but news of it has just come. We are asking #gateway whether you have paid. Please do not pay a second time.',
    },
    review: {
      title: 'Your payment is being checked',
      text: 'Someone is looking at this payment by hand. Please do not pay a second time. If you ask #app about it, give the reference below.',
    },
    submitted: {
      title: 'Your payment is being looked for',
      text: 'Someone checks whether your transaction has arrived for #app. This may take some hours. Please do not pay a second time.',
    },
    succeeded: { title: 'Payment successful', text: '#app has been paid. You can keep this page as your record.' },
    failed: {
      title: 'Payment failed',
      text: 'The payment did not go through. To try again, start a new payment at #app.',
    },
    cancelled: { title: 'Payment cancelled', text: 'To pay after all, start a new payment at #app.' },
    expired: {
      title: 'Payment expired',
      text: 'The time to pay is over. To pay, start a new payment at #app.',
    },
    partially_refunded: {
      title: 'Partly refunded',
      text: 'Part of this payment was given back. It may take some days until you see it in your account.',
    },
    refunded: {
      title: 'Payment refunded',
      text: 'This payment was given back in full. It may take some days until you see it in your account.',
    },
  },
  errors: {
    not_found: {
      title: 'Page not found',
      text: 'There is no payment at this address. Please check the link, or go back to the shop and start again.',
    },
    bad_request: {
      title: 'That did not work',
      text: 'What arrived is not what the form of this page sends. Nothing was begun; please open the payment link again.',
    },
    method_not_allowed: {
      title: 'That did not work',
      text: 'This page cannot be used in that way. Please open the payment link again.',
    },
    too_many_requests: {
      title: 'Too many requests',
      text: 'There were too many requests from your connection. Your payment is not affected.',
    },
    unavailable: {
      title: 'Not reachable for a moment',
      text: 'We cannot look up your payment right now. Open the payment link again in a moment. If you have already paid, please do not pay a second time.',
    },
    internal_error: {
      title: 'Something went wrong',
      text: 'This is our fault, not yours. Open the payment link again in a moment. If you have already paid, please do not pay a second time.',
    },
  },
};
