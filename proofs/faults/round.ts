import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { SecretBox } from '../../runtime/secrets.ts';
import { openCaller, paymentIn, paymentsIn, type Caller } from './application.ts';
import type { Cluster } from './cluster.ts';
import { collect, type Collected, type Sources } from './collect.ts';
import {
  CHOICE_ACTS,
  GATEWAY_SCRIPT_NAMES,
  UNAPPLIED_MONEY,
  OTHER_SCRIPT_NAMES,
  REFUND_SCRIPT_NAMES,
  UNSEEN_ACTS,
} from './dials.ts';
import type { Evidence } from './evidence.ts';
import { openFaultLog, type FaultLog } from './fault-log.ts';
import { inject } from './inject.ts';
import { openJournal, type Journal } from './journal.ts';
import { lateEndsOf, refundCoursesOf } from './judges/refunds.ts';
import { openDesks, type Staff, type Tokens } from './operators.ts';
import { repeatBills, startBilling } from './bill-load.ts';
import type { Billed } from './bill-plan.ts';
import { byHand, isBillSettled, runLoad } from './load.ts';
import { decideTheRest, strictestThreshold, submissionIn } from './manual-load.ts';
import { submissionsOf } from './books/manual.ts';
import type { ComeBack } from './payer.ts';
import { decideUnappliedMoney, endReview, refundWhenPaid, repeatRefunds, type Refunds } from './refund-load.ts';
import { openPayoutDesk } from './payout-desk.ts';
import { businessDay, closeTheBooks, payOutAmidFaults } from './payout-load.ts';
import { planRound, type Errand, type RoundName, type RoundPlan } from './plan.ts';
import {
  idleReviews,
  settleByExpiry,
  settleRefunds,
  settleTheRest,
  settleUnseen,
  settleWhatIsKnown,
  type Settling,
  type Unsettled,
} from './settle.ts';
import { setReceiver } from './receiver-control.ts';
import { setBack } from './restore.ts';
import type { GatewayControl } from './simulator-control.ts';
import { isOutOfTokens, passTokenHour } from './token-hour.ts';
import type { TimeLapse } from './time-lapse.ts';

/** What every round of a run works with. */
export interface Run extends Sources {
  readonly cluster: Cluster;
  readonly control: GatewayControl;
  readonly lapse: TimeLapse;
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly staff: Staff;
  readonly tokens: Tokens;
  /** Orders of all rounds so far that a restore has lost. */
  readonly lostOrders: Set<string>;
  /** Sets the log in which ended and restarted processes are recorded: the current round's. */
  readonly hear: (log: FaultLog) => void;
}

export interface RoundResult extends Collected {
  readonly plan: RoundPlan;
  readonly log: FaultLog;
  /** Wall-clock time at which the faults were over. */
  readonly healedAtMs: number;
  readonly tookMs: number;
}

const UP_TIMEOUT_MS = 45_000;
const READY_TIMEOUT_MS = 30_000;
const REPEAT_TIMEOUT_MS = 12_000;
const REPEATS_MAX = 6;
/** After the faults, clients get this long to finish what the faults delayed. */
const PATIENCE_MS = 6_000;
/** Covers the whole time that passes until everything has expired. */
const DECIDING_MS = 40_000;
const EXPIRING_MS = 1_500;
/** In every fourth round Nagad refuses an order that it has completed before. */
const REFUSED_EVERY = 4;
/** How long an application waits for its payment to be paid. Later payments are refunded later. */
const WAITING_MS = 1_500;

