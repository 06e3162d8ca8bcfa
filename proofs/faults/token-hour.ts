import { z } from 'zod';
import { gatewayTokenPlace } from '../../runtime/sealed-places.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import type { Owner } from './owner.ts';
import type { GatewayControl } from './simulator-control.ts';

/** The form in which bKash tokens are stored for all processes. */
const Kept = z.object({ token: z.string().nullable(), calls: z.array(z.number()) });
const CALLS_PER_HOUR = 2;

export interface TokenHour {
  readonly owner: Owner;
  readonly control: GatewayControl;
  readonly secrets: Pick<SecretBox, 'open'>;
}

/** Returns whether the faults have used up both token calls that a merchant has per hour. Until the hour is over, nothing can be done at bKash. */
export async function isOutOfTokens({ owner, secrets }: Pick<TokenHour, 'owner' | 'secrets'>): Promise<boolean> {
  const rows = await owner.run<{ account: string; sealed: string }>(
    'select account, sealed from gateway_tokens where sealed is not null',
  );
  return rows
    .map(({ account, sealed }) => Kept.parse(JSON.parse(secrets.open(sealed, gatewayTokenPlace(account)))))
    .some(({ token, calls }) => token === null && calls.length >= CALLS_PER_HOUR);
}

/** Ends that hour for the rows and the gateway. A worker's cache is cleared by a restart. */
export async function passTokenHour({ owner, control }: Pick<TokenHour, 'owner' | 'control'>): Promise<void> {
  await owner.run('update gateway_tokens set sealed = null');
  await control.grantMore(CALLS_PER_HOUR);
}
