import type { Gateway } from './gateway.ts';
import { mergeScripts, scriptOfAmount } from './scripts.ts';
import type { Script } from './scripts.ts';
import { referenceKey } from './state.ts';

/**
 * The script of a new session: the configured default, under it the row picked by the amount, under that the next
 * queued script of the account. A queued script stays with its reference, so that a repeated call meets the same one.
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
