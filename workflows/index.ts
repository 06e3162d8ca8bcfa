export { latePaymentWorkflow } from './late-payment.ts';
export { paymentWorkflow } from './payment.ts';
export { sweepWorkflow } from './sweep.ts';
