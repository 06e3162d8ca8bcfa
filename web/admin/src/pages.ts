/** The code of each page, loaded when it is first needed. */
export const PAGES = {
  home: () => import('./home/home-page.tsx'),
  account: () => import('./account/account-page.tsx'),
  search: () => import('./search/search-page.tsx'),
  payments: () => import('./payments/payments-page.tsx'),
  payment: () => import('./payments/payment-page.tsx'),
  refunds: () => import('./refunds/refunds-page.tsx'),
  refund: () => import('./refunds/refund-page.tsx'),
  unappliedPayments: () => import('./unapplied/unapplied-page.tsx'),
  manualPayments: () => import('./manual/manual-page.tsx'),
  disputes: () => import('./disputes/disputes-page.tsx'),
  invoices: () => import('./invoices/invoices-page.tsx'),
  invoice: () => import('./invoices/invoice-page.tsx'),
  payouts: () => import('./payouts/payouts-page.tsx'),
  payout: () => import('./payouts/payout-page.tsx'),
  payoutFiles: () => import('./payout-files/files-page.tsx'),
  payoutFile: () => import('./payout-files/file-page.tsx'),
  payoutFileUpload: () => import('./payout-files/upload-page.tsx'),
  cases: () => import('./cases/cases-page.tsx'),
  case: () => import('./cases/case-page.tsx'),
  runs: () => import('./runs/runs-page.tsx'),
  ledger: () => import('./ledger/ledger-page.tsx'),
  ledgerAccount: () => import('./ledger/ledger-account-page.tsx'),
  reports: () => import('./reports/reports-page.tsx'),
  applications: () => import('./applications/applications-page.tsx'),
  newApplication: () => import('./applications/new-application-page.tsx'),
  application: () => import('./applications/application-page.tsx'),
  webhooks: () => import('./webhooks/webhooks-page.tsx'),
  webhook: () => import('./webhooks/webhook-page.tsx'),
  callbacks: () => import('./callbacks/callbacks-page.tsx'),
  gateways: () => import('./gateways/gateways-page.tsx'),
  operators: () => import('./operators/operators-page.tsx'),
  operator: () => import('./operators/operator-page.tsx'),
  roles: () => import('./roles/roles-page.tsx'),
  changes: () => import('./changes/changes-page.tsx'),
  audit: () => import('./audit/audit-page.tsx'),
} as const;

/** Loads the code of every page. The router reloads the whole document if a page's code does not come, and without a connection nothing would be left. */
export async function loadEveryPage(): Promise<void> {
  await Promise.allSettled(Object.values(PAGES).map((load) => load()));
}
