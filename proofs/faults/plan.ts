import {
  CHOICE_ACTS,
  DELIVERY_DIALS,
  FORGERIES,
  GATEWAY_SCRIPT_NAMES,
  GATEWAY_SCRIPTS,
  LATE_ACTS,
  LINKS,
  MANUAL_ACTS,
  OTHER_SCRIPT_NAMES,
  OTHER_SCRIPTS,
  PROCESS_DIALS,
  RECEIVER_DIALS,
  REFUND_ACTS,
  REFUND_SCRIPT_NAMES,
  REFUND_SCRIPTS,
  RESTORE,
  TOXICS,
  UNSEEN_ACTS,
  type DeliveryDial,
  type Forgery,
  type GatewayScript,
  type LateAct,
  type LinkName,
  type ManualAct,
  type OtherScript,
  type ProcessDial,
  type ReceiverDial,
  type RefundAct,
  type RefundScript,
  type Toxic,
} from './dials.ts';
import { GATEWAY_NAMES, SIMULATED_NAMES, type GatewayName } from './booked.ts';
import { planBills, sharesOf, type Bill } from './bill-plan.ts';
import { randomFrom, type Random } from './random.ts';

export type Trouble =
  | { readonly kind: 'process'; readonly dial: ProcessDial }
  | { readonly kind: 'receiver'; readonly dial: ReceiverDial }
  | { readonly kind: 'delivery'; readonly dial: DeliveryDial }
  | { readonly kind: 'link'; readonly link: LinkName; readonly toxic: Toxic };

/** A fault in the running stack. */
export type PlannedFault = Trouble & {
  /** 0 or 1: which of two equal processes is affected. */
  readonly victim: 0 | 1;
  readonly atMs: number;
  /**
   * When the fault strikes. `charge`: it waits for the gateway to take money and strikes `cueDelayMs` later, because a failure right after a charge
   * is the most harmful. `refund`: it waits for the gateway to accept or end a refund. `clock`: it strikes at once.
   */
  readonly cue: 'clock' | 'charge' | 'refund';
  readonly cueDelayMs: number;
  /** How long it lasts. For a killed process, the time until its restart. */
  readonly forMs: number;
};

export const PAYER_ACTS = [
  'pay',
  'fail',
  'cancel-at-gateway',
  'leave-the-gateway',
  'never-come',
  'close-after-paying',
  'cancel-on-our-page',
  'cancel-then-pay',
  ...CHOICE_ACTS,
  ...UNSEEN_ACTS,
] as const;
export type PayerAct = (typeof PAYER_ACTS)[number];

/** How a client repeats its key: at once at the other API, later, or later with another body. */
export type Repeat = 'at-once' | 'later' | 'other-body';

/** One payment of a round: what the application and its payer do. */
export interface Errand {
  /** Unique in the whole run. The product name carries it to the gateway, so that the gateway's records can be matched. */
  readonly mark: string;
  /** Index of the application in the run. */
  readonly app: 0 | 1 | 2;
  readonly startMs: number;
  readonly amountMinor: number;
  readonly script: GatewayScript | RefundScript | OtherScript | null;
  /** The gateways at which it may be paid; null if the application names none. */
  readonly gateways: readonly GatewayName[] | null;
  /** The gateways that the payer visits, in order; empty if Lenden chooses. */
  readonly visits: readonly GatewayName[];
  /** The API through which it is created. */
  readonly contract: 'native' | 'ownpay';
  readonly act: PayerAct;
  readonly firstApi: 0 | 1;
  readonly repeat: Repeat | null;
  readonly forgery: Forgery | null;
  /** How it is refunded once it is paid. */
  readonly refund: RefundAct | null;
  /** What happens to its money if it arrives late. */
  readonly late: LateAct;
  /** What happens to it if it is paid manually. */
  readonly manual: ManualAct;
  /** Mark of the invoice that it pays; null for a payment without an invoice. */
  readonly bill: string | null;
}

/** When a dump of the database is taken, and how much later it is restored. */
export interface RestorePlan {
  readonly takenAtMs: number;
  readonly gapMs: number;
}

