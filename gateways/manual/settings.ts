import { z } from 'zod';
import { readSecret } from '../json.ts';

/** Allows line breaks and no other control characters. */
const isPlain = (text: string): boolean => !/[\p{Cc}\p{Cs}]/u.test(text.replaceAll('\n', ' ')) && text.trim() !== '';
const plain = (lengthMax: number) => z.string().max(lengthMax).refine(isPlain);
const inBoth = (lengthMax: number) => z.object({ en: plain(lengthMax), bn: plain(lengthMax) });

/** How a payer pays without a gateway: into an account, in cash, from wallet to wallet. */
const Settings = z.object({
  /** The name of the payment method. */
  label: inBoth(60),
  /** Plain text, shown to payers. */
  instructions: inBoth(2_000),
  /** How many hours a payer has after opening the checkout. */
  payWithinHours: z.int().min(1).max(720).default(72),
});
export type ManualSettings = z.infer<typeof Settings>;

/**
 * Parses the secret of a store, which for manual payments is not secret: JSON with `label` and `instructions`, both `{en, bn}`, and `payWithinHours`.
 * @throws GatewayFailure `unauthorized` for anything else
 */
export function readSettings(secret: string): ManualSettings {
  return readSecret(Settings, secret, 'a manual store must be JSON with label and instructions');
}
