/** TEST or LIVE: fixed by the credential that made the request, never by a request field. */
export const MODES = ['TEST', 'LIVE'] as const;
export type Mode = (typeof MODES)[number];