export interface RoundPlan {
  readonly seed: string;
  readonly round: number;
  readonly faults: readonly PlannedFault[];
  readonly errands: readonly Errand[];
  readonly bills: readonly Bill[];
  /** Null except in rounds of the dial `restore`. */
  readonly restore: RestorePlan | null;
}

/** Rounds that together use every dial at least once. */
export const CYCLE_ROUNDS = 8;
export const LOAD_MS = 3_500;
/** The first errands test paying: scripted, forged, late, and two drawn at random. After them come those that test refunds. */
const PAYING = 12;
const SCRIPTED = 6;
/** Errands with a gateway fault in the refund, and errands without one. */
const REFUND_SCRIPTED = 2;
const REFUND_PLAIN = 2;
const ERRANDS = PAYING + REFUND_SCRIPTED + REFUND_PLAIN;
/** If the refund is scripted, the act must bring a refund to the gateway. */
const MOVING_ACTS = ['part', 'whole', 'rush', 'mixed', 'approved', 'approved-at-once'] as const satisfies RefundAct[];
const REFUND_MINOR_MIN = 50_000;
/** Determined by the policies of the run's applications. */
const LATE_APPS = { refund: 0, keep: 2, policy: 1 } as const satisfies Record<LateAct, 0 | 1 | 2>;
/** After the scripted and the forged ones. */
const UNAPPLIED_MONEY_INDEX = SCRIPTED + FORGERIES.length;
const INTENTS = 2;
const BY_HAND = 2;
/** Gateways at which no payment is refunded here: Nagad cannot refund, and manual payments are refunded by people. */
const NOT_GIVEN_BACK: ReadonlySet<GatewayName> = new Set(['nagad', 'manual']);
const TOXICS_PER_LINK = 2;
const AMOUNT_MINOR_MIN = 1_000;
const AMOUNT_MINOR_MAX = 500_000;
/** An amount that every gateway accepts. */
const OTHERS_MINOR_MIN = 10_000;
/** Refund acts that ask a gateway for at most one refund, because some gateways accept no second one. */
const ONE_REFUND = ['part', 'whole', 'approved', 'own-word', 'rejected'] as const satisfies RefundAct[];
/** The simulator treats amounts of 1313.NN taka as scripts. */
const SCRIPTED_TAKA = 1_313;
/** Approximate numbers per hundred payers without a scripted gateway. */
const ACT_WEIGHTS: Readonly<Record<PayerAct, number>> = {
  pay: 46,
  'close-after-paying': 10,
  fail: 9,
  'cancel-at-gateway': 9,
  'leave-the-gateway': 6,
  'never-come': 6,
  'cancel-on-our-page': 7,
  'cancel-then-pay': 7,
  'change-mind': 0,
  'pay-at-both': 0,
  'cancel-then-pay-unseen': 0,
  'pay-after-expiry': 0,
};

export interface RoundName {
  readonly seed: bigint;
  readonly round: number;
  /** If set, every fault is this one, or every payment has it if it is a gateway's fault. */
  readonly onlyDial?: string | undefined;
}

/** Plans a round. The plan depends only on the seed and the round. */
export function planRound({ seed, round, onlyDial }: RoundName): RoundPlan {
  if (onlyDial === RESTORE) {
    return planRestore(seed, round);
  }
  const random = randomFrom(seed, round);
  const troubles = onlyDial === undefined ? dealtTroubles(seed, round) : onlyTroubles(onlyDial, random);
  const scripts = onlyDial === undefined ? dealtScripts(seed, round) : onlyScripts(onlyDial);
  const forgeries = onlyDial === undefined || !isForgery(onlyDial) ? FORGERIES : [onlyDial];
  const onlyLate = LATE_ACTS.find((act) => `late:${act}` === onlyDial);
  const faults = troubles.map((trouble): PlannedFault => ({
    ...trouble,
    victim: random.chance(0.5) ? 0 : 1,
    atMs: random.between(300, LOAD_MS - 900),
    forMs: random.between(300, 1_600) * (isStandstill(trouble) ? STANDSTILL_FACTOR : 1),
    cue: random.chance(0.5) ? 'charge' : 'clock',
    cueDelayMs: random.between(0, 250),
  }));
  return {
    seed: seed.toString(),
    round,
    faults:
      onlyDial === undefined
        ? [...faults, faultAtRefund(seed, round), ...faultAtDelivery(seed, round)]
        : [...faults, ...onlyAtDelivery({ seed, round, onlyDial })],
    errands: [
      ...Array.from({ length: PAYING }, (_, index) =>
        errand({
          seed,
          round,
          index,
          script: scripts[index] ?? null,
          forgery: forgeries[index - SCRIPTED] ?? null,
          late: onlyLate ?? LATE_ACTS[round % LATE_ACTS.length] ?? 'refund',
        }),
      ),
      ...Array.from({ length: ERRANDS - PAYING }, (_, index) => refundErrand({ seed, round, index, onlyDial })),
      ...billErrands(seed, round),
      ...gatewayErrands({ seed, round, onlyDial }),
      ...intentErrands({ seed, round, onlyDial }),
      ...manualErrands({ seed, round, onlyDial }),
      ...crowd({ seed, round, onlyDial }),
    ],
    bills: planBills(seed, round),
    restore: null,
  };
}

