import { useHotkeys } from '@mantine/hooks';
import { lazy, Suspense, useState } from 'react';

const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }));

/** Opens the command palette by Ctrl+K or ⌘K. Its code is loaded the first time. */
export function PaletteKey() {
  const [isWanted, setIsWanted] = useState(false);
  useHotkeys([['mod+K', () => setIsWanted(true)]], []);
  return (
    isWanted && (
      <Suspense fallback={null}>
        <Palette />
      </Suspense>
    )
  );
}
