import { z } from 'zod';

/** What the processes of a benchmark tell one another. */
export const BareSettings = z.object({
  temporalAddress: z.string(),
  namespace: z.string(),
  databaseUrl: z.string(),
  /** Where the load generator listens for the references of bare payments that are done. */
  donePort: z.int(),
  readPort: z.int(),
});

export const LoadSettings = z.object({
  temporalAddress: z.string(),
  namespace: z.string(),
  api: z.string(),
  simulators: z.string(),
  readUrl: z.string(),
  donePort: z.int(),
  webhookPort: z.int(),
  apiKey: z.string(),
  apiSecret: z.string(),
});
export type LoadSettings = z.infer<typeof LoadSettings>;

export const WORKS = ['payment', 'bare-payment', 'post', 'bare-update', 'get', 'bare-read'] as const;
export type Work = (typeof WORKS)[number];

/**
 * One round: so many pieces of one kind of work. Closed loop: as soon as one of the lanes is free. With `perSecond` open loop: each piece at its
 * own time whatever became of those before it, and its latency counted from that time, so that a slow answer does not hide those behind it.
 */
export const Round = z.object({
  work: z.enum(WORKS),
  count: z.int().positive(),
  /** Lanes; in an open loop the most that may be under way. */
  inFlight: z.int().positive(),
  perSecond: z.number().positive().optional(),
});
export type Round = z.infer<typeof Round>;

export const RoundResult = z.object({
  seconds: z.number(),
  failures: z.int(),
  firstFailure: z.string().nullable(),
  latenciesMs: z.array(z.number()),
  /** Webhooks that came a second time, in this round or for an earlier one. */
  repeatedWebhooks: z.int(),
});
export type RoundResult = z.infer<typeof RoundResult>;
