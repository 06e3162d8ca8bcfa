import { InitialMigration } from './20261121000000-initial.ts';
import { OperatorsAndRefundsMigration } from './20261121010000-operators-and-refunds.ts';
import { GatewayStoresMigration } from './20261121020000-gateway-stores.ts';
import { InvoicesMigration } from './20261121030000-invoices.ts';
import { DialectsMigration } from './20261121040000-dialects.ts';
import { GatewayChoicesMigration } from './20261122010000-gateway-choices.ts';
import { LateQuestionsMigration } from './20261122020000-late-questions.ts';
import { GatewayTokensMigration } from './20261122030000-gateway-tokens.ts';
import { ShadhinpayMigration } from './20261122040000-shadhinpay.ts';
import { ManualPaymentsMigration } from './20261122050000-manual-payments.ts';
import { ShadhinpayInvoicesMigration } from './20261122060000-shadhinpay-invoices.ts';
import { CheckoutGatewaysMigration } from './20261122070000-checkout-gateways.ts';
import { SignalsByAttemptMigration } from './20261122080000-signals-by-attempt.ts';
import { EvidenceByModeMigration } from './20261122090000-evidence-by-mode.ts';
import { OneConfirmedAttemptMigration } from './20261123010000-one-confirmed-attempt.ts';
import { OneRefundForEachIdMigration } from './20261123020000-one-refund-for-each-id.ts';
import { InvoicesOfEventsMigration } from './20261123030000-invoices-of-events.ts';
import { TrustedMoneyMigration } from './20261123100000-trusted-money.ts';

/** In the order in which they run. Append only: a released migration is never edited. */
export const MIGRATIONS = [
  { name: '20261121000000-initial', class: InitialMigration },
  { name: '20261121010000-operators-and-refunds', class: OperatorsAndRefundsMigration },
  { name: '20261121020000-gateway-stores', class: GatewayStoresMigration },
  { name: '20261121030000-invoices', class: InvoicesMigration },
  { name: '20261121040000-dialects', class: DialectsMigration },
  { name: '20261122010000-gateway-choices', class: GatewayChoicesMigration },
  { name: '20261122020000-late-questions', class: LateQuestionsMigration },
  { name: '20261122030000-gateway-tokens', class: GatewayTokensMigration },
  { name: '20261122040000-shadhinpay', class: ShadhinpayMigration },
  { name: '20261122050000-manual-payments', class: ManualPaymentsMigration },
  { name: '20261122060000-shadhinpay-invoices', class: ShadhinpayInvoicesMigration },
  { name: '20261122070000-checkout-gateways', class: CheckoutGatewaysMigration },
  { name: '20261122080000-signals-by-attempt', class: SignalsByAttemptMigration },
  { name: '20261122090000-evidence-by-mode', class: EvidenceByModeMigration },
  { name: '20261123010000-one-confirmed-attempt', class: OneConfirmedAttemptMigration },
  { name: '20261123020000-one-refund-for-each-id', class: OneRefundForEachIdMigration },
  { name: '20261123030000-invoices-of-events', class: InvoicesOfEventsMigration },
  { name: '20261123100000-trusted-money', class: TrustedMoneyMigration },
];
