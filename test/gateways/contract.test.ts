import { BKASH_CAPABILITIES } from '../../gateways/bkash/gateway.ts';
import { NAGAD_CAPABILITIES } from '../../gateways/nagad/gateway.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../gateways/sslcommerz/gateway.ts';
import { STRIPE_CAPABILITIES } from '../../gateways/stripe/gateway.ts';
import { gatewayContract, handContract } from './contract.ts';
import { openBkash, openManual, openNagad, openSslcommerz, openStripe } from './worlds.ts';

const UNANSWERED = ['http-500', 'garbage-html', 'garbage-empty', 'garbage-truncated', 'garbage-huge', 'reset'];
const COMMON = {
  wrongAmount: 'wrong-amount',
  wrongCurrency: 'wrong-currency',
  wrongReference: 'wrong-reference',
  unknownStatus: 'unknown-status',
  refunds: {
    lost: 'refund-timeout',
    garbage: 'refund-html',
    notDone: 'refund-timeout-before',
    refused: 'refund-refused',
  },
};

gatewayContract({
  name: 'SSLCOMMERZ',
  capabilities: SSLCOMMERZ_CAPABILITIES,
  open: openSslcommerz,
  scripts: {
    ...COMMON,
    openLost: 'session-timeout',
    openNotDone: 'session-timeout-before',
    openRefused: 'session-failed',
    chargeLost: 'timeout-after-charge',
  },
  unanswered: UNANSWERED,
  cancelled: 'cancelled',
  cameBack: { cancel: { kind: 'cancelled' }, fail: { kind: 'failed' } },
  moneyMovesBy: 'payer',
});

gatewayContract({
  name: 'bKash',
  capabilities: BKASH_CAPABILITIES,
  open: openBkash,
  scripts: {
    ...COMMON,
    openLost: 'create-timeout',
    openNotDone: 'create-timeout-before',
    openRefused: 'create-refused',
    chargeLost: 'execute-timeout',
  },
  unanswered: UNANSWERED,
  // bKash's queries have no status for a cancellation. The payment is never executed, so no money can move.
  cancelled: 'not-started',
  cameBack: { cancel: { kind: 'given-up', as: 'cancelled' }, fail: { kind: 'given-up', as: 'failed' } },
  moneyMovesBy: 'execution',
});

gatewayContract({
  name: 'Nagad',
  capabilities: NAGAD_CAPABILITIES,
  open: openNagad,
  scripts: {
    // Nagad does not accept a completed order again. A session whose page is unknown ends in a refusal (nagad/gateway.test.ts).
    openLost: 'initialize-timeout',
    openNotDone: 'complete-timeout-before',
    openRefused: 'complete-refused',
    chargeLost: 'timeout-after-charge',
    wrongAmount: 'wrong-amount',
    wrongCurrency: null,
    wrongReference: 'wrong-order',
    unknownStatus: 'unknown-status',
    refunds: null,
  },
  unanswered: UNANSWERED,
  cancelled: 'cancelled',
  cameBack: { cancel: { kind: 'cancelled' }, fail: { kind: 'failed' } },
  moneyMovesBy: 'payer',
});

gatewayContract({
  name: 'Stripe',
  capabilities: STRIPE_CAPABILITIES,
  open: openStripe,
  scripts: {
    ...COMMON,
    openLost: 'create-timeout',
    openNotDone: 'create-timeout-before',
    openRefused: 'create-refused',
    chargeLost: 'timeout-after-charge',
  },
  unanswered: UNANSWERED,
  // The payer's return ends nothing. The page stays open until it is closed or expires.
  cancelled: 'not-started',
  cameBack: { cancel: { kind: 'not-started' }, fail: { kind: 'not-started' } },
  moneyMovesBy: 'payer',
});

handContract({ name: 'manual', open: openManual });