/**
 * Plans only payments: before the dump, after it, and after the restore. What clients and operators are told in between is undone, and there is no
 * defined outcome for actions based on it.
 */
function planRestore(seed: bigint, round: number): RoundPlan {
  const random = randomFrom(seed, round, 8);
  const errands = Array.from({ length: RESTORE_ERRANDS }, (_, index): Errand => {
    const late = LATE_ACTS.find((name) => LATE_APPS[name] === 0) ?? 'refund';
    const drawn = errand({ seed, round, index: PAYING + index, script: null, forgery: null, late });
    return {
      ...drawn,
      mark: `${seed}-${round}-r${index}`,
      app: random.pick([0, 2] as const),
      startMs: random.between(0, RESTORE_LOAD_MS),
      act: random.pick(['pay', 'pay', 'close-after-paying', 'fail', 'leave-the-gateway'] as const),
      refund: null,
    };
  });
  return {
    seed: seed.toString(),
    round,
    faults: [],
    errands,
    bills: [],
    restore: { takenAtMs: random.between(1_200, 2_500), gapMs: random.between(1_500, 3_000) },
  };
}

const RESTORE_ERRANDS = 36;
/** Lasts until well after the restore. */
const RESTORE_LOAD_MS = 12_000;

/**
 * Half of the stopped workers stand still for longer than a workflow task may take (three seconds in a round). Another worker then repeats the step,
 * and the first one continues in the middle of it when it wakes up.
 */
const STANDSTILL_FACTOR = 4;
const isStandstill = (trouble: Trouble): boolean => trouble.kind === 'process' && trouble.dial === 'stop-worker';

/** Returns one more fault, which waits for a refund: the gateway has accepted it while Lenden may not know yet. */
function faultAtRefund(seed: bigint, round: number): PlannedFault {
  const random = randomFrom(seed, round, 3);
  const link = (): Trouble => ({ kind: 'link', link: random.pick(LINKS), toxic: random.pick(TOXICS) });
  return {
    ...(random.chance(0.4) ? link() : { kind: 'process', dial: random.pick(PROCESS_DIALS) }),
    victim: random.chance(0.5) ? 0 : 1,
    atMs: random.between(500, LOAD_MS - 1_500),
    forMs: random.between(300, 1_600),
    cue: 'refund',
    cueDelayMs: random.between(0, 400),
  };
}

/** Returns one more fault in every second round, of the first attempts of events. */
function faultAtDelivery(seed: bigint, round: number): PlannedFault[] {
  const dial = DELIVERY_DIALS[Math.floor(round / 2) % DELIVERY_DIALS.length];
  return round % 2 === 1 || dial === undefined ? [] : [deliveryFault(seed, round, dial)];
}

function onlyAtDelivery({ seed, round, onlyDial }: RoundName): PlannedFault[] {
  const dial = DELIVERY_DIALS.find((name) => name === onlyDial);
  const fault = dial === undefined ? [] : [deliveryFault(seed, round, dial)];
  return fault.map((one) => (dial === 'receiver-hangs' ? { ...one, atMs: 300, forMs: CROWD_MS } : one));
}

