import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../database/connection.ts';
import { checkoutUrl } from '../../domain/payment-view.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { actAsPayer } from '../thousand/payers.ts';
import type { Choice } from '../thousand/plan.ts';

export interface Visitors {
  /** Ends the visits. Returns how many there were of each kind. */
  leave(): Promise<Readonly<Record<string, number>>>;
}

const LOOK_EVERY_MS = 300;
/** Most payers pay, so that there are receipts. The others leave payments in every state that a request can meet. */
const CHOICES: readonly Choice[] = ['pay', 'pay', 'fail', 'pay', 'cancel-at-gateway', 'never-continue'];

/** Sends payers to the payments that the fuzzer creates, one after the other. Without them no operation on a paid payment could succeed. */
export async function sendVisitors({ dev, applicationId }: { dev: DevFile; applicationId: bigint }): Promise<Visitors> {
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 1 });
  const stopped = new AbortController();
  const visits: Record<string, number> = {};
  const visiting = (async () => {
    let latest = '0';
    while (!stopped.signal.aborted) {
      const [payment] = await database.withSystem((em) =>
        em.execute<{ id: string; reference: string }[]>(
          `select id, reference from payments
           where application_id = ? and status = 'PENDING' and gateway_redirect_url is not null and id > ?
           order by id limit 1`,
          [applicationId, latest],
        ),
      );
      if (payment === undefined) {
        await sleep(LOOK_EVERY_MS);
        continue;
      }
      latest = payment.id;
      const number = Number(payment.id);
      const choice = CHOICES[number % CHOICES.length] ?? 'pay';
      // The checkout may be closed already. Other checks judge what the API says about it.
      const done = await actAsPayer(checkoutUrl(payment.reference, dev.web), { choice, number }).then(
        () => choice,
        () => 'turned away',
      );
      visits[done] = (visits[done] ?? 0) + 1;
    }
  })();
  return {
    async leave() {
      stopped.abort();
      await visiting.finally(() => database.close());
      return visits;
    },
  };
}