/** Runs one round: load and faults together, then repairs everything and collects the evidence. */
export async function playRound(run: Run, name: RoundName): Promise<RoundResult> {
  const begun = Date.now();
  const plan = planRound(name);
  const log = openFaultLog();
  run.hear(log);
  const journal = openJournal(join(run.cluster.directory, 'client.jsonl'));
  let billed: Billed = new Map();
  const callers = run.tenants.map((tenant) =>
    openCaller(tenant, { apis: run.cluster.apis, journal, billed: () => billed }),
  );
  const desks = openDesks({ staff: run.staff, tokens: run.tokens, apis: run.cluster.apis, journal });
  const refunds: Refunds = { callers, desks, log, begun: new Set() };
  await run.lapse.forgetPasswords();
  await run.control.repeatOrders(plan.round % REFUSED_EVERY === 0 ? 'untilComplete' : 'accepted');
  let closesAt = Infinity;
  const closed = (): boolean => performance.now() > closesAt;
  const billing = startBilling({ callers, log, closed }, plan.bills);
  ({ billed } = billing);
  const comeBacks = new Map<string, ComeBack>();
  const thresholds = run.tenants.map(({ mode }) =>
    strictestThreshold(run.tenants.filter((other) => other.mode === mode).map(({ thresholdMinor }) => thresholdMinor)),
  );
  const load = runLoad(
    {
      ...refunds,
      journal,
      thresholds,
      comeBacks,
      billed,
      closed,
      over: () => performance.now() > closesAt - PATIENCE_MS + WAITING_MS,
      control: run.control,
      apiUrl: run.cluster.apiUrl,
      modes: run.tenants.map(({ mode }) => mode),
      stores: run.stores,
    },
    plan.errands,
  );
  const payoutLoad = {
    ...run,
    log,
    ...name,
    seed: plan.seed,
    beganOn: businessDay(),
    desk: openPayoutDesk({ ...run, apis: run.cluster.apis, simulatorUrl: run.cluster.simulatorUrl }),
  };
  const payouts = payOutAmidFaults(payoutLoad, closed);
  const [restored] = await Promise.all([
    plan.restore === null ? null : setBack({ cluster: run.cluster, owner: run.owner, log }, plan.restore),
    inject(run.cluster, plan.faults, log),
  ]);
  restored?.orders.forEach((_payment, order) => run.lostOrders.add(order));
  await heal(run, log);
  const healedAtMs = Date.now();
  if (await isOutOfTokens(run)) {
    log.note('the hour passes in which bKash gives no token, since the faults have taken both');
    await renewWorkers(run);
  }
  closesAt = performance.now() + PATIENCE_MS;
  // A key whose request died with its process is leased for a minute, and its client does not have to wait for that.
  await run.lapse.rows().catch((error: unknown) => log.note(`time did not pass: ${String(error)}`));
  await Promise.all([load, billing.done, payouts]);
  log.note('clients and payers are done');
  const prefix = `${plan.seed}-${plan.round}-`;
  const settling = {
    owner: run.owner,
    lapse: run.lapse,
    books: run.books,
    log,
    prefix,
    confirmed: () => confirmedIn(journal),
    mendGateway: () => mendGateway(run, plan.errands),
    renewWorkers: () => renewWorkers(run),
  };
  await settling.mendGateway();
  const unsettled: Unsettled[] = [...(await settleWhatIsKnown(settling))];
  log.note('what was known is settled');
  await repeatEveryKey({ run, callers, journal, log }, plan.errands);
  await repeatBills({ callers }, plan.bills);
  log.note('every key was sent once more');
  const [expired] = await Promise.all([
    settleByExpiry(settling),
    decideWhatWaits(refunds, { errands: plan.errands, journal, thresholds }),
  ]);
  unsettled.push(...expired);
  log.note('everything has expired');
  await comeBack(comeBacks, log);
  unsettled.push(...(await settleUnseen(settling)));
  log.note('what nobody tells of is found');
  await refundTheRest(refunds, { errands: plan.errands, journal });
  log.note('what was paid late is given back');
  unsettled.push(...(await settleRefunds(settling, plan.errands)));
  log.note('refunds have ended or are put before a person');
  await endReviews({ settling, refunds, journal }, plan.errands);
  unsettled.push(...(await settleRefunds(settling, plan.errands)));
  unsettled.push(...(await settleTheRest(settling)));
  // The policy refunds unapplied payments only now if only one of the remaining callbacks reported them.
  unsettled.push(...(await settleRefunds(settling, plan.errands)));
  unsettled.push(...(await settleTheRest(settling)));
  const paidOut = await closeTheBooks(payoutLoad);
  unsettled.push(...paidOut.unsettled);
  log.note('everything is settled');
  countScripts(log, await scriptedSessions(run, plan.errands));
  const collected = await collect({
    ...run,
    errands: plan.errands,
    bills: plan.bills,
    callers,
    journal,
    desks,
    prefix,
    unsettled,
    restored,
    paidOut,
  });
  for (const late of collected.evidence.postings.filter(({ causeType }) => causeType === 'unapplied-payment')) {
    log.fired([UNAPPLIED_MONEY], `unapplied money of ${late.mark} is held`);
  }
  countRefunds(log, collected.evidence);
  countChoices(log, collected.evidence);
  countUnseen(log, collected.evidence);
  countByHand(log, collected.evidence);
  await run.lapse.seal().catch((error: unknown) => log.note(`sealing not started: ${String(error)}`));
  log.note('the evidence is collected');
  return { ...collected, plan, log, healedAtMs, tookMs: Date.now() - begun };
}

