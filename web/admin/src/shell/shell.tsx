import { AppShell, Box, Burger, Group, NavLink, ScrollArea, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet } from '@tanstack/react-router';
import { useUpdates } from '../api/follow-updates.ts';
import { SearchBox } from '../search/search-box.tsx';
import { useLanguage } from '../words/language.tsx';
import { ConnectionNotice } from './connection-notice.tsx';
import { AccountMenu } from './account-menu.tsx';
import { PaletteKey } from './palette-key.tsx';
import { useMenu } from './menu.ts';
import { useMode } from './mode.ts';
import { ModeSwitch } from './mode-switch.tsx';

/** The frame of every page: where one is, in which mode, and who one is. */
export function Shell() {
  const { words } = useLanguage();
  const { mode } = useMode();
  useUpdates();
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
        <ConnectionNotice />
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
      <PaletteKey />
      <AppShell.Main id="main" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function Menu({ close }: { readonly close: () => void }) {
  const { words } = useLanguage();
  const { path } = useMode();
  return (
    <Stack component="nav" aria-label={words.menu} gap={4}>
      {useMenu().map((group) => (
        <div key={group.name} role="group" aria-label={group.name === null ? undefined : words.nav[group.name]}>
          {group.name !== null && (
            <Text size="xs" fw={600} c="dimmed" mt="xs" px="sm">
              {words.nav[group.name]}
            </Text>
          )}
          {group.pages.map(({ to, name }) => (
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
      ))}
    </Stack>
  );
}
