import type { Permission } from '../api/names.ts';
import { useMay, useMayEverywhere } from '../session/session.tsx';
import type { Words } from '../words/english.ts';

/** The pages of the menu, in groups. */
const GROUPS = [
  {
    name: null,
    pages: [
      { to: '/$mode', name: 'home', permission: null },
      { to: '/$mode/search', name: 'search', permission: null },
    ],
  },
  {
    name: 'money',
    pages: [
      { to: '/$mode/payments', name: 'payments', permission: 'payment:read' },
      { to: '/$mode/refunds', name: 'refunds', permission: 'refund:read' },
      { to: '/$mode/unapplied-payments', name: 'unappliedPayments', permission: 'payment:read' },
      { to: '/$mode/manual-payments', name: 'manualPayments', permission: 'payment:review' },
      { to: '/$mode/disputes', name: 'disputes', permission: 'payment:read' },
      { to: '/$mode/invoices', name: 'invoices', permission: 'payment:read' },
    ],
  },
  {
    name: 'finance',
    pages: [
      { to: '/$mode/payouts', name: 'payouts', permission: 'report:read', isOfAll: true },
      { to: '/$mode/payout-files', name: 'payoutFiles', permission: 'report:read', isOfAll: true },
      { to: '/$mode/cases', name: 'cases', permission: 'report:read' },
      { to: '/$mode/runs', name: 'runs', permission: 'report:read' },
      { to: '/$mode/ledger', name: 'ledger', permission: 'report:read' },
      { to: '/$mode/reports', name: 'reports', permission: 'report:read' },
    ],
  },
  {
    name: 'integration',
    pages: [
      { to: '/$mode/applications', name: 'applications', permission: 'app:read' },
      { to: '/$mode/webhooks', name: 'webhooks', permission: 'audit:read' },
      { to: '/$mode/callbacks', name: 'callbacks', permission: 'audit:read' },
      { to: '/$mode/gateways', name: 'gateways', permission: 'app:read' },
    ],
  },
  {
    name: 'administration',
    pages: [
      { to: '/$mode/operators', name: 'operators', permission: 'user:read', isOfAll: true },
      { to: '/$mode/roles', name: 'roles', permission: 'user:read', isOfAll: true },
      { to: '/$mode/changes', name: 'changes', permission: 'PENDING' },
      { to: '/$mode/audit', name: 'audit', permission: 'audit:read' },
    ],
  },
] as const satisfies readonly {
  readonly name: keyof Words['nav'] | null;
  readonly pages: readonly {
    readonly name: keyof Words['nav'];
    readonly permission: Permission | 'PENDING' | null;
    readonly [member: string]: unknown;
  }[];
}[];

/** Each list of changes has its own. */
const OF_CHANGES = ['app:manage', 'user:manage', 'reconciliation:manage'] as const satisfies readonly Permission[];

/** Returns the groups of the menu with the pages that the operator may see. A group without any is left out. */
export function useMenu() {
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  const isShown = (page: MenuPage): boolean => {
    const { permission } = page;
    if (permission === null) {
      return true;
    }
    if (permission === 'PENDING') {
      return OF_CHANGES.some((one) => may(one));
    }
    // What belongs to no application is seen by those who may see all of them.
    return 'isOfAll' in page ? mayEverywhere(permission) : may(permission);
  };
  return GROUPS.map(({ name, pages }) => ({ name, pages: pages.filter(isShown) })).filter(
    ({ pages }) => pages.length > 0,
  );
}

type MenuPage = (typeof GROUPS)[number]['pages'][number];
