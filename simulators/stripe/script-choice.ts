import type { Gateway } from './gateway.ts';
import { mergeScripts, scriptOfAmount } from './scripts.ts';
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
  const picked = mergeScripts(gateway.state.settings.script, scriptOfAmount(amount));
  return mergeScripts(picked, takeQueued(gateway, { account, reference: reference ?? '' }) ?? {});
}

function takeQueued(gateway: Gateway, of: { account: string; reference: string }): Script | undefined {
  const { state } = gateway;
  const key = referenceKey(of);
  if (!state.takenScripts.has(key)) {
    const next = [...state.queuedScripts.values()].find(({ account }) => account === of.account);
    if (next) {
      gateway.record({ type: 'script_taken', id: next.id, ...of });
    }
  }
  return state.takenScripts.get(key);
}
