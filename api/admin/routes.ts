import { authRoutes } from '../auth/routes.ts';
import { applicationRoutes } from './apps.ts';
import { auditLogRoutes } from './audit-logs.ts';
import { credentialRoutes } from './credentials.ts';
import type { AdminDependencies } from './dependencies.ts';
import { disputeRoutes } from './disputes.ts';
import { invoiceAdminRoutes } from './invoices.ts';
import { gatewayRoutes } from './gateways.ts';
import { inboxRoutes } from './inbox.ts';
import { operatorNameRoutes } from './operator-names.ts';
import { searchRoutes } from './search.ts';
import { updateRoutes } from './updates.ts';
import { ledgerRoutes } from './ledger.ts';
import { unappliedPaymentAdminRoutes } from './unapplied-payments.ts';
import { matchSettingsRoutes } from './match-settings.ts';
import { manualPaymentRoutes } from './manual-payments.ts';
import { paymentAdminRoutes } from './payments.ts';
import { payoutFileRoutes } from './payout-files.ts';
import { payoutMappingRoutes } from './payout-mappings.ts';
import { payoutRoutes } from './payouts.ts';
import { pendingChangeRoutes } from './pending-changes.ts';
import { refundAdminRoutes } from './refunds.ts';
import { roleRoutes } from './roles.ts';
import type { AdminRoute } from './route.ts';
import { savedViewRoutes } from './saved-views.ts';
import { settingsRoutes } from './settings.ts';
import { gatewayCallbackRoutes } from './gateway-callbacks.ts';
import { reconciliationCaseRoutes } from './reconciliation-cases.ts';
import { reconciliationRoutes } from './reconciliation.ts';
import { reportRoutes } from './reports.ts';
import { testClockAdminRoutes } from './test-clock.ts';
import { webhookRoutes } from './webhooks.ts';
import { userRoutes } from './users.ts';

/** Returns all routes of the operators' API. Tests derive the table of permissions by route from them. */
export function adminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    ...authRoutes(deps),
    ...inboxRoutes(deps),
    ...searchRoutes(deps),
    ...updateRoutes(deps),
    ...operatorNameRoutes(deps),
    ...savedViewRoutes(deps),
    ...applicationRoutes(deps),
    ...credentialRoutes(deps),
    ...userRoutes(deps),
    ...roleRoutes(deps),
    ...gatewayRoutes(deps),
    ...pendingChangeRoutes(deps),
    ...settingsRoutes(deps),
    ...auditLogRoutes(deps),
    ...paymentAdminRoutes(deps),
    ...refundAdminRoutes(deps),
    ...unappliedPaymentAdminRoutes(deps),
    ...manualPaymentRoutes(deps),
    ...disputeRoutes(deps),
    ...invoiceAdminRoutes(deps),
    ...webhookRoutes(deps),
    ...testClockAdminRoutes(deps),
    ...gatewayCallbackRoutes(deps),
    ...reportRoutes(deps),
    ...ledgerRoutes(deps),
    ...reconciliationRoutes(deps),
    ...reconciliationCaseRoutes(deps),
    ...matchSettingsRoutes(deps),
    ...payoutMappingRoutes(deps),
    ...payoutFileRoutes(deps),
    ...payoutRoutes(deps),
  ];
}
