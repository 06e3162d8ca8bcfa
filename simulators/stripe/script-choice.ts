import { merged } from '../kit/scripts.ts';
import { takeQueued } from '../kit/state.ts';
import type { Gateway } from './gateway.ts';
import { scriptOfAmount } from './scripts.ts';
import type { Script } from './scripts.ts';
import { referenceKey } from './state.ts';

/**
 * Returns the script of a new session. The account's next queued script takes precedence over the row picked by the amount, which takes precedence
 * over the configured default. A queued script stays with its reference, so that a repeated call gets the same one.
 */
export function scriptForSession(
  gateway: Gateway,
  { account, reference, amount }: { account: string; reference: string | null; amount: string },
): Script {
  const picked = merged(gateway.state.settings.script, scriptOfAmount(amount));
  const of = { account, reference: reference ?? '' };
  const queued = takeQueued(gateway.state, {
    key: referenceKey(of),
    isOwner: (one) => one.account === account,
    take: (id) => gateway.record({ type: 'script_taken', id, ...of }),
  });
  return merged(picked, queued ?? {});
}
