import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { openCaller, paymentIn, type Caller } from './application.ts';
import type { Cluster } from './cluster.ts';
import { collect, type Collected, type Sources } from './collect.ts';
import { GATEWAY_SCRIPT_NAMES, LATE_MONEY, REFUND_SCRIPT_NAMES } from './dials.ts';
import type { Evidence } from './evidence.ts';
import { openFaultLog, type FaultLog } from './fault-log.ts';
import { inject, setReceiver } from './inject.ts';
import { openJournal, type Journal } from './journal.ts';
import { lateEndsOf, refundCoursesOf } from './judges/refunds.ts';
import { openDesks, type Staff, type Tokens } from './operators.ts';
import { runLoad } from './load.ts';
import { decideLateMoney, endReview, refundWhenPaid, repeatRefunds, type Refunds } from './refund-load.ts';
import { planRound, type Errand, type RoundName, type RoundPlan } from './plan.ts';
import {
  idleReviews,
  settleByExpiry,
  settleRefunds,
  settleTheRest,
  settleWhatIsKnown,
  type Settling,
  type Unsettled,
} from './settle.ts';
import type { GatewayControl } from './simulator-control.ts';
import type { TimeLapse } from './time-lapse.ts';

/** What every round of a run works with. */
export interface Run extends Sources {
  readonly cluster: Cluster;
  readonly control: GatewayControl;
  readonly lapse: TimeLapse;
  readonly staff: Staff;
  readonly tokens: Tokens;
  /** Where processes that end or come up are noted: the log of the round that is on. */
  readonly hear: (log: FaultLog) => void;
}

export interface RoundResult extends Collected {
  readonly plan: RoundPlan;
  readonly log: FaultLog;
  /** When the faults were over, by the clock on the wall. */
  readonly healedAtMs: number;
  readonly tookMs: number;
}

const UP_TIMEOUT_MS = 45_000;
const READY_TIMEOUT_MS = 30_000;
const REPEAT_TIMEOUT_MS = 12_000;
const REPEATS_MAX = 6;
/** Who was held up by the faults still gets done what he came for, if the service is of use again within this time. */
const PATIENCE_MS = 6_000;
/** An application waits so long for its payment to be paid; what is paid later it gives back later. */
const WAITING_MS = 1_500;

/** One round: load and faults together, then everything is made whole, and what comes of it is collected. */
export async function playRound(run: Run, name: RoundName): Promise<RoundResult> {
  const begun = Date.now();
  const plan = planRound(name);
  const log = openFaultLog();
  run.hear(log);
  const journal = openJournal(join(run.cluster.directory, 'client.jsonl'));
  const callers = run.tenants.map((tenant) => openCaller(tenant, { apis: run.cluster.apis, journal }));
  const desks = openDesks({ staff: run.staff, tokens: run.tokens, apis: run.cluster.apis, journal });
  const refunds: Refunds = { callers, desks, log, begun: new Set() };
  await run.lapse.forgetPasswords();
  let closesAt = Infinity;
  const load = runLoad(
    {
      ...refunds,
      closed: () => performance.now() > closesAt,
      over: () => performance.now() > closesAt - PATIENCE_MS + WAITING_MS,
      control: run.control,
      apiUrl: run.cluster.apiUrl,
      modes: run.tenants.map(({ mode }) => mode),
      stores: run.stores,
    },
    plan.errands,
  );
  await inject(run.cluster, plan.faults, log);
  await heal(run, log);
  const healedAtMs = Date.now();
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
  await refundTheRest(refunds, { errands: plan.errands, journal });
  log.note('what was paid late is given back');
  unsettled.push(...(await settleRefunds(settling, plan.errands)));
  log.note('refunds have ended or are put before a person');
  await endReviews({ settling, refunds, journal }, plan.errands);
  unsettled.push(...(await settleRefunds(settling, plan.errands)));
  unsettled.push(...(await settleTheRest(settling)));
  // Late money that only a callback among the rest told of is given back by policy only now.
  unsettled.push(...(await settleRefunds(settling, plan.errands)));
  unsettled.push(...(await settleTheRest(settling)));
  log.note('everything is settled');
  countScripts(log, await scriptedSessions(run, plan.errands));
  const collected = await collect({ ...run, errands: plan.errands, callers, journal, prefix, unsettled });
  for (const late of collected.evidence.postings.filter(({ causeType }) => causeType === 'late-payment')) {
    log.fired([LATE_MONEY], `late money of ${late.mark} is held`);
  }
  countRefunds(log, collected.evidence);
  await run.lapse.seal().catch((error: unknown) => log.note(`sealing not started: ${String(error)}`));
  log.note('the evidence is collected');
  return { ...collected, plan, log, healedAtMs, tookMs: Date.now() - begun };
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

/** An act has taken effect when it was begun; one that scripts the refund when the gateway was asked for it, of which it shows by its answer. */
function countRefunds(log: FaultLog, evidence: Evidence): void {
  for (const { errand, givings } of refundCoursesOf(evidence)) {
    const own = givings.map(({ view }) => view).filter(({ reason }) => reason?.startsWith(errand.mark) === true);
    if (own.length > 0) {
      log.fired([`refund:${errand.refund}`], `${errand.mark} is given back: ${errand.refund}`);
    }
    const script = REFUND_SCRIPT_NAMES.find((name) => name === errand.script);
    if (script !== undefined && own.some(({ status }) => status !== 'REJECTED' && status !== 'AWAITING_APPROVAL')) {
      log.fired([`gateway:${script}`], `the gateway's trouble ${script} took effect`);
    }
  }
  for (const { errand, act } of lateEndsOf(evidence)) {
    log.fired([`late:${act}`], `late money of ${errand.mark}: ${act}`);
  }
}

interface Remaining {
  readonly errands: readonly Errand[];
  readonly journal: Journal;
}

/** Those whose payment came to its end only now are given back now; and every client that asked for a refund asks once more. */
async function refundTheRest(refunds: Refunds, { errands, journal }: Remaining): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const closed = (): boolean => performance.now() > deadline;
  await Promise.all(
    errands.map(async (errand) => {
      const paymentId = journal.answers
        .filter(({ mark }) => mark === errand.mark)
        .flatMap((answer) => paymentIn(answer)?.id ?? [])[0];
      if (paymentId !== undefined) {
        const refunding = { errand, paymentId, closed, over: () => true };
        const asked = new Set(journal.answers.flatMap(({ refund }) => refund ?? []));
        await refundWhenPaid(refunds, refunding);
        await Promise.all([repeatRefunds(refunds, refunding, asked), decideLateMoney(refunds, refunding)]);
      }
    }),
  );
}

interface Reviewing {
  readonly settling: Settling;
  readonly refunds: Refunds;
  readonly journal: Journal;
}

/** Of refunds that wait for a person every second one is ended by two of them, where the gateway's books show that nothing moved. */
async function endReviews({ settling, refunds, journal }: Reviewing, errands: readonly Errand[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const closed = (): boolean => performance.now() > deadline;
  for (const { id, mark } of await idleReviews(settling)) {
    const errand = errands.find((one) => one.mark === mark);
    const paymentId = journal.answers.filter((one) => one.mark === mark).flatMap((one) => paymentIn(one)?.id ?? [])[0];
    if (errand !== undefined && paymentId !== undefined && id % 2 === 0) {
      await endReview(refunds, { errand, paymentId, closed, over: closed }, id);
    }
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
