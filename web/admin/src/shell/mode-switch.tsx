import { SegmentedControl } from '@mantine/core';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useLanguage } from '../words/language.tsx';
import { useMode, type ModePath } from './mode.ts';

/** Pages whose things belong to no mode, or show that of the address. */
const OF_BOTH_MODES = new Set([
  'account',
  'search',
  'applications',
  'gateways',
  'operators',
  'roles',
  'changes',
  'audit',
]);

/** Changes the mode and keeps the page with its filter. A page of one thing, such as a payment, belongs to one mode, so its list is shown instead. */
export function ModeSwitch() {
  const { words } = useLanguage();
  const { mode, path } = useMode();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const change = (wanted: string): void => {
    const chosen: ModePath = wanted === 'test' ? 'test' : 'live';
    const [, , page = '', ...rest] = pathname.split('/');
    const kept = OF_BOTH_MODES.has(page) ? [page, ...rest] : [page];
    const to = `/${[chosen, ...kept].filter((part) => part !== '').join('/')}`;
    void navigate({ to, search: (rest.length === 0 ? search : {}) as never });
  };
  return (
    <SegmentedControl
      aria-label={words.modeSwitch}
      size="xs"
      autoContrast
      color={mode === 'TEST' ? 'yellow.4' : 'teal.9'}
      value={path}
      onChange={change}
      data={[
        { value: 'live', label: words.modes.LIVE },
        { value: 'test', label: words.modes.TEST },
      ]}
    />
  );
}
