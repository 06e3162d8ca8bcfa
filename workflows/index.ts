export { invoiceWorkflow } from './invoice.ts';
export { unappliedPaymentWorkflow } from './unapplied-payment.ts';
export { paymentWorkflow } from './payment.ts';
export { reconciliationWorkflow, scheduledReconciliationWorkflow } from './reconciliation.ts';
export { payoutImportWorkflow } from './payout-import.ts';
export { refundWorkflow } from './refund.ts';
export { sealLedgerWorkflow } from './seal-ledger.ts';
export { sweepWorkflow } from './sweep.ts';
export { webhookWorkflow } from './webhook.ts';