/** Repairs everything after the faults: every link works, every process is ready, and every receiver behaves. */
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

/** Restarts the workers an hour later, as a deployment would. */
async function renewWorkers(run: Run): Promise<void> {
  const { members } = run.cluster;
  await passTokenHour(run);
  const workers = [members.get('worker-0'), members.get('worker-1')].flatMap((worker) => worker ?? []);
  await Promise.all(
    workers.map(async (worker) => {
      const old = worker.pid();
      const deadline = Date.now() + UP_TIMEOUT_MS;
      worker.signal('SIGTERM', { restartAfterMs: 0 });
      while (worker.pid() === old && Date.now() < deadline) {
        await sleep(50);
      }
      await worker.up(UP_TIMEOUT_MS);
    }),
  );
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

/** Repairs gateway sessions that would otherwise answer wrongly forever. */
async function mendGateway(run: Run, errands: readonly Errand[]): Promise<void> {
  for (const { script, sessions } of await scriptedSessions(run, errands)) {
    if (script.endsWith('-until-mended')) {
      await Promise.all(sessions.map(({ key }) => run.control.mend(key)));
    }
  }
}

/** A script took effect if its session was created and, for scripts that concern what follows, a payer has finished the session. */
function countScripts(log: FaultLog, scripted: Awaited<ReturnType<typeof scriptedSessions>>): void {
  for (const name of [...GATEWAY_SCRIPT_NAMES, ...OTHER_SCRIPT_NAMES.filter((other) => !isOfRefund(other))]) {
    const isOfCreation = name.startsWith('session-') || name.includes('/create-') || name.includes('/complete-');
    const taken = scripted.filter(
      ({ script, sessions }) => script === name && (isOfCreation || sessions.some(({ outcome }) => outcome !== null)),
    );
    taken.forEach(() => log.fired([`gateway:${name}`], `the gateway's trouble ${name} took effect`));
  }
}

function isOfRefund(script: string): boolean {
  return script.includes('/refund-');
}

/** Counts a choice once the payment has more than one order, and a payment through OwnPay's API once it has an order. */
function countChoices(log: FaultLog, { errands, attempts }: Evidence): void {
  for (const { mark, act, contract } of errands) {
    const orders = attempts.filter((attempt) => attempt.mark === mark);
    if (contract === 'ownpay' && orders.length > 0) {
      log.fired([`intent:${orders[0]?.gateway}`], `${mark} was made over OwnPay's API`);
    }
    const choice = CHOICE_ACTS.find((name) => name === act);
    if (choice !== undefined && orders.length > 1) {
      log.fired([`choice:${choice}`], `${mark}: ${choice}, ${orders.map(({ gateway }) => gateway).join(' then ')}`);
    }
  }
}

/** A charge counts as unseen if it is held as an unapplied payment although the browser that would have reported it was closed. */
function countUnseen(log: FaultLog, { errands, postings }: Evidence): void {
  for (const { mark, act } of errands) {
    const unseen = UNSEEN_ACTS.find((name) => name === act);
    if (unseen !== undefined && postings.some((posting) => posting.mark === mark && posting.kind === 'unapplied')) {
      log.fired([`unseen:${unseen}`], `${mark}: ${unseen}`);
    }
  }
}

/** A manual payment counts once its payer has submitted a transaction. */
function countByHand(log: FaultLog, { errands, answers }: Evidence): void {
  const written = new Set(submissionsOf(answers).map(({ mark }) => mark));
  for (const { mark, manual, visits } of errands) {
    if (visits.length === 1 && written.has(mark)) {
      log.fired([`manual:${manual}`], `${mark} is paid by hand: ${manual}`);
    }
  }
}

function confirmedIn({ answers }: Journal): ReadonlySet<string> {
  return new Set(
    answers.flatMap((answer) =>
      answer.kind === 'manual-confirm' && answer.status === 200 && submissionIn(answer)?.status === 'CONFIRMED'
        ? [answer.mark]
        : [],
    ),
  );
}

/**
 * An act took effect once it was started. An act that scripts the refund took effect once the gateway was asked for the refund, as its answer shows.
 */
function countRefunds(log: FaultLog, evidence: Evidence): void {
  for (const { errand, givings } of refundCoursesOf(evidence)) {
    const own = givings.map(({ view }) => view).filter(({ reason }) => reason?.startsWith(errand.mark) === true);
    if (own.length > 0) {
      log.fired([`refund:${errand.refund}`], `${errand.mark} is given back: ${errand.refund}`);
    }
    const script = [...REFUND_SCRIPT_NAMES, ...OTHER_SCRIPT_NAMES.filter(isOfRefund)].find(
      (name) => name === errand.script,
    );
    if (script !== undefined && own.some(({ status }) => status !== 'REJECTED' && status !== 'AWAITING_APPROVAL')) {
      log.fired([`gateway:${script}`], `the gateway's trouble ${script} took effect`);
    }
  }
  for (const { errand, act } of lateEndsOf(evidence)) {
    log.fired([`late:${act}`], `unapplied money of ${errand.mark}: ${act}`);
  }
}

interface Remaining {
  readonly errands: readonly Errand[];
  readonly journal: Journal;
}

function paymentIdOf({ answers }: Journal, { mark }: Errand): number | undefined {
  return answers
    .filter((answer) => answer.mark === mark)
    .flatMap((answer) => paymentIn(answer)?.id ?? paymentsIn(answer)?.[0]?.id ?? [])[0];
}

/** Operators decide everything still pending, some of it while it expires. */
async function decideWhatWaits(
  { desks }: Refunds,
  { errands, journal, thresholds }: Remaining & { readonly thresholds: readonly (number | null)[] },
): Promise<void> {
  const deadline = performance.now() + DECIDING_MS;
  const closed = (): boolean => performance.now() > deadline;
  const written = new Set(journal.answers.flatMap(({ kind, mark }) => (kind === 'submission' ? [mark] : [])));
  await Promise.all(
    errands.map(async (errand) => {
      const paymentId = paymentIdOf(journal, errand);
      if (written.has(errand.mark) && paymentId !== undefined) {
        await sleep(errand.startMs % EXPIRING_MS);
        await decideTheRest(desks, byHand({ thresholds, closed }, errand, paymentId));
      }
    }),
  );
}

/** Payers pay in the tab that stayed open, although the payment is over. */
async function comeBack(comeBacks: ReadonlyMap<string, ComeBack>, log: FaultLog): Promise<void> {
  await Promise.all(
    [...comeBacks].map(async ([mark, pay]) => {
      const gaveUp = await pay();
      log.note(gaveUp === null ? `the payer of ${mark} has come back` : `the payer of ${mark} gave up: ${gaveUp}`);
    }),
  );
}

/** Refunds payments that ended only now. Every client that requested a refund repeats its request. */
async function refundTheRest(refunds: Refunds, { errands, journal }: Remaining): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const closed = (): boolean => performance.now() > deadline;
  await Promise.all(
    errands.map(async (errand) => {
      const paymentId = paymentIdOf(journal, errand);
      if (paymentId !== undefined) {
        const refunding = { errand, paymentId, closed, over: () => true };
        const asked = new Set(journal.answers.flatMap(({ refund }) => refund ?? []));
        await refundWhenPaid(refunds, refunding);
        await Promise.all([repeatRefunds(refunds, refunding, asked), decideUnappliedMoney(refunds, refunding)]);
      }
    }),
  );
}

