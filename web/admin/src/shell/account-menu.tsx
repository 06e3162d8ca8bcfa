import { Button, Menu, Text, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { languages } from '../../../language.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { logOut, useMe } from '../session/session.tsx';
import { LANGUAGE_NAMES, useLanguage } from '../words/language.tsx';
import { useMode } from './mode.ts';
import { useChange } from '../parts/use-change.ts';

const SCHEMES = ['light', 'dark', 'auto'] as const satisfies readonly MantineColorScheme[];

export function AccountMenu() {
  const { words, language, choose } = useLanguage();
  const { operator } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { path } = useMode();
  const navigate = useNavigate();
  const leave = useChange({ mutationFn: logOut });
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" size="xs" maw={160} aria-label={words.signedInAs(operator.name)}>
          <Text span size="sm" truncate>
            {operator.name}
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.signedInAs(operator.email)}</Menu.Label>
        {languages.map((one) => (
          <Menu.Item key={one} lang={one} aria-current={one === language} onClick={() => choose(one)}>
            {LANGUAGE_NAMES[one]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{words.theme.label}</Menu.Label>
        {SCHEMES.map((scheme) => (
          <Menu.Item key={scheme} aria-current={scheme === colorScheme} onClick={() => setColorScheme(scheme)}>
            {words.theme[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: '/$mode/account', params: { mode: path } })}>
          {words.account.title}
        </Menu.Item>
        <Menu.Item closeMenuOnClick={false} onClick={() => leave.mutate()}>
          {words.logOut}
        </Menu.Item>
        {leave.error !== null && <ErrorNotice error={leave.error} />}
      </Menu.Dropdown>
    </Menu>
  );
}
