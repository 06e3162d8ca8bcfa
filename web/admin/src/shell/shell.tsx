import { AppShell, Box, Burger, Group, NavLink, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet } from '@tanstack/react-router';
import type { Permission } from '../api/names.ts';
import { useMay } from '../session/session.tsx';
import { SearchBox } from '../search/search-box.tsx';
import { useLanguage } from '../words/language.tsx';
import { AccountMenu } from './account-menu.tsx';
import { useMode } from './mode.ts';
import { ModeSwitch } from './mode-switch.tsx';

const PAGES = [
  { to: '/$mode', name: 'home', permission: null },
  { to: '/$mode/search', name: 'search', permission: null },
  { to: '/$mode/payments', name: 'payments', permission: 'payment:read' },
  { to: '/$mode/refunds', name: 'refunds', permission: 'refund:read' },
] as const satisfies readonly { readonly permission: Permission | null; readonly [member: string]: unknown }[];

/** The frame of every page: where one is, in which mode, and who one is. */
export function Shell() {
  const { words } = useLanguage();
  const { mode, path } = useMode();
  const may = useMay();
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
        <Stack component="nav" aria-label={words.menu} gap={4}>
          {PAGES.filter(({ permission }) => permission === null || may(permission)).map(({ to, name }) => (
            <Link
              key={name}
              to={to}
              params={{ mode: path }}
              search={name === 'search' ? { q: '' } : {}}
              activeOptions={{ exact: name === 'home' }}
              onClick={close}
              className="plain-link"
            >
              {({ isActive }) => (
                <NavLink component="span" label={words.nav[name]} active={isActive} variant="filled" />
              )}
            </Link>
          ))}
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
