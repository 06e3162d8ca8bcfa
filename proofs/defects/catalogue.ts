import { CALLBACKS } from './catalogue/callbacks.ts';
import { FIRST_ATTEMPTS } from './catalogue/first-attempts.ts';
import { GATEWAYS } from './catalogue/gateways.ts';
import { INVOICES } from './catalogue/invoices.ts';
import { LEDGER } from './catalogue/ledger.ts';
import { OPERATORS } from './catalogue/operators.ts';
import { PAYMENTS } from './catalogue/payments.ts';
import { PAYOUT_CONVERSIONS } from './catalogue/payout-conversions.ts';
import { PAYOUT_DIFFERENCES } from './catalogue/payout-differences.ts';
import { PAYOUT_POSTINGS } from './catalogue/payout-postings.ts';
import { PAYOUT_WORDS } from './catalogue/payout-words.ts';
import { PAYOUTS } from './catalogue/payouts.ts';
import { RECONCILIATION } from './catalogue/reconciliation.ts';
import { REFUNDS } from './catalogue/refunds.ts';
import { RESTORE } from './catalogue/restore.ts';
import { SECRETS } from './catalogue/secrets.ts';
import { WEBHOOKS } from './catalogue/webhooks.ts';
import { WORKFLOWS } from './catalogue/workflows.ts';
import type { Defect } from './defect.ts';

/** Mistakes that payment services have made. Each is a few lines, compiles, and works as long as nothing goes wrong. */
export const DEFECTS: readonly Defect[] = [
  ...PAYMENTS,
  ...GATEWAYS,
  ...CALLBACKS,
  ...WEBHOOKS,
  ...FIRST_ATTEMPTS,
  ...REFUNDS,
  ...INVOICES,
  ...LEDGER,
  ...RECONCILIATION,
  ...PAYOUTS,
  ...PAYOUT_POSTINGS,
  ...PAYOUT_CONVERSIONS,
  ...PAYOUT_DIFFERENCES,
  ...PAYOUT_WORDS,
  ...OPERATORS,
  ...SECRETS,
  ...WORKFLOWS,
  ...RESTORE,
];