function deliveryFault(seed: bigint, round: number, dial: DeliveryDial): PlannedFault {
  const random = randomFrom(seed, round, 12);
  return {
    kind: 'delivery',
    dial,
    victim: random.pick([0, 1] as const),
    atMs: random.between(300, LOAD_MS - 900),
    forMs: random.between(300, 1_600) * (dial === 'receiver-hangs' ? STANDSTILL_FACTOR : 1),
    cue: 'clock',
    cueDelayMs: 0,
  };
}

const CROWD = 200;
const CROWD_MS = 30_000;

/** Returns payments that all end while the receiver of their application hangs. */
function crowd({ seed, round, onlyDial }: RoundName): Errand[] {
  const app = deliveryFault(seed, round, 'receiver-hangs').victim;
  return Array.from({ length: onlyDial === 'receiver-hangs' ? CROWD : 0 }, (_, index): Errand => {
    const random = randomFrom(seed, round, 12_000 + index);
    return {
      mark: `${seed}-${round}-c${index}`,
      app,
      startMs: random.between(0, CROWD_MS / 2),
      amountMinor: plainAmount(random),
      script: null,
      gateways: null,
      visits: [],
      contract: 'native',
      act: 'pay',
      firstApi: random.pick([0, 1] as const),
      repeat: null,
      forgery: null,
      refund: null,
      late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
      manual: 'confirmed',
      bill: null,
    };
  });
}

/** Returns the errands that pay invoices. Those of invoices paid in parts are refunded in part or in full, which makes the amount due again. */
function billErrands(seed: bigint, round: number): Errand[] {
  const bills = planBills(seed, round);
  return sharesOf(seed, round).map(({ bill: mark, amountMinor, startMs }, index): Errand => {
    const random = randomFrom(seed, round, 7_000 + index);
    const bill = bills.find((one) => one.mark === mark);
    const back = bill?.act === 'part-by-part' && random.chance(0.6);
    const app = bill?.app ?? 0;
    return {
      mark: `${seed}-${round}-${ERRANDS + index}`,
      app,
      startMs,
      amountMinor: scriptless(amountMinor),
      script: null,
      gateways: null,
      visits: [],
      contract: 'native',
      act: random.pick(['pay', 'pay', 'close-after-paying'] as const),
      firstApi: index % 2 === 0 ? 0 : 1,
      repeat: random.chance(0.5) ? 'at-once' : null,
      forgery: null,
      refund: back ? random.pick(['part', 'whole'] as const) : null,
      late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
      manual: 'confirmed',
      bill: mark,
    };
  });
}

interface Fixed {
  readonly gateways: readonly GatewayName[];
  readonly visits: readonly GatewayName[];
  readonly script: OtherScript | null;
  /** Null: chosen at random. */
  readonly act: PayerAct | null;
}

/**
 * Returns errands at each simulated gateway that the application fixes, one of them without a script; one whose money arrives without a notice; and
 * errands of payers who may choose among all gateways.
 */
function gatewayErrands({ seed, round, onlyDial }: RoundName): Errand[] {
  const onlyScript = OTHER_SCRIPT_NAMES.find((name) => `gateway:${name}` === onlyDial);
  const onlyChoice = CHOICE_ACTS.find((act) => `choice:${act}` === onlyDial);
  const onlyUnseen = UNSEEN_ACTS.find((act) => `unseen:${act}` === onlyDial);
  const others = SIMULATED_NAMES.filter((name) => name !== 'sslcommerz');
  const fixed = others.flatMap((gateway): Fixed[] => {
    const dealt = onlyDial === undefined ? dealtOtherScripts({ seed, round, gateway }) : [];
    const scripts = onlyScript?.startsWith(`${gateway}/`) === true ? [onlyScript] : dealt;
    return [...scripts, null].map((script) => ({ gateways: [gateway], visits: [gateway], script, act: null }));
  });
  const choosing = CHOICE_ACTS.map((act, index): Fixed => {
    const gateways = randomFrom(seed, round, 8_000 + index).shuffled(GATEWAY_NAMES);
    return { gateways, visits: gateways.slice(0, (round % 2) + 2), script: null, act: onlyChoice ?? act };
  });
  const unseen: Fixed = {
    gateways: ['nagad'],
    visits: ['nagad'],
    script: null,
    act: onlyUnseen ?? UNSEEN_ACTS[round % UNSEEN_ACTS.length] ?? null,
  };
  return [...fixed, ...choosing, unseen].map(({ gateways, visits, script, act }, index): Errand => {
    const random = randomFrom(seed, round, 9_000 + index);
    const drawn = act ?? (script === null ? drawAct(random) : 'pay');
    const app = random.pick([0, 1, 2] as const);
    const isPaid = drawn === 'pay' || drawn === 'close-after-paying' || drawn === 'change-mind';
    return {
      mark: `${seed}-${round}-g${index}`,
      app,
      startMs: random.between(0, LOAD_MS - 1_500),
      amountMinor:
        script === null
          ? scriptless(random.between(OTHERS_MINOR_MIN, AMOUNT_MINOR_MAX))
          : SCRIPTED_TAKA * 100 + OTHER_SCRIPTS[script],
      script,
      gateways,
      visits,
      contract: 'native',
      act: drawn,
      firstApi: random.pick([0, 1] as const),
      repeat: random.chance(0.3) ? random.pick(['at-once', 'later', 'other-body'] as const) : null,
      forgery: null,
      refund: refundOf({ random, script, isPaid: isPaid && !visits.some((name) => NOT_GIVEN_BACK.has(name)) }),
      late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
      manual: 'confirmed',
      bill: null,
    };
  });
}

