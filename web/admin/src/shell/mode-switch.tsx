import { SegmentedControl } from '@mantine/core';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useLanguage } from '../words/language.tsx';
import { useMode, type ModePath } from './mode.ts';

/** Changes the mode and keeps the page. A page of one payment or refund belongs to one mode, so its list is shown instead. */
export function ModeSwitch() {
  const { words } = useLanguage();
  const { mode, path } = useMode();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const change = (wanted: string): void => {
    const chosen: ModePath = wanted === 'test' ? 'test' : 'live';
    const page = /^\/(?:live|test)\/(payments|refunds)/.exec(pathname)?.[1];
    const params = { mode: chosen };
    void (page === 'payments'
      ? navigate({ to: '/$mode/payments', params })
      : page === 'refunds'
        ? navigate({ to: '/$mode/refunds', params })
        : navigate({ to: '/$mode', params }));
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
