import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { openCaller, type Caller } from './application.ts';
import type { Cluster } from './cluster.ts';
import { collect, type Collected, type Sources } from './collect.ts';
import { GATEWAY_SCRIPT_NAMES, LATE_MONEY } from './dials.ts';
import { openFaultLog, type FaultLog } from './fault-log.ts';
import { inject, setReceiver } from './inject.ts';
import { openJournal, type Journal } from './journal.ts';
import { runLoad } from './load.ts';
import { planRound, type Errand, type RoundName, type RoundPlan } from './plan.ts';
import { settleByExpiry, settleTheRest, settleWhatIsKnown, type Unsettled } from './settle.ts';
import type { GatewayControl } from './simulator-control.ts';
import type { TimeLapse } from './time-lapse.ts';

/** What every round of a run works with. */
export interface Run extends Sources {
  readonly cluster: Cluster;
  readonly control: GatewayControl;
  readonly lapse: TimeLapse;
  /** Where processes that end or come up are noted: the log of the round that is on. */
  readonly hear: (log: FaultLog) => void;
}

export interface RoundResult extends Collected {
  readonly plan: RoundPlan;
  readonly log: FaultLog;
  readonly tookMs: number;
}

const UP_TIMEOUT_MS = 45_000;
const READY_TIMEOUT_MS = 30_000;
const REPEAT_TIMEOUT_MS = 12_000;
const REPEATS_MAX = 6;
/** Who was held up by the faults still gets done what he came for, if the service is of use again within this time. */
const PATIENCE_MS = 6_000;

/** One round: load and faults together, then everything is made whole, and what comes of it is collected. */
export async function playRound(run: Run, name: RoundName): Promise<RoundResult> {
  const begun = Date.now();
  const plan = planRound(name);
  const log = openFaultLog();
  run.hear(log);
  const journal = openJournal(join(run.cluster.directory, 'client.jsonl'));
  const callers = run.tenants.map((tenant) => openCaller(tenant, { apis: run.cluster.apis, journal }));
  let closesAt = Infinity;
  const load = runLoad(
    {
      callers,
      log,
      closed: () => performance.now() > closesAt,
      control: run.control,
      apiUrl: run.cluster.apiUrl,
      modes: run.tenants.map(({ mode }) => mode),
      stores: run.stores,
    },
    plan.errands,
  );
  await inject(run.cluster, plan.faults, log);
  await heal(run, log);
  closesAt = performance.now() + PATIENCE_MS;
  // A key whose request died with its process is leased for a minute; its client, who still tries, need not wait for that.
  await run.lapse.rows().catch((error: unknown) => log.note(`time did not pass: ${String(error)}`));
  await load;
  log.note('clients and payers are done');
  const prefix = `${plan.seed}-${plan.round}-`;
  const settling = { owner: run.owner, lapse: run.lapse, books: run.books, log, prefix };
  await mendGateway(run, plan.errands);
  const unsettled: Unsettled[] = [...(await settleWhatIsKnown(settling))];
  log.note('what was known is settled');
  await repeatEveryKey({ run, callers, journal, log }, plan.errands);
  log.note('every key was sent once more');
  unsettled.push(...(await settleByExpiry(settling)));
  log.note('everything has expired');
  unsettled.push(...(await settleTheRest(settling)));
  log.note('everything is settled');
  countScripts(log, await scriptedSessions(run, plan.errands));
  const collected = await collect({ ...run, errands: plan.errands, callers, journal, prefix, unsettled });
  for (const late of collected.evidence.postings.filter(({ causeType }) => causeType === 'late-payment')) {
    log.fired([LATE_MONEY], `late money of ${late.mark} is held`);
  }
  await run.lapse.seal().catch((error: unknown) => log.note(`sealing not started: ${String(error)}`));
  log.note('the evidence is collected');
  return { ...collected, plan, log, tookMs: Date.now() - begun };
}

/** Ends what the faults have left: every link carries, every process is up and of use, every receiver behaves. */
async function heal({ cluster }: Run, log: FaultLog): Promise<void> {
  await Promise.all([...cluster.links.values()].flat().map((link) => link.mend()));
  await Promise.all([...cluster.members.values()].map((member) => member.up(UP_TIMEOUT_MS)));
  await Promise.all(cluster.receivers.map(({ controlUrl }) => setReceiver(controlUrl, 'good')));
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (const api of cluster.apis) {
    while (!(await isReady(api))) {
      if (Date.now() > deadline) {
        throw new Error(`${api} is not ready although everything around it is`);
      }
      await sleep(50);
    }
  }
  log.note('healed');
}

async function isReady(api: string): Promise<boolean> {
  try {
    const response = await fetch(`${api}/ready`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function scriptedSessions({ books }: Run, errands: readonly Errand[]) {
  const { sessions } = await books.read();
  return errands.flatMap(({ mark, script }) =>
    script === null ? [] : [{ script, sessions: sessions.filter((session) => session.mark === mark) }],
  );
}

/** A gateway that would answer wrongly for ever is repaired like everything else. */
async function mendGateway(run: Run, errands: readonly Errand[]): Promise<void> {
  for (const { script, sessions } of await scriptedSessions(run, errands)) {
    if (script.endsWith('-until-mended')) {
      await Promise.all(sessions.map(({ key }) => run.control.mend(key)));
    }
  }
}

/** A script has taken effect when its session was made, and a payer has finished it where it concerns what comes after. */
function countScripts(log: FaultLog, scripted: Awaited<ReturnType<typeof scriptedSessions>>): void {
  for (const name of GATEWAY_SCRIPT_NAMES) {
    const taken = scripted.filter(
      ({ script, sessions }) =>
        script === name && (name.startsWith('session-') || sessions.some(({ outcome }) => outcome !== null)),
    );
    taken.forEach(() => log.fired([`gateway:${name}`], `the gateway's trouble ${name} took effect`));
  }
}

interface Repeating {
  readonly run: Run;
  readonly callers: readonly Caller[];
  readonly journal: Journal;
  readonly log: FaultLog;
}

/** Every client comes back with its key, at both apis: whatever it was told before, it must be told now. */
async function repeatEveryKey({ run, callers, log }: Repeating, errands: readonly Errand[]): Promise<void> {
  await run.lapse.rows().catch((error: unknown) => log.note(`time did not pass: ${String(error)}`));
  await Promise.all(
    errands.map(async (errand) => {
      for (const api of [0, 1] as const) {
        for (let tries = 0; tries < REPEATS_MAX; tries += 1) {
          const answer = await callers[errand.app]?.create(errand, {
            api,
            kind: 'repeat',
            timeoutMs: REPEAT_TIMEOUT_MS,
          });
          if (answer?.status === 201 || answer?.status === 502) {
            break;
          }
          await sleep(300);
        }
      }
    }),
  );
}
