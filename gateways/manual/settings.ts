import { z } from 'zod';
import { GatewayFailure } from '../port.ts';

/** Nothing but line breaks steers what is shown. */
const isPlain = (text: string): boolean => !/[\p{Cc}\p{Cs}]/u.test(text.replaceAll('\n', ' ')) && text.trim() !== '';
const plain = (lengthMax: number) => z.string().max(lengthMax).refine(isPlain);
const inBoth = (lengthMax: number) => z.object({ en: plain(lengthMax), bn: plain(lengthMax) });

/** How a payer pays without a gateway: into an account, in cash, from wallet to wallet. */
const Settings = z.object({
  /** What the way is called. */
  label: inBoth(60),
  /** Plain text, as payers read it. */
  instructions: inBoth(2_000),
  /** How long a payer has, from the opening of his checkout on. */
  payWithinHours: z.int().min(1).max(720).default(72),
});
export type ManualSettings = z.infer<typeof Settings>;

/**
 * Reads the secret of a store, which here is none: JSON with `label` and `instructions`, both `{en, bn}`, and `payWithinHours`.
 * @throws GatewayFailure `unauthorized` for anything else
 */
export function readSettings(secret: string): ManualSettings {
  const parsed = Settings.safeParse(parseJson(secret));
  if (!parsed.success) {
    throw new GatewayFailure('unauthorized', 'a manual store must be JSON with label and instructions');
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