/** Returns the manual payments: the payer submits and operators decide. A cycle includes every manual act. */
function manualErrands({ seed, round, onlyDial }: RoundName): Errand[] {
  const only = MANUAL_ACTS.find((act) => `manual:${act}` === onlyDial);
  const deck = randomFrom(seed, Math.floor(round / CYCLE_ROUNDS), 6).shuffled(MANUAL_ACTS);
  return Array.from({ length: BY_HAND }).flatMap((_, index): Errand[] => {
    const random = randomFrom(seed, round, 11_000 + index);
    const act = only ?? deck[((round % CYCLE_ROUNDS) * BY_HAND + index) % deck.length] ?? 'confirmed';
    const app = random.pick([0, 1, 2] as const);
    const own: Errand = {
      mark: `${seed}-${round}-m${index}`,
      app,
      startMs: random.between(0, LOAD_MS - 2_000),
      amountMinor: scriptless(random.between(OTHERS_MINOR_MIN, AMOUNT_MINOR_MAX / 10)),
      script: null,
      gateways: ['manual'],
      visits: ['manual'],
      contract: 'native',
      act: 'pay',
      firstApi: random.pick([0, 1] as const),
      repeat: null,
      forgery: null,
      refund: null,
      late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
      manual: act,
      bill: null,
    };
    // The payment that shares the transaction belongs to another application if one has the same account.
    const other = { ...own, mark: `${own.mark}b`, app: app === 1 ? app : random.pick([0, 2] as const) };
    return act === 'shared' ? [own, other] : [own];
  });
}

/**
 * Returns the transaction number that an errand's payer submits first, and the one for a correction. All numbers differ, except for shared
 * transactions.
 */
export function transactionOf({ mark }: Pick<Errand, 'mark'>, turn: 0 | 1): string {
  return `TX-${mark.replaceAll('-', 'X').replace(/b$/, '')}-${turn}`;
}

/** Returns payments created through OwnPay's API, which names the gateway. A cycle includes every gateway. */
function intentErrands({ seed, round, onlyDial }: RoundName): Errand[] {
  const only = GATEWAY_NAMES.find((name) => `intent:${name}` === onlyDial);
  return Array.from({ length: INTENTS }, (_, index): Errand => {
    const random = randomFrom(seed, round, 10_000 + index);
    const app = index === 0 ? random.pick([0, 1] as const) : random.pick([0, 1, 2] as const);
    const dealt = GATEWAY_NAMES[(round * INTENTS + index) % GATEWAY_NAMES.length] ?? 'sslcommerz';
    return {
      mark: `${seed}-${round}-o${index}`,
      app,
      startMs: random.between(0, LOAD_MS - 1_500),
      amountMinor: scriptless(random.between(OTHERS_MINOR_MIN, AMOUNT_MINOR_MAX)),
      script: null,
      gateways: [only ?? dealt],
      visits: [only ?? dealt],
      contract: 'ownpay',
      act: drawAct(random),
      firstApi: random.pick([0, 1] as const),
      repeat: null,
      forgery: null,
      refund: null,
      late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
      manual: 'confirmed',
      bill: null,
    };
  });
}

