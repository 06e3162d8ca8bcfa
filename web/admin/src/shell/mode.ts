import { notFound, useParams } from '@tanstack/react-router';
import type { Mode } from '../api/names.ts';

/** The mode as the address has it. */
export type ModePath = 'live' | 'test';

/** @throws the router's "not found" for another word */
export function modeOf(text: string): ModePath {
  if (text === 'live' || text === 'test') {
    return text;
  }
  throw notFound();
}

/** Returns the mode of the page that is shown. */
export function useMode(): { readonly mode: Mode; readonly path: ModePath } {
  const { mode: path } = useParams({ from: '/$mode' });
  return { mode: path === 'test' ? 'TEST' : 'LIVE', path };
}