interface Reviewing {
  readonly settling: Settling;
  readonly refunds: Refunds;
  readonly journal: Journal;
}

/** Two people end every second refund in review for which the gateway's records show that no money moved. */
async function endReviews({ settling, refunds, journal }: Reviewing, errands: readonly Errand[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  const closed = (): boolean => performance.now() > deadline;
  for (const { id, mark } of await idleReviews(settling)) {
    const errand = errands.find((one) => one.mark === mark);
    const paymentId = errand === undefined ? undefined : paymentIdOf(journal, errand);
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

/** Every client repeats its key at both APIs, and must now get its payment regardless of earlier answers. */
async function repeatEveryKey({ run, callers, log }: Repeating, errands: readonly Errand[]): Promise<void> {
  await run.lapse.rows().catch((error: unknown) => log.note(`time did not pass: ${String(error)}`));
  await Promise.all(
    errands.map(async (errand) => {
      for (const api of [0, 1] as const) {
        for (let tries = 0; tries < REPEATS_MAX; tries += 1) {
          const options = { api, timeoutMs: REPEAT_TIMEOUT_MS } as const;
          const answer = await (errand.contract === 'ownpay'
            ? callers[errand.app]?.intent(errand, { ...options, kind: 'intent-repeat' })
            : callers[errand.app]?.create(errand, { ...options, kind: 'repeat' }));
          if (answer?.status === 201 || answer?.status === 502 || (answer !== undefined && isBillSettled(answer))) {
            break;
          }
          await sleep(300);
        }
      }
    }),
  );
}
