import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { DeliveryDial } from './dials.ts';
import type { FaultLog } from './fault-log.ts';
import { followText } from './follow-lines.ts';
import { openOwner } from './owner.ts';
import { setReceiver } from './receiver-control.ts';

/** There may be no further event in this round. */
const EVENT_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 5;
/** A line of a receiver's log about an event of a payment. */
const SLOWLY_TAKEN = /"behaviour":"receiver-slow".*payment\./;

export interface DeliveryFault {
  readonly dial: DeliveryDial;
  readonly victim: 0 | 1;
  readonly forMs: number;
}

/** Disturbs the first attempts of events, each at the moment that is worst for it. */
export async function upsetDelivery(cluster: Cluster, fault: DeliveryFault, log: FaultLog): Promise<void> {
  switch (fault.dial) {
    case 'kill-after-commit':
      return killAfterCommit(cluster, fault, log);
    case 'kill-after-acceptance':
      return killAfterAcceptance(cluster, fault, log);
    case 'receiver-hangs':
      return hang(cluster, fault, log);
  }
}

/** Events of payments are recorded by workers. No request reaches a receiver while the workers wait for the death that follows the next event. */
async function killAfterCommit(cluster: Cluster, fault: DeliveryFault, log: FaultLog): Promise<void> {
  const links = cluster.links.get('worker>receiver') ?? [];
  const owner = await openOwner(cluster.databaseUrl);
  const events = async (): Promise<number> => {
    const [row] = await owner.run<{ events: number }>(
      `select count(*)::int as events from webhook_events
       where payment_id is not null and delivery_status = 'PENDING' and attempts = 0`,
    );
    return row?.events ?? 0;
  };
  try {
    await Promise.all(links.map((link) => link.upset('half-open')));
    const before = await events();
    if (await comes(async () => (await events()) > before)) {
      killWorkers(cluster, fault, log);
    }
  } finally {
    await Promise.all(links.map((link) => link.mend()));
    await owner.close();
  }
}

/** A slow receiver notes the event and answers seconds later. By then no worker is there to hear it. */
async function killAfterAcceptance(cluster: Cluster, fault: DeliveryFault, log: FaultLog): Promise<void> {
  const { receivers } = cluster;
  const inboxes = receivers.map(({ logFile }) => followText(logFile));
  await Promise.all(receivers.map(({ controlUrl }) => setReceiver(controlUrl, 'receiver-slow')));
  try {
    await Promise.all(inboxes.map((added) => added()));
    const hasCome = async (): Promise<boolean> => {
      const lines = await Promise.all(inboxes.map((added) => added()));
      return lines.some((text) => SLOWLY_TAKEN.test(text));
    };
    if (await comes(hasCome)) {
      killWorkers(cluster, fault, log);
    }
  } finally {
    await Promise.all(receivers.map(({ controlUrl }) => setReceiver(controlUrl, 'good')));
  }
}

async function hang({ receivers }: Cluster, { dial, victim, forMs }: DeliveryFault, log: FaultLog): Promise<void> {
  const { controlUrl } = receivers[victim];
  // Another fault of the round may have killed the receiver.
  if (await comes(() => setReceiver(controlUrl, dial))) {
    log.fired([dial], `receiver ${victim} takes requests and answers none for ${forMs} ms`);
  }
  await sleep(forMs);
  await setReceiver(controlUrl, 'good');
}

/** Either worker may have made the attempt. */
function killWorkers(cluster: Cluster, { dial, forMs }: DeliveryFault, log: FaultLog): void {
  const workers = [cluster.members.get('worker-0'), cluster.members.get('worker-1')];
  if (workers.map((worker) => worker?.signal('SIGKILL', { restartAfterMs: forMs })).includes(true)) {
    log.fired([dial], `${dial}: both workers for ${forMs} ms`);
  }
}

async function comes(hasCome: () => Promise<boolean>): Promise<boolean> {
  const giveUpAt = Date.now() + EVENT_TIMEOUT_MS;
  while (!(await hasCome())) {
    if (Date.now() > giveUpAt) {
      return false;
    }
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}
