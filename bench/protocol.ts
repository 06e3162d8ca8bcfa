import { z } from 'zod';

/** The settings of the bare process (`bench/bare-process.ts`). */
export const BareSettings = z.object({
  temporalAddress: z.string(),
  namespace: z.string(),
  databaseUrl: z.string(),
  /** Where the load generator listens for the references of finished bare payments. */
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
 * One round of one kind of work. In a closed loop, each piece starts as soon as a lane is free. With `perSecond` it is an open loop: each piece
 * starts at its own time regardless of earlier ones, and its latency counts from that time, so that a slow answer does not hide the delay of later
 * ones.
 */
export const Round = z.object({
  work: z.enum(WORKS),
  count: z.int().positive(),
  /** Number of lanes; in an open loop, the maximum in progress. */
  inFlight: z.int().positive(),
  perSecond: z.number().positive().optional(),
});
export type Round = z.infer<typeof Round>;

export const RoundResult = z.object({
  seconds: z.number(),
  failures: z.int(),
  firstFailure: z.string().nullable(),
  latenciesMs: z.array(z.number()),
  /** Webhooks that arrived a second time, in this round or for an earlier one. */
  repeatedWebhooks: z.int(),
});
export type RoundResult = z.infer<typeof RoundResult>;
