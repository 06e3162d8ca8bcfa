import { takeQueued } from '../kit/state.ts';
import type { Gateway } from './gateway.ts';
import { mergeScripts, scriptOfRequest } from './scripts.ts';
import type { Script } from './scripts.ts';
import type { SessionParameters } from './session-request.ts';
import { tranKey } from './state.ts';

/**
 * Returns the script of a session request. The store's next queued script takes precedence over the row picked by the amount or the phone, which
 * takes precedence over the configured default. A queued script stays with its tran_id, so that a repeated call gets the same one.
 */
export function scriptForRequest(
  gateway: Gateway,
  { storeId, parameters }: { storeId: string; parameters: SessionParameters },
): Script {
  const { total_amount: total, cus_phone: phone, tran_id: tranId = '' } = parameters;
  const picked = mergeScripts(gateway.state.settings.script, scriptOfRequest({ total, phone }));
  const queued = takeQueued(gateway.state, {
    key: tranKey({ storeId, tranId }),
    isOwner: (one) => one.storeId === storeId,
    take: (id) => gateway.record({ type: 'script_taken', id, storeId, tranId }),
  });
  return mergeScripts(picked, queued ?? {});
}