interface RefundedOther {
  readonly random: Random;
  readonly script: OtherScript | null;
  readonly isPaid: boolean;
}

function refundOf({ random, script, isPaid }: RefundedOther): RefundAct | null {
  if (script?.includes('/refund-') === true) {
    return random.pick(['part', 'whole'] as const);
  }
  return isPaid && random.chance(0.6) ? random.pick(ONE_REFUND) : null;
}

interface DealtOther {
  readonly seed: bigint;
  readonly round: number;
  readonly gateway: GatewayName;
}

function dealtOtherScripts({ seed, round, gateway }: DealtOther): OtherScript[] {
  const own = OTHER_SCRIPT_NAMES.filter((name) => name.startsWith(`${gateway}/`));
  const deck = randomFrom(seed, Math.floor(round / CYCLE_ROUNDS), 10 + GATEWAY_NAMES.indexOf(gateway)).shuffled(own);
  return deck.filter((_, index) => index % CYCLE_ROUNDS === round % CYCLE_ROUNDS);
}

interface DrawnRefund {
  readonly seed: bigint;
  readonly round: number;
  readonly index: number;
  readonly onlyDial: string | undefined;
}

function refundErrand({ seed, round, index, onlyDial }: DrawnRefund): Errand {
  const random = randomFrom(seed, round, 2_000 + index);
  const dealt = index < REFUND_SCRIPTED ? { script: dealtRefundScript({ seed, round, index }) } : { script: null };
  const onlyScript = REFUND_SCRIPT_NAMES.find((name) => `gateway:${name}` === onlyDial);
  const onlyAct = REFUND_ACTS.find((act) => `refund:${act}` === onlyDial);
  const script = onlyDial === undefined ? dealt.script : (onlyScript ?? null);
  const act = script === null ? dealtAct({ seed, round, index }) : random.pick(MOVING_ACTS);
  return {
    mark: `${seed}-${round}-${PAYING + index}`,
    app: random.pick([0, 1] as const),
    startMs: random.between(0, 700),
    amountMinor:
      script === null
        ? scriptless(random.between(REFUND_MINOR_MIN, AMOUNT_MINOR_MAX))
        : SCRIPTED_TAKA * 100 + REFUND_SCRIPTS[script],
    script,
    gateways: null,
    visits: [],
    contract: 'native',
    act: 'pay',
    firstApi: random.pick([0, 1] as const),
    repeat: null,
    forgery: null,
    refund: onlyAct ?? act,
    late: 'refund',
    manual: 'confirmed',
    bill: null,
  };
}

interface Drawn {
  readonly seed: bigint;
  readonly round: number;
  readonly index: number;
  readonly script: GatewayScript | null;
  readonly forgery: Forgery | null;
  /** What happens to the payment that is certain to arrive late. */
  readonly late: LateAct;
}

function errand({ seed, round, index, script, forgery, late }: Drawn): Errand {
  const random = randomFrom(seed, round, 1_000 + index);
  const amountMinor = script === null ? plainAmount(random) : SCRIPTED_TAKA * 100 + GATEWAY_SCRIPTS[script];
  const plainAct = index === UNAPPLIED_MONEY_INDEX ? 'cancel-then-pay' : drawAct(random);
  const act = forgery === null ? (script === null ? plainAct : 'pay') : 'leave-the-gateway';
  const drawnApp = random.pick([0, 1, 2] as const);
  const app = index === UNAPPLIED_MONEY_INDEX ? LATE_APPS[late] : drawnApp;
  const later = randomFrom(seed, round, 3_000 + index);
  return {
    mark: `${seed}-${round}-${index}`,
    app,
    startMs: random.between(0, LOAD_MS - 1_300),
    amountMinor,
    script,
    gateways: null,
    visits: [],
    contract: 'native',
    act,
    firstApi: random.pick([0, 1] as const),
    repeat: random.chance(0.5) ? random.pick(['at-once', 'later', 'other-body'] as const) : null,
    forgery,
    refund: (act === 'pay' || act === 'close-after-paying') && later.chance(0.6) ? later.pick(REFUND_ACTS) : null,
    late: LATE_ACTS.find((name) => LATE_APPS[name] === app) ?? 'refund',
    manual: 'confirmed',
    bill: null,
  };
}

