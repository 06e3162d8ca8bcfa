import { z } from 'zod';

/** An http(s) URL without a path. */
export const origin = z
  .url({ protocol: /^https?$/ })
  .refine((text) => isOrigin(text), 'must be an origin without a path')
  .transform((text) => new URL(text).origin);

/** zod runs this check even after an earlier one has failed, so the text may not be a URL. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).pathname === '/' && new URL(text).search === '';
}
