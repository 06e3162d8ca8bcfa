import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { filterOf as applicationsFilterOf } from './applications/filter.ts';
import { filterOf as auditFilterOf } from './audit/filter.ts';
import { filterOf as callbacksFilterOf } from './callbacks/filter.ts';
import { filterOf as casesFilterOf } from './cases/filter.ts';
import { filterOf as changesFilterOf } from './changes/filter.ts';
import { filterOf as disputesFilterOf } from './disputes/filter.ts';
import { filterOf as invoicesFilterOf } from './invoices/filter.ts';
import { ledgerFilterOf, accountFilterOf } from './ledger/filter.ts';
import { filterOf as manualFilterOf } from './manual/filter.ts';
import { filterOf as operatorsFilterOf } from './operators/filter.ts';
import { filterOf as paymentsFilterOf } from './payments/filter.ts';
import { filterOf as payoutFilesFilterOf } from './payout-files/filter.ts';
import { filterOf as payoutsFilterOf } from './payouts/filter.ts';
import { filterOf as refundsFilterOf } from './refunds/filter.ts';
import { filterOf as reportsFilterOf } from './reports/filter.ts';
import { filterOf as runsFilterOf } from './runs/filter.ts';
import { filterOf as unappliedFilterOf } from './unapplied/filter.ts';
import { filterOf as webhooksFilterOf } from './webhooks/filter.ts';
import { PAGES } from './pages.ts';
import { modeOf } from './shell/mode.ts';
import { RouteError } from './shell/route-error.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: RouteError });
const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/$mode', params: { mode: 'live' }, replace: true });
  },
});
/** Every page names its mode in its address. */
const inMode = createRoute({
  getParentRoute: () => root,
  path: '/$mode',
  params: { parse: ({ mode }) => ({ mode: modeOf(mode) }), stringify: ({ mode }) => ({ mode }) },
  component: Shell,
});
const home = createRoute({
  getParentRoute: () => inMode,
  path: '/',
  component: lazyRouteComponent(PAGES.home, 'HomePage'),
});
const account = createRoute({
  getParentRoute: () => inMode,
  path: '/account',
  component: lazyRouteComponent(PAGES.account, 'AccountPage'),
});
const search = createRoute({
  getParentRoute: () => inMode,
  path: '/search',
  validateSearch: ({ q }: Record<string, unknown>) => ({ q: typeof q === 'string' ? q.trim().slice(0, 255) : '' }),
  component: lazyRouteComponent(PAGES.search, 'SearchPage'),
});
const payments = createRoute({
  getParentRoute: () => inMode,
  path: '/payments',
  validateSearch: paymentsFilterOf,
  component: lazyRouteComponent(PAGES.payments, 'PaymentsPage'),
});
const payment = createRoute({
  getParentRoute: () => inMode,
  path: '/payments/$id',
  component: lazyRouteComponent(PAGES.payment, 'PaymentPage'),
});
const refunds = createRoute({
  getParentRoute: () => inMode,
  path: '/refunds',
  validateSearch: refundsFilterOf,
  component: lazyRouteComponent(PAGES.refunds, 'RefundsPage'),
});
const refund = createRoute({
  getParentRoute: () => inMode,
  path: '/refunds/$id',
  component: lazyRouteComponent(PAGES.refund, 'RefundPage'),
});
const unappliedPayments = createRoute({
  getParentRoute: () => inMode,
  path: '/unapplied-payments',
  validateSearch: unappliedFilterOf,
  component: lazyRouteComponent(PAGES.unappliedPayments, 'UnappliedPage'),
});
const manualPayments = createRoute({
  getParentRoute: () => inMode,
  path: '/manual-payments',
  validateSearch: manualFilterOf,
  component: lazyRouteComponent(PAGES.manualPayments, 'ManualPage'),
});
const disputes = createRoute({
  getParentRoute: () => inMode,
  path: '/disputes',
  validateSearch: disputesFilterOf,
  component: lazyRouteComponent(PAGES.disputes, 'DisputesPage'),
});
const invoices = createRoute({
  getParentRoute: () => inMode,
  path: '/invoices',
  validateSearch: invoicesFilterOf,
  component: lazyRouteComponent(PAGES.invoices, 'InvoicesPage'),
});
const invoice = createRoute({
  getParentRoute: () => inMode,
  path: '/invoices/$id',
  component: lazyRouteComponent(PAGES.invoice, 'InvoicePage'),
});
const payouts = createRoute({
  getParentRoute: () => inMode,
  path: '/payouts',
  validateSearch: payoutsFilterOf,
  component: lazyRouteComponent(PAGES.payouts, 'PayoutsPage'),
});
const payout = createRoute({
  getParentRoute: () => inMode,
  path: '/payouts/$reference',
  component: lazyRouteComponent(PAGES.payout, 'PayoutPage'),
});
const payoutFiles = createRoute({
  getParentRoute: () => inMode,
  path: '/payout-files',
  validateSearch: payoutFilesFilterOf,
  component: lazyRouteComponent(PAGES.payoutFiles, 'FilesPage'),
});
const payoutFileUpload = createRoute({
  getParentRoute: () => inMode,
  path: '/payout-files/upload',
  component: lazyRouteComponent(PAGES.payoutFileUpload, 'UploadPage'),
});
const payoutFile = createRoute({
  getParentRoute: () => inMode,
  path: '/payout-files/$reference',
  component: lazyRouteComponent(PAGES.payoutFile, 'FilePage'),
});
const cases = createRoute({
  getParentRoute: () => inMode,
  path: '/cases',
  validateSearch: casesFilterOf,
  component: lazyRouteComponent(PAGES.cases, 'CasesPage'),
});
const oneCase = createRoute({
  getParentRoute: () => inMode,
  path: '/cases/$reference',
  component: lazyRouteComponent(PAGES.case, 'CasePage'),
});
const runs = createRoute({
  getParentRoute: () => inMode,
  path: '/runs',
  validateSearch: runsFilterOf,
  component: lazyRouteComponent(PAGES.runs, 'RunsPage'),
});
const ledger = createRoute({
  getParentRoute: () => inMode,
  path: '/ledger',
  validateSearch: ledgerFilterOf,
  component: lazyRouteComponent(PAGES.ledger, 'LedgerPage'),
});
const ledgerAccount = createRoute({
  getParentRoute: () => inMode,
  path: '/ledger/$id',
  validateSearch: accountFilterOf,
  component: lazyRouteComponent(PAGES.ledgerAccount, 'LedgerAccountPage'),
});
const reports = createRoute({
  getParentRoute: () => inMode,
  path: '/reports',
  validateSearch: reportsFilterOf,
  component: lazyRouteComponent(PAGES.reports, 'ReportsPage'),
});
const applications = createRoute({
  getParentRoute: () => inMode,
  path: '/applications',
  validateSearch: applicationsFilterOf,
  component: lazyRouteComponent(PAGES.applications, 'ApplicationsPage'),
});
const newApplication = createRoute({
  getParentRoute: () => inMode,
  path: '/applications/new',
  component: lazyRouteComponent(PAGES.newApplication, 'NewApplicationPage'),
});
const application = createRoute({
  getParentRoute: () => inMode,
  path: '/applications/$id',
  component: lazyRouteComponent(PAGES.application, 'ApplicationPage'),
});
const webhooks = createRoute({
  getParentRoute: () => inMode,
  path: '/webhooks',
  validateSearch: webhooksFilterOf,
  component: lazyRouteComponent(PAGES.webhooks, 'WebhooksPage'),
});
const webhook = createRoute({
  getParentRoute: () => inMode,
  path: '/webhooks/$id',
  component: lazyRouteComponent(PAGES.webhook, 'WebhookPage'),
});
const callbacks = createRoute({
  getParentRoute: () => inMode,
  path: '/callbacks',
  validateSearch: callbacksFilterOf,
  component: lazyRouteComponent(PAGES.callbacks, 'CallbacksPage'),
});
const gateways = createRoute({
  getParentRoute: () => inMode,
  path: '/gateways',
  component: lazyRouteComponent(PAGES.gateways, 'GatewaysPage'),
});
const operators = createRoute({
  getParentRoute: () => inMode,
  path: '/operators',
  validateSearch: operatorsFilterOf,
  component: lazyRouteComponent(PAGES.operators, 'OperatorsPage'),
});
const operator = createRoute({
  getParentRoute: () => inMode,
  path: '/operators/$id',
  component: lazyRouteComponent(PAGES.operator, 'OperatorPage'),
});
const roles = createRoute({
  getParentRoute: () => inMode,
  path: '/roles',
  component: lazyRouteComponent(PAGES.roles, 'RolesPage'),
});
const changes = createRoute({
  getParentRoute: () => inMode,
  path: '/changes',
  validateSearch: changesFilterOf,
  component: lazyRouteComponent(PAGES.changes, 'ChangesPage'),
});
const audit = createRoute({
  getParentRoute: () => inMode,
  path: '/audit',
  validateSearch: auditFilterOf,
  component: lazyRouteComponent(PAGES.audit, 'AuditPage'),
});

export const router = createRouter({
  basepath: '/admin',
  // The router's own way would read a search for `120.50` as a number.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const members = Object.entries(search).filter(([, value]) => typeof value === 'string' && value !== '');
    const text = new URLSearchParams(members as [string, string][]).toString();
    return text === '' ? '' : `?${text}`;
  },
  routeTree: root.addChildren([
    start,
    inMode.addChildren([
      home,
      account,
      search,
      payments,
      payment,
      refunds,
      refund,
      unappliedPayments,
      manualPayments,
      disputes,
      invoices,
      invoice,
      payouts,
      payout,
      payoutFiles,
      payoutFileUpload,
      payoutFile,
      cases,
      oneCase,
      runs,
      ledger,
      ledgerAccount,
      reports,
      applications,
      newApplication,
      application,
      webhooks,
      webhook,
      callbacks,
      gateways,
      operators,
      operator,
      roles,
      changes,
      audit,
    ]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