function plainAmount(random: Random): number {
  return scriptless(random.between(AMOUNT_MINOR_MIN, AMOUNT_MINOR_MAX));
}

function scriptless(amount: number): number {
  return Math.floor(amount / 100) === SCRIPTED_TAKA ? amount + 100 : amount;
}

function drawAct(random: Random): PayerAct {
  return random.pick(PAYER_ACTS.flatMap((act) => Array.from({ length: ACT_WEIGHTS[act] }, () => act)));
}

/** Deals a cycle's faults from one shuffled deck, so that none is missing and every round has at least four. */
function dealtTroubles(seed: bigint, round: number): Trouble[] {
  const cycle = Math.floor(round / CYCLE_ROUNDS);
  const deck = randomFrom(seed, cycle, 1).shuffled<Trouble>([
    ...PROCESS_DIALS.map((dial) => ({ kind: 'process', dial }) as const),
    ...RECEIVER_DIALS.map((dial) => ({ kind: 'receiver', dial }) as const),
    ...LINKS.flatMap((link, index) =>
      Array.from({ length: TOXICS_PER_LINK }, (_, turn) => ({
        kind: 'link' as const,
        link,
        toxic: toxicAt(index + cycle * TOXICS_PER_LINK + turn),
      })),
    ),
  ]);
  return deck.filter((_, index) => index % CYCLE_ROUNDS === round % CYCLE_ROUNDS);
}

/** Over three cycles every link meets every toxic. */
function toxicAt(index: number): Toxic {
  return TOXICS[index % TOXICS.length] ?? 'cut';
}

function dealtScripts(seed: bigint, round: number): GatewayScript[] {
  const cycle = Math.floor(round / CYCLE_ROUNDS);
  const deck = randomFrom(seed, cycle, 2).shuffled(GATEWAY_SCRIPT_NAMES);
  return Array.from({ length: SCRIPTED }, (_, index) => {
    const position = (round % CYCLE_ROUNDS) * SCRIPTED + index;
    return deck[position % deck.length] ?? 'silence';
  });
}

type Dealt = Omit<DrawnRefund, 'onlyDial'>;

function dealtRefundScript({ seed, round, index }: Dealt): RefundScript {
  const deck = randomFrom(seed, Math.floor(round / CYCLE_ROUNDS), 4).shuffled(REFUND_SCRIPT_NAMES);
  const position = (round % CYCLE_ROUNDS) * REFUND_SCRIPTED + index;
  return deck[position % deck.length] ?? 'refund-silent';
}

function dealtAct({ seed, round, index }: Dealt): RefundAct {
  const deck = randomFrom(seed, Math.floor(round / CYCLE_ROUNDS), 5).shuffled(REFUND_ACTS);
  const position = (round % CYCLE_ROUNDS) * REFUND_PLAIN + index;
  return deck[position % deck.length] ?? 'part';
}

function onlyTroubles(dial: string, random: Random): Trouble[] {
  const [link, toxic] = [LINKS.find((name) => name === dial), TOXICS.find((name) => name === dial)];
  const process = PROCESS_DIALS.find((name) => name === dial);
  const receiver = RECEIVER_DIALS.find((name) => name === dial);
  if (link !== undefined || toxic !== undefined) {
    return [0, 1, 2].map(() => ({
      kind: 'link',
      link: link ?? random.pick(LINKS),
      toxic: toxic ?? random.pick(TOXICS),
    }));
  }
  if (process !== undefined) {
    return [
      { kind: 'process', dial: process },
      { kind: 'process', dial: process },
    ];
  }
  return receiver === undefined ? [] : [{ kind: 'receiver', dial: receiver }];
}

function onlyScripts(dial: string): GatewayScript[] {
  const script = GATEWAY_SCRIPT_NAMES.find((name) => `gateway:${name}` === dial);
  return script === undefined ? [] : Array.from({ length: ERRANDS }, () => script);
}

function isForgery(dial: string): dial is Forgery {
  return FORGERIES.some((name) => name === dial);
}
