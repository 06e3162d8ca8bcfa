import type { Context } from '../http/surface.ts';

/** Placeholder: `/openapi.json` and `/docs` follow. */
export function createReference(_deps: object): (context: Context) => Promise<boolean> {
  return () => Promise.resolve(false);
}
