import { AppShell, Box, Burger, Group, NavLink, ScrollArea, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet } from '@tanstack/react-router';
import type { Permission } from '../api/names.ts';
import { useMay } from '../session/session.tsx';
import { SearchBox } from '../search/search-box.tsx';
import type { Words } from '../words/english.ts';
import { useLanguage } from '../words/language.tsx';
import { AccountMenu } from './account-menu.tsx';
import { useMode } from './mode.ts';
import { ModeSwitch } from './mode-switch.tsx';

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
      { to: '/$mode/payouts', name: 'payouts', permission: 'report:read' },
      { to: '/$mode/payout-files', name: 'payoutFiles', permission: 'report:read' },
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
      { to: '/$mode/operators', name: 'operators', permission: 'user:read' },
      { to: '/$mode/roles', name: 'roles', permission: 'user:read' },
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

/** The frame of every page: where one is, in which mode, and who one is. */
export function Shell() {
  const { words } = useLanguage();
  const { mode } = useMode();
  const [isOpen, { toggle, close }] = useDisclosure(false);
  return (
    <AppShell
      header={{ height: mode === 'TEST' ? 88 : 60 }}
      navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a href="#main" className="skip">
        {words.skipToContent}
      </a>
      <AppShell.Header>
        {mode === 'TEST' && <Box className="test-band">{words.testBand}</Box>}
        <Group h={60} px="md" justify="space-between" wrap="nowrap">
          <Group wrap="nowrap" gap="sm">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={words.menu} />
            <Text fw={700} visibleFrom="xs">
              Lenden
            </Text>
          </Group>
          <Box visibleFrom="sm">
            <SearchBox />
          </Box>
          <Group wrap="nowrap" gap="sm">
            <ModeSwitch />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm">
        <ScrollArea type="auto">
          <Menu close={close} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function Menu({ close }: { readonly close: () => void }) {
  const { words } = useLanguage();
  const { path } = useMode();
  const may = useMay();
  const isShown = (permission: Permission | 'PENDING' | null): boolean =>
    permission === null || (permission === 'PENDING' ? OF_CHANGES.some((one) => may(one)) : may(permission));
  return (
    <Stack component="nav" aria-label={words.menu} gap={4}>
      {GROUPS.map((group) => {
        const shown = group.pages.filter(({ permission }) => isShown(permission));
        return shown.length === 0 ? null : (
          <div key={group.name} role="group" aria-label={group.name === null ? undefined : words.nav[group.name]}>
            {group.name !== null && (
              <Text size="xs" fw={600} c="dimmed" mt="xs" px="sm">
                {words.nav[group.name]}
              </Text>
            )}
            {shown.map(({ to, name }) => (
              <Link
                key={name}
                to={to}
                params={{ mode: path }}
                search={name === 'search' ? { q: '' } : {}}
                activeOptions={{ exact: name === 'home', includeSearch: false }}
                onClick={close}
                className="plain-link"
              >
                {({ isActive }) => (
                  <NavLink component="span" label={words.nav[name]} active={isActive} variant="filled" py={4} />
                )}
              </Link>
            ))}
          </div>
        );
      })}
    </Stack>
  );
}
